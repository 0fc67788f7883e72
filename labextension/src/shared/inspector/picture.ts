// The picture of a run: a whole state, and what changed since.
import { type GraphPatch, type GraphState, STILL, type StepNode } from '../../protocol';

export interface Picture {
  state: GraphState;
  /** Kernel's or server's clock minus the browser's, in seconds. */
  skew: number;
}

export function skewOf(state: GraphState): number {
  return state.now ? state.now - Date.now() / 1000 : 0;
}

/** `patch` where that builds on `graph`. Nodes that did not move stay the same objects, so that they are not drawn again. */
export function apply(graph: GraphState, patch: GraphPatch | Record<string, never> | null, last: GraphState | null): GraphState {
  const state = patch !== null && 'base' in patch && patch.base === graph.seq ? merge(graph, patch as GraphPatch) : graph;
  if (last === null) {
    return state;
  }
  const before = new Map(last.nodes.map(n => [n.name, n]));
  const nodes = state.nodes.map(n => {
    const old = before.get(n.name);
    return old !== undefined && (old === n || same(old, n)) ? old : n;
  });
  const unchanged = nodes.length === last.nodes.length && nodes.every((n, i) => n === last.nodes[i]);
  return { ...state, nodes: unchanged ? last.nodes : nodes };
}

function same(a: StepNode, b: StepNode): boolean {
  return (Object.keys(b) as (keyof StepNode)[]).every(k => {
    const [x, y] = [a[k], b[k]];
    return x === y || (Array.isArray(x) && Array.isArray(y) && x.length === y.length && x.every((v, i) => v === y[i]));
  });
}

function merge(graph: GraphState, patch: GraphPatch): GraphState {
  const changed = new Map(patch.nodes.map(n => [n.name, n]));
  return {
    ...graph,
    seq: patch.seq,
    now: patch.now,
    logs: patch.logs,
    run: patch.run,
    nodes: graph.nodes.map(n => {
      const moved = changed.get(n.name);
      return moved ? { ...n, ...STILL, ...moved } : n;
    }),
    metrics: patch.metrics ?? graph.metrics,
    gates: patch.gates ?? graph.gates
  };
}
