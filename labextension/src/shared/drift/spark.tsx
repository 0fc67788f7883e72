// Both sides of a column in a row's height: the reference as an outline, the current side filled.
import { memo } from 'react';

import type { Spark } from '../../drift_protocol';

const [W, H] = [112, 26];
/** Few values get bars no wider than a finger. */
const WIDEST = 16;

export const SparkPair = memo(function SparkPair({ spark }: { spark: Spark | null }): JSX.Element | null {
  if (spark === null) {
    return null;
  }
  const n = Math.max(1, spark.reference.length, spark.current.length);
  const step = Math.min((W - 2) / n, spark.values ? WIDEST : W);
  const y = (v: number): number => H - 1.5 - (v / 99) * (H - 4);
  const gap = spark.values ? 1.5 : 0;
  const path = (values: number[]): string =>
    values.map((v, i) => `${gap || i === 0 ? `${i ? 'V' + (H - 1.5) : ''}M${(1 + i * step + gap / 2).toFixed(1)} ${H - 1.5}` : ''}V${y(v).toFixed(1)}H${(1 + (i + 1) * step - gap / 2).toFixed(1)}`).join('') + `V${H - 1.5}`;
  return (
    <svg className="aiosw-overlay" viewBox={`0 0 ${W} ${H}`} width={W} height={H} aria-hidden="true">
      <path d={path(spark.current)} data-side="B" />
      <path d={path(spark.reference)} data-side="A" />
      <line x1="0" x2={W} y1={H - 1} y2={H - 1} />
    </svg>
  );
});

/** Effects window by window; a dot where it drifted. */
export const Trend = memo(function Trend({ values, marks, limit }: { values: (number | null)[]; marks: string; limit: number | null }): JSX.Element | null {
  const known = values.filter((v): v is number => v !== null);
  if (known.length < 2) {
    return null;
  }
  const top = Math.max(...known, limit ?? 0, 0.02) * 1.06;
  const x = (i: number): number => 2 + (i / (values.length - 1)) * (78 - 4);
  const y = (v: number): number => H - 2 - (Math.max(0, v) / top) * (H - 5);
  const line = values.map((v, i) => (v === null ? null : `${x(i).toFixed(1)},${y(v).toFixed(1)}`)).filter(Boolean).join(' ');
  return (
    <svg className="aiosw-dr-trend" viewBox={`0 0 78 ${H}`} width={78} height={H} aria-hidden="true">
      {limit !== null && <path className="aiosw-dr-limit" d={`M0 ${y(limit).toFixed(1)}H78`} />}
      <polyline points={line} />
      {values.map((v, i) => v !== null && marks[i] === 'd' && <circle key={i} cx={x(i)} cy={y(v)} r={2.2} />)}
    </svg>
  );
});
