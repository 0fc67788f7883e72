// What a view remembers over its end: a cell that runs again makes a new widget for the same workflow.
import type { GroupBy } from './groups';

export type Labels = 'none' | 'rows' | 'bytes';

export interface Options {
  /** null: whatever suits the size. */
  by: GroupBy | null;
  /** Open groups. */
  open: ReadonlySet<string>;
  critical: boolean;
  labels: Labels;
  /** Only steps that are not over. */
  unfinished: boolean;
  /** null: where there is something to find one's way in. */
  minimap: boolean | null;
  list: boolean;
}

export const DEFAULTS: Options = {
  by: null, open: new Set(), critical: false, labels: 'none', unfinished: false, minimap: null, list: false
};

export interface Memory {
  options: Options;
  selected: string | null;
  /** Only once somebody moved it. */
  viewport: { x: number; y: number; zoom: number; width: number; height: number } | null;
}

interface Kept {
  cells: WeakMap<Element, Map<string, Memory>>;
  ended: Map<string, Memory>;
}

// On the window: each anywidget loads this module anew, and they must find each other's memories.
const KEY = Symbol.for('aios-workbench.graph.memory');
const MOST = 50;

function kept(): Kept {
  const place = globalThis as unknown as Record<symbol, Kept | undefined>;
  return (place[KEY] ??= { cells: new WeakMap(), ended: new Map() });
}

const cellOf = (el: Element): Element | null => el.closest('.jp-Cell');

/** What the last view of this workflow in this cell looked like; outside notebooks, the last one that has ended. */
export function recall(el: Element, workflow: string): Memory | null {
  const cell = cellOf(el);
  if (cell) {
    return kept().cells.get(cell)?.get(workflow) ?? null;
  }
  const { ended } = kept();
  const found = ended.get(workflow) ?? null;
  ended.delete(workflow);
  return found;
}

export function remember(cell: Element | null, workflow: string, memory: Memory): void {
  const { cells, ended } = kept();
  if (cell) {
    const own = cells.get(cell) ?? new Map<string, Memory>();
    own.set(workflow, memory);
    cells.set(cell, own);
    return;
  }
  ended.delete(workflow);
  ended.set(workflow, memory);
  if (ended.size > MOST) {
    ended.delete(ended.keys().next().value as string);
  }
}

export { cellOf };
