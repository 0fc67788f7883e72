// State and patch to one picture; and what is read off it in several places.
import type { TuningPatch, TuningPoint, TuningView } from '../../tuning_protocol';
import type { Axis, Brush } from './types';

/** The view with what came since; a patch of another base has nothing to say about this one. */
export function apply(view: TuningView, patch: TuningPatch | Record<string, never>): TuningView {
  if (!('base' in patch) || patch.base !== view.seq) {
    return view;
  }
  const p = patch as TuningPatch;
  const { base: _, points, pruned, front, costs, notes, ...plain } = p;
  const newer = new Map(points.map(q => [q.id, q]));
  const kept = view.points.map(q => {
    const changed = newer.get(q.id);
    newer.delete(q.id);
    return changed ?? q;
  });
  return {
    ...view,
    ...plain,
    points: [...kept, ...newer.values()],
    pruned: [...view.pruned, ...pruned],
    front: front ?? view.front,
    costs: costs ?? view.costs,
    notes: notes ?? view.notes
  };
}

export function valueOf(p: TuningPoint, axis: Axis): number | null {
  const value = p[axis];
  return value !== null && value > 0 ? value : null;
}

export function inside(p: TuningPoint, brush: Brush): boolean {
  const value = valueOf(p, brush.axis);
  return value !== null && value >= brush.value[0] && value <= brush.value[1] && p.recall >= brush.recall[0] && p.recall <= brush.recall[1];
}

/** The exact answer's fastest point: what every other is compared with. */
export function exactOf(points: TuningPoint[]): TuningPoint | null {
  const exact = points.filter(p => p.family === 'flat' && p.codec === 'flat' && !p.part);
  return exact.reduce<TuningPoint | null>((best, p) => (best === null || p.qps > best.qps ? p : best), null);
}
