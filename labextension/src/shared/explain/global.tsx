// Which columns count over all rows: how much, by both methods, and row by row.
import { useMemo, useState } from 'react';

import type { GlobalPage, ImportanceBar, Swarm } from '../../explain_protocol';
import { count } from '../format';
import { Nothing, Search, Section, Trouble } from '../inspector/parts';
import { useWidth } from '../inspector/use';
import { marked as found } from '../mark';
import { scale } from '../scale';
import { whisker } from './bars';
import { DependenceView } from './dependence';
import type { WithBuffers } from './packed';
import { EDGE, SwarmCanvas } from './swarm';
import { Take } from './take';
import type { Looked } from './types';
import { useFetch } from './use-ask';
import { nameAt, number, signed } from './words';

const LINE = 32;
const TOPS = [10, 20, 50] as const;
/** A picture of more lines than this would be taller than a canvas may be. */
const MOST_LINES = 50;

interface Props {
  looked: Looked;
  page: GlobalPage;
  busy: boolean;
  /** The column whose dependence is open. */
  column: number | null;
  onClose: () => void;
}

export function GlobalView({ looked, page, busy, column, onClose }: Props): JSX.Element {
  const { view, host, output } = looked;
  const [top, setTop] = useState<number>(20);
  const [search, setSearch] = useState('');
  const text = search.trim().toLowerCase();
  const all = page.importance;
  const bars = useMemo(() => (text === '' ? all.slice(0, top) : all.filter(b => nameAt(view.columns, b.at).toLowerCase().includes(text)).slice(0, MOST_LINES)), [all, top, text, view.columns]);
  const given = output === view.output ? view.swarm : null;
  const wanted = useMemo(() => bars.slice(0, MOST_LINES).map(b => b.at), [bars]);
  const enough = given !== null && given.rows.length >= given.of && wanted.every(at => given.columns.includes(at));
  const asked = useFetch(host, enough || wanted.length === 0 ? null : ({ kind: 'swarm', output, columns: wanted, points: 100_000 } as const));
  const swarm = enough ? given : (asked.data ?? given);
  if (all.length === 0) {
    return <Nothing title="No column to explain">There is no column, or no row.</Nothing>;
  }
  return (
    <>
      <Section title={`How much each column counts${view.outputs.length > 1 ? ` for ${view.outputs[output]}` : ''}`} aside={<Take looked={looked} picture={['overview', 'importance', 'beeswarm']} />}>
        <div className="aiosw-tools">
          {all.length > TOPS[0] && (
            <span className="aiosw-segments" role="group" aria-label="How many columns">
              {TOPS.filter((t, i) => i === 0 || TOPS[i - 1] < all.length).map(t => <button key={t} type="button" aria-pressed={top === t && text === ''} onClick={() => { setTop(t); setSearch(''); }}>{t >= all.length ? `All ${count(all.length)}` : `Top ${t}`}</button>)}
            </span>
          )}
          {all.length > TOPS[0] && <Search value={search} onChange={setSearch} label="Search columns" />}
          <span className="aiosw-quiet" role="status">{bars.length === 0 ? 'No column fits.' : bars.length < all.length ? `${count(bars.length)} of ${count(all.length)} columns` : ''}</span>
        </div>
        {asked.problem && <Trouble problem={asked.problem} again={asked.again} stale={swarm !== null} />}
        {bars.length > 0 && <Lines looked={looked} bars={bars} swarm={swarm} busy={busy || asked.busy} column={column} search={search} lime={view.lime !== null} />}
      </Section>
      {column !== null && view.columns[column] && <DependenceView key={column} looked={looked} column={column} onClose={onClose} />}
    </>
  );
}

interface LinesProps {
  looked: Looked;
  bars: ImportanceBar[];
  swarm: (Swarm & WithBuffers) | null;
  busy: boolean;
  column: number | null;
  search: string;
  lime: boolean;
}

