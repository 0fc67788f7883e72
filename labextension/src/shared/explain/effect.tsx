// Partial dependence: what is predicted on average when a column is set to one value after another; thin: single rows.
import type { EffectPage } from '../../explain_protocol';
import { Loading, Trouble } from '../inspector/parts';
import { useWidth } from '../inspector/use';
import { scale, ticks } from '../scale';
import type { Looked } from './types';
import { useFetch } from './use-ask';
import { cellOf, nameAt, number, valueOf } from './words';

const [LEFT, RIGHT, TOP, BOTTOM] = [52, 12, 12, 40];
const HEIGHT = 280;

export function EffectChart({ looked, column }: { looked: Looked; column: number }): JSX.Element {
  const { host, output } = looked;
  const asked = useFetch(host, { kind: 'effect', output, column, lines: 30 } as const, null, 120);
  if (asked.problem) {
    return <Trouble problem={asked.problem} again={asked.again} />;
  }
  return asked.data === null ? <Loading what="what the model says" rows={5} /> : <Chart looked={looked} column={column} of={asked.data} />;
}

function Chart({ looked, column, of: e }: { looked: Looked; column: number; of: EffectPage }): JSX.Element {
  const { view } = looked;
  const [box, width] = useWidth<HTMLDivElement>();
  const name = nameAt(view.columns, column);
  const names = e.axis.values;
  const [right, base] = [Math.max(LEFT + 40, width - RIGHT), HEIGHT - BOTTOM];
  const places = e.curve.map(c => c.x);
  const size = Math.max(...places.map(Math.abs), 1e-9);
  const x = scale(names.length > 0 ? [-0.5, names.length - 0.5] : places, LEFT, right, names.length > 0 ? 0 : 0.03, size * 1e-6);
  const known = [...e.curve.flatMap(c => [c.low ?? c.y, c.y, c.high ?? c.y]), ...e.lines.flat().filter((v): v is number => v !== null)];
  const y = scale(known, base, TOP, 0.05, Math.max(...known.map(Math.abs), 1e-9) * 1e-6);
  const at = (v: number, w: number): string => `${x(v).toFixed(1)},${y(w).toFixed(1)}`;
  const banded = e.curve.filter(c => c.low !== null && c.high !== null);
  return (
    <>
      <div ref={box} style={{ height: HEIGHT }}>
        {width > 0 && (
          <svg width={width} height={HEIGHT} role="img" aria-label={`Partial dependence of the prediction on ${name}: ${e.curve.map(c => `${names[c.x] ?? valueOf(e.axis.kind, c.x)}: ${number(c.y)}`).join('; ').slice(0, 600)}`}>
            <g className="aiosw-ex-axis">
              {ticks(y, base, TOP, number, 5).map((t, i) => <g key={i}><path d={`M${LEFT} ${t.at.toFixed(1)}H${right}`} /><text x={LEFT - 6} y={t.at + 4} textAnchor="end">{t.label}</text></g>)}
              {(names.length > 0 ? names.map((v, i) => ({ at: x(i), label: cellOf(v) })) : ticks(x, LEFT, right, v => valueOf(e.axis.kind, v), Math.max(2, Math.floor(width / 110)))).map((t, i) => <text key={i} x={t.at} y={base + 16} textAnchor="middle">{t.label.length > 12 ? `${t.label.slice(0, 11)}…` : t.label}</text>)}
              <text className="aiosw-ex-title" x={(LEFT + right) / 2} y={HEIGHT - 5} textAnchor="middle">{name.slice(0, Math.max(10, Math.floor(width / 8)))}</text>
            </g>
            {e.lines.map((l, i) => <polyline key={i} className="aiosw-ex-ice" data-open={e.rows[i] === looked.row || undefined} points={l.flatMap((v, j) => (v === null ? [] : [at(e.curve[j].x, v)])).join(' ')} />)}
            <g className="aiosw-ex-curve">
              {names.length > 0 && banded.map((c, i) => <path key={i} d={`M${x(c.x).toFixed(1)} ${y(c.low as number).toFixed(1)}V${y(c.high as number).toFixed(1)}`} />)}
              {names.length === 0 && banded.length > 1 && <polygon points={[...banded.map(c => at(c.x, c.high as number)), ...[...banded].reverse().map(c => at(c.x, c.low as number))].join(' ')} />}
              {names.length === 0 && <polyline points={e.curve.map(c => at(c.x, c.y)).join(' ')} />}
              {e.curve.length < 30 && e.curve.map((c, i) => <circle key={i} cx={x(c.x)} cy={y(c.y)} r={2.6} />)}
            </g>
          </svg>
        )}
      </div>
      <p className="aiosw-ex-hint">Mean {view.unit || 'prediction'} when {name} is set to each value in all rows{e.lines.length > 0 && '; each thin line is one row'}.</p>
      {e.notes.map((t, i) => <p key={i} className="aiosw-ex-hint">{t}</p>)}
    </>
  );
}
