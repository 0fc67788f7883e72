// Quantile against quantile: where the line leaves the diagonal, the current side has other values there.
import { useMemo } from 'react';

import type { ColumnDrift, Histogram } from '../../drift_protocol';
import { useWidth } from '../inspector/use';
import { scale, ticks } from '../scale';
import { bars } from './distribution';
import { named, valueOf } from './words';

const [LEFT, RIGHT, TOP, BOTTOM] = [54, 10, 8, 36];
const MOST = 250;
const LEVELS = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];
const POINTS = 60;

/** The value below which a share of the rows lies; inside a bin they are taken as spread evenly. */
export function quantile(h: Histogram, side: 'reference' | 'current', level: number): number {
  const all = bars(h);
  const wanted = level * all.reduce((sum, b) => sum + b[side], 0);
  let sum = 0;
  for (const b of all) {
    if (b[side] > 0 && sum + b[side] >= wanted) {
      return b.low + (b.high - b.low) * Math.max(0, (wanted - sum) / b[side]);
    }
    sum += b[side];
  }
  return all[all.length - 1]?.high ?? 0;
}

export function Quantiles({ column: c, of: h }: { column: ColumnDrift; of: Histogram }): JSX.Element | null {
  const [box, width] = useWidth<HTMLDivElement>();
  const points = useMemo(() => {
    const out: [number, number][] = [];
    for (let i = 0; i <= POINTS; i++) {
      const level = 0.01 + (0.98 * i) / POINTS;
      out.push([quantile(h, 'reference', level), quantile(h, 'current', level)]);
    }
    return out;
  }, [h]);
  const exact = c.reference?.quantiles && c.current?.quantiles ? LEVELS.map((_, i) => [c.reference?.quantiles?.[i] as number, c.current?.quantiles?.[i] as number] as const) : LEVELS.map(l => [quantile(h, 'reference', l), quantile(h, 'current', l)] as const);
  const known = exact.filter(p => Number.isFinite(p[0]) && Number.isFinite(p[1]));
  const height = Math.min(MOST, Math.max(180, width * 0.7));
  const values = [...points, ...known].flat();
  const least = Math.max(Math.abs(Math.max(...values)), 1e-9) * 1e-6;
  const right = Math.max(LEFT + 40, width - RIGHT);
  const base = height - BOTTOM;
  const x = scale(values, LEFT, right, 0.03, least);
  const y = scale(values, base, TOP, 0.03, least);
  const ends = [x.invert(LEFT), x.invert(right)];
  const write = (v: number): string => valueOf(c.kind, c.kind === 'datetime' ? Math.round(v / 86400) * 86400 : v);
  const median = known[3];
  const said = median ? `Quantiles of ${named(c.name)}: the median goes from ${write(median[0])} to ${write(median[1])}. The table of both sides has the others.` : `Quantiles of ${named(c.name)}.`;
  return (
    <div ref={box} style={{ height }} className="aiosw-dr-chart">
      {width > 0 && (
        <svg width={width} height={height} role="img" aria-label={said}>
          <g className="aiosw-dr-axis">
            {ticks(x, LEFT, right, write, Math.max(2, Math.floor(width / (c.kind === 'datetime' ? 140 : 80)))).map((t, i) => <g key={i}><path d={`M${t.at.toFixed(1)} ${TOP}V${base}`} /><text x={t.at} y={base + 14} textAnchor="middle">{t.label}</text></g>)}
            {ticks(y, base, TOP, write, 5).map((t, i) => <g key={i}><path d={`M${LEFT} ${t.at.toFixed(1)}H${right}`} /><text x={LEFT - 5} y={t.at + 4} textAnchor="end">{c.kind === 'datetime' ? t.label.slice(2, 10) : t.label}</text></g>)}
            <text x={(LEFT + right) / 2} y={height - 5} textAnchor="middle">reference →, current ↑</text>
          </g>
          <path className="aiosw-dr-diagonal" d={`M${x(ends[0])} ${y(ends[0])}L${x(ends[1])} ${y(ends[1])}`} />
          <polyline className="aiosw-dr-qq" points={points.map(p => `${x(p[0]).toFixed(1)},${y(p[1]).toFixed(1)}`).join(' ')} />
          {known.map((p, i) => <circle key={i} className="aiosw-dr-qqdot" cx={x(p[0])} cy={y(p[1])} r={i === 3 ? 4.5 : 3}><title>{`${LEVELS[i] * 100} %: ${write(p[0])} → ${write(p[1])}`}</title></circle>)}
        </svg>
      )}
    </div>
  );
}