function Lines({ looked, bars, swarm, busy, column, search, lime }: LinesProps): JSX.Element {
  const { view, row, onRow, marked, onColumn } = looked;
  const [box, width] = useWidth<HTMLDivElement>();
  const [side, setSide] = useState<'bars' | 'swarm'>('bars');
  const narrow = width < 640;
  const label = narrow ? Math.min(150, Math.round(width * 0.38)) : Math.min(220, Math.round(width * 0.2));
  const [withBars, withSwarm] = [!narrow || side === 'bars' || swarm === null, swarm !== null && (!narrow || side === 'swarm')];
  const barsWidth = !withBars ? 0 : withSwarm ? Math.round((width - label) * 0.32) : width - label - 16;
  const swarmWidth = withSwarm ? width - label - barsWidth - (withBars ? 32 : 16) : 0;
  const lines = useMemo(() => bars.map(b => b.at), [bars]);
  const most = Math.max(...bars.flatMap(b => [b.value + 1.96 * (b.error ?? 0), (b.lime ?? 0) + 1.96 * (b.lime_error ?? 0)]), 1e-12);
  const b = scale([0, most], 1, Math.max(30, barsWidth - (barsWidth > 150 ? 58 : 4)), 0, 1e-12);
  const x = useMemo(() => (swarm === null ? scale([0], 0, 1, 0) : scale([0, swarm.x.low, swarm.x.high], 6, Math.max(40, swarmWidth - 6), 0.02, 1e-12)), [swarm, swarmWidth]);
  const height = bars.length * LINE + 2 * EDGE;
  return (
    <div ref={box} className="aiosw-ex-global" aria-busy={busy}>
      {narrow && swarm !== null && (
        <p className="aiosw-segments" role="group" aria-label="Picture">
          <button type="button" aria-pressed={side === 'bars'} onClick={() => setSide('bars')}>Importance</button>
          <button type="button" aria-pressed={side === 'swarm'} onClick={() => setSide('swarm')}>Beeswarm</button>
        </p>
      )}
      {width > 0 && (
        <>
          <div className="aiosw-ex-heads" style={{ paddingLeft: label }}>
            {withBars && <span style={{ width: barsWidth }}><b>Mean size</b> <i className="aiosw-ex-swatch" data-by="shap" /> SHAP{lime && <> <svg width="10" height="10" aria-hidden="true"><path className="aiosw-ex-lime" d="M5 1L9 5L5 9L1 5z" /></svg> LIME</>}</span>}
            {withSwarm && <span><b>Row by row</b> <span className="aiosw-ex-rampkey"><small>low</small><i className="aiosw-ex-ramp" /><small>high value</small></span></span>}
          </div>
          <div className="aiosw-ex-lines" style={{ height, gridTemplateColumns: `${label}px ${withBars ? `${barsWidth}px` : ''} ${withSwarm ? `${swarmWidth}px` : ''}` }}>
            <ul style={{ paddingTop: EDGE }}>
              {bars.map(v => (
                <li key={v.at} style={{ height: LINE }}>
                  <button type="button" className="aiosw-plain aiosw-ex-label" aria-pressed={column === v.at} title={`${nameAt(view.columns, v.at)}: show how it acts`} onClick={() => onColumn(v.at)}>
                    <b>{found(nameAt(view.columns, v.at), search)}</b>
                    <span className="aiosw-hidden">{`, mean size ${number(v.value)}${v.lime === null ? '' : `, by LIME ${number(v.lime)}`}, mean ${signed(v.signed)}`}</span>
                  </button>
                </li>
              ))}
            </ul>
            {withBars && (
              <svg width={barsWidth} height={height} aria-hidden="true">
                {bars.map((v, i) => {
                  const y = EDGE + i * LINE;
                  const end = Math.max(b(v.value + 1.96 * (v.error ?? 0)), v.lime === null ? 0 : b(v.lime + 1.96 * (v.lime_error ?? 0)) + 5);
                  return (
                    <g key={v.at}>
                      <title>{`${nameAt(view.columns, v.at)}: ${number(v.value)}${v.lime === null ? '' : `, LIME ${number(v.lime)}`}`}</title>
                      <rect className="aiosw-ex-size" x={b(0)} y={y + 8} width={Math.max(1, b(v.value) - b(0))} height={LINE - 16} rx={2} />
                      <path className="aiosw-ex-whisker" d={whisker(b, v.value, v.error, y + LINE / 2)} />
                      {v.lime !== null && <path className="aiosw-ex-limebar" d={whisker(b, v.lime, v.lime_error, y + LINE / 2 + 6, 2)} />}
                      {v.lime !== null && <path className="aiosw-ex-lime" transform={`translate(${b(v.lime).toFixed(1)} ${y + LINE / 2 + 6})`} d="M0 -4.5L4.5 0L0 4.5L-4.5 0z" />}
                      {barsWidth > 150 && <text className="aiosw-ex-out" x={Math.min(end + 5, barsWidth - 40)} y={y + LINE / 2 + 4}>{number(v.value)}</text>}
                    </g>
                  );
                })}
                <path className="aiosw-ex-zero" d={`M${b(0)} ${EDGE - 4}V${height - EDGE + 4}`} />
              </svg>
            )}
            {withSwarm && swarm !== null && <SwarmCanvas swarm={swarm} columns={view.columns} lines={lines} line={LINE} width={swarmWidth} x={x} row={row} marked={marked} onRow={onRow} />}
          </div>
          <p className="aiosw-ex-hint">{withSwarm ? 'A dot is a row; right of the line the column raised its prediction. Click a dot to open its row, a name to see how the column acts.' : 'Choose a name to see how the column acts.'}{swarm !== null && withSwarm && swarm.rows.length < swarm.of && ` Shown: ${count(swarm.rows.length)} of ${count(swarm.of)} rows.`}</p>
        </>
      )}
    </div>
  );
}
