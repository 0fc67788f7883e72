// What a column holds, how a value of it is written, and how wide it wants to be.
import type { Column } from '../../protocol';
import { cell } from '../format';

export type ColumnKind = 'number' | 'time' | 'boolean' | 'text' | 'other';

const NUMBER = /^(u?(tiny|small|big|huge)?int(eger)?\d*(\[pyarrow\])?|float\d*|double|real|decimal.*|number|numeric.*)$/i;

/** The kind of a column from its type as pandas, numpy or DuckDB call it. */
export function kindOf(type: string): ColumnKind {
  const t = type.trim();
  if (/(\[\]|list|struct|map)/i.test(t)) {
    return 'other';
  }
  if (NUMBER.test(t)) {
    return 'number';
  }
  if (/^bool/i.test(t)) {
    return 'boolean';
  }
  if (/^(date|time|datetime|timestamp)/i.test(t)) {
    return 'time';
  }
  return 'text';
}

/** A value as a cell shows it; null is a word of its own, drawn elsewhere. */
export function shown(value: unknown): string {
  if (typeof value === 'number' && !Number.isInteger(value)) {
    const size = Math.abs(value);
    const text = String(value);
    if (text.length <= 10) {
      return text;
    }
    return size < 1e-4 || size >= 1e12 ? value.toExponential(5) : String(Number(value.toFixed(6)));
  }
  return cell(value);
}

/** Rows as tab separated text. A cell with a tab, a quote or a line break is quoted, as spreadsheets expect. */
export function tsv(rows: unknown[][]): string {
  const one = (value: unknown): string => {
    const text = cell(value);
    return /[\t\n\r"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map(row => row.map(one).join('\t')).join('\n');
}

const CHAR = 7.1;
export const MIN_WIDTH = 56;
export const MAX_WIDTH = 900;

/** Widths in pixels from names, types and the rows at hand. */
export function widthsOf(columns: Column[], rows: unknown[][]): number[] {
  return columns.map((column, c) => {
    let longest = Math.max(column.name.length * 1.1 + 3.4, column.type.length * 0.9);
    for (let r = 0; r < Math.min(rows.length, 40); r++) {
      longest = Math.max(longest, rows[r][c] === null ? 4 : shown(rows[r][c]).length);
    }
    return Math.round(Math.min(300, Math.max(MIN_WIDTH + 8, longest * CHAR + 20)));
  });
}
