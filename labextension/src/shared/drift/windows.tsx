// Since when: a column's effect window by window against the threshold, the change marked.
import type { ColumnDrift, WindowDrift } from '../../drift_protocol';
import { count } from '../format';
import { percent } from '../grid/spark';
import { useWidth } from '../inspector/use';
import { scale } from '../scale';
import { PATHS } from './verdict';
import { WindowAxes } from './window-axes';
import { LIKE, named, number, pText, valueOf, WORDS } from './words';

const [LEFT, RIGHT, TOP, BOTTOM] = [44, 12, 14, 24];
const HEIGHT = 190;

export function WindowChart({ column: c }: { column: ColumnDrift }): JSX.Element {
  const [box, width] = useWidth<HTMLDivElement>();
  const known = c.windows.map((w, i) => [i, w] as const).filter((e): e is readonly [number, WindowDrift & { effect: number }] => e[1].effect !== null);
  const right = Math.max(LEFT + 60, width - RIGHT);
  const base = HEIGHT - BOTTOM;
  const x = scale([0, Math.max(1, c.windows.length - 1)], LEFT + 8, right - 8, 0, 1);
  const y = scale([0, ...known.map(e => e[1].effect), c.threshold ?? 0, 0.02], base, TOP, 0.02, 0.02);
  const changed = c.windows.findIndex(w => w.window === c.changepoint);
  const line = Math.max(LEFT, x(changed - 0.5));
  const drifted = c.windows.filter(w => w.verdict === 'drifted').length;
  const size = known.length > 60 ? 0.45 : 0.7;
  const said = `Effect of ${named(c.name)} in ${c.windows.length} windows, ${drifted} drifted${changed >= 0 ? `, another distribution from ${c.changepoint} on` : ''}. The table below has the figures.`;
  return (
    <>
      <div ref={box} style={{ height: HEIGHT }} className="aiosw-dr-chart">
        {width > 0 && (
          <svg width={width} height={HEIGHT} role="img" aria-label={said}>
            <WindowAxes windows={c.windows} x={x} y={y} left={LEFT} right={right} top={TOP} base={base} lines={4} />
            {c.threshold !== null && (
              <g className="aiosw-dr-limits">
                <path className="aiosw-dr-limit" d={`M${LEFT} ${y(c.threshold).toFixed(1)}H${right}`} />
                <text x={right} y={y(c.threshold) - 4} textAnchor="end">threshold {number(c.threshold)}</text>
              </g>
            )}
            {changed >= 0 && (
              <g className="aiosw-dr-change">
                <path d={`M${line.toFixed(1)} ${TOP - 6}V${base}`} />
                {width > 380 && <text x={line + (changed > c.windows.length / 2 ? -4 : 4)} y={TOP} textAnchor={changed > c.windows.length / 2 ? 'end' : 'start'}>changed in {c.changepoint}</text>}
              </g>
            )}
            <polyline className="aiosw-dr-qq" points={known.map(([i, w]) => `${x(i).toFixed(1)},${y(w.effect).toFixed(1)}`).join(' ')} />
            {known.map(([i, w]) => (
              <g key={i} className="aiosw-dr-dot" data-status={LIKE[w.verdict]} transform={`translate(${(x(i) - 8 * size).toFixed(1)} ${(y(w.effect) - 8 * size).toFixed(1)}) scale(${size})`}>
                <title>{`${w.window}: effect ${number(w.effect)}, ${WORDS[w.verdict]}`}</title>
                <path d={PATHS[w.verdict]} fill={w.verdict === 'drifted' ? 'currentColor' : 'none'} />
              </g>
            ))}
          </svg>
        )}
      </div>
      <details className="aiosw-dr-details">
        <summary>{count(c.windows.length)} windows in figures</summary>
        <div className="aiosw-scroll" tabIndex={0} role="region" aria-label={`Windows of ${named(c.name)}`}>
          <table className="aiosw-table">
            <thead><tr><th scope="col">Window</th><th scope="col" data-number>Rows</th><th scope="col">Verdict</th><th scope="col" data-number>Effect</th><th scope="col" data-number>Adjusted p</th><th scope="col" data-number>Nulls</th><th scope="col" data-number>Median</th></tr></thead>
            <tbody>
              {c.windows.map((w, i) => (
                <tr key={i}>
                  <th scope="row">{w.window}</th>
                  <td data-number>{count(w.rows)}</td>
                  <td>{WORDS[w.verdict]}</td>
                  <td data-number>{number(w.effect)}</td>
                  <td data-number>{pText(w.p_adjusted)}</td>
                  <td data-number>{w.null_share === null ? '–' : percent(w.null_share, 1)}</td>
                  <td data-number>{valueOf(c.kind, w.median)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </>
  );
}
