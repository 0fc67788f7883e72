// From what is predicted of anybody to what is predicted of this row, column by column.
import type { Bar, Column, RowPage } from '../../explain_protocol';
import { useWidth } from '../inspector/use';
import { ticks } from '../scale';
import { arrow, axisOf, signOf, whisker } from './bars';
import { Label } from './label';
import { nameAt, number, signed, withError } from './words';

const ROW = 30;
const TOP = 26;
const BOTTOM = 40;

interface Props {
  row: RowPage;
  columns: Column[];
  /** This many columns have a bar of their own; the rest is one. */
  most: number;
  onColumn?: (at: number) => void;
}

interface Step {
  from: number;
  to: number;
  c: Bar | null;
  /** How many columns the last bar stands for. */
  rest: number;
}

/** The smallest at the bottom, next to the base: read upwards, it ends at the prediction. */
export function steps(row: RowPage, most: number): Step[] {
  const shown = row.bars.length + row.left > most + 1 ? row.bars.slice(0, most) : row.bars;
  const rest = row.bars.slice(shown.length);
  const left = rest.length + row.left;
  let at = row.base;
  const out: Step[] = [];
  if (left > 0) {
    const sum = rest.reduce((s, c) => s + c.shap, row.rest);
    out.push({ from: at, to: at + sum, c: null, rest: left });
    at += sum;
  }
  for (const c of [...shown].reverse()) {
    out.push({ from: at, to: at + c.shap, c, rest: 0 });
    at += c.shap;
  }
  return out.reverse();
}

export function Waterfall({ row, columns, most, onColumn }: Props): JSX.Element {
  const [box, width] = useWidth<HTMLDivElement>();
  const all = steps(row, most);
  const height = TOP + all.length * ROW + BOTTOM;
  const x = axisOf([row.base, row.prediction, ...all.flatMap(s => [s.from, s.to])], 10, Math.max(60, width - (width < 420 ? 56 : 84)), 0.02);
  const base = TOP + all.length * ROW;
  const top3 = row.bars.slice(0, 3).map(c => `${nameAt(columns, c.at)} ${signed(c.shap)}`).join(', ');
  const end = (at: number): 'start' | 'middle' | 'end' => (at < 60 ? 'start' : at > width - 60 ? 'end' : 'middle');
  return (
    <div className="aiosw-ex-rows" style={{ '--ex-row': `${ROW}px`, '--ex-top': `${TOP}px` } as React.CSSProperties}>
      <ul className="aiosw-ex-labels">
        {all.map((s, i) => (
          <li key={i}>
            {s.c === null ? <span className="aiosw-quiet">{`${s.rest} other ${s.rest === 1 ? 'column' : 'columns'}`}</span> : <Label columns={columns} at={s.c.at} value={row.image === null ? s.c.value : undefined} onColumn={onColumn} />}
          </li>
        ))}
      </ul>
      <div ref={box} className="aiosw-ex-plot" style={{ height }}>
        {width > 0 && (
          <svg width={width} height={height} role="img" aria-label={`Waterfall from ${number(row.base)} to ${number(row.prediction)}. Largest: ${top3}. The table has all figures.`}>
            <g className="aiosw-ex-axis">
              {ticks(x, 4, width - 4, number, Math.max(3, Math.floor(width / 90))).map((t, i) => (
                <g key={i}><path d={`M${t.at.toFixed(1)} ${TOP - 4}V${base}`} /><text x={t.at} y={base + 15} textAnchor={end(t.at)}>{t.label}</text></g>
              ))}
            </g>
            <path className="aiosw-ex-baseline" d={`M${x(row.base).toFixed(1)} ${TOP - 4}V${base + 3}`} />
            <path className="aiosw-ex-outcome" d={`M${x(row.prediction).toFixed(1)} ${TOP - 8}V${TOP + ROW - 4}`} />
            {all.map((s, i) => {
              const [a, b] = [x(s.from), x(s.to)];
              const y = TOP + i * ROW + 4;
              const value = s.to - s.from;
              const words = s.c === null ? signed(value) : width < 420 ? signed(value) : withError(value, s.c.error);
              // A figure stands where no whisker crosses it.
              const unsure = s.c?.error ? x(s.to + 1.96 * s.c.error) - x(s.to) : 0;
              const free = Math.abs(b - a) - unsure;
              const inside = free > words.length * 6.6 + 8;
              const at = inside ? a + (Math.sign(b - a) * free) / 2 : Math.max(a, b, b + unsure) + 5;
              const left = !inside && at + words.length * 6.6 > width;
              return (
                <g key={i}>
                  {i + 1 < all.length && <path className="aiosw-ex-link" d={`M${a.toFixed(1)} ${y + ROW - 8}v8`} />}
                  <path className="aiosw-ex-bar" data-sign={signOf(value)} d={arrow(a, b, y, ROW - 8)} />
                  {s.c !== null && <path className="aiosw-ex-whisker" d={whisker(x, s.to, s.c.error, y + (ROW - 8) / 2)} />}
                  <text className={inside ? 'aiosw-ex-in' : 'aiosw-ex-out'} data-sign={signOf(value)} x={left ? Math.min(a, b, b - unsure) - 5 : at} y={y + (ROW - 8) / 2 + 4} textAnchor={inside ? 'middle' : left ? 'end' : 'start'}>{words}</text>
                </g>
              );
            })}
            <text className="aiosw-ex-anchor" x={x(row.prediction)} y={14} textAnchor={end(x(row.prediction))}>prediction {number(row.prediction)}</text>
            <text className="aiosw-ex-anchor" x={x(row.base)} y={base + 32} textAnchor={end(x(row.base))}>average {number(row.base)}</text>
          </svg>
        )}
      </div>
    </div>
  );
}
