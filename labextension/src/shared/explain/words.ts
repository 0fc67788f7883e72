// An explanation's figures as people read them.
import type { Check, Column, ColumnKind, Level, Scale } from '../../explain_protocol';
import { digits, named } from '../format';
import { isoTime } from '../grid/spark';

export { named } from '../format';

/** A figure; one too small to write out, by its power of ten. */
export function number(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : (tiny(value) ? value.toExponential(1).replace('.0e', 'e') : digits(value)).replaceAll('-', '−');
}

function tiny(value: number): boolean {
  const size = Math.abs(value);
  return size > 0 && (size < 1e-4 || size >= 1e12);
}

/** The worst first. */
export const LEVELS: Level[] = ['fail', 'warn', 'ok', 'skipped'];
export const LEVEL_WORDS: Record<Level, string> = { fail: 'failed', warn: 'look at it', ok: 'fine', skipped: 'not made' };
/** The colours of a check's level are those of a run's states. */
export const LEVEL_LIKE: Record<Level, string> = { fail: 'failed', warn: 'retrying', ok: 'succeeded', skipped: 'skipped' };

const SCALES: Record<Scale, string> = { probability: 'probability', 'log-odds': 'log-odds', value: 'value', score: 'score' };

export function scaleWords(scale: Scale): string {
  return SCALES[scale];
}

/** A contribution: always with its sign, a true minus. */
export function signed(value: number): string {
  const shown = number(Math.abs(value));
  return shown === '0' || shown === '–' ? shown : `${value < 0 ? '−' : '+'}${shown}`;
}

/** With what 95 % of the errors stay within; not what is only rounding. */
export function withError(value: number, error: number | null | undefined): string {
  return typeof error === 'number' && error > 1e-6 * Math.abs(value) ? `${signed(value)} ± ${number(1.96 * error)}` : signed(value);
}

/** A number of a column: a time as a date. */
export function valueOf(kind: ColumnKind | undefined, value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) {
    return '–';
  }
  return kind === 'datetime' ? isoTime(Math.round(value)).replace(/T(\d\d:\d\d).*$/, ' $1') : number(value);
}

export function share(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : `${Math.round(100 * value)} %`;
}

/** What a row has in a column, short. */
export function cellOf(value: string): string {
  return value === '' ? '(empty)' : value.trim() === '' ? JSON.stringify(value) : value;
}

export function worst(checks: readonly Check[]): Level {
  return LEVELS.find(l => checks.some(c => c.level === l)) ?? 'ok';
}

export function nameAt(columns: readonly Column[], at: number): string {
  return named(columns[at]?.name ?? '');
}
