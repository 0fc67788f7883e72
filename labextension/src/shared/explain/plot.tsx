// Points on a canvas under axes: pointed at, walked by arrow keys, marked with a line drawn around them.
import { useEffect, useId, useMemo, useRef, useState } from 'react';

import type { AxisInfo, Column, CurvePoint, Scatter } from '../../explain_protocol';
import { count } from '../format';
import { useWidth } from '../inspector/use';
import { type Scale, scale, ticks } from '../scale';
import { type Corner, inside, path } from './lasso';
import { codes, numbers, type WithBuffers } from './packed';
import { Dots, pen, usePalette } from './palette';
import { colourOf } from './swarm';
import type { Marked } from './types';
import { cellOf, valueOf } from './words';

const [LEFT, RIGHT, TOP, BOTTOM] = [52, 12, 12, 40];
const NEAR = 12;

interface Props {
  scatter: Scatter & WithBuffers;
  columns: Column[];
  curve?: CurvePoint[];
  row: number | null;
  marked: Marked | null;
  /** A line across at nothing: of contributions. */
  zero?: boolean;
  /** A line where both axes say the same. */
  diagonal?: boolean;
  label: string;
  onRow: (row: number) => void;
  onMark: (marked: Marked | null) => void;
}

/** Numbers of an axis on the screen; a category at its place, a missing one at the edge. */
function along(axis: AxisInfo, values: Float64Array, from: number, to: number): { at: Scale; place: (v: number) => number; names: { at: number; label: string }[] | null } {
  if (axis.values.length > 0) {
    const at = scale([-0.5, axis.values.length - 0.5], from, to, 0, 1);
    const every = Math.max(1, Math.ceil((axis.values.length * 46) / Math.abs(to - from)));
    return { at, place: v => (Number.isNaN(v) ? from : at(v)), names: axis.values.map((v, i) => ({ at: at(i), label: cellOf(v) })).filter((_, i) => i % every === 0) };
  }
  let [low, high] = [Infinity, -Infinity];
  for (const v of values) {
    if (v < low) { low = v; }
    if (v > high) { high = v; }
  }
  const at = scale(low <= high ? [low, high] : [0], from, to, 0.04, Math.max(Math.abs(low), Math.abs(high), 1e-9) * 1e-6 || 1e-12);
  return { at, place: v => (Number.isNaN(v) ? from : at(v)), names: null };
}

