// Recall against speed: every point measured, the front as a line, exact as a reference. Own SVG.
import { memo, useId, useMemo, useRef, useState } from 'react';

import type { Family, TuningPoint, TuningView } from '../../tuning_protocol';
import { useWidth } from '../inspector/use';
import { logTicks, scale, type Scale } from '../scale';
import { FAMILIES } from './family';
import { exactOf, valueOf } from './picture';
import { fromNines, nines, recallTicks } from './scale';
import { Tip } from './tip';
import type { Axis, Brush } from './types';
import { digits, inWords } from './words';

const [LEFT, RIGHT, TOP, BOTTOM] = [66, 14, 12, 38];
const NEAR = 15;
const DRAG = 5;

interface Props {
  view: TuningView;
  axis: Axis;
  hidden: ReadonlySet<Family>;
  /** The point the rest of the screen shows. */
  shown: string | null;
  brush: Brush | null;
  onBrush: (brush: Brush | null) => void;
  onChoose: (id: string) => void;
}

interface Spot {
  p: TuningPoint;
  x: number;
  y: number;
  r: number;
  front: boolean;
}

export function Scatter(props: Props): JSX.Element {
  const { view, axis, hidden, shown, brush, onBrush, onChoose } = props;
  const [box, width] = useWidth<HTMLDivElement>();
  const id = useId();
  const [cursor, setCursor] = useState<string | null>(null);
  const [focused, setFocused] = useState(false);
  /** Where marking by keyboard began. */
  const anchor = useRef<Spot | null>(null);
  const drag = useRef<{ x: number; y: number } | null>(null);
  const [pulled, setPulled] = useState<[number, number, number, number] | null>(null);
  const height = Math.round(Math.max(250, Math.min(400, width * 0.55)));
  const base = height - BOTTOM;
  const right = Math.max(LEFT + 40, width - RIGHT);

  const points = useMemo(() => view.points.filter(p => !hidden.has(p.family) && valueOf(p, axis) !== null), [view.points, hidden, axis]);
  const exact = useMemo(() => exactOf(points), [points]);
  const { x, y, spots, line } = useMemo(() => {
    const target = view.constraints.recall;
    const xs = scale([...points.map(p => nines(p.recall)), nines(target)], LEFT, right, 0.07);
    const limit = axis === 'p95_ms' && view.constraints.latency_ms ? [Math.log10(view.constraints.latency_ms)] : [];
    const ys = scale([...points.map(p => Math.log10(valueOf(p, axis) as number)), ...limit], base, TOP, 0.07);
    const front = new Set(view.front);
    const largest = Math.max(...points.map(p => p.bytes_per_vector), 1e-9);
    const all = points.map<Spot>(p => ({
      p,
      x: xs(nines(p.recall)),
      y: ys(Math.log10(valueOf(p, axis) as number)),
      r: 3.2 + 5.6 * Math.sqrt(p.bytes_per_vector / largest),
      front: front.has(p.id) && !p.part
    }));
    // Best drawn last, so that it lies on top.
    all.sort((a, b) => Number(a.front) - Number(b.front) || b.r - a.r);
    const best = all.filter(s => s.front).sort((a, b) => a.x - b.x);
    return { x: xs, y: ys, spots: all, line: best.map(s => `${s.x.toFixed(1)},${s.y.toFixed(1)}`).join(' ') };
  }, [points, view.front, view.constraints.recall, view.constraints.latency_ms, axis, right, base]);
  const ordered = useMemo(() => [...spots].sort((a, b) => a.x - b.x || a.y - b.y), [spots]);
  const at = spots.find(s => s.p.id === cursor) ?? null;

  const where = (e: React.PointerEvent): [number, number] => {
    const frame = e.currentTarget.getBoundingClientRect();
    return [e.clientX - frame.left, e.clientY - frame.top];
  };
  const nearest = (px: number, py: number): Spot | null => {
    let best: Spot | null = null;
    let least = NEAR ** 2;
    for (const s of spots) {
      const d = (s.x - px) ** 2 + (s.y - py) ** 2 - (s.front ? 9 : 0);
      if (d <= least) {
        [best, least] = [s, d];
      }
    }
    return best;
  };
  const onMove = (e: React.PointerEvent): void => {
    const [px, py] = where(e);
    const from = drag.current;
    if (from === null) {
      setCursor(nearest(px, py)?.p.id ?? null);
    } else if (pulled || Math.hypot(px - from.x, py - from.y) > DRAG) {
      setCursor(null);
      setPulled([Math.min(from.x, px), Math.min(from.y, py), Math.abs(px - from.x), Math.abs(py - from.y)]);
    }
  };
  const onUp = (e: React.PointerEvent): void => {
    const from = drag.current;
    drag.current = null;
    if (from === null) {
      return;
    }
    if (pulled) {
      const [bx, by, w, h] = pulled;
      const value = [10 ** y.invert(by + h), 10 ** y.invert(by)].sort((a, b) => a - b) as [number, number];
      onBrush({ recall: [fromNines(x.invert(bx)), fromNines(x.invert(bx + w))], value, axis });
      setPulled(null);
      return;
    }
    const found = nearest(...where(e));
    if (found) {
      onChoose(found.p.id);
    } else {
      onBrush(null);
    }
  };
  const onKeyDown = (e: React.KeyboardEvent): void => {
    const frontier = ordered.filter(s => s.front);
    const walk = (list: Spot[], step: number): Spot | undefined => {
      const now = list.findIndex(s => s.p.id === (cursor ?? shown));
      if (now >= 0) {
        return list[Math.max(0, Math.min(list.length - 1, now + step))];
      }
      // From a point beside the front to the front's next one.
      const from = at?.x ?? 0;
      return step > 0 ? list.find(s => s.x >= from) ?? list[list.length - 1] : [...list].reverse().find(s => s.x <= from) ?? list[0];
    };
    const to: Record<string, () => Spot | undefined> = {
      ArrowRight: () => walk(ordered, 1),
      ArrowLeft: () => walk(ordered, -1),
      ArrowUp: () => walk(frontier, 1),
      ArrowDown: () => walk(frontier, -1),
      Home: () => ordered[0],
      End: () => ordered[ordered.length - 1]
    };
    if (to[e.key]) {
      const next = to[e.key]();
      if (next && e.shiftKey) {
        const from = (anchor.current ??= at ?? next);
        const [a, b] = [from.p, next.p];
        const value = [valueOf(a, axis) as number, valueOf(b, axis) as number].sort((u, v) => u - v) as [number, number];
        onBrush({ recall: [Math.min(a.recall, b.recall), Math.max(a.recall, b.recall)], value, axis });
      } else {
        anchor.current = null;
      }
      setCursor(next?.p.id ?? null);
    } else if ((e.key === 'Enter' || e.key === ' ') && at) {
      onChoose(at.p.id);
    } else if (e.key === 'Escape' && brush) {
      onBrush(null);
    } else {
      return;
    }
    e.preventDefault();
  };

  const marked = brush && brush.axis === axis ? rect(brush, x, y) : null;
  const frame = pulled ?? marked;
  const ready = width > 0;
  return (
    <div className="aiosw-tun-scatter" ref={box} style={{ height }}>
      {ready && points.length === 0 && <p className="aiosw-tun-wait">{waiting(view, axis)}</p>}
      {ready && points.length > 0 && (
        <svg
          width={width}
          height={height}
          onPointerDown={e => {
            if (e.button === 0) {
              const [px, py] = where(e);
              drag.current = { x: px, y: py };
              e.currentTarget.setPointerCapture(e.pointerId);
            }
          }}
          onPointerMove={onMove}
          onPointerUp={onUp}
          onPointerCancel={() => {
            drag.current = null;
            setPulled(null);
          }}
          onPointerLeave={() => drag.current === null && !focused && setCursor(null)}
        >
          <g aria-hidden="true">
            <Grid x={x} y={y} right={right} base={base} axis={axis} k={view.problem.k} />
            <Target view={view} x={x} y={y} right={right} base={base} axis={axis} />
            {exact && valueOf(exact, axis) !== null && (
              <g className="aiosw-tun-exact">
                <path d={`M${LEFT} ${y(Math.log10(valueOf(exact, axis) as number)).toFixed(1)}H${right}`} />
                <text x={LEFT + 5} y={y(Math.log10(valueOf(exact, axis) as number)) + (axis === 'qps' ? -5 : 13)}>
                  exact {axis === 'qps' ? `${digits(exact.qps)}/s` : `${digits(exact.p95_ms as number)} ms`}
                </text>
              </g>
            )}
            <polyline className="aiosw-tun-front" points={line} />
            {spots.map(s => (s.front || s.p.id === cursor) && <Errors key={s.p.id} s={s} x={x} y={y} axis={axis} />)}
          </g>
          <g
            role="listbox"
            tabIndex={0}
            className="aiosw-tun-points"
            aria-label={`${points.length} measured points by recall and ${axis === 'qps' ? 'queries a second' : 'latency'}. Left and right go through all, up and down along the front, with Shift they mark, Enter chooses.`}
            aria-activedescendant={at ? `${id}-${at.p.id}` : undefined}
            onKeyDown={onKeyDown}
            onFocus={() => {
              setFocused(true);
              setCursor(now => now ?? shown ?? ordered[0]?.p.id ?? null);
            }}
            onBlur={() => {
              setFocused(false);
              setCursor(null);
            }}
          >
            {focused && <rect className="aiosw-tun-focus" role="presentation" x={LEFT} y={TOP} width={right - LEFT} height={base - TOP} />}
            {spots.map(s => (
              <Dot key={s.p.id} id={`${id}-${s.p.id}`} p={s.p} x={s.x} y={s.y} r={s.r} front={s.front} chosen={s.p.id === view.chosen} under={s.p.id === cursor} />
            ))}
          </g>
          <g aria-hidden="true">
            {at && <circle className="aiosw-tun-cursor" cx={at.x} cy={at.y} r={at.r + 4} />}
            {spots.filter(s => s.p.id === shown).map(s => <circle key={s.p.id} className="aiosw-tun-ring" cx={s.x} cy={s.y} r={s.r + 5} />)}
            {frame && <rect className="aiosw-brush aiosw-tun-brush" x={frame[0]} y={frame[1]} width={frame[2]} height={frame[3]} />}
          </g>
        </svg>
      )}
      {at && !pulled && <Tip p={at.p} x={at.x} y={at.y} width={width} height={height} rows={view.problem.rows} />}
    </div>
  );
}

