// From the steps to what is drawn: shape, groups, scene, places, and what changes with the states.
import { useEffect, useMemo, useRef, useState } from 'react';

import type { StepNode } from '../../protocol';
import { type Arranged, arrangeNow } from './arrange';
import { criticalPath } from './critical';
import { grouped, type Grouping, natural } from './groups';
import type { Options } from './memory';
import { buildScene, type Direction, edgeKey, type Placed, placedOf, planOf, type Scene, upstream } from './scene';
import { sameSummary, type Summary, summarise } from './summary';
import { arrangeLater } from './worker';

/** Up to this many boxes the layout is made at once, so that the first paint has the picture. */
const AT_ONCE = 400;
const NONE: ReadonlySet<string> = new Set();
const HIDE_EVERY_MS = 1000;

/** A scene with its places. While a large one is laid out, the one before it stays. */
export interface Laid {
  scene: Scene;
  placed: Placed;
  direction: Direction;
}

export interface Picture {
  grouping: Grouping;
  byName: ReadonlyMap<string, StepNode>;
  laid: Laid | null;
  /** True while the layout of what is asked for is still being made. */
  busy: boolean;
  summaries: ReadonlyMap<string, Summary>;
  /** Items and links on the critical path. */
  critical: ReadonlySet<string>;
  hidden: ReadonlySet<string>;
}

export function usePicture(
  nodes: readonly StepNode[], options: Options, direction: Direction, given: readonly string[] | undefined, skew: number
): Picture {
  const shape = useShape(nodes);
  const by = useMemo(() => options.by ?? natural(shape), [options.by, shape]);
  const grouping = useMemo(() => grouped(shape, by), [shape, by]);
  const hidden = useHidden(nodes, options.unfinished);
  const scene = useMemo(() => buildScene(shape, grouping, options.open, hidden), [shape, grouping, options.open, hidden]);
  const [laid, busy] = useLaid(scene, direction, options.labels === 'none' ? 0 : 40);
  const byName = useMemo(() => new Map(nodes.map(n => [n.name, n])), [nodes]);

  const known = useRef(new Map<string, Summary>());
  const summaries = useMemo(() => {
    const next = new Map<string, Summary>();
    for (const item of laid?.scene.items ?? []) {
      if (item.group) {
        const fresh = summarise(item.group.steps, byName);
        const old = known.current.get(item.id);
        next.set(item.id, sameSummary(old, fresh) ? old : fresh);
      }
    }
    known.current = next;
    return next;
  }, [laid, byName]);

  const path = useMemo(
    () => (options.critical ? (given ?? criticalPath(nodes, Date.now() / 1000 + skew)) : []),
    [options.critical, given, nodes, skew]
  );
  const key = path.join('\u0001');
  const critical = useMemo(() => marked(path, laid?.scene ?? null),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `key` is all of `path`
    [key, laid]);
  return { grouping, byName, laid, busy, summaries, critical, hidden };
}

/** The same list while names, edges, kinds and tags stay as they are. */
function useShape(nodes: readonly StepNode[]): readonly StepNode[] {
  const last = useRef(nodes);
  if (last.current !== nodes && !sameShape(last.current, nodes)) {
    last.current = nodes;
  }
  return last.current;
}

function sameShape(a: readonly StepNode[], b: readonly StepNode[]): boolean {
  const same = (p: readonly string[], q: readonly string[]): boolean => p === q || (p.length === q.length && p.every((v, i) => v === q[i]));
  return (
    a.length === b.length &&
    a.every((n, i) => {
      const m = b[i];
      return n === m || (n.name === m.name && n.kind === m.kind && same(n.deps, m.deps) && same(n.after, m.after) && same(n.tags, m.tags));
    })
  );
}

/** Steps that are over, when they are not to be shown; not more often than once a second, for the eye's sake. */
function useHidden(nodes: readonly StepNode[], on: boolean): ReadonlySet<string> {
  const [hidden, setHidden] = useState(NONE);
  const last = useRef(0);
  useEffect(() => {
    if (!on) {
      last.current = 0;
      setHidden(NONE);
      return undefined;
    }
    const next = new Set(nodes.filter(n => n.status === 'succeeded' || n.status === 'skipped').map(n => n.name));
    if (next.size === hidden.size && [...next].every(n => hidden.has(n))) {
      return undefined;
    }
    const timer = setTimeout(() => {
      last.current = Date.now();
      setHidden(next);
    }, Math.max(0, last.current + HIDE_EVERY_MS - Date.now()));
    return () => clearTimeout(timer);
  }, [nodes, on, hidden]);
  return on ? hidden : NONE;
}

function useLaid(scene: Scene, direction: Direction, more: number): [Laid | null, boolean] {
  const small = scene.items.length <= AT_ONCE;
  const gap = (direction === 'LR' ? 44 : 30) + more;
  const make = (arranged: Arranged): Laid => ({ scene, direction, placed: placedOf(scene, arranged) });
  const atOnce = useMemo(() => (small ? make(arrangeNow(planOf(scene, direction, gap))) : null),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `make` closes over the same
    [scene, direction, gap, small]);
  const [later, setLater] = useState<(Laid & { gap: number }) | null>(null);
  useEffect(
    () => (small ? undefined : arrangeLater(planOf(scene, direction, gap), arranged => setLater({ ...make(arranged), gap }))),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [scene, direction, gap, small]
  );
  const last = useRef<Laid | null>(null);
  const fits = later !== null && later.scene === scene && later.direction === direction && later.gap === gap;
  const now = atOnce ?? (fits ? later : (last.current ?? later));
  last.current = now;
  return [now, !atOnce && !fits];
}

/** The items that stand for the path's steps, and the links between one and the next. */
function marked(path: readonly string[], scene: Scene | null): ReadonlySet<string> {
  const found = new Set<string>();
  let last: string | null = null;
  for (const step of path) {
    const id = scene?.shown.get(step);
    if (id !== undefined) {
      found.add(id);
      if (last !== null && last !== id) {
        found.add(edgeKey(last, id));
      }
      last = id;
    }
  }
  return found;
}

/** Groups around a step, outermost first. */
export function around(grouping: Grouping, id: string): string[] {
  const found: string[] = [];
  for (let at = grouping.parent.get(id); at !== undefined; at = grouping.parent.get(at)) {
    found.unshift(at);
  }
  return found;
}

export { upstream };