export function Plot({ scatter, columns, curve = [], row, marked, zero = false, diagonal = false, label, onRow, onMark }: Props): JSX.Element {
  const id = useId();
  const [box, width] = useWidth<HTMLDivElement>();
  const [canvas, setCanvas] = useState<HTMLCanvasElement | null>(null);
  const palette = usePalette(canvas);
  const [cursor, setCursor] = useState<number | null>(null);
  const [line, setLine] = useState<Corner[]>([]);
  const [focused, setFocused] = useState(false);
  const anchor = useRef<number | null>(null);
  const drawing = useRef<Corner[] | null>(null);
  const height = Math.round(Math.max(220, Math.min(380, width * 0.5)));
  const [right, base] = [Math.max(LEFT + 40, width - RIGHT), height - BOTTOM];
  const p = useMemo(
    () => ({ rows: codes(scatter.rows, scatter), x: numbers(scatter.x, scatter), y: numbers(scatter.y, scatter), colour: scatter.colour === null ? null : codes(scatter.colour, scatter) }),
    [scatter]
  );
  const n = p.rows.length;
  const chosen = useMemo(() => (marked === null ? null : new Set(marked.rows)), [marked]);
  const xs = useMemo(() => along(scatter.x_axis, p.x, LEFT, right), [scatter, p, right]);
  const ys = useMemo(() => along(scatter.y_axis, p.y, base, TOP), [scatter, p, base]);
  // Points of one category, or of a few numbers, would hide each other: they are strewn, always the same way.
  const room = useMemo(() => (xs.names !== null ? 0.6 * Math.abs(xs.at(1) - xs.at(0)) : gap(p.x, xs.at)), [p, xs]);
  const spots = useMemo(() => Array.from({ length: n }, (_, i): Corner => {
    const strewn = Number.isNaN(p.x[i]) ? 0 : (((p.rows[i] * 2654435761) % 1000) / 1000 - 0.5) * room;
    return [xs.place(p.x[i]) + strewn, ys.place(p.y[i])];
  }), [n, p, xs, ys, room]);
  const order = useMemo(() => spots.map((_, i) => i).sort((a, b) => spots[a][0] - spots[b][0] || spots[a][1] - spots[b][1]), [spots]);
  const column = scatter.colour_axis?.column === null || scatter.colour_axis?.column === undefined ? undefined : columns[scatter.colour_axis.column];
  const radius = n > 5000 ? 1.7 : n > 1000 ? 2.2 : 3;

  useEffect(() => {
    const to = canvas && palette && width > 0 ? pen(canvas, width, height) : null;
    if (!to || palette === null) {
      return;
    }
    const [full, faint] = [new Dots(radius, n > 3000 ? 0.7 : 0.85), new Dots(radius, 0.13)];
    const top = scatter.colour?.top || 254;
    for (const front of chosen === null ? [true] : [false, true]) {
      for (let i = 0; i < n; i++) {
        if (chosen !== null && chosen.has(p.rows[i]) !== front) {
          continue;
        }
        const code = p.colour === null ? 0 : p.colour[i] === scatter.colour?.missing ? 255 : scatter.colour_axis && scatter.colour_axis.values.length > 0 ? p.colour[i] : Math.round((254 * p.colour[i]) / top);
        (front ? full : faint).draw(to, spots[i][0], spots[i][1], p.colour === null ? palette.kinds[0] : colourOf(palette, scatter.colour_axis && scatter.colour_axis.values.length > 0 ? { ...column, kind: 'categorical' } as Column : column?.kind === 'categorical' ? column : undefined, code));
      }
    }
  }, [canvas, palette, spots, p, chosen, scatter, column, width, height, radius, n]);

  const where = (e: React.PointerEvent): Corner => {
    const frame = e.currentTarget.getBoundingClientRect();
    return [e.clientX - frame.left, e.clientY - frame.top];
  };
  const nearest = ([mx, my]: Corner): number | null => {
    let best: number | null = null;
    let least = NEAR ** 2;
    spots.forEach(([x, y], i) => {
      const d = (x - mx) ** 2 + (y - my) ** 2;
      if (d <= least) {
        [best, least] = [i, d];
      }
    });
    return best;
  };
  const mark = (which: number[]): void => onMark(which.length === 0 ? null : { rows: which.map(i => p.rows[i]), words: `${count(which.length)} rows marked in “${scatter.y_axis.title} over ${scatter.x_axis.title}”` });
  const onUp = (e: React.PointerEvent): void => {
    const drawn = drawing.current;
    drawing.current = null;
    setLine([]);
    if (drawn === null) {
      return;
    }
    if (drawn.length > 8) {
      mark(order.filter(i => inside(spots[i], drawn)));
      return;
    }
    const found = nearest(where(e));
    if (found !== null) {
      onRow(p.rows[found]);
    } else if (marked !== null) {
      onMark(null);
    }
  };
  const onKeyDown = (e: React.KeyboardEvent): void => {
    const now = cursor === null ? -1 : order.indexOf(cursor);
    const jump = Math.max(1, Math.round(n / 20));
    const to = { ArrowRight: now + 1, ArrowLeft: now - 1, PageDown: now + jump, PageUp: now - jump, Home: 0, End: n - 1 }[e.key];
    if (to !== undefined && n > 0) {
      const next = Math.max(0, Math.min(n - 1, to));
      setCursor(order[next]);
      if (e.shiftKey) {
        anchor.current ??= Math.max(0, now);
        mark(order.slice(Math.min(anchor.current, next), Math.max(anchor.current, next) + 1));
      } else {
        anchor.current = null;
      }
    } else if ((e.key === 'Enter' || e.key === ' ') && cursor !== null) {
      onRow(p.rows[cursor]);
    } else if (e.key === 'Escape' && marked !== null) {
      onMark(null);
    } else {
      return;
    }
    e.preventDefault();
  };
  const text = (axis: AxisInfo, v: number): string => (Number.isNaN(v) ? 'missing' : axis.values.length > 0 ? (axis.values[Math.round(v)] ?? 'another') : valueOf(axis.kind, v));
  const words = (i: number): string => `row ${count(p.rows[i])}: ${scatter.x_axis.title} ${text(scatter.x_axis, p.x[i])}, ${scatter.y_axis.title} ${text(scatter.y_axis, p.y[i])}`;
  const at = cursor !== null && cursor < n ? cursor : null;
  const open = row === null ? -1 : p.rows.indexOf(row as never);
  const dates = scatter.x_axis.kind === 'datetime';
  return (
    <>
      <div ref={box} className="aiosw-ex-scatter" style={{ height }}>
        <canvas ref={setCanvas} style={{ width, height }} aria-hidden="true" />
        {width > 0 && (
          <svg
            width={width}
            height={height}
            onPointerDown={e => {
              if (e.button === 0) {
                drawing.current = [where(e)];
                e.currentTarget.setPointerCapture(e.pointerId);
              }
            }}
            onPointerMove={e => {
              const drawn = drawing.current;
              if (drawn === null) {
                setCursor(nearest(where(e)));
                return;
              }
              const next = where(e);
              const last = drawn[drawn.length - 1];
              if (Math.hypot(next[0] - last[0], next[1] - last[1]) > 3) {
                drawn.push(next);
                setLine([...drawn]);
              }
            }}
            onPointerUp={onUp}
            onPointerCancel={() => { drawing.current = null; setLine([]); }}
            onPointerLeave={() => drawing.current === null && !focused && setCursor(null)}
          >
            <g aria-hidden="true">
              <g className="aiosw-ex-axis">
                {(ys.names ?? ticks(ys.at, base, TOP, v => valueOf(scatter.y_axis.kind, v), 5)).map((t, i) => <g key={i}><path d={`M${LEFT} ${t.at.toFixed(1)}H${right}`} /><text x={LEFT - 6} y={t.at + 4} textAnchor="end">{t.label.slice(0, 9)}</text></g>)}
                {(xs.names ?? ticks(xs.at, LEFT, right, v => valueOf(scatter.x_axis.kind, v), Math.max(3, Math.floor(width / (dates ? 130 : 80))))).map((t, i) => <text key={i} x={t.at} y={base + 16} textAnchor="middle">{t.label.length > 12 ? `${t.label.slice(0, 11)}…` : t.label}</text>)}
                <text className="aiosw-ex-title" x={(LEFT + right) / 2} y={height - 5} textAnchor="middle">{clip(scatter.x_axis.title, width)}</text>
              </g>
              {zero && ys.at(0) <= base && ys.at(0) >= TOP && <path className="aiosw-ex-zero" d={`M${LEFT} ${ys.at(0).toFixed(1)}H${right}`} />}
              {diagonal && <Diagonal x={xs.at} y={ys.at} left={LEFT} right={right} />}
              <path className="aiosw-ex-frame" d={`M${LEFT} ${TOP}V${base}H${right}`} />
              {curve.length > 0 && <Curve curve={xs.names === null ? curve.filter(c => c.x >= scatter.x.low && c.x <= scatter.x.high) : curve} x={xs.place} y={ys.at} apart={xs.names !== null} />}
              {open >= 0 && <circle className="aiosw-ex-open" cx={spots[open][0]} cy={spots[open][1]} r={radius + 4} />}
              {at !== null && <circle className="aiosw-ex-under" cx={spots[at][0]} cy={spots[at][1]} r={radius + 3} />}
              {line.length > 1 && <path className="aiosw-ex-lasso" d={path(line)} />}
            </g>
            <g
              role="listbox"
              tabIndex={0}
              aria-label={`${label}. ${count(n)} points${n < scatter.of ? ` of ${count(scatter.of)} rows` : ''}. Left and right move, Shift marks, Enter opens the row.`}
              aria-activedescendant={at === null ? undefined : `${id}-at`}
              onKeyDown={onKeyDown}
              onFocus={() => { setFocused(true); setCursor(now => now ?? (open >= 0 ? open : (order[0] ?? null))); }}
              onBlur={() => { setFocused(false); setCursor(null); anchor.current = null; }}
            >
              {focused && <rect className="aiosw-ex-focus" role="presentation" x={1} y={1} width={width - 2} height={height - 2} />}
              <rect role="option" id={`${id}-at`} aria-selected={at !== null && p.rows[at] === row} aria-label={at === null ? 'no point' : words(at)} className="aiosw-ex-hit" x={LEFT} y={TOP} width={right - LEFT} height={base - TOP} />
            </g>
          </svg>
        )}
      </div>
      <p className="aiosw-told" aria-hidden="true">{at !== null ? words(at) : <span className="aiosw-quiet">Click a point to open its row; draw around points to mark them.</span>}</p>
    </>
  );
}

