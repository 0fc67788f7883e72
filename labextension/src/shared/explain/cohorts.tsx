// Why do these differ from those? Two groups of rows, column by column, with intervals.
import { useState } from 'react';

import type { Cohort, CohortInfo, CohortsPage } from '../../explain_protocol';
import { count } from '../format';
import { Loading, Nothing, Section, Trouble } from '../inspector/parts';
import { useWidth } from '../inspector/use';
import { ticks } from '../scale';
import { barAxis, signOf } from './bars';
import { type Draft, fresh, read, Side } from './side';
import { Label } from './label';
import type { Looked } from './types';
import { useAsk } from './use-ask';
import { nameAt, number, signed } from './words';

const ROW = 28;
const FIRST = 15;

export function CohortsView({ looked }: { looked: Looked }): JSX.Element {
  const { view, host, output, marked } = looked;
  const asking = useAsk(host, 'cohorts');
  const [a, setA] = useState<Draft>(() => fresh(view, marked !== null));
  const [b, setB] = useState<Draft>({ ...fresh(view, false), how: 'others' });
  const [said, say] = useState('');
  const compare = (): void => {
    const [one, other] = [read(a, looked), read(b, looked)];
    const wrong = typeof one === 'string' ? one : typeof other === 'string' ? other : one === null ? 'Say which rows the first group has.' : '';
    say(wrong);
    if (wrong === '') {
      void asking.ask({ kind: 'cohorts', output, a: one as Cohort, b: other as Cohort | null });
    }
  };
  const page = asking.data?.output === output ? asking.data : null;
  return (
    <>
      <Section title="Why do these differ from those?">
        <form className="aiosw-ex-sides" onSubmit={e => { e.preventDefault(); compare(); }}>
          <Side looked={looked} letter="A" title="These" draft={a} onDraft={setA} others={false} />
          <Side looked={looked} letter="B" title="Those" draft={b} onDraft={setB} others />
          <span className="aiosw-buttons">
            <button type="submit" className="aiosw-primary" disabled={!host.canAct || asking.busy}>Compare</button>
            {asking.busy && <button type="button" onClick={asking.forget}>Cancel</button>}
          </span>
        </form>
        {said && <p className="aiosw-problem" role="alert">{said}</p>}
        {marked === null && <p className="aiosw-ex-hint">Rows drawn around in a scatter can be a group, too.</p>}
      </Section>
      {asking.problem && <Trouble problem={asking.problem} />}
      {asking.busy ? <Loading what="why these differ from those" rows={5} /> : page !== null ? <Found looked={looked} page={page} /> : !asking.problem && <Nothing title="Nothing compared yet">The difference of two groups’ mean predictions, split into columns.</Nothing>}
    </>
  );
}

function Found({ looked, page }: { looked: Looked; page: CohortsPage }): JSX.Element {
  const [more, setMore] = useState(false);
  const shown = more ? page.differences : page.differences.slice(0, FIRST);
  const all = page.differences.length;
  return (
    <Section title={page.summary || `${page.a.name} against ${page.b.name}`}>
      <dl className="aiosw-ex-figures">
        <Group of={page.a} letter="A" />
        <Group of={page.b} letter="B" />
        <div><dt>difference</dt><dd>{signed(page.a.prediction - page.b.prediction)}</dd></div>
      </dl>
      <Chart looked={looked} page={{ ...page, differences: shown }} />
      {all > FIRST && <button type="button" className="aiosw-link" aria-expanded={more} onClick={() => setMore(!more)}>{more ? 'Fewer columns' : `${count(all - FIRST)} more columns`}</button>}
      <p className="aiosw-ex-hint">A bar is how much more the column adds to A’s predictions than to B’s; the line is its 95 % interval. Pale and “unclear”: the interval holds 0.</p>
      {page.notes.map((n, i) => <p key={i} className="aiosw-ex-hint">{n}</p>)}
    </Section>
  );
}

function Group({ of, letter }: { of: CohortInfo; letter: string }): JSX.Element {
  return (
    <div>
      <dt><i className="aiosw-key" data-side={letter}>{letter}</i> {`${of.name || letter}, ${count(of.rows)} rows`}</dt>
      <dd>{number(of.prediction)}{of.low !== null && of.high !== null && <small>{` ${number(of.low)} to ${number(of.high)}`}</small>}</dd>
    </div>
  );
}

function Chart({ looked, page }: { looked: Looked; page: CohortsPage }): JSX.Element {
  const { view } = looked;
  const [box, width] = useWidth<HTMLDivElement>();
  const d = page.differences;
  const x = barAxis(d.flatMap(v => [v.difference, v.low ?? v.difference, v.high ?? v.difference]), width, 58);
  const base = 4 + d.length * ROW;
  const zero = x(0);
  return (
    <div className="aiosw-ex-rows" style={{ '--ex-row': `${ROW}px`, '--ex-top': '4px' } as React.CSSProperties}>
      <ul className="aiosw-ex-labels">
        {d.map(v => <li key={v.at} title={v.words || undefined}><Label columns={view.columns} at={v.at} onColumn={looked.onColumn} />{v.clear === false && <em className="aiosw-badge">unclear</em>}</li>)}
      </ul>
      <div ref={box} className="aiosw-ex-plot" style={{ height: base + 22 }}>
        {width > 0 && (
          <svg width={width} height={base + 22} role="img" aria-label={`Differences by column: ${d.slice(0, 8).map(v => `${nameAt(view.columns, v.at)} ${signed(v.difference)}${v.clear === false ? ' (unclear)' : ''}`).join('; ')}`}>
            <g className="aiosw-ex-axis">
              {ticks(x, 4, width - 4, number, Math.max(3, Math.floor(width / 90))).map((t, i) => <g key={i}><path d={`M${t.at.toFixed(1)} 4V${base}`} /><text x={t.at} y={base + 15} textAnchor={t.at < 24 ? 'start' : t.at > width - 24 ? 'end' : 'middle'}>{t.label}</text></g>)}
            </g>
            <path className="aiosw-ex-zero" d={`M${zero.toFixed(1)} 4V${base}`} />
            {d.map((v, i) => {
              const y = 4 + i * ROW;
              const far = v.difference < 0 ? Math.min(x(v.difference), x(v.low ?? v.difference)) : Math.max(x(v.difference), x(v.high ?? v.difference));
              const left = v.difference < 0;
              return (
                <g key={v.at}>
                  <title>{v.words}</title>
                  <rect className="aiosw-ex-bar" data-sign={signOf(v.difference)} data-unclear={v.clear === false || undefined} x={Math.min(zero, x(v.difference))} y={y + 6} width={Math.max(1, Math.abs(x(v.difference) - zero))} height={ROW - 12} />
                  {v.low !== null && v.high !== null && <path className="aiosw-ex-whisker" d={`M${x(v.low).toFixed(1)} ${y + ROW / 2}H${x(v.high).toFixed(1)}`} />}
                  <text className="aiosw-ex-out" x={left ? Math.min(far, zero) - 5 : Math.max(far, zero) + 5} y={y + ROW / 2 + 4} textAnchor={left ? 'end' : 'start'}>{signed(v.difference)}</text>
                </g>
              );
            })}
          </svg>
        )}
      </div>
    </div>
  );
}
