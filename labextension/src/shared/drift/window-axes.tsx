// What charts over windows share: a figure up the side, the first and the last window below.
import { type Scale, ticks } from '../scale';
import { number } from './words';

interface Props {
  windows: { window: string }[];
  x: Scale;
  y: Scale;
  left: number;
  right: number;
  top: number;
  base: number;
  /** Lines across, about. */
  lines: number;
}

export function WindowAxes({ windows, x, y, left, right, top, base, lines }: Props): JSX.Element {
  const ends = windows.length > 1 ? [0, windows.length - 1] : windows.length === 1 ? [0] : [];
  return (
    <g className="aiosw-dr-axis">
      {ticks(y, base, top, number, lines).map((t, i) => <g key={i}><path d={`M${left} ${t.at.toFixed(1)}H${right}`} /><text x={left - 5} y={t.at + 4} textAnchor="end">{t.label}</text></g>)}
      {ends.map(i => <text key={i} x={x(i)} y={base + 16} textAnchor={ends.length === 1 ? 'middle' : i === 0 ? 'start' : 'end'}>{windows[i].window.slice(0, 24)}</text>)}
    </g>
  );
}
