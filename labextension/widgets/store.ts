// The picture as the kernel last told it: `graph`, plus `patch` where that builds on it.
import type { AnyModel } from '@anywidget/types';

import type { GraphPatch, GraphState } from '../src/protocol';
import { apply, type Picture, skewOf } from '../src/shared/inspector/picture';

export interface Traits {
  graph: GraphState;
  patch: GraphPatch | Record<string, never>;
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
    const skew = skewOf(state);
    // A state read back from a saved notebook is old: its clock says nothing.
    return { state, skew: Math.abs(skew) < 86400 && last ? skew : 0 };
  }
}
