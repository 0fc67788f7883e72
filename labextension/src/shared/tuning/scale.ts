// Axes. The recall's spreads 0.9 to 1: from 0.9 to 0.99 is as far as from 0.99 to 0.999.

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

export interface Scale {
  (value: number): number;
  invert(at: number): number;
}

/** From values to pixels, with some room at both ends. */
export function scale(values: number[], start: number, end: number, margin: number, least = 0.3): Scale {
  let low = Math.min(...values);
  let high = Math.max(...values);
  const room = Math.max(high - low, least) * margin;
  [low, high] = [low - room, Math.max(high, low + least) + room];
  const at = (value: number): number => start + ((value - low) / (high - low)) * (end - start);
  return Object.assign(at, { invert: (x: number) => low + ((x - start) / (end - start)) * (high - low) });
}

export interface Tick {
  at: number;
  label: string;
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

/** Round numbers on a log scale; `y` takes log10. */
export function logTicks(y: Scale, a: number, b: number, write: (value: number) => string, most = 7): Tick[] {
  const [low, high] = [Math.min(y.invert(a), y.invert(b)), Math.max(y.invert(a), y.invert(b))];
  for (const steps of [[1, 2, 5], [1, 3], [1]]) {
    const found: number[] = [];
    for (let d = Math.floor(low); d <= Math.ceil(high); d++) {
      for (const s of steps) {
        const value = s * 10 ** d;
        if (Math.log10(value) >= low - 1e-9 && Math.log10(value) <= high + 1e-9) {
          found.push(value);
        }
      }
    }
    if (found.length <= most || steps.length === 1) {
      const every = Math.ceil(found.length / most);
      return found.filter((_, i) => i % every === 0).map(v => ({ at: y(Math.log10(v)), label: write(v) }));
    }
  }
  return [];
}