function rect(brush: Brush, x: Scale, y: Scale): [number, number, number, number] {
  const [x0, x1] = brush.recall.map(r => x(nines(r)));
  const [a, b] = brush.value.map(v => y(Math.log10(v)));
  return [x0, Math.min(a, b), x1 - x0, Math.abs(a - b)];
}

function waiting(view: TuningView, axis: Axis): string {
  if (view.points.length > 0) {
    return axis === 'qps' ? 'No point of a family that is shown.' : 'No latency of single queries is measured yet.';
  }
  return view.status === 'running' ? 'The first points come in a second or two.' : 'Nothing was measured.';
}

interface DotProps {
  id: string;
  p: TuningPoint;
  x: number;
  y: number;
  r: number;
  front: boolean;
  chosen: boolean;
  under: boolean;
}

const Dot = memo(function Dot({ id, p, x, y, r, front, chosen, under }: DotProps): JSX.Element {
  return (
    <path
      id={id}
      role="option"
      aria-selected={chosen}
      aria-label={`${inWords(p)}${front ? '; on the front' : ''}${chosen ? '; chosen' : ''}`}
      className="aiosw-tun-dot"
      data-family={p.family}
      data-front={front || undefined}
      data-part={p.part || undefined}
      data-under={under || undefined}
      data-point={p.id}
      d={FAMILIES[p.family].path}
      transform={`translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${r.toFixed(2)})`}
    />
  );
});

