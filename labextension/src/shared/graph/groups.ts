// Which steps belong together: by the beginnings of their names, by tag, or by where they stand in the graph.
import type { StepNode } from '../../protocol';

export type GroupBy = 'none' | 'name' | 'tag' | 'layer';

export interface Group {
  id: string;
  label: string;
  parent: string | null;
  children: Member[];
  /** All steps inside, however deep. */
  steps: string[];
}
export type Member = Group | string;

export interface Grouping {
  by: GroupBy;
  top: Member[];
  groups: Map<string, Group>;
  /** Step or group -> the group it lies in. */
  parent: Map<string, string>;
}

/** Above this many steps a graph opens grouped and collapsed. */
export const COLLAPSE_ABOVE = 2000;
/** What one level should hold at most. */
const COMFORT = 60;

export const isGroup = (member: Member): member is Group => typeof member !== 'string';
/** No step's name holds this character: control characters are refused in names. */
const MARK = '\u0002';
export const isGroupId = (id: string): boolean => id.startsWith(MARK);

export function grouped(nodes: readonly StepNode[], by: GroupBy): Grouping {
  const names = nodes.map(n => n.name);
  const top = by === 'name' ? byName(names) : by === 'tag' ? byTag(nodes) : by === 'layer' ? byLayer(nodes) : names;
  const out: Grouping = { by, top: by === 'none' ? top : comfortable(top, by), groups: new Map(), parent: new Map() };
  const register = (member: Member, parent: Group | null): void => {
    if (!isGroup(member)) {
      if (parent) {
        out.parent.set(member, parent.id);
      }
      return;
    }
    member.parent = parent?.id ?? null;
    member.id = `${parent?.id ?? `${MARK}${by}`}${MARK}${member.label}`;
    while (out.groups.has(member.id)) {
      member.id += '+';
    }
    out.groups.set(member.id, member);
    if (parent) {
      out.parent.set(member.id, parent.id);
    }
    member.children.forEach(c => register(c, member));
    member.steps = member.children.flatMap(c => (isGroup(c) ? c.steps : [c]));
  };
  out.top.forEach(m => register(m, null));
  return out;
}

/** The grouping to begin with: the first that leaves a picture one can take in; none for what can be seen whole. */
export function natural(nodes: readonly StepNode[]): GroupBy {
  if (nodes.length <= COLLAPSE_ABOVE) {
    return 'none';
  }
  const names = byName(nodes.map(n => n.name));
  if (names.length <= COMFORT && names.some(isGroup)) {
    return 'name';
  }
  const tags = byTag(nodes);
  return tags.length <= COMFORT && tags.some(isGroup) ? 'tag' : 'layer';
}

/** Which groupings say anything about these steps. */
export function choices(nodes: readonly StepNode[]): GroupBy[] {
  const found: GroupBy[] = ['none'];
  if (byName(nodes.map(n => n.name)).some(isGroup)) {
    found.push('name');
  }
  if (nodes.some(n => n.tags.length > 0)) {
    found.push('tag');
  }
  if (nodes.length > 3) {
    found.push('layer');
  }
  return found;
}

function make(label: string, children: Member[]): Group {
  return { id: '', label, parent: null, children, steps: [] };
}

/** In the order in which the first of each came. */
function buckets<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const item of items) {
    const k = key(item);
    const list = found.get(k);
    if (list) {
      list.push(item);
    } else {
      found.set(k, [item]);
    }
  }
  return found;
}

const SEPARATOR = /[/.]+|[_\-\s:]+/;

function byName(names: readonly string[], skip = 0): Member[] {
  const rest = (name: string): string => name.slice(skip);
  const first = (name: string): string => {
    const found = SEPARATOR.exec(rest(name).replace(/^[/._\-\s:]+/, m => '\u0000'.repeat(m.length)));
    return found ? name.slice(0, skip + found.index) : name;
  };
  const out: Member[] = [];
  buckets(names, first).forEach((list, key) => {
    if (list.length === 1) {
      out.push(list[0]);
      return;
    }
    // What all of them begin with, as far as it ends at a separator: load_eu_1, load_eu_2 are "load_eu".
    const inner = list.length > COMFORT ? byName(list, key.length + 1) : list;
    out.push(inner.length === 1 && isGroup(inner[0]) ? inner[0] : make(key, inner));
  });
  return out.length === 1 && isGroup(out[0]) && skip === 0 ? out[0].children : out;
}

function byTag(nodes: readonly StepNode[]): Member[] {
  const out: Member[] = [];
  buckets(nodes, n => n.tags[0] ?? '').forEach((list, tag) => {
    const names = list.map(n => n.name);
    if (tag === '' || names.length === 1) {
      out.push(...names);
    } else {
      out.push(make(tag, names));
    }
  });
  return out;
}

/** Steps of one layer that wait for the same: "load_1 … load_5000". Where that says little, the layers themselves. */
function byLayer(nodes: readonly StepNode[]): Member[] {
  const depth = new Map<string, number>();
  for (const n of nodes) {
    depth.set(n.name, [...n.deps, ...n.after].reduce((most, u) => Math.max(most, (depth.get(u) ?? -1) + 1), 0));
  }
  const siblings = buckets(nodes, n => `${depth.get(n.name)}${MARK}${[...n.deps, ...n.after].sort().join(MARK)}`);
  if (siblings.size <= COMFORT) {
    return [...siblings.values()].map(list => (list.length === 1 ? list[0].name : make(range(list.map(n => n.name)), list.map(n => n.name))));
  }
  const layers = [...buckets(nodes, n => String(depth.get(n.name)))];
  layers.sort((a, b) => Number(a[0]) - Number(b[0]));
  const each = Math.ceil(layers.length / COMFORT);
  const out: Member[] = [];
  for (let k = 0; k < layers.length; k += each) {
    const names = layers.slice(k, k + each).flatMap(([, list]) => list.map(n => n.name));
    const label = each === 1 ? `layer ${k + 1}` : `layers ${k + 1} to ${Math.min(k + each, layers.length)}`;
    out.push(names.length === 1 ? names[0] : make(label, names));
  }
  return out;
}

/** Nested ranges where a level would still hold too much. */
function comfortable(members: Member[], by: GroupBy): Member[] {
  members.forEach(m => {
    if (isGroup(m)) {
      m.children = comfortable(m.children, by);
    }
  });
  if (members.length <= 2 * COMFORT) {
    return members;
  }
  const each = Math.max(Math.ceil(members.length / COMFORT), 10);
  const size = [10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000].find(s => s >= each) ?? each;
  const out: Member[] = [];
  for (let k = 0; k < members.length; k += size) {
    const part = members.slice(k, k + size);
    out.push(part.length === 1 ? part[0] : make(range(part.map(m => (isGroup(m) ? m.label : m))), part));
  }
  return comfortable(out, by);
}

function range(labels: string[]): string {
  return labels.length === 1 ? labels[0] : `${labels[0]} … ${labels[labels.length - 1]}`;
}
