// Times and counts as a person reads them, where `shared/format` has no word for them.
export { count, duration, moment, ticking } from '../shared';

function coarse(seconds: number): string {
  if (seconds < 60) {
    return `${Math.round(seconds)} s`;
  }
  if (seconds < 3600) {
    return `${Math.round(seconds / 60)} min`;
  }
  if (seconds < 86_400) {
    return `${Math.round(seconds / 3600)} h`;
  }
  return `${Math.round(seconds / 86_400)} d`;
}

/** "just now", "5 min ago". */
export function ago(then: number, now: number): string {
  const seconds = now - then;
  return seconds < 5 ? 'just now' : `${coarse(seconds)} ago`;
}

/** "in 5 h", or "due". */
export function until(then: number, now: number): string {
  const seconds = then - now;
  return seconds <= 0 ? 'due' : `in ${coarse(seconds)}`;
}

/** "Sat 21 Nov, 06:00" in a given zone; the reader's own when the zone is unknown to the browser. */
export function tick(at: number, timezone: string): string {
  const form: Intl.DateTimeFormatOptions = {
    weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23'
  };
  const day = new Date(at * 1000);
  if (day.getFullYear() !== new Date().getFullYear()) {
    form.year = 'numeric';
  }
  try {
    return day.toLocaleString('en-GB', { ...form, timeZone: timezone });
  } catch {
    return day.toLocaleString('en-GB', form);
  }
}

/** "Today", "Yesterday", "Saturday 21 November". */
export function day(at: number, now: number): string {
  const midnight = (t: number): number => new Date(t * 1000).setHours(0, 0, 0, 0);
  const back = Math.round((midnight(now) - midnight(at)) / 86_400_000);
  if (back < 2) {
    return back < 1 ? 'Today' : 'Yesterday';
  }
  const form: Intl.DateTimeFormatOptions = { weekday: 'long', day: 'numeric', month: 'long' };
  if (new Date(at * 1000).getFullYear() !== new Date(now * 1000).getFullYear()) {
    form.year = 'numeric';
  }
  return new Date(at * 1000).toLocaleDateString('en-GB', form);
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`;
}

/** One line of a value for a person: text as it is, anything else as JSON. */
export function brief(value: unknown, most = 120): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

export const browserZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
