// Time to pixels and back, and where to put marks that people can read.

export interface Stretch {
  from: number;
  to: number;
}

const STEPS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];

/** Round offsets from the start, at most one in `apart` pixels. */
export function ticks(view: Stretch, width: number, apart = 90): number[] {
  const seconds = view.to - view.from;
  const most = Math.max(1, Math.floor(width / apart));
  const step = STEPS.find(s => seconds / s <= most) ?? Math.ceil(seconds / most / 86400) * 86400;
  const found = [];
  for (let i = Math.ceil(view.from / step); i * step <= view.to; i++) {
    found.push(Number((i * step).toPrecision(12)));
  }
  return found;
}

/** An offset as a mark says it: as exact as the marks are close. */
export function offset(seconds: number, view: Stretch): string {
  const range = view.to - view.from;
  if (seconds === 0) {
    return '0';
  }
  if (range < 1) {
    return `${(seconds * 1000).toLocaleString('en', { maximumFractionDigits: range < 0.02 ? 1 : 0 })} ms`;
  }
  if (range < 120) {
    return `${seconds.toLocaleString('en', { maximumFractionDigits: range < 10 ? 1 : 0 })} s`;
  }
  const minutes = Math.floor(seconds / 60);
  const rest = Math.round(seconds % 60);
  if (range < 7200) {
    return rest === 0 ? `${minutes} min` : `${minutes}:${String(rest).padStart(2, '0')} min`;
  }
  const hours = Math.floor(minutes / 60);
  return range < 3 * 86400 ? `${hours}:${String(minutes % 60).padStart(2, '0')} h` : `${(seconds / 86400).toFixed(1)} d`;
}

/** Zooms by a factor around a point, kept inside what there is. */
export function zoomed(view: Stretch, whole: Stretch, factor: number, around = (view.from + view.to) / 2): Stretch {
  const least = Math.max((whole.to - whole.from) / 5000, 1e-4);
  const length = Math.min(whole.to - whole.from, Math.max(least, (view.to - view.from) * factor));
  const left = around - ((around - view.from) / (view.to - view.from)) * length;
  return clamped({ from: left, to: left + length }, whole);
}

export function moved(view: Stretch, whole: Stretch, share: number): Stretch {
  const by = (view.to - view.from) * share;
  return clamped({ from: view.from + by, to: view.to + by }, whole);
}

export function clamped(view: Stretch, whole: Stretch): Stretch {
  const length = Math.min(view.to - view.from, whole.to - whole.from);
  const from = Math.max(whole.from, Math.min(view.from, whole.to - length));
  return { from, to: from + length };
}
