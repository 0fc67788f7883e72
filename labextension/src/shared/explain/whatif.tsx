// The row with other values: predicted anew as a slider moves, explained anew when it rests.
import { useEffect, useMemo, useRef, useState } from 'react';

import type { Bar, RowPage, WhatIfPage } from '../../explain_protocol';
import { useLatest } from '../asking';
import { duration } from '../format';
import { isAbort } from '../inspector/abort';
import { Nothing, Search, Section, Trouble } from '../inspector/parts';
import { type Problem, problemOf } from '../inspector/use';
import { Beside, type Line } from './beside';
import { type Cell, Control } from './controls';
import type { Looked } from './types';
import { nameAt, number, share, signed } from './words';

/** Explained once nothing has moved for so long. */
const REST_MILLISECONDS = 350;
const FIRST = 12;
const TOP = 12;

export function WhatIfView({ looked, page, shown }: { looked: Looked; page: RowPage | null; shown: boolean }): JSX.Element {
  const { view } = looked;
  if (page === null) {
    return <Nothing title="No row chosen">Choose a row under “Row”; then change its values here.</Nothing>;
  }
  if (!view.offers.model || page.values.length === 0) {
    return <Nothing title="The model is not at hand">{view.offers.why || 'Explain again to ask it what it says of other values.'}</Nothing>;
  }
  return <Desk key={`${view.id} ${page.row}`} looked={looked} page={page} shown={shown} />;
}

