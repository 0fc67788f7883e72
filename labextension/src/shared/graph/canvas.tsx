// Large graphs: edges and far-away nodes are painted on two canvases; only near nodes are elements.
import { useViewport } from '@xyflow/react';
import { useLayoutEffect, useRef } from 'react';

import type { StepNode } from '../../protocol';
import { NODE_HEIGHT, NODE_WIDTH, type Placed, upstream } from './layout';

interface Props {
  nodes: readonly StepNode[];
  placed: Placed;
  width: number;
  height: number;
  wide: boolean;
  /** Nodes are elements already: paint the edges only. */
  near: boolean;
}

interface View {
  x: number;
  y: number;
  zoom: number;
}

export function GraphCanvas({ nodes, placed, width, height, wide, near }: Props): JSX.Element {
  const view = useViewport();
  const lines = useRef<HTMLCanvasElement>(null);
  const boxes = useRef<HTMLCanvasElement>(null);
  const { x, y, zoom } = view;
  // The edges move with the viewport only; the boxes change with every state.
  useLayoutEffect(() => paintEdges(begin(lines.current, width, height), nodes, placed, { x, y, zoom }, wide, width, height),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- edges depend on `placed` alone, not on what state nodes are in
    [placed, x, y, zoom, wide, width, height]);
  useLayoutEffect(() => {
    const context = begin(boxes.current, width, height);
    if (!near) {
      paintNodes(context, nodes, placed, { x, y, zoom }, width, height);
    }
  }, [nodes, placed, x, y, zoom, near, width, height]);
  return (
    <>
      <canvas ref={lines} className="aiosw-canvas" style={{ width, height }} aria-hidden="true" />
      <canvas ref={boxes} className="aiosw-canvas" style={{ width, height }} aria-hidden="true" />
    </>
  );
}

function begin(canvas: HTMLCanvasElement | null, width: number, height: number): CanvasRenderingContext2D | null {
  const context = canvas?.getContext('2d') ?? null;
  if (canvas && context) {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== w || canvas.height !== h) {
      canvas.width = w;
      canvas.height = h;
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
  }
  return context;
}

function paintEdges(
  context: CanvasRenderingContext2D | null, nodes: readonly StepNode[], placed: Placed, view: View, wide: boolean, width: number, height: number
): void {
  if (!context) {
    return;
  }
  context.strokeStyle = colour(context, '--aiosw-edge');
  context.lineWidth = Math.max(0.4, 1.3 * view.zoom);
  context.globalAlpha = view.zoom < 0.3 ? 0.45 : 0.8;
  context.beginPath();
  for (const node of nodes) {
    const to = placed.at.get(node.name);
    for (const up of upstream(node)) {
      const from = placed.at.get(up);
      if (!from || !to) {
        continue;
      }
      const x1 = view.x + (from.x + (wide ? NODE_WIDTH : NODE_WIDTH / 2)) * view.zoom;
      const y1 = view.y + (from.y + (wide ? NODE_HEIGHT / 2 : NODE_HEIGHT)) * view.zoom;
      const x2 = view.x + (to.x + (wide ? 0 : NODE_WIDTH / 2)) * view.zoom;
      const y2 = view.y + (to.y + (wide ? NODE_HEIGHT / 2 : 0)) * view.zoom;
      if (Math.max(x1, x2) < 0 || Math.min(x1, x2) > width || Math.max(y1, y2) < 0 || Math.min(y1, y2) > height) {
        continue;
      }
      context.moveTo(x1, y1);
      if (view.zoom < 0.15) {
        context.lineTo(x2, y2);
      } else if (wide) {
        context.bezierCurveTo((x1 + x2) / 2, y1, (x1 + x2) / 2, y2, x2, y2);
      } else {
        context.bezierCurveTo(x1, (y1 + y2) / 2, x2, (y1 + y2) / 2, x2, y2);
      }
    }
  }
  context.stroke();
  context.globalAlpha = 1;
}

/** By state: full (moving), crossed (failed), outlined (not started), tinted (over). The colour says it again. */
function paintNodes(context: CanvasRenderingContext2D | null, nodes: readonly StepNode[], placed: Placed, view: View, width: number, height: number): void {
  if (!context) {
    return;
  }
  const [w, h] = [NODE_WIDTH * view.zoom, NODE_HEIGHT * view.zoom];
  const back = colour(context, '--aiosw-raised');
  const groups = new Map<string, StepNode[]>();
  for (const node of nodes) {
    const group = groups.get(node.status);
    if (group) {
      group.push(node);
    } else {
      groups.set(node.status, [node]);
    }
  }
  groups.forEach((group, status) => {
    const strong = colour(context, `--aiosw-${status === 'skipped' ? 'pending' : status}`);
    const outlined = status === 'pending' || status === 'skipped';
    context.lineWidth = 1;
    context.strokeStyle = strong;
    for (const node of group) {
      const p = placed.at.get(node.name);
      if (!p) {
        continue;
      }
      const [x, y] = [view.x + p.x * view.zoom, view.y + p.y * view.zoom];
      if (x > width || y > height || x + w < 0 || y + h < 0) {
        continue;
      }
      context.fillStyle = back;
      context.fillRect(x, y, w, h);
      if (!outlined) {
        context.globalAlpha = status === 'succeeded' ? 0.35 : 1;
        context.fillStyle = strong;
        context.fillRect(x, y, w, h);
        context.globalAlpha = 1;
      }
      if (w > 5) {
        context.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1);
      }
      if (status === 'failed' && w > 5) {
        context.strokeStyle = back;
        context.beginPath();
        context.moveTo(x + w / 2 - h / 3, y + h / 6);
        context.lineTo(x + w / 2 + h / 3, y + (5 * h) / 6);
        context.moveTo(x + w / 2 + h / 3, y + h / 6);
        context.lineTo(x + w / 2 - h / 3, y + (5 * h) / 6);
        context.stroke();
        context.strokeStyle = strong;
      }
    }
  });
}

function colour(context: CanvasRenderingContext2D, variable: string): string {
  return getComputedStyle(context.canvas).getPropertyValue(variable).trim() || '#888';
}
