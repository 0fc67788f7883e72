// The picture as the kernel last told it: a whole state in one trait, plus a patch where that builds on it.
import type { AnyModel } from '@anywidget/types';

import type { GraphPatch, GraphState } from '../src/protocol';
import { apply, type Picture, skewOf } from '../src/shared/inspector/picture';

/** What is read off a model's traits, read again when one of them changes: at most once a frame. */
export class TraitStore<T extends Record<string, any>, P> {
  private listeners = new Set<() => void>();
  private picture: P;
  private frame = 0;

  constructor(
    private model: AnyModel<T>,
    private traits: (keyof T & string)[],
    private read: (last: P | null) => P
  ) {
    this.picture = read(null);
    traits.forEach(t => model.on(`change:${t}`, this.changed));
  }

  readonly get = (): P => this.picture;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  dispose(): void {
    cancelAnimationFrame(this.frame);
    this.traits.forEach(t => this.model.off(`change:${t}`, this.changed));
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
}

export interface Traits extends Record<string, unknown> {
  graph: GraphState;
  patch: GraphPatch | Record<string, never>;
}

export class Store extends TraitStore<Traits, Picture> {
  constructor(model: AnyModel<Traits>) {
    super(model, ['graph', 'patch'], last => {
      const state = apply(model.get('graph'), model.get('patch'), last?.state ?? null);
      const skew = skewOf(state);
      // A state read back from a saved notebook is old: its clock says nothing.
      return { state, skew: Math.abs(skew) < 86400 && last ? skew : 0 };
    });
  }
}