function Desk({ looked, page, shown }: { looked: Looked; page: RowPage; shown: boolean }): JSX.Element {
  const { view, host, output } = looked;
  const [changes, setChanges] = useState<Record<number, Cell>>({});
  const [more, setMore] = useState(false);
  const [search, setSearch] = useState('');
  const [quick, setQuick] = useState<{ key: string; page: WhatIfPage } | null>(null);
  const [full, setFull] = useState<{ key: string; page: WhatIfPage } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [explaining, setExplaining] = useState(false);
  const stop = useRef<AbortController | null>(null);
  const key = JSON.stringify([output, changes]);
  const { want, busy } = useLatest((wish: { changes: Record<number, Cell>; output: number; key: string }) =>
    host.ask({ kind: 'what_if', row: page.row, output: wish.output, changes: wish.changes, explain: false }, { seconds: 30 }).then(
      found => { setQuick({ key: wish.key, page: found }); setProblem(null); },
      (error: unknown) => { if (!isAbort(error)) { setProblem(problemOf(error)); } }
    )
  );
  const any = Object.keys(changes).length > 0;
  useEffect(() => {
    if (any && shown) {
      want({ changes, output, key });
    }
    // `key` stands for changes and output.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key, any, shown, want]);
  // Explained once it was predicted and rests: the kernel answers the newest of both kinds only.
  const predicted = quick?.key === key;
  useEffect(() => {
    if (!any || !shown || !predicted) {
      return;
    }
    const mine = (stop.current = new AbortController());
    const timer = setTimeout(() => {
      setExplaining(true);
      host.ask({ kind: 'what_if', row: page.row, output, changes, explain: true, seconds: 5 }, { signal: mine.signal, seconds: 60 }).then(
        found => { setFull({ key, page: found }); setExplaining(false); },
        (error: unknown) => { if (!isAbort(error)) { setProblem(problemOf(error)); setExplaining(false); } }
      );
    }, REST_MILLISECONDS);
    return () => {
      clearTimeout(timer);
      mine.abort();
      setExplaining(false);
    };
    // `key` stands for changes and output.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key, any, shown, predicted, host.ask]);
  const put = (at: number, value: Cell): void =>
    setChanges(now => {
      const { [at]: _, ...others } = now;
      return value === page.values[at] ? others : { ...others, [at]: value };
    });
  const text = search.trim().toLowerCase();
  // What counts most for this row comes first.
  const order = useMemo(() => [...page.bars.map(b => b.at), ...view.columns.map((_, i) => i).filter(i => !page.bars.some(b => b.at === i))], [page.bars, view.columns]);
  const found = text === '' ? order : order.filter(at => nameAt(view.columns, at).toLowerCase().includes(text));
  const listed = more || text !== '' ? found.slice(0, 300) : [...new Set([...found.slice(0, FIRST), ...Object.keys(changes).map(Number)])];
  const after = any ? (full?.key === key ? full.page : null) : null;
  const now = any ? (after ?? quick?.page ?? null) : null;
  const explained = full !== null && any ? full.page.after : null;
  const outside = now?.outside ?? null;
  return (
    <div className="aiosw-ex-whatif">
      <div>
        <Section
          title={`Row ${page.row} with other values`}
          aside={<button type="button" className="aiosw-small" disabled={!any} onClick={() => { setChanges({}); setFull(null); setQuick(null); }}>All as they were</button>}
        >
          {order.length > FIRST && <div className="aiosw-tools"><Search value={search} onChange={setSearch} label="Search columns" /></div>}
          <div className="aiosw-ex-controls">
            {listed.map(at => <Control key={at} looked={looked} at={at} own={page.values[at] ?? null} value={at in changes ? changes[at] : (page.values[at] ?? null)} disabled={!host.canAct} onChange={v => put(at, v)} />)}
          </div>
          {text === '' && order.length > FIRST && <button type="button" className="aiosw-link" aria-expanded={more} onClick={() => setMore(!more)}>{more ? 'Fewer columns' : `${order.length - FIRST} more columns`}</button>}
        </Section>
      </div>
      <div aria-busy={busy || explaining}>
        <Section title="What the model says then" aside={busy || explaining ? (explaining ? 'explaining…' : 'asking…') : now ? `answered in ${duration(now.seconds)}` : ''}>
          {problem && <Trouble problem={problem} />}
          <dl className="aiosw-ex-figures">
            <div><dt>as it is</dt><dd>{number(page.prediction)}</dd></div>
            <div><dt>with the changes</dt><dd>{number(now?.prediction ?? page.prediction)}</dd></div>
            <div><dt>difference</dt><dd data-sign={now && now.prediction !== page.prediction ? (now.prediction < page.prediction ? 'down' : 'up') : undefined}>{signed((now?.prediction ?? page.prediction) - page.prediction)}</dd></div>
            {outside !== null && <div><dt>farther out than</dt><dd data-tone={outside >= 0.99 ? 'warn' : undefined}>{share(outside)}{outside >= 0.99 && <small> ⚠ outside the training data</small>}</dd></div>}
          </dl>
          <p className="aiosw-hidden" role="status">{now && !busy ? `${view.unit || 'Prediction'} ${number(now.prediction)}, ${signed(now.prediction - page.prediction)}` : ''}</p>
          {any && explained === null && !problem && <p className="aiosw-quiet">The contributions follow when nothing moves.</p>}
          {!any && <p className="aiosw-quiet">Move a slider or choose another value: the model is asked at once.</p>}
          {explained !== null && (
            <div data-stale={after === null || undefined} className="aiosw-ex-stale">
              <p className="aiosw-ex-legend"><span><i className="aiosw-ex-swatch" data-by="before" /> as it is</span> <span><i className="aiosw-ex-swatch" data-by="shap" /> with the changes</span></p>
              <Beside columns={view.columns} lines={lines(page.bars, explained.bars, changes)} names={['as it is', 'with the changes']} label="Contributions as it is and with the changes" onColumn={looked.onColumn} />
            </div>
          )}
          {now?.notes.map((n, i) => <p key={i} className="aiosw-ex-hint">{n}</p>)}
        </Section>
      </div>
    </div>
  );
}

function lines(before: Bar[], after: Bar[], changes: Record<number, Cell>): Line[] {
  const then = new Map(before.map(b => [b.at, b]));
  return after
    .map(b => ({ at: b.at, a: then.get(b.at)?.shap ?? 0, b: b.shap, aError: then.get(b.at)?.error ?? null, bError: b.error, mark: b.at in changes ? 'changed' : '' }))
    .sort((u, v) => Math.max(Math.abs(v.a), Math.abs(v.b)) - Math.max(Math.abs(u.a), Math.abs(u.b)))
    .slice(0, TOP);
}
