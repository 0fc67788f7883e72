// Cron expressions that a person can click together, and back. What is none of these stays a cron expression.

export type Mode = 'manual' | 'interval' | 'week' | 'month' | 'cron';

export interface Clicked {
  hour: number;
  minute: number;
  /** 0 is Sunday, as in cron. */
  days: number[];
  /** Days of the month; 'L' is the last. */
  dates: (number | 'L')[];
}

export const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
/** The week as most of the world hangs it on the wall. */
export const WEEK = [1, 2, 3, 4, 5, 6, 0];
const NAMES = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

export function week(c: Clicked): string {
  const days = WEEK.filter(d => c.days.includes(d));
  const workdays = days.length === 5 && !days.includes(0) && !days.includes(6);
  const said = days.length === 7 ? '*' : workdays ? 'MON-FRI' : days.map(d => NAMES[d]).join(',');
  return `${c.minute} ${c.hour} * * ${said || '*'}`;
}

export function month(c: Clicked): string {
  const dates = [...c.dates].sort((a, b) => (a === 'L' ? 99 : a) - (b === 'L' ? 99 : b));
  return `${c.minute} ${c.hour} ${dates.join(',') || '1'} * *`;
}

/** What was clicked to get this expression; null when it cannot be clicked. */
export function read(cron: string): { mode: 'week' | 'month'; clicked: Clicked } | null {
  const fields = cron.trim().toUpperCase().split(/\s+/);
  if (fields.length !== 5 || fields[3] !== '*' || !/^\d{1,2}$/.test(fields[0]) || !/^\d{1,2}$/.test(fields[1])) {
    return null;
  }
  const clicked: Clicked = { minute: Number(fields[0]), hour: Number(fields[1]), days: [], dates: [] };
  if (clicked.minute > 59 || clicked.hour > 23) {
    return null;
  }
  if (fields[2] === '*') {
    const days = fields[4] === '*' ? [...WEEK] : daysOf(fields[4]);
    return days && { mode: 'week', clicked: { ...clicked, days, dates: [1] } };
  }
  if (fields[4] !== '*') {
    return null;
  }
  const dates = fields[2].split(',').map(d => (d === 'L' ? 'L' : /^\d{1,2}$/.test(d) ? Number(d) : NaN));
  const fine = dates.every(d => d === 'L' || (d >= 1 && d <= 31));
  return fine ? { mode: 'month', clicked: { ...clicked, days: [1], dates: dates as Clicked['dates'] } } : null;
}

function daysOf(field: string): number[] | null {
  const out = new Set<number>();
  for (const part of field.split(',')) {
    const [first, last, more] = part.split('-').map(dayOf);
    if (first === null || last === null || more !== undefined) {
      return null;
    }
    for (let d = first; d !== (last ?? first); d = (d + 1) % 7) {
      out.add(d);
    }
    out.add(last ?? first);
  }
  return WEEK.filter(d => out.has(d));
}

function dayOf(text: string): number | null {
  const named = NAMES.indexOf(text);
  return named >= 0 ? named : /^[0-7]$/.test(text) ? Number(text) % 7 : null;
}

/** "15m" as a number and a unit; null when it is something else. */
export function span(text: string | null): { count: number; unit: 's' | 'm' | 'h' | 'd' } | null {
  const found = /^(\d+)\s*([smhd])$/.exec(text?.trim() ?? '');
  return found && { count: Number(found[1]), unit: found[2] as 'm' };
}

/** What a schedule's fields say is clicked. */
export function modeOf(schedule: string | null, every: string | null): Mode {
  if (every) {
    return 'interval';
  }
  if (!schedule?.trim()) {
    return 'manual';
  }
  return read(schedule)?.mode ?? 'cron';
}
