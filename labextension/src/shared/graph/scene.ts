// What is on the picture: steps, collapsed groups and the frames of open ones, and the edges between them.
import type { StepNode } from '../../protocol';
import type { Arranged, Plan } from './arrange';
import { type Group, type Grouping, isGroup, type Member } from './groups';

export const NODE_WIDTH = 180;
export const NODE_HEIGHT = 60;
export const GROUP_WIDTH = 212;
export const GROUP_HEIGHT = 92;

export type Direction = 'LR' | 'TB';
export interface Point {
  x: number;
  y: number;
}
export interface Box extends Point {
  width: number;
  height: number;
}

export interface Item {
  id: string;
  kind: 'step' | 'group' | 'frame';
  label: string;
  /** The open group it lies in. */
  parent: string | null;
  group: Group | null;
  index: number;
}

export interface Link {
  key: string;
  from: string;
  to: string;
  /** Only "after": nothing is handed over. */
  order: boolean;
  /** Steps whose output goes along here. */
  sources: string[];
}

export interface Scene {
  items: Item[];
  byId: Map<string, Item>;
  links: Link[];
  after: Map<string, string[]>;
  before: Map<string, string[]>;
  /** The item that stands for a step: itself, or the collapsed group around it. */
  shown: Map<string, string>;
  grouping: Grouping;
}

export interface Placed {
  at: Map<string, Box>;
  lanes: Map<string, Point[]>;
  width: number;
  height: number;
}

export function upstream(node: StepNode): string[] {
  return [...node.deps, ...node.after];
}

export function edgeKey(from: string, to: string): string {
  return `${from}\u0001${to}`;
}

export function buildScene(nodes: readonly StepNode[], grouping: Grouping, open: ReadonlySet<string>, hidden: ReadonlySet<string>): Scene {
  const items: Item[] = [];
  const shown = new Map<string, string>();
  const add = (id: string, kind: Item['kind'], label: string, parent: string | null, group: Group | null): void => {
    items.push({ id, kind, label, parent, group, index: items.length });
  };
  const walk = (member: Member, parent: string | null): void => {
    if (!isGroup(member)) {
      if (!hidden.has(member)) {
        add(member, 'step', member, parent, null);
        shown.set(member, member);
      }
      return;
    }
    const left = hidden.size ? member.steps.filter(s => !hidden.has(s)) : member.steps;
    if (left.length === 0) {
      return;
    }
    if (open.has(member.id)) {
      add(member.id, 'frame', member.label, parent, member);
      member.children.forEach(c => walk(c, member.id));
    } else {
      add(member.id, 'group', member.label, parent, member);
      left.forEach(s => shown.set(s, member.id));
    }
  };
  grouping.top.forEach(m => walk(m, null));

  const links = linksOf(nodes, shown, hidden);
  const scene: Scene = { items, byId: new Map(items.map(i => [i.id, i])), links, after: new Map(), before: new Map(), shown, grouping };
  for (const link of links) {
    (scene.after.get(link.from) ?? (scene.after.set(link.from, []).get(link.from) as string[])).push(link.to);
    (scene.before.get(link.to) ?? (scene.before.set(link.to, []).get(link.to) as string[])).push(link.from);
  }
  return scene;
}

function linksOf(nodes: readonly StepNode[], shown: Map<string, string>, hidden: ReadonlySet<string>): Link[] {
  const found = new Map<string, Link>();
  // A hidden step is bridged: what follows it hangs on what it followed.
  const through = new Map<string, string[]>();
  if (hidden.size) {
    for (const n of nodes) {
      if (hidden.has(n.name)) {
        through.set(n.name, [...new Set(upstream(n).flatMap(u => through.get(u) ?? (shown.has(u) ? [u] : [])))].slice(0, 50));
      }
    }
  }
  for (const n of nodes) {
    const to = shown.get(n.name);
    if (to === undefined) {
      continue;
    }
    const join = (up: string, order: boolean): void => {
      const bridged = through.get(up);
      if (bridged) {
        bridged.forEach(u => join(u, true));
        return;
      }
      const from = shown.get(up);
      if (from === undefined || from === to) {
        return;
      }
      const key = edgeKey(from, to);
      const link = found.get(key);
      if (!link) {
        found.set(key, { key, from, to, order, sources: order ? [] : [up] });
      } else if (!order) {
        link.order = false;
        if (link.sources[link.sources.length - 1] !== up && !link.sources.includes(up)) {
          link.sources.push(up);
        }
      }
    };
    n.deps.forEach(u => join(u, false));
    n.after.forEach(u => join(u, true));
  }
  return [...found.values()];
}

export function planOf(scene: Scene, direction: Direction, gap: number): Plan {
  const index = new Map(scene.items.map(i => [i.id, i.index]));
  return {
    parent: scene.items.map(i => (i.parent === null ? -1 : (index.get(i.parent) as number))),
    width: scene.items.map(i => (i.kind === 'group' ? GROUP_WIDTH : NODE_WIDTH)),
    height: scene.items.map(i => (i.kind === 'group' ? GROUP_HEIGHT : NODE_HEIGHT)),
    from: scene.links.map(l => index.get(l.from) as number),
    to: scene.links.map(l => index.get(l.to) as number),
    wide: direction === 'LR',
    gap
  };
}

export function placedOf(scene: Scene, arranged: Arranged): Placed {
  const at = new Map<string, Box>();
  scene.items.forEach((item, i) =>
    at.set(item.id, { x: Math.round(arranged.x[i]), y: Math.round(arranged.y[i]), width: Math.round(arranged.width[i]), height: Math.round(arranged.height[i]) })
  );
  const lanes = new Map<string, Point[]>();
  scene.links.forEach((link, e) => {
    const flat = arranged.lanes[e];
    if (flat) {
      lanes.set(link.key, Array.from({ length: flat.length / 2 }, (_, k) => ({ x: flat[2 * k], y: flat[2 * k + 1] })));
    }
  });
  return { at, lanes, width: arranged.total[0], height: arranged.total[1] };
}
