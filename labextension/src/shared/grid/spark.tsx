// A column's values as small bars, with the same said in words.
import type { ColumnProfile } from '../../protocol';
import { count, figure } from '../format';
import { shown } from './columns';

/** Epoch seconds as ISO text, without the parts that are zero. */
export function isoTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace(/T00:00:00\.000Z$/, '').replace(/\.000Z$/, 'Z');
}

export function edge(profile: ColumnProfile, value: number): string {
  return profile.kind === 'time' ? isoTime(value) : figure(value);
}

/** What the bars show, for those who cannot see them. */
export function inWords(p: ColumnProfile): string {
  const said: string[] = [];
  const h = p.histogram;
  if (h && h.counts.length) {
    const most = h.counts.indexOf(Math.max(...h.counts));
    said.push(`${edge(p, h.edges[0])} to ${edge(p, h.edges[h.edges.length - 1])}`);
    said.push(`most (${count(h.counts[most])}) from ${edge(p, h.edges[most])} to ${edge(p, h.edges[most + 1])}`);
  } else if (different(p)) {
    said.push('all values differ');
  } else if (p.top.length) {
    said.push(`most often ${p.top.slice(0, 3).map(t => `${shown(t.value) || 'null'} (${count(t.count)})`).join(', ')}`);
  }
  said.push(p.nulls ? `${percent(p.nulls, p.rows)} null` : 'no nulls');
  return said.join('; ');
}

/** True where no value comes twice: bars would say nothing. */
export function different(p: ColumnProfile): boolean {
  return p.histogram === null && p.top.length > 1 && p.top.every(t => t.count === 1);
}

export function percent(part: number, whole: number): string {
  if (whole === 0) {
    return '0 %';
  }
  const share = (100 * part) / whole;
  if (share > 0 && share < 0.1) {
    return '< 0.1 %';
  }
  // Nearly all is not all.
  if (share < 100 && share > 99.9) {
    return '> 99.9 %';
  }
  return `${(share > 0 && share < 10) || (share > 99 && share < 100) ? share.toFixed(1) : Math.round(share)} %`;
}

interface Props {
  profile: ColumnProfile;
  width: number;
  height: number;
}

/** Bars over the range, or over the most frequent values; nulls as a hatched share below. */
export function Spark({ profile: p, width, height }: Props): JSX.Element {
  const counts = p.histogram?.counts ?? (different(p) ? [] : p.top.slice(0, 12).map(t => t.count));
  const most = Math.max(1, ...counts);
  const base = height - 3;
  // Few values get bars no wider than a finger: three values do not look like a distribution.
  const bar = Math.min(width / Math.max(1, counts.length), 14);
  const nulls = p.rows ? p.nulls / p.rows : 0;
  return (
    <svg className="aiosw-spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={inWords(p)}>
      <title>{inWords(p)}</title>
      {counts.map((n, i) => {
        const size = n === 0 ? 0 : Math.max(1, (n / most) * base);
        return <rect key={i} x={i * bar + 0.5} y={base - size} width={Math.max(1, bar - 1)} height={size} data-top={!p.histogram || undefined} />;
      })}
      {different(p) && <text x="0" y={base - 3}>all different</text>}
      <rect className="aiosw-spark-base" x="0" y={height - 2} width={width} height="2" />
      {nulls > 0 && <rect className="aiosw-spark-null" x="0" y={height - 2} width={Math.max(2, nulls * width)} height="2" />}
    </svg>
  );
}
