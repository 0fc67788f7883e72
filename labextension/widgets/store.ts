// The picture as the kernel last told it: `graph`, plus `patch` where that builds on it.
import type { AnyModel } from '@anywidget/types';

import type { GraphPatch, GraphState } from '../src/protocol';

export interface Traits {
  graph: GraphState;
  patch: GraphPatch | Record<string, never>;
}

export interface Picture {
  state: GraphState;
  /** Kernel's clock minus the browser's, in seconds. */
  skew: number;
}

export class Store {
  private listeners = new Set<() => void>();
  private picture: Picture;
  private frame = 0;

  constructor(private model: AnyModel<Traits>) {
    this.picture = this.read(null);
    model.on('change:graph', this.changed);
    model.on('change:patch', this.changed);
  }

  readonly get = (): Picture => this.picture;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  dispose(): void {
    cancelAnimationFrame(this.frame);
    this.model.off('change:graph', this.changed);
    this.model.off('change:patch', this.changed);
  }

  private readonly changed = (): void => {
    // Several messages in one frame are drawn once; the last one is always drawn.
    if (this.frame === 0) {
      const draw = (): void => {
        this.frame = 0;
        this.picture = this.read(this.picture);
        this.listeners.forEach(l => l());
      };
      this.frame = document.hidden ? (setTimeout(draw, 50) as unknown as number) : requestAnimationFrame(draw);
    }
  };

  private read(last: Picture | null): Picture {
    const graph = this.model.get('graph');
    const patch = this.model.get('patch');
    const state = apply(graph, patch, last?.state ?? null);
    const skew = state.now ? state.now - Date.now() / 1000 : 0;
    // A state read back from a saved notebook is old: its clock says nothing.
    return { state, skew: Math.abs(skew) < 86400 && last ? skew : 0 };
  }
}

/** Nodes that did not move stay the same objects, so that they are not drawn again. */
export function apply(graph: GraphState, patch: Traits['patch'], last: GraphState | null): GraphState {
  const state = 'base' in patch && patch.base === graph.seq ? merge(graph, patch as GraphPatch) : graph;
  if (last === null) {
    return state;
  }
  const before = new Map(last.nodes.map(n => [n.name, n]));
  const nodes = state.nodes.map(n => {
    const old = before.get(n.name);
    return old !== undefined && (old === n || JSON.stringify(old) === JSON.stringify(n)) ? old : n;
  });
  const unchanged = nodes.length === last.nodes.length && nodes.every((n, i) => n === last.nodes[i]);
  return { ...state, nodes: unchanged ? last.nodes : nodes };
}

function merge(graph: GraphState, patch: GraphPatch): GraphState {
  const changed = new Map(patch.nodes.map(n => [n.name, n]));
  return {
    ...graph,
    seq: patch.seq,
    now: patch.now,
    run: patch.run,
    nodes: graph.nodes.map(n => changed.get(n.name) ?? n),
    metrics: patch.metrics ?? graph.metrics,
    gates: patch.gates ?? graph.gates
  };
}