/** How far points of a few different numbers may be moved aside; 0 where there are many. */
function gap(values: Float64Array, x: Scale): number {
  const found = new Set<number>();
  for (const v of values) {
    if (!Number.isNaN(v) && found.add(v).size > 15) {
      return 0;
    }
  }
  const places = [...found].map(v => x(v)).sort((a, b) => a - b);
  return places.length < 2 ? 0 : Math.min(28, 0.4 * Math.min(...places.slice(1).map((v, i) => v - places[i])));
}

function clip(title: string, width: number): string {
  const most = Math.max(10, Math.floor(width / 8));
  return title.length > most ? `${title.slice(0, most - 1)}…` : title;
}

function Diagonal({ x, y, left, right }: { x: Scale; y: Scale; left: number; right: number }): JSX.Element {
  const [low, high] = [Math.max(x.invert(left), Math.min(y.invert(TOP), y.invert(1e4))), Math.min(x.invert(right), Math.max(y.invert(TOP), y.invert(0)))];
  return <path className="aiosw-ex-diagonal" d={`M${x(low).toFixed(1)} ${y(low).toFixed(1)}L${x(high).toFixed(1)} ${y(high).toFixed(1)}`} />;
}

/** A line through numbers; categories have no order, so each has a mark of its own. */
function Curve({ curve, x, y, apart }: { curve: CurvePoint[]; x: (v: number) => number; y: Scale; apart: boolean }): JSX.Element {
  const banded = curve.filter(c => c.low !== null && c.high !== null);
  const at = (v: number, w: number): string => `${x(v).toFixed(1)},${y(w).toFixed(1)}`;
  return (
    <g className="aiosw-ex-curve">
      {apart && banded.map((c, i) => <path key={i} d={`M${x(c.x).toFixed(1)} ${y(c.low as number).toFixed(1)}V${y(c.high as number).toFixed(1)}`} />)}
      {!apart && banded.length > 1 && <polygon points={[...banded.map(c => at(c.x, c.high as number)), ...[...banded].reverse().map(c => at(c.x, c.low as number))].join(' ')} />}
      {!apart && <polyline points={curve.map(c => at(c.x, c.y)).join(' ')} />}
      {curve.length < 30 && curve.map((c, i) => <circle key={i} cx={x(c.x)} cy={y(c.y)} r={apart ? 4 : 2.4} />)}
    </g>
  );
}
