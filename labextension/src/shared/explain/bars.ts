// Geometry of contributions: bars that point, an axis both methods share.
import { type Scale, scale } from '../scale';

export type Sign = 'up' | 'down';

export function signOf(value: number): Sign {
  return value < 0 ? 'down' : 'up';
}

/** From `a` to `b`, pointing at `b`; a bar too short for its tip is all tip. */
export function arrow(a: number, b: number, top: number, height: number, tip = 6): string {
  const right = b >= a;
  const room = Math.min(tip, Math.abs(b - a));
  const neck = right ? b - room : b + room;
  const f = (v: number): string => v.toFixed(1);
  return `M${f(a)} ${f(top)}H${f(neck)}L${f(b)} ${f(top + height / 2)}L${f(neck)} ${f(top + height)}H${f(a)}z`;
}

/** An axis that holds these values, with room on both sides for figures beside the bars. */
export function axisOf(values: number[], start: number, end: number, margin = 0.06): Scale {
  const known = values.filter(Number.isFinite);
  const size = Math.max(...known.map(Math.abs), 1e-12);
  return scale(known.length > 0 ? known : [0], start, end, margin, size * 1e-6 || 1e-12);
}

/** An axis with room for a figure of so many pixels beside bars from nothing: on the right, and on the left where some go there. */
export function barAxis(values: number[], width: number, room: number): Scale {
  const known = [0, ...values.filter(Number.isFinite)];
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const [left, right] = [low < 0 ? room : 4, high > 0 ? room : 4];
  return scale(known, left, Math.max(left + 40, width - right), 0.01, Math.max(high, -low, 1e-12) * 1e-6 || 1e-12);
}

/** A whisker over 95 % of the errors. */
export function whisker(x: Scale, value: number, error: number | null | undefined, y: number, half = 3): string {
  if (typeof error !== 'number' || !(error > 0)) {
    return '';
  }
  const [a, b] = [x(value - 1.96 * error), x(value + 1.96 * error)];
  return b - a < 1.5 ? '' : `M${a.toFixed(1)} ${y.toFixed(1)}H${b.toFixed(1)}M${a.toFixed(1)} ${(y - half).toFixed(1)}v${2 * half}M${b.toFixed(1)} ${(y - half).toFixed(1)}v${2 * half}`;
}
