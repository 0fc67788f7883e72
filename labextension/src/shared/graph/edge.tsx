// An edge that keeps to the lanes the layout left free for it, instead of passing behind nodes.
import { BaseEdge, type Edge, type EdgeProps, Position } from '@xyflow/react';
import { memo } from 'react';

import { NODE_HEIGHT, NODE_WIDTH, type Point } from './layout';

export type LaneEdge = Edge<{ lanes: Point[] }, 'lane'>;

export const LaneEdgeView = memo(function LaneEdgeView(p: EdgeProps<LaneEdge>): JSX.Element {
  const wide = p.sourcePosition === Position.Right;
  const path = wire({ x: p.sourceX, y: p.sourceY }, p.data?.lanes ?? [], { x: p.targetX, y: p.targetY }, wide);
  return <BaseEdge path={path} markerEnd={p.markerEnd} />;
});

function wire(from: Point, lanes: Point[], to: Point, wide: boolean): string {
  const parts = [`M${from.x} ${from.y}`];
  let here = from;
  const bend = (next: Point): void => {
    const [mx, my] = [(here.x + next.x) / 2, (here.y + next.y) / 2];
    parts.push(wide ? `C${mx} ${here.y} ${mx} ${next.y} ${next.x} ${next.y}` : `C${here.x} ${my} ${next.x} ${my} ${next.x} ${next.y}`);
    here = next;
  };
  for (const lane of lanes) {
    const half = wide ? { x: NODE_WIDTH / 2, y: 0 } : { x: 0, y: NODE_HEIGHT / 2 };
    bend({ x: lane.x - half.x, y: lane.y - half.y });
    here = { x: lane.x + half.x, y: lane.y + half.y };
    parts.push(`L${here.x} ${here.y}`);
  }
  bend(to);
  return parts.join('');
}
