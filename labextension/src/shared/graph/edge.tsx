// An edge that keeps to the lanes the layout left free for it, instead of passing behind nodes.
import { BaseEdge, type Edge, type EdgeProps, Position } from '@xyflow/react';
import { memo } from 'react';

import { NODE_HEIGHT, NODE_WIDTH, type Point } from './scene';

export type LaneEdge = Edge<{ lanes: Point[]; label: string }, 'lane'>;

export const LaneEdgeView = memo(function LaneEdgeView(p: EdgeProps<LaneEdge>): JSX.Element {
  const wide = p.sourcePosition === Position.Right;
  const [from, to, lanes] = [{ x: p.sourceX, y: p.sourceY }, { x: p.targetX, y: p.targetY }, p.data?.lanes ?? []];
  const at = middle(from, lanes[0] ? entry(lanes[0], wide) : to);
  return (
    <>
      <BaseEdge path={wire(from, lanes, to, wide)} markerEnd={p.markerEnd} />
      {p.data?.label ? (
        <text className="aiosw-edge-label" x={at.x} y={at.y} textAnchor="middle" dominantBaseline="central">{p.data.label}</text>
      ) : null}
    </>
  );
});

export function middle(a: Point, b: Point): Point {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

const half = (wide: boolean): Point => (wide ? { x: NODE_WIDTH / 2, y: 0 } : { x: 0, y: NODE_HEIGHT / 2 });

/** Where an edge enters the layer whose lane it takes. */
export function entry(lane: Point, wide: boolean): Point {
  return { x: lane.x - half(wide).x, y: lane.y - half(wide).y };
}

/** An SVG path: a bend between layers, straight through them. */
export function wire(from: Point, lanes: readonly Point[], to: Point, wide: boolean): string {
  const parts = [`M${from.x} ${from.y}`];
  let here = from;
  const bend = (next: Point): void => {
    const { x: mx, y: my } = middle(here, next);
    parts.push(wide ? `C${mx} ${here.y} ${mx} ${next.y} ${next.x} ${next.y}` : `C${here.x} ${my} ${next.x} ${my} ${next.x} ${next.y}`);
    here = next;
  };
  for (const lane of lanes) {
    bend(entry(lane, wide));
    here = { x: lane.x + half(wide).x, y: lane.y + half(wide).y };
    parts.push(`L${here.x} ${here.y}`);
  }
  bend(to);
  return parts.join('');
}