function Errors({ s, x, y, axis }: { s: Spot; x: Scale; y: Scale; axis: Axis }): JSX.Element {
  const { p } = s;
  const across = `M${x(nines(p.recall_low)).toFixed(1)} ${s.y.toFixed(1)}H${x(nines(p.recall_high)).toFixed(1)}`;
  const up = axis === 'qps' && p.qps_low > 0 ? `M${s.x.toFixed(1)} ${y(Math.log10(p.qps_low)).toFixed(1)}V${y(Math.log10(Math.max(p.qps_low, p.qps_high))).toFixed(1)}` : '';
  return <path className="aiosw-tun-error" data-family={p.family} d={across + up} />;
}

function Grid({ x, y, right, base, axis, k }: { x: Scale; y: Scale; right: number; base: number; axis: Axis; k: number }): JSX.Element {
  return (
    <g className="aiosw-tun-grid">
      {recallTicks(x, LEFT, right).map(t => (
        <g key={t.label}>
          <path d={`M${t.at.toFixed(1)} ${TOP}V${base}`} />
          <text x={t.at} y={base + 15} textAnchor="middle">{t.label}</text>
        </g>
      ))}
      {logTicks(y, base, TOP, digits).map(t => (
        <g key={t.label}>
          <path d={`M${LEFT} ${t.at.toFixed(1)}H${right}`} />
          <text x={LEFT - 6} y={t.at + 4} textAnchor="end">{t.label}</text>
        </g>
      ))}
      <text className="aiosw-tun-axis" x={(LEFT + right) / 2} y={base + 32} textAnchor="middle">recall@{k}</text>
      <text className="aiosw-tun-axis" transform={`translate(11 ${(TOP + base) / 2}) rotate(-90)`} textAnchor="middle">
        {axis === 'qps' ? 'queries a second, one core' : 'p95 of single queries, ms'}
      </text>
    </g>
  );
}

function Target({ view, x, y, right, base, axis }: { view: TuningView; x: Scale; y: Scale; right: number; base: number; axis: Axis }): JSX.Element {
  const { recall, latency_ms } = view.constraints;
  const at = x(nines(recall));
  const flip = right - at < 84;
  const limit = axis === 'p95_ms' && latency_ms !== null ? y(Math.log10(latency_ms)) : null;
  return (
    <g className="aiosw-tun-target">
      <path d={`M${at.toFixed(1)} ${TOP}V${base}`} />
      <text x={flip ? at - 4 : at + 4} y={base - 6} textAnchor={flip ? 'end' : 'start'}>target {recall}</text>
      {limit !== null && (
        <>
          <path d={`M${LEFT} ${limit.toFixed(1)}H${right}`} />
          <text x={right - 4} y={limit - 5} textAnchor="end">at most {digits(latency_ms as number)} ms</text>
        </>
      )}
    </g>
  );
}
