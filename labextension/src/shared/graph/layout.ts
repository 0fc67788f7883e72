// Where the nodes go. dagre for what people draw; a plain layered layout above a few hundred nodes, where
// dagre's crossing minimisation takes seconds.
import dagre from '@dagrejs/dagre';

import type { StepNode } from '../../protocol';

export type Direction = 'LR' | 'TB';
export interface Point {
  x: number;
  y: number;
}
export interface Placed {
  at: Map<string, Point>;
  /** Edge key -> the middles of the lanes it takes through the layers between. */
  lanes: Map<string, Point[]>;
  width: number;
  height: number;
}

export const NODE_WIDTH = 180;
export const NODE_HEIGHT = 60;
const RANK_GAP = { LR: 44, TB: 30 };
const NODE_GAP = 18;
const LANE_GAP = 22;
const DAGRE_LIMIT = 250;

export function layout(nodes: readonly StepNode[], direction: Direction): Placed {
  return nodes.length > DAGRE_LIMIT ? layered(nodes, direction) : withDagre(nodes, direction);
}

export function upstream(node: StepNode): string[] {
  return [...node.deps, ...node.after];
}

export function edgeKey(from: string, to: string): string {
  return `${from}\u0001${to}`;
}

function withDagre(nodes: readonly StepNode[], direction: Direction): Placed {
  const g = new dagre.graphlib.Graph();
  g.setGraph({ rankdir: direction, ranksep: RANK_GAP[direction], nodesep: NODE_GAP, edgesep: LANE_GAP });
  g.setDefaultEdgeLabel(() => ({}));
  // Numbers as names: dagre joins names of its own with what it is given.
  nodes.forEach((n, i) => g.setNode(`n${i}`, { width: NODE_WIDTH, height: NODE_HEIGHT }));
  const index = new Map(nodes.map((n, i) => [n.name, `n${i}`]));
  const pairs: [string, string][] = [];
  for (const n of nodes) {
    for (const up of upstream(n)) {
      if (index.has(up)) {
        pairs.push([up, n.name]);
        g.setEdge(index.get(up) as string, index.get(n.name) as string);
      }
    }
  }
  dagre.layout(g);
  const at = new Map<string, Point>();
  nodes.forEach((n, i) => {
    const { x, y } = g.node(`n${i}`) as Point;
    at.set(n.name, { x: Math.round(x - NODE_WIDTH / 2), y: Math.round(y - NODE_HEIGHT / 2) });
  });
  const lanes = new Map<string, Point[]>();
  for (const [from, to] of pairs) {
    const points = (g.edge(index.get(from) as string, index.get(to) as string) as { points: Point[] }).points;
    lanes.set(edgeKey(from, to), through(points, at.get(from) as Point, at.get(to) as Point, direction));
  }
  return measured(at, lanes);
}

/** dagre's points lie between the layers too; kept are those in the middle of a layer between the two nodes. */
function through(points: Point[], from: Point, to: Point, direction: Direction): Point[] {
  const [axis, size] = direction === 'LR' ? (['x', NODE_WIDTH] as const) : (['y', NODE_HEIGHT] as const);
  const pitch = size + RANK_GAP[direction];
  return points.slice(1, -1).filter(p => {
    const layers = (p[axis] - from[axis] - size / 2) / pitch;
    return Math.abs(layers - Math.round(layers)) < 0.05 && p[axis] > from[axis] + size && p[axis] < to[axis];
  });
}

/** Longest-path layers, each sorted by the middle of what comes before. */
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
  for (const layer of layers) {
    const weights = new Map(layer.map((name, k) => {
      const ups = before.get(name) as string[];
      const middle = ups.reduce((sum, u) => sum + (order.get(u) as number), 0) / ups.length;
      return [name, ups.length ? middle : k / layer.length];
    }));
    layer.sort((a, b) => (weights.get(a) as number) - (weights.get(b) as number));
    layer.forEach((name, k) => order.set(name, k / layer.length));
  }
  const at = new Map<string, Point>();
  const across = (direction === 'LR' ? NODE_HEIGHT : NODE_WIDTH) + NODE_GAP;
  const along = (direction === 'LR' ? NODE_WIDTH : NODE_HEIGHT) + RANK_GAP[direction];
  const widest = layers.reduce((most, l) => Math.max(most, l.length), 0);
  layers.forEach((layer, d) => {
    const start = ((widest - layer.length) * across) / 2;
    layer.forEach((name, k) => {
      const c = start + k * across;
      at.set(name, direction === 'LR' ? { x: d * along, y: c } : { x: c, y: d * along });
    });
  });
  return measured(at, new Map());
}

/** Moves everything so that the picture starts at the origin, lanes included. */
function measured(at: Map<string, Point>, lanes: Map<string, Point[]>): Placed {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  const cover = (x1: number, y1: number, x2: number, y2: number): void => {
    left = Math.min(left, x1);
    top = Math.min(top, y1);
    right = Math.max(right, x2);
    bottom = Math.max(bottom, y2);
  };
  at.forEach(p => cover(p.x, p.y, p.x + NODE_WIDTH, p.y + NODE_HEIGHT));
  lanes.forEach(points => points.forEach(p => cover(p.x, p.y, p.x, p.y)));
  if (at.size === 0) {
    return { at, lanes, width: 0, height: 0 };
  }
  const shift = (p: Point): Point => ({ x: p.x - left, y: p.y - top });
  return {
    at: new Map([...at].map(([name, p]) => [name, shift(p)])),
    lanes: new Map([...lanes].map(([key, points]) => [key, points.map(shift)])),
    width: right - left,
    height: bottom - top
  };
}
