// Which columns count together: a cell for every pair, the stronger the darker, its figure in it.
import { Fragment, useRef, useState } from 'react';

import type { InteractionsPage } from '../../explain_protocol';
import { count, duration } from '../format';
import { Loading, Nothing, Section, Trouble } from '../inspector/parts';
import { useWidth } from '../inspector/use';
import { Take } from './take';
import type { Looked } from './types';
import { useAsk } from './use-ask';
import { nameAt, number } from './words';

export function InteractionsView({ looked }: { looked: Looked }): JSX.Element {
  const { view, host, output } = looked;
  const asking = useAsk(host, 'interactions');
  const [top, setTop] = useState(12);
  const page = asking.data?.output === output ? asking.data : null;
  return (
    <Section title="Columns that count together" aside={page !== null && <Take looked={looked} picture={['interactions']} />}>
      <div className="aiosw-tools">
        <label><span>columns</span><select value={top} onChange={e => setTop(Number(e.target.value))}>{[6, 12, 20, 30].map(n => <option key={n} value={n}>{n}</option>)}</select></label>
        <button type="button" className={page === null ? 'aiosw-primary' : ''} disabled={!host.canAct || !view.offers.interactions || asking.busy} onClick={() => void asking.ask({ kind: 'interactions', output, top })}>{page === null ? 'Compute them' : 'Compute again'}</button>
        {asking.busy && <button type="button" onClick={asking.forget}>Cancel</button>}
      </div>
      {asking.problem && <Trouble problem={asking.problem} />}
      {asking.busy && <Loading what="interactions" rows={5} />}
      {page !== null ? <Heat looked={looked} page={page} /> : !asking.busy && (
        <Nothing title="Not computed yet">{view.offers.interactions ? 'How much two columns act together takes many questions to the model: seconds for trees, longer for others.' : view.offers.why || 'Nothing can be computed here.'}</Nothing>
      )}
    </Section>
  );
}

function Heat({ looked, page }: { looked: Looked; page: InteractionsPage }): JSX.Element {
  const { view, onColumn } = looked;
  const [box, width] = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<[number, number]>([0, Math.min(1, page.columns.length - 1)]);
  const table = useRef<HTMLTableElement>(null);
  const n = page.columns.length;
  const label = Math.min(170, Math.max(70, width * 0.24));
  const size = Math.max(22, Math.min(56, Math.floor((width - label - 4) / Math.max(1, n))));
  const pairs = page.strength.flatMap((row, i) => row.filter((v, j): v is number => j !== i && v !== null));
  const most = Math.max(...pairs, 1e-12);
  const onKeyDown = (e: React.KeyboardEvent): void => {
    const [i, j] = at;
    const to = ({ ArrowRight: [i, j + 1], ArrowLeft: [i, j - 1], ArrowDown: [i + 1, j], ArrowUp: [i - 1, j], Home: [i, 0], End: [i, n - 1] } as Record<string, [number, number]>)[e.key];
    if (to === undefined) {
      return;
    }
    e.preventDefault();
    const next: [number, number] = [Math.max(0, Math.min(n - 1, to[0])), Math.max(0, Math.min(n - 1, to[1]))];
    setAt(next);
    table.current?.querySelector<HTMLElement>(`[data-cell="${next[0]} ${next[1]}"]`)?.focus();
  };
  const words = (i: number, j: number): string => {
    const value = page.strength[i]?.[j] ?? null;
    const error = page.errors[i]?.[j] ?? null;
    const figure = value === null ? 'not known' : `${number(value)}${error ? ` ± ${number(1.96 * error)}` : ''}`;
    return i === j ? `${nameAt(view.columns, page.columns[i])} alone: ${figure}` : `${nameAt(view.columns, page.columns[i])} with ${nameAt(view.columns, page.columns[j])}: ${figure}`;
  };
  return (
    <div ref={box}>
      <div className="aiosw-scroll aiosw-ex-heatbox" tabIndex={0} role="region" aria-label="Interactions">
        <table ref={table} className="aiosw-ex-heat" role="grid" aria-label="Interactions of pairs; arrow keys move, Enter shows a column" onKeyDown={onKeyDown}>
          <thead>
            <tr>
              <th><span className="aiosw-hidden">column</span></th>
              {page.columns.map((c, j) => <th key={j} scope="col" style={{ width: size }}><span title={nameAt(view.columns, c)}>{nameAt(view.columns, c)}</span></th>)}
            </tr>
          </thead>
          <tbody>
            {page.columns.map((c, i) => (
              <tr key={i}>
                <th scope="row" style={{ maxWidth: label }} title={nameAt(view.columns, c)}>{nameAt(view.columns, c)}</th>
                {page.columns.map((_, j) => {
                  const value = page.strength[i]?.[j] ?? null;
                  const strong = i === j || value === null ? 0 : Math.min(1, value / most);
                  return (
                    <Fragment key={j}>
                      <td
                        data-cell={`${i} ${j}`}
                        data-own={i === j || undefined}
                        data-strong={strong > 0.55 || undefined}
                        tabIndex={at[0] === i && at[1] === j ? 0 : -1}
                        aria-label={words(i, j)}
                        style={{ width: size, height: Math.min(size, 34), '--ex-share': `${Math.round(100 * strong ** 0.8)}%` } as React.CSSProperties}
                        onMouseEnter={() => setAt([i, j])}
                        onFocus={() => setAt([i, j])}
                        onClick={() => onColumn(c)}
                        onKeyDown={e => e.key === 'Enter' && onColumn(c)}
                      >
                        {size >= 38 && value !== null ? number(value) : ''}
                      </td>
                    </Fragment>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="aiosw-told" role="status">{n > 0 ? words(...at) : ''}</p>
      <p className="aiosw-ex-hint">{`${page.method}, ${page.exact ? 'exact' : 'estimated'}, ${count(page.rows)} rows, ${duration(page.seconds)}${page.stopped === 'budget' ? '; stopped at its budget' : page.stopped === 'cancelled' ? '; stopped early' : ''}. On the diagonal (outlined): the column alone.`}</p>
      {page.notes.map((t, i) => <p key={i} className="aiosw-ex-hint">{t}</p>)}
    </div>
  );
}
