// Two distributions in one small picture: A as an outline, B filled.
import type { ColumnProfile, Histogram } from '../../protocol';
import { cell, figure } from '../format';

const [W, H] = [150, 40];

export function Overlay({ a, b, label }: { a: Histogram | null; b: Histogram | null; label: string }): JSX.Element {
  const both = [a, b].filter((h): h is Histogram => h !== null && h.edges.length > 1);
  if (both.length === 0) {
    return <span className="aiosw-quiet">–</span>;
  }
  const from = Math.min(...both.map(h => h.edges[0]));
  const to = Math.max(...both.map(h => h.edges[h.edges.length - 1]));
  const x = (v: number): number => (to > from ? ((v - from) / (to - from)) * (W - 2) + 1 : W / 2);
  const heights = both.map(density);
  const top = Math.max(...heights.flat(), 1e-12);
  const path = (h: Histogram, closed: boolean): string => {
    const d = density(h);
    const points = d.flatMap((v, i) => {
      const y = H - 1 - (v / top) * (H - 4);
      return [`${x(h.edges[i]).toFixed(1)},${y.toFixed(1)}`, `${Math.max(x(h.edges[i + 1]), x(h.edges[i]) + 1).toFixed(1)},${y.toFixed(1)}`];
    });
    const [first, last] = [x(h.edges[0]).toFixed(1), Math.max(x(h.edges[h.edges.length - 1]), x(h.edges[0]) + 1).toFixed(1)];
    return `M${first},${H - 1}L${points.join('L')}L${last},${H - 1}${closed ? 'Z' : ''}`;
  };
  return (
    <svg className="aiosw-overlay" viewBox={`0 0 ${W} ${H}`} width={W} height={H} role="img" aria-label={`Distribution of ${label} in both runs, from ${figure(from)} to ${figure(to)}`}>
      {b && <path d={path(b, true)} data-side="B" />}
      {a && <path d={path(a, false)} data-side="A" />}
      <line x1="0" x2={W} y1={H - 0.5} y2={H - 0.5} />
    </svg>
  );
}

/** Share per unit of width, so that histograms with other edges compare. */
function density(h: Histogram): number[] {
  const all = h.counts.reduce((sum, n) => sum + n, 0) || 1;
  return h.counts.map((n, i) => n / all / Math.max(h.edges[i + 1] - h.edges[i], 1e-12));
}

/** The most frequent values, with both shares. */
export function Paired({ a, b }: { a: ColumnProfile | null; b: ColumnProfile | null }): JSX.Element {
  const share = (p: ColumnProfile | null, text: string): number => (p && p.rows ? (p.top.find(t => cell(t.value) === text)?.count ?? 0) / p.rows : 0);
  const names = [...new Set([...(b?.top ?? []), ...(a?.top ?? [])].map(t => cell(t.value)))].slice(0, 3);
  if (names.length === 0) {
    return <span className="aiosw-quiet">–</span>;
  }
  return (
    <ul className="aiosw-paired">
      {names.map(name => {
        const [p, q] = [share(a, name), share(b, name)];
        return (
          <li key={name} title={name}>
            <span className="aiosw-ellipsis">{name || '(empty)'}</span>
            <span className="aiosw-paired-bars" aria-hidden="true">
              <i data-side="A" style={{ width: `${100 * p}%` }} />
              <i data-side="B" style={{ width: `${100 * q}%` }} />
            </span>
            <small>{`${figure(100 * p)} → ${figure(100 * q)} %`}</small>
          </li>
        );
      })}
    </ul>
  );
}
