// Where the nodes go. dagre for what people draw; from a few dozen nodes on, where dagre takes too long for the first
// paint (0.3 s at 100 nodes, 1.1 s at 250), the layers are sorted by the middles of their neighbours only.
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
const DAGRE_LIMIT = 40;
/** Up to here edges that cross a layer get a lane of their own through it. */
const LANES_LIMIT = 80;
const LANE = 14;
const SWEEPS = 6;

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

/** Sugiyama's method: longest-path layers, stand-ins for edges that cross one, each layer sorted in turn. */
function layered(nodes: readonly StepNode[], direction: Direction): Placed {
  const { layers, before, chains } = ranked(nodes);
  sort(layers, before);
  const wide = direction === 'LR';
  const size = wide ? NODE_HEIGHT : NODE_WIDTH;
  const along = (wide ? NODE_WIDTH : NODE_HEIGHT) + RANK_GAP[direction];
  const room = (name: string): number => (chains.has(name) ? LANE : size) + NODE_GAP;
  const totals = layers.map(layer => layer.reduce((sum, name) => sum + room(name), 0));
  const widest = totals.reduce((most, t) => Math.max(most, t), 0);
  const at = new Map<string, Point>();
  const lanes = new Map<string, Point[]>();
  if (nodes.length > LANES_LIMIT) {
    return blocks(layers, nodes.length, wide);
  }
  layers.forEach((layer, d) => {
    let c = (widest - totals[d]) / 2;
    for (const name of layer) {
      const edge = chains.get(name);
      if (edge === undefined) {
        at.set(name, wide ? { x: d * along, y: c } : { x: c, y: d * along });
      } else {
        const [x, y] = [d * along + (wide ? NODE_WIDTH : NODE_HEIGHT) / 2, c + LANE / 2];
        lanes.set(edge, [...(lanes.get(edge) ?? []), wide ? { x, y } : { x: y, y: x }]);
      }
      c += room(name);
    }
  });
  return measured(at, lanes);
}

/** Layers as blocks of several columns, so that a fan-out of hundreds is no needle. */
function blocks(layers: string[][], n: number, wide: boolean): Placed {
  const [size, depth] = wide ? [NODE_HEIGHT, NODE_WIDTH] : [NODE_WIDTH, NODE_HEIGHT];
  const most = Math.max(6, Math.ceil(Math.sqrt(n) * (wide ? 1.1 : 0.4)));
  const tall = (Math.min(most, layers.reduce((longest, l) => Math.max(longest, l.length), 0)) * (size + NODE_GAP)) / 2;
  const at = new Map<string, Point>();
  let along = 0;
  for (const layer of layers) {
    const columns = Math.ceil(layer.length / most);
    const rows = Math.ceil(layer.length / columns);
    layer.forEach((name, k) => {
      const a = along + (k % columns) * (depth + NODE_GAP);
      const c = tall - (rows * (size + NODE_GAP)) / 2 + Math.floor(k / columns) * (size + NODE_GAP);
      at.set(name, wide ? { x: a, y: c } : { x: c, y: a });
    });
    along += columns * (depth + NODE_GAP) + 3 * NODE_GAP;
  }
  return measured(at, new Map());
}

interface Ranked {
  layers: string[][];
  /** Node or stand-in -> what it follows in the layer before. */
  before: Map<string, string[]>;
  /** Stand-in -> the edge it stands for. */
  chains: Map<string, string>;
}

function ranked(nodes: readonly StepNode[]): Ranked {
  const depth = new Map<string, number>();
  const out: Ranked = { layers: [], before: new Map(), chains: new Map() };
  const put = (name: string, d: number, ups: string[]): void => {
    (out.layers[d] ??= []).push(name);
    out.before.set(name, ups);
  };
  for (const n of nodes) {
    const ups = upstream(n).filter(u => depth.has(u));
    const d = ups.reduce((most, u) => Math.max(most, (depth.get(u) as number) + 1), 0);
    depth.set(n.name, d);
    const last = ups.map(up => {
      let from = up;
      for (let between = (depth.get(up) as number) + 1; nodes.length <= LANES_LIMIT && between < d; between++) {
        const name = `${edgeKey(up, n.name)}\u0001${between}`;
        put(name, between, [from]);
        out.chains.set(name, edgeKey(up, n.name));
        from = name;
      }
      return from;
    });
    put(n.name, d, last);
  }
  return out;
}

function sort(layers: string[][], before: Map<string, string[]>): void {
  const after = new Map<string, string[]>();
  before.forEach((ups, name) => ups.forEach(up => after.set(up, [...(after.get(up) ?? []), name])));
  const order = new Map<string, number>();
  const number = (layer: string[]): void => layer.forEach((name, k) => order.set(name, k / layer.length));
  layers.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const forward = sweep % 2 === 0;
    const near = forward ? before : after;
    for (const layer of forward ? layers : [...layers].reverse()) {
      const weight = new Map(layer.map(name => {
        const found = near.get(name) ?? [];
        const middle = found.reduce((sum, m) => sum + (order.get(m) as number), 0) / found.length;
        return [name, found.length ? middle : (order.get(name) as number)];
      }));
      layer.sort((a, b) => (weight.get(a) as number) - (weight.get(b) as number));
      number(layer);
    }
  }
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
