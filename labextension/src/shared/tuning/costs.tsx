// What one query costs in time, and an index in memory and building.
import type { Latency as Histogram, TuningPoint, TuningView } from '../../tuning_protocol';
import { Nothing } from '../inspector/parts';
import { useWidth } from '../inspector/use';
import { logTicks, scale } from '../scale';
import { FamilyMark } from './family';
import { exactOf } from './picture';
import { digits, memory, ms, recallText, seconds } from './words';

const [LEFT, RIGHT, TOP, BOTTOM] = [10, 10, 46, 34];
/** Marks whose words would touch stand below each other. */
const WORD = 14;

export function LatencyView({ point }: { point: TuningPoint | null }): JSX.Element {
  if (point === null || point.latency === null) {
    return <Nothing title="No times of single queries">{point ? `Of ${point.label} only batches were measured.` : 'Choose a point first.'}</Nothing>;
  }
  return (
    <figure className="aiosw-tun-curve">
      <figcaption><FamilyMark family={point.family} /> {point.label}: time of a single query</figcaption>
      <HistogramChart of={point.latency} point={point} />
    </figure>
  );
}

function HistogramChart({ of, point }: { of: Histogram; point: TuningPoint }): JSX.Element {
  const [box, width] = useWidth<HTMLDivElement>();
  const height = 200;
  const base = height - BOTTOM;
  const right = Math.max(LEFT + 40, width - RIGHT);
  const [low, high] = [Math.log10(of.low), Math.log10(of.high)];
  const marks = [['p50', point.p50_ms], ['p95', point.p95_ms], ['p99', point.p99_ms]].filter((m): m is [string, number] => m[1] !== null);
  const x = scale([low, high, ...marks.map(m => Math.log10(m[1]))], LEFT, right, 0.04, 0.05);
  const most = Math.max(...of.counts, 1);
  const bin = (high - low) / of.counts.length;
  const total = of.counts.reduce((sum, n) => sum + n, 0);
  const said = `${total} queries one at a time: from ${ms(of.low)} to ${ms(of.high)}; ${marks.map(m => `${m[0]} ${ms(m[1])}`).join(', ')}`;
  let last = -1e9;
  let row = 0;
  return (
    <>
      <div ref={box} style={{ height }}>
        {width > 0 && (
          <svg width={width} height={height} role="img" aria-label={said}>
            <g className="aiosw-tun-grid">
              {logTicks(x, LEFT, right, v => `${digits(v)} ms`, Math.max(3, Math.floor(width / 80))).map(t => (
                <g key={t.label}><path d={`M${t.at.toFixed(1)} ${TOP}V${base}`} /><text x={t.at} y={base + 16} textAnchor="middle">{t.label}</text></g>
              ))}
            </g>
            <g className="aiosw-tun-bars" data-family={point.family}>
              {of.counts.map((n, i) => {
                const h = (n / most) * (base - TOP);
                return n > 0 && <rect key={i} x={x(low + i * bin) + 0.5} y={base - h} width={Math.max(1, x(low + (i + 1) * bin) - x(low + i * bin) - 1)} height={h} />;
              })}
            </g>
            <g className="aiosw-tun-target">
              {marks.map(([name, value]) => {
                const at = x(Math.log10(value));
                row = at - last < 100 ? row + 1 : 0;
                last = at;
                const flip = right - at < 78;
                return (
                  <g key={name}>
                    <path d={`M${at.toFixed(1)} ${12 + (row % 3) * WORD}V${base}`} />
                    <text x={flip ? at - 3 : at + 3} y={12 + (row % 3) * WORD} textAnchor={flip ? 'end' : 'start'}>{name} {ms(value)}</text>
                  </g>
                );
              })}
            </g>
          </svg>
        )}
      </div>
      <p className="aiosw-quiet">{said}.</p>
    </>
  );
}

/** The front's points and exact: bars of memory and of build time, each against the largest. */
export function Resources({ view, shown, onChoose }: { view: TuningView; shown: string | null; onChoose: (id: string) => void }): JSX.Element {
  const front = new Set(view.front);
  const exact = exactOf(view.points);
  const rows = view.points.filter(p => front.has(p.id) || p.id === shown || p === exact).sort((a, b) => b.recall - a.recall || b.qps - a.qps);
  if (rows.length === 0) {
    return <Nothing title="Nothing is measured yet" />;
  }
  const most = Math.max(...rows.map(p => p.bytes_per_vector), 1e-9);
  const longest = Math.max(...rows.map(p => p.build_seconds), 1e-9);
  return (
    <div className="aiosw-scroll" tabIndex={0} role="region" aria-label="Memory and build time">
      <table className="aiosw-table aiosw-tun-resources">
        <thead>
          <tr><th scope="col">Index</th><th scope="col" data-number>Recall</th><th scope="col" data-number>Queries/s</th><th scope="col">Memory</th><th scope="col">Build, CPU</th></tr>
        </thead>
        <tbody>
          {rows.map(p => (
            <tr key={p.id} data-selected={p.id === shown || undefined}>
              <th scope="row">
                <button type="button" className="aiosw-link" disabled={p.part} onClick={() => onChoose(p.id)}><FamilyMark family={p.family} /> {p.label}</button>
              </th>
              <td data-number>{recallText(p.recall)}</td>
              <td data-number>{digits(p.qps)}</td>
              <td><Bar share={p.bytes_per_vector / most} family={p.family} text={memory(p, view.problem.rows)} /></td>
              <td><Bar share={p.build_seconds / longest} family={p.family} text={seconds(p.build_seconds)} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Bar({ share, text, family }: { share: number; text: string; family: string }): JSX.Element {
  return (
    <span className="aiosw-tun-bar">
      <span aria-hidden="true"><i data-family={family} style={{ width: `${Math.max(1, 100 * share)}%` }} /></span>
      <small>{text}</small>
    </span>
  );
}
