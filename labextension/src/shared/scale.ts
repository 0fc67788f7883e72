// Axes that charts share.

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

/** Round numbers on a plain scale between two places, at most about `most`. */
export function ticks(x: Scale, a: number, b: number, write: (value: number) => string, most = 6): Tick[] {
  const [low, high] = [Math.min(x.invert(a), x.invert(b)), Math.max(x.invert(a), x.invert(b))];
  const raw = (high - low) / Math.max(1, most);
  if (!(raw > 0) || !Number.isFinite(raw)) {
    return [];
  }
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find(m => m * power >= raw * 0.999) ?? 10) * power;
  const out: Tick[] = [];
  const last = Math.floor(high / step + 1e-9);
  for (let i = Math.ceil(low / step - 1e-9); i <= last && out.length < 50; i++) {
    const value = i * step;
    out.push({ at: x(value), label: write(Math.abs(value) < step * 1e-6 ? 0 : value) });
  }
  return out;
}
