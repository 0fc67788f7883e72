// A query's neighbours, exact beside approximate, and the queries that are answered worst.
import { useEffect, useId, useState } from 'react';

import type { Explored, Neighbour, TuningPoint, TuningView } from '../../tuning_protocol';
import { Loading, many, Trouble } from '../inspector/parts';
import type { TuningHost } from './types';
import { useAsk } from './use-ask';
import { digits, ms } from './words';

interface Props {
  view: TuningView;
  host: TuningHost;
  point: TuningPoint | null;
  shown: boolean;
}

export function Queries({ view, host, point, shown }: Props): JSX.Element {
  const id = useId();
  const explore = useAsk(host, 'explore');
  const hard = useAsk(host, 'hard');
  const [row, setRow] = useState('0');
  const [text, setText] = useState('');
  const total = view.problem.tuning_queries + view.problem.held_out_queries;
  const key = point && !point.part ? point.id : null;
  const live = host.canAct && shown && key !== null;
  const { ask: askHard } = hard;
  useEffect(() => {
    // While it searches the choice moves on: the list is asked for when it rests.
    if (live && view.status !== 'running') {
      void askHard({ kind: 'hard', point: key, n: 20 });
    }
  }, [live, key, askHard, view.status]);
  const byRow = (n: number): void => {
    setRow(String(n));
    setText('');
    void explore.ask({ kind: 'explore', row: n, point: key });
  };
  const number = /^\d+$/.test(row.trim()) ? Number(row) : null;
  const submit = (e: React.FormEvent): void => {
    e.preventDefault();
    if (text.trim()) {
      void explore.ask({ kind: 'explore', text: text.trim(), point: key });
    } else if (number !== null) {
      byRow(number);
    }
  };
  return (
    <div className="aiosw-tun-queries">
      <div>
        <form className="aiosw-tun-ask" aria-label="A query" onSubmit={submit}>
          <div className="aiosw-field aiosw-tun-text">
            <label htmlFor={`${id}-text`}>A text or an id</label>
            <input id={`${id}-text`} type="search" value={text} placeholder="a text is embedded as the vectors were" onChange={e => setText(e.target.value)} />
          </div>
          <div className="aiosw-field">
            <label htmlFor={`${id}-row`}>or its number</label>
            <input id={`${id}-row`} type="text" inputMode="numeric" value={row} aria-invalid={!text.trim() && number === null ? true : undefined} onChange={e => { setRow(e.target.value); setText(''); }} />
          </div>
          <span className="aiosw-buttons">
            <button type="submit" className="aiosw-primary" disabled={!host.canAct || key === null || explore.busy || (!text.trim() && number === null)}>Find neighbours</button>
            <button type="button" disabled={!host.canAct || key === null || explore.busy} onClick={() => byRow(Math.max(0, (number ?? 0) - 1))} aria-label="Previous query">‹</button>
            <button type="button" disabled={!host.canAct || key === null || explore.busy} onClick={() => byRow(Math.min(Math.max(total - 1, 0), (number ?? -1) + 1))} aria-label="Next query">›</button>
          </span>
        </form>
        {key === null && <p className="aiosw-quiet">Queries can be tried as soon as an index is chosen.</p>}
        {explore.problem && <Trouble problem={explore.problem} />}
        {explore.busy && explore.data === null && <Loading what="neighbours" />}
        {explore.data && <Sides of={explore.data} busy={explore.busy} />}
      </div>
      <section className="aiosw-section aiosw-tun-hard" aria-label="Hard queries">
        <div className="aiosw-section-head">
          <h4>Hard queries</h4>
          <button type="button" className="aiosw-small" disabled={!host.canAct || key === null || hard.busy} onClick={() => void hard.ask({ kind: 'hard', point: key, n: 20 })}>{hard.data ? 'Look again' : 'Find them'}</button>
        </div>
        {hard.problem && <Trouble problem={hard.problem} />}
        {hard.busy && hard.data === null && <Loading what="hard queries" />}
        {hard.data && hard.data.queries.length === 0 && <p className="aiosw-same">No query is answered with less than everything.</p>}
        {hard.data && hard.data.queries.length > 0 && (
          <ol className="aiosw-tun-hardlist">
            {hard.data.queries.map(q => (
              <li key={q.query}>
                <button type="button" className="aiosw-plain" onClick={() => byRow(q.query)}>
                  <span className="aiosw-ellipsis">{q.label || `query ${q.query}`}</span>
                  <small>recall {digits(q.recall)}, {many(q.missed, 'miss', 'misses')}</small>
                </button>
              </li>
            ))}
          </ol>
        )}
        {!hard.data && !hard.busy && <p className="aiosw-quiet">The queries the chosen index answers worst.</p>}
      </section>
    </div>
  );
}

function Sides({ of, busy }: { of: Explored; busy: boolean }): JSX.Element {
  const missed = of.exact.filter(n => !n.hit).length;
  return (
    <div className="aiosw-tun-found" aria-busy={busy}>
      <p role="status">
        <b className="aiosw-anywhere">{of.query}</b>{' '}
        <span className="aiosw-quiet">
          {[
            missed === 0 ? `all ${of.exact.length} found` : `${missed} of ${of.exact.length} missed`,
            `recall ${digits(of.recall)}`,
            of.scanned === null ? '' : `${of.scanned.toLocaleString('en')} vectors scanned`,
            of.milliseconds === null ? '' : ms(of.milliseconds)
          ].filter(Boolean).join(' · ')}
        </span>
      </p>
      <div className="aiosw-tun-sides">
        <Side title="Exact" rows={of.exact} bad="missed" />
        <Side title="Approximate" rows={of.approximate} bad="not among the exact" />
      </div>
    </div>
  );
}

function Side({ title, rows, bad }: { title: string; rows: Neighbour[]; bad: string }): JSX.Element {
  return (
    <section aria-label={`${title} neighbours`}>
      <h4>{title}</h4>
      <ol>
        {rows.map((n, i) => (
          <li key={`${n.id}/${i}`} data-hit={n.hit}>
            <span className="aiosw-tun-rank" aria-hidden="true">{n.hit ? i + 1 : '✗'}</span>
            <span className="aiosw-tun-neighbour">
              <code>{n.id}</code> {n.text && <span className="aiosw-tun-said">{n.text}</span>}
            </span>
            <span className="aiosw-tun-distance">
              {digits(n.distance)}
              {!n.hit && <em>{bad}</em>}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
