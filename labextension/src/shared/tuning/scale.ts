// Axes. The recall's spreads 0.9 to 1: from 0.9 to 0.99 is as far as from 0.99 to 0.999.

import type { Scale, Tick } from '../scale';

/** A recall as near to 1 as the picture tells apart. */
const NEAREST = 5e-4;
const RECALLS = [0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1];

export function nines(recall: number): number {
  return -Math.log10(Math.max(1 - recall, NEAREST));
}

export function fromNines(place: number): number {
  const short = 10 ** -place;
  return short <= NEAREST * 1.02 ? 1 : 1 - short;
}

/** Recalls to write below the axis, none so near that words touch. */
export function recallTicks(x: Scale, from: number, to: number, gap = 38): Tick[] {
  const out: Tick[] = [];
  // The best recall first: there the axis is read.
  for (const r of [...RECALLS].reverse()) {
    const at = x(nines(r));
    if (at >= from - 1 && at <= to + 1 && out.every(t => Math.abs(t.at - at) > gap)) {
      out.push({ at, label: String(r) });
    }
  }
  return out;
}
