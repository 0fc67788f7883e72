// Where the nodes go. dagre for what people draw; a plain layered layout above a few hundred nodes, where
// dagre's crossing minimisation takes seconds.
import dagre from '@dagrejs/dagre';

import type { StepNode } from '../../protocol';

export type Direction = 'LR' | 'TB';
export interface Placed {
  at: Map<string, { x: number; y: number }>;
  width: number;
  height: number;
}

export const NODE_WIDTH = 208;
export const NODE_HEIGHT = 62;
const RANK_GAP = 52;
const NODE_GAP = 18;
const DAGRE_LIMIT = 250;

export function layout(nodes: readonly StepNode[], direction: Direction): Placed {
  return nodes.length > DAGRE_LIMIT ? layered(nodes, direction) : withDagre(nodes, direction);
}

export function upstream(node: StepNode): string[] {
  return [...node.deps, ...node.after];
}

function withDagre(nodes: readonly StepNode[], direction: Direction): Placed {
  const g = new dagre.graphlib.Graph();
  g.setGraph({ rankdir: direction, ranksep: direction === 'LR' ? RANK_GAP : 34, nodesep: NODE_GAP });
  g.setDefaultEdgeLabel(() => ({}));
  nodes.forEach((n, i) => g.setNode(`n${i}`, { width: NODE_WIDTH, height: NODE_HEIGHT }));
  const index = new Map(nodes.map((n, i) => [n.name, `n${i}`]));
  for (const n of nodes) {
    for (const up of upstream(n)) {
      const from = index.get(up);
      if (from !== undefined) {
        g.setEdge(from, index.get(n.name) as string);
      }
    }
  }
  dagre.layout(g);
  const at = new Map<string, { x: number; y: number }>();
  nodes.forEach((n, i) => {
    const { x, y } = g.node(`n${i}`) as { x: number; y: number };
    at.set(n.name, { x: Math.round(x - NODE_WIDTH / 2), y: Math.round(y - NODE_HEIGHT / 2) });
  });
  return measured(at);
}

/** Longest-path layers, each sorted twice by the middle of what comes before. */
function layered(nodes: readonly StepNode[], direction: Direction): Placed {
  const depth = new Map<string, number>();
  const layers: string[][] = [];
  const before = new Map<string, string[]>();
  for (const n of nodes) {
    const ups = upstream(n).filter(u => depth.has(u));
    const d = ups.reduce((most, u) => Math.max(most, (depth.get(u) as number) + 1), 0);
    depth.set(n.name, d);
    before.set(n.name, ups);
    (layers[d] ??= []).push(n.name);
  }
  const order = new Map<string, number>();
  layers.forEach(layer => {
    const weight = (name: string, k: number): number => {
      const ups = before.get(name) as string[];
      return ups.length ? ups.reduce((sum, u) => sum + (order.get(u) as number), 0) / ups.length : k / layer.length;
    };
    const weights = new Map(layer.map((name, k) => [name, weight(name, k)]));
    layer.sort((a, b) => (weights.get(a) as number) - (weights.get(b) as number));
    layer.forEach((name, k) => order.set(name, k / layer.length));
  });
  const at = new Map<string, { x: number; y: number }>();
  const across = direction === 'LR' ? NODE_HEIGHT + NODE_GAP : NODE_WIDTH + NODE_GAP;
  const along = direction === 'LR' ? NODE_WIDTH + RANK_GAP : NODE_HEIGHT + RANK_GAP;
  const widest = layers.reduce((most, l) => Math.max(most, l.length), 0);
  layers.forEach((layer, d) => {
    const start = ((widest - layer.length) * across) / 2;
    layer.forEach((name, k) => {
      const c = start + k * across;
      at.set(name, direction === 'LR' ? { x: d * along, y: c } : { x: c, y: d * along });
    });
  });
  return measured(at);
}

function measured(at: Map<string, { x: number; y: number }>): Placed {
  let left = Infinity;
  let top = Infinity;
  let right = 0;
  let bottom = 0;
  at.forEach(p => {
    left = Math.min(left, p.x);
    top = Math.min(top, p.y);
    right = Math.max(right, p.x + NODE_WIDTH);
    bottom = Math.max(bottom, p.y + NODE_HEIGHT);
  });
  return at.size ? { at, width: right - left, height: bottom - top } : { at, width: 0, height: 0 };
}
