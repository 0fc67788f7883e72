// A drift report's figures as people read them.
import type { ColumnDrift, Kind, Rules, Slice, SourceInfo, Statistic, Verdict } from '../../drift_protocol';
import { STATISTICS } from '../../drift_protocol';
import { count, named, number } from '../format';
import { isoTime } from '../grid/spark';

export { named, number } from '../format';

/** In the order people want to know. */
export const VERDICTS: Verdict[] = ['drifted', 'small', 'stable', 'few', 'skipped'];
export const WORDS: Record<Verdict, string> = { drifted: 'drifted', small: 'small shift', stable: 'stable', few: 'not enough data', skipped: 'not compared' };
/** The colours of a verdict are those of a run's states. */
export const LIKE: Record<Verdict, string> = { drifted: 'failed', small: 'retrying', stable: 'succeeded', few: 'pending', skipped: 'skipped' };
/** The letters of a row's marks. */
export const MARKS: Record<string, Verdict> = { d: 'drifted', s: 'small', o: 'stable', f: 'few', '-': 'skipped' };

export function statistic(name: string | null): string {
  return name === null ? '' : (STATISTICS[name] ?? name);
}

/** An effect: between 0 and a few, so that three places tell enough. */
export function effectText(value: number | null): string {
  return value === null ? '–' : value !== 0 && Math.abs(value) < 0.0005 ? '< 0.001' : String(Number(value.toFixed(3)));
}

/** A number of a column: a time as a date. */
export function valueOf(kind: Kind, value: number | null | undefined): string {
  return kind === 'datetime' && typeof value === 'number' ? isoTime(Math.round(value)).replace(/T(\d\d:\d\d).*$/, ' $1') : number(value);
}

export function pText(p: number | null): string {
  return p === null ? '–' : p < 1e-4 ? '< 0.0001' : p.toPrecision(2).replace(/\.?0+$/, '');
}

export function interval(s: { value: number; low: number | null; high: number | null }): string {
  return s.low === null || s.high === null || number(s.low) === number(s.high) ? number(s.value) : `${number(s.value)} [${number(s.low)}, ${number(s.high)}]`;
}

const METHODS = { exact: 'exact', bounds: 'bounds from bins', sample: 'sample' };

export function method(s: Statistic): string {
  return METHODS[s.method] + (s.rows === null ? '' : s.method === 'sample' ? ` of ${count(s.rows)} rows` : `, ${count(s.rows)} rows`);
}

export function sideWords(s: SourceInfo): string {
  const range = s.first && s.last ? `, ${s.first} to ${s.last}` : '';
  // a frame is called by its side, which stands before it
  const name = s.name === 'reference' || s.name === 'current' ? '' : `${s.name}: `;
  return `${name}${count(s.rows)} rows, ${count(s.columns)} columns${range}${s.stored ? ' (stored profile)' : ''}`;
}

export function sliceWords(s: Slice, kind: Kind | undefined): string {
  const name = named(s.column);
  if (s.value !== null && s.value !== undefined) {
    return `${name} = ${s.value === '' ? '(empty)' : s.value}`;
  }
  return s.low === null || s.low === undefined ? `${name} is null` : `${name}: ${valueOf(kind ?? 'numeric', s.low)} to ${valueOf(kind ?? 'numeric', s.high)}`;
}

export function rulesWords(r: Rules): string {
  if (r.kind === 'evidently') {
    return 'evidently’s choice of test and threshold';
  }
  return `adjusted p below ${number(r.alpha)} and an effect of ${number(r.effect)} or more`;
}

/** Rows that are there: neither null nor infinite. */
export function rowsOf(c: ColumnDrift, side: 'reference' | 'current'): number {
  const s = c[side];
  return s === null ? 0 : Math.max(0, s.rows - s.nulls);
}
