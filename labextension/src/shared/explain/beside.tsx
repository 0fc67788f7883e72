// Two figures for every column on one axis: before and after, these and those.
import type { Column } from '../../explain_protocol';
import { useWidth } from '../inspector/use';
import { ticks } from '../scale';
import { barAxis, signOf, whisker } from './bars';
import { Label } from './label';
import { nameAt, number, signed } from './words';

const ROW = 38;
const [TOP, BOTTOM] = [6, 22];

export interface Line {
  at: number;
  a: number;
  b: number;
  aError?: number | null;
  bError?: number | null;
  /** A word beside the name. */
  mark: string;
}

interface Props {
  columns: Column[];
  lines: Line[];
  names: [string, string];
  label: string;
  onColumn?: (at: number) => void;
}

export function Beside({ columns, lines, names, label, onColumn }: Props): JSX.Element {
  const [box, width] = useWidth<HTMLDivElement>();
  const reach = (v: number, e: number | null | undefined): number => v + (v < 0 ? -1 : 1) * 1.96 * (e ?? 0);
  const x = barAxis(lines.flatMap(l => [reach(l.a, l.aError), reach(l.b, l.bError)]), width, 58);
  const base = TOP + lines.length * ROW;
  const zero = x(0);
  const half = (value: number, error: number | null | undefined, y: number, side: 'a' | 'b'): JSX.Element => {
    const end = x(value);
    const far = x(reach(value, error));
    const left = value < 0;
    return (
      <>
        <rect className="aiosw-ex-bar" data-by={side === 'a' ? 'before' : undefined} data-sign={signOf(value)} x={Math.min(zero, end)} y={y} width={Math.max(1, Math.abs(end - zero))} height={12} />
        <path className="aiosw-ex-whisker" d={whisker(x, value, error, y + 6, 2)} />
        <text className="aiosw-ex-out" x={left ? Math.min(far, zero) - 5 : Math.max(far, zero) + 5} y={y + 10} textAnchor={left ? 'end' : 'start'}>{signed(value)}</text>
      </>
    );
  };
  return (
    <div className="aiosw-ex-rows" data-two style={{ '--ex-row': `${ROW}px`, '--ex-top': `${TOP}px` } as React.CSSProperties}>
      <ul className="aiosw-ex-labels">
        {lines.map(l => <li key={l.at}><Label columns={columns} at={l.at} onColumn={onColumn} />{l.mark && <em className="aiosw-badge">{l.mark}</em>}</li>)}
      </ul>
      <div ref={box} className="aiosw-ex-plot" style={{ height: base + BOTTOM }}>
        {width > 0 && (
          <svg width={width} height={base + BOTTOM} role="img" aria-label={`${label}. ${lines.slice(0, 8).map(l => `${nameAt(columns, l.at)}: ${names[0]} ${signed(l.a)}, ${names[1]} ${signed(l.b)}`).join('; ')}`}>
            <g className="aiosw-ex-axis">
              {ticks(x, 4, width - 4, number, Math.max(3, Math.floor(width / 90))).map((t, i) => <g key={i}><path d={`M${t.at.toFixed(1)} ${TOP}V${base}`} /><text x={t.at} y={base + 15} textAnchor={t.at < 24 ? 'start' : t.at > width - 24 ? 'end' : 'middle'}>{t.label}</text></g>)}
            </g>
            <path className="aiosw-ex-zero" d={`M${zero.toFixed(1)} ${TOP}V${base}`} />
            {lines.map((l, i) => <g key={l.at}>{half(l.a, l.aError, TOP + i * ROW + 5, 'a')}{half(l.b, l.bError, TOP + i * ROW + 20, 'b')}</g>)}
          </svg>
        )}
      </div>
    </div>
  );
}
