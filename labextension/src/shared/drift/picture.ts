// State and patch to one picture; and what is read off it in several places.
import type { DriftPatch, DriftRow, DriftView, Verdict } from '../../drift_protocol';
import { VERDICTS } from './words';

/** The view with what came since; a patch of another base has nothing to say about this one. */
export function apply(view: DriftView, patch: DriftPatch | Record<string, never>): DriftView {
  if (!('base' in patch) || patch.base !== view.seq) {
    return view;
  }
  const { base: _, judged, ...plain } = patch as DriftPatch;
  const rows = judged.length === 0 ? view.rows : [...view.rows];
  for (const { at, ...verdict } of judged) {
    rows[at] = { ...rows[at], ...verdict };
  }
  return { ...view, ...plain, rows };
}

export function counted(rows: readonly DriftRow[]): Record<Verdict, number> {
  const out: Record<Verdict, number> = { drifted: 0, small: 0, stable: 0, few: 0, skipped: 0 };
  rows.forEach(r => (out[r.verdict] += 1));
  return out;
}

/** In how many columns the two sides could be told apart, had they drifted. */
export function compared(counts: Record<Verdict, number>): number {
  return counts.drifted + counts.small + counts.stable;
}

export type Key = 'verdict' | 'name' | 'effect' | 'p' | 'value';
export interface Order {
  key: Key;
  descending: boolean;
}

/** In the order asked for; what has no figure last, whatever the direction. */
export function ordered(rows: readonly DriftRow[], { key, descending }: Order): DriftRow[] {
  const sign = descending ? -1 : 1;
  const worst = (a: DriftRow, b: DriftRow): number => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict) || (b.effect ?? -1) - (a.effect ?? -1);
  const figure = (r: DriftRow): number | null => (key === 'effect' ? r.effect : key === 'p' ? r.p_adjusted : r.value);
  return [...rows].sort((a, b) => {
    if (key === 'verdict') {
      return sign * worst(a, b) || a.name.localeCompare(b.name, 'en', { numeric: true });
    }
    if (key === 'name') {
      return sign * a.name.localeCompare(b.name, 'en', { numeric: true });
    }
    const [u, v] = [figure(a), figure(b)];
    return u === null || v === null ? Number(u === null) - Number(v === null) : sign * (u - v) || worst(a, b);
  });
}
