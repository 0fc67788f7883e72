// All columns pushing against each other in one line: what raises from the left, what lowers from the right.
import type { Bar, Column, RowPage } from '../../explain_protocol';
import { useWidth } from '../inspector/use';
import { ticks } from '../scale';
import { arrow, axisOf, type Sign, signOf } from './bars';
import { cellOf, nameAt, number, signed } from './words';

const HEIGHT = 150;
const BAR = { top: 52, height: 26 };

interface Piece {
  c: Bar;
  from: number;
  to: number;
}

/** Next to the prediction lies what pushed most. */
function pieces(row: RowPage, sign: Sign): Piece[] {
  let at = row.prediction;
  return row.bars
    .filter(c => (sign === 'up' ? c.shap > 0 : c.shap < 0))
    .sort((a, b) => Math.abs(b.shap) - Math.abs(a.shap))
    .map(c => {
      const piece = { c, from: at - c.shap, to: at };
      at = piece.from;
      return piece;
    });
}

export function Force({ row, columns }: { row: RowPage; columns: Column[] }): JSX.Element {
  const said = (c: RowPage['bars'][number]): string => (row.image === null ? `${nameAt(columns, c.at)} = ${cellOf(c.value)}` : nameAt(columns, c.at));
  const [box, width] = useWidth<HTMLDivElement>();
  const [up, down] = [pieces(row, 'up'), pieces(row, 'down')];
  const raised = up.reduce((s, p) => s + p.c.shap, 0);
  const lowered = down.reduce((s, p) => s + p.c.shap, 0);
  const x = axisOf([row.base, row.prediction, row.prediction - raised, row.prediction - lowered], 6, Math.max(80, width - 6), 0.05);
  const [y, h] = [BAR.top, BAR.height];
  const end = (at: number): 'start' | 'middle' | 'end' => (at < 70 ? 'start' : at > width - 70 ? 'end' : 'middle');
  const near = Math.abs(x(row.base) - x(row.prediction)) < 150;
  return (
    <div ref={box} className="aiosw-ex-plot" style={{ height: HEIGHT }}>
      {width > 0 && (
        <svg width={width} height={HEIGHT} role="img" aria-label={`Force: ${up.length} columns raise the prediction by ${number(raised)}, ${down.length} lower it by ${number(Math.abs(lowered))}; from ${number(row.base)} to ${number(row.prediction)}.`}>
          <g className="aiosw-ex-axis">
            <path d={`M6 ${y - 6}H${width - 6}`} />
            {ticks(x, 6, width - 6, number, Math.max(2, Math.floor(width / 100))).map((t, i) => <g key={i}><path d={`M${t.at.toFixed(1)} ${y - 10}v4`} /><text x={t.at} y={y - 14} textAnchor={end(t.at)}>{t.label}</text></g>)}
          </g>
          {([['up', up], ['down', down]] as const).map(([sign, list]) =>
            list.map((p, i) => {
              const [a, b] = [x(p.from), x(p.to)];
              return Math.abs(b - a) < 0.4 ? null : (
                <path key={sign + i} className="aiosw-ex-bar aiosw-ex-piece" data-sign={sign} data-odd={i % 2 || undefined} d={arrow(a, b, y, h, 7)}>
                  <title>{`${said(p.c)}: ${signed(p.c.shap)}`}</title>
                </path>
              );
            })
          )}
          {labels([...up, ...down].map(p => ({ words: said(p.c), sign: signOf(p.c.shap), a: Math.min(x(p.from), x(p.to)), b: Math.max(x(p.from), x(p.to)) })), width, y + h)}
          <path className="aiosw-ex-baseline" d={`M${x(row.base).toFixed(1)} ${y - 8}V${y + h + 6}`} />
          <path className="aiosw-ex-outcome" d={`M${x(row.prediction).toFixed(1)} ${y - 10}V${y + h + 8}`} />
          <text className="aiosw-ex-anchor" x={x(row.prediction)} y={14} textAnchor={near ? (row.prediction >= row.base ? (x(row.prediction) > width - 90 ? 'end' : 'start') : x(row.prediction) < 90 ? 'start' : 'end') : end(x(row.prediction))}>prediction {number(row.prediction)}</text>
          <text className="aiosw-ex-anchor" data-quiet x={x(row.base)} y={HEIGHT - 4} textAnchor={end(x(row.base))}>average {number(row.base)}</text>
        </svg>
      )}
    </div>
  );
}

/** Names under the pieces that have the room; the largest first, at most two lines. */
function labels(list: { words: string; sign: Sign; a: number; b: number }[], width: number, y: number): JSX.Element[] {
  const taken: [number, number][][] = [[], []];
  const out: JSX.Element[] = [];
  for (const p of [...list].sort((u, v) => v.b - v.a - (u.b - u.a))) {
    const words = p.words.length > 26 ? `${p.words.slice(0, 25)}…` : p.words;
    const wide = words.length * 6.6;
    const middle = (p.a + p.b) / 2;
    const left = Math.max(2, Math.min(width - wide - 2, middle - wide / 2));
    // Its lead must not cross a name of the line above.
    const free = (line: number): boolean => taken[line].every(([a, b]) => left > b + 8 || left + wide < a - 8) && (line === 0 || taken[0].every(([a, b]) => middle < a - 3 || middle > b + 3));
    const line = [0, 1].find(free);
    if (line === undefined || p.b - p.a < 8) {
      continue;
    }
    taken[line].push([left, left + wide]);
    out.push(
      <g key={out.length} className="aiosw-ex-named" data-sign={p.sign}>
        <path d={`M${middle.toFixed(1)} ${y + 2}V${y + 10 + 16 * line}`} />
        <text x={left} y={y + 22 + 16 * line}>{words}</text>
      </g>
    );
  }
  return out;
}
