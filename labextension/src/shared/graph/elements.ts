// What React Flow is handed: elements for the items in sight, with their handles, so that nothing has to be measured.
import { MarkerType, Position } from '@xyflow/react';

import type { StepNode } from '../../protocol';
import type { LaneEdge } from './edge';
import type { FrameNode, GroupNode } from './group';
import { carried } from './labels';
import type { Labels } from './memory';
import type { Found, GraphNode } from './node';
import type { Laid, Picture } from './picture';
import type { Box, Direction, Item } from './scene';

export type Element = GraphNode | GroupNode | FrameNode;

export interface Marks {
  reachable: string | null;
  selected: string | null;
  found: ReadonlySet<string>;
  /** The match one stands at. */
  current: string | null;
  foundIn: ReadonlyMap<string, number>;
}

/** The elements of the items in sight; one that looks as before is the same object, so that React leaves it alone. */
export function elementsOf(
  picture: Picture, laid: Laid, inSight: ReadonlySet<string> | null, marks: Marks, kept: ReadonlyMap<string, Element>
): Map<string, Element> {
  const next = new Map<string, Element>();
  const held = marks.selected === null ? null : (laid.scene.shown.get(marks.selected) ?? null);
  for (const item of laid.scene.items) {
    if (inSight && !inSight.has(item.id) && item.id !== held && item.id !== marks.reachable) {
      continue;
    }
    const box = laid.placed.at.get(item.id) as Box;
    const made = elementOf(item, box, picture, marks, held, laid.direction);
    if (made) {
      const old = kept.get(item.id);
      next.set(item.id, old && same(old, made) ? old : made);
    }
  }
  return next;
}

function elementOf(item: Item, box: Box, picture: Picture, marks: Marks, held: string | null, direction: Direction): Element | null {
  const common = { ...frameOf(box, direction), id: item.id, position: box, selected: item.id === marks.selected };
  const reachable = item.id === marks.reachable;
  const critical = picture.critical.has(item.id);
  if (item.kind === 'step') {
    const step = picture.byName.get(item.id);
    return step ? { ...common, type: 'step', data: { step, reachable, critical, found: foundAs(item.id, marks) } } : null;
  }
  const summary = picture.summaries.get(item.id);
  if (!summary) {
    return null;
  }
  if (item.kind === 'frame') {
    return { ...common, type: 'frame', zIndex: -1, data: { label: item.label, summary, width: box.width, height: box.height } };
  }
  const found = marks.foundIn.get(item.id) ?? 0;
  return { ...common, type: 'steps', data: { label: item.label, summary, reachable, critical, found, holds: item.id === held } };
}

function same(a: Element, b: Element): boolean {
  const [p, q] = [a.data as Record<string, unknown>, b.data as Record<string, unknown>];
  return (
    a.type === b.type && a.position === b.position && a.selected === b.selected && a.sourcePosition === b.sourcePosition &&
    Object.keys(q).every(k => p[k] === q[k])
  );
}

function frameOf(box: Box, direction: Direction): Pick<GraphNode, 'width' | 'height' | 'sourcePosition' | 'targetPosition' | 'handles'> {
  const { width: w, height: h } = box;
  const wide = direction === 'LR';
  const [source, target] = wide ? [Position.Right, Position.Left] : [Position.Bottom, Position.Top];
  return {
    width: w,
    height: h,
    sourcePosition: source,
    targetPosition: target,
    handles: [
      { type: 'target', position: target, x: wide ? 0 : w / 2, y: wide ? h / 2 : 0, width: 1, height: 1 },
      { type: 'source', position: source, x: wide ? w : w / 2, y: wide ? h / 2 : h, width: 1, height: 1 }
    ]
  };
}

function foundAs(id: string, marks: Marks): Found {
  return marks.found.has(id) ? (id === marks.current ? 'current' : 'yes') : undefined;
}

export function edgesOf(laid: Laid, critical: ReadonlySet<string>, byName: ReadonlyMap<string, StepNode> | null, labels: Labels): LaneEdge[] {
  const marker = (color: string): LaneEdge['markerEnd'] => ({ type: MarkerType.ArrowClosed, width: 15, height: 15, color });
  return laid.scene.links.map(link => {
    const marked = critical.has(link.key);
    return {
      id: link.key,
      type: 'lane' as const,
      source: link.from,
      target: link.to,
      data: { lanes: laid.placed.lanes.get(link.key) ?? [], label: byName ? carried(link, byName, labels) : '' },
      markerEnd: marked ? { type: MarkerType.ArrowClosed, width: 9, height: 9, color: 'var(--aiosw-critical)' } : marker('var(--aiosw-edge)'),
      focusable: false,
      zIndex: marked ? 1 : 0,
      className: `aiosw-edge${link.order ? ' aiosw-edge-after' : ''}${marked ? ' aiosw-edge-critical' : ''}`
    };
  });
}
