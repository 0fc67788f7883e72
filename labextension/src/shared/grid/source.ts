// Where a grid's cells come from: rows at hand, or blocks of a stored table that are asked for as they come into view.
import type { Column, Filter, Sort, TablePage } from '../../protocol';

export interface Source {
  readonly columns: Column[];
  /** Rows that can be scrolled through. */
  readonly rows: number;
  /** undefined: not here yet. */
  cell(row: number, column: number): unknown;
  /** Tells what is on the screen; `columns` are indices, in any order. */
  want(first: number, last: number, columns: number[]): void;
  subscribe(listener: () => void): () => void;
  version(): number;
}

/** Rows that are all here. */
export class Rows implements Source {
  constructor(
    readonly columns: Column[],
    private readonly data: unknown[][]
  ) {}
  get rows(): number {
    return this.data.length;
  }
  cell(row: number, column: number): unknown {
    return this.data[row]?.[column] ?? null;
  }
  want(): void {}
  readonly subscribe = (): (() => void) => () => undefined;
  readonly version = (): number => 0;
}

export interface Query {
  sort: Sort[];
  filters: Filter[];
  where: string;
}

export const EVERYTHING: Query = { sort: [], filters: [], where: '' };

export function narrowed(query: Query): boolean {
  return query.filters.length > 0 || query.where.trim() !== '';
}

/** Asks for a page; `columns` null means all. */
export type Fetch = (
  query: Query & { offset: number; limit: number; columns: string[] | null },
  signal: AbortSignal
) => Promise<TablePage>;

const ROWS = 100;
const COLUMNS = 40;
/** Fewer columns than this travel together: one request a page. */
const ALL_COLUMNS = 80;
/** Pages kept; the ones longest unused go first. */
const KEPT = 400;
const SETTLE_MILLISECONDS = 45;

interface Loaded {
  query: Query;
  total: number | null;
  matched: number | null;
  sql: string;
  code: string;
  seconds: number;
}

/**
 * A stored table in blocks. What is on the screen stays there while another order or filter is on its way, and when
 * that is refused.
 */
export class Pages implements Source {
  loaded: Loaded;
  /** What the reader asked for last; differs from `loaded.query` while on its way or refused. */
  query: Query = EVERYTHING;
  busy = false;
  problem = '';
  /** Why a page further down could not be read. */
  broken = '';

  private blocks = new Map<string, unknown[][]>();
  private asked = new Map<string, AbortController>();
  private listeners = new Set<() => void>();
  private count = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private changing: AbortController | null = null;
  private settled = true;
  private wish: { first: number; last: number; columns: number[] } | null = null;

  constructor(
    readonly columns: Column[],
    first: unknown[][],
    total: number | null,
    private readonly fetch: Fetch
  ) {
    this.loaded = { query: EVERYTHING, total, matched: total, sql: '', code: '', seconds: 0 };
    this.seed(first);
  }

  /** The rows that came with the step: drawn at once, and used until the first whole page is here. */
  private first: unknown[][] = [];
  private seed(rows: unknown[][]): void {
    this.first = rows;
  }

  get rows(): number {
    return this.loaded.matched ?? this.loaded.total ?? this.first.length;
  }

  private get wide(): boolean {
    return this.columns.length > ALL_COLUMNS;
  }

  cell(row: number, column: number): unknown {
    const block = this.blocks.get(this.key(Math.floor(row / ROWS), this.wide ? Math.floor(column / COLUMNS) : 0));
    if (block) {
      const found = block[row % ROWS]?.[this.wide ? column % COLUMNS : column];
      return found === undefined ? null : found;
    }
    return this.loaded.query === EVERYTHING ? this.first[row]?.[column] : undefined;
  }

  want(first: number, last: number, columns: number[]): void {
    this.wish = { first, last, columns };
    const missing = this.missing();
    const keys = new Set(missing.map(m => m.key));
    for (const [key, controller] of this.asked) {
      if (!keys.has(key)) {
        controller.abort();
        this.asked.delete(key);
      }
    }
    if (missing.some(m => !this.asked.has(m.key))) {
      clearTimeout(this.timer);
      // Someone who drags the scrollbar wants the place where it stops.
      this.timer = setTimeout(this.load, this.settled ? 0 : SETTLE_MILLISECONDS);
      this.settled = false;
    }
  }

  setQuery(query: Query): void {
    this.query = query;
    this.changing?.abort();
    const controller = new AbortController();
    this.changing = controller;
    this.busy = true;
    this.problem = '';
    this.tell();
    this.fetch({ ...query, offset: 0, limit: ROWS, columns: this.names(0) }, controller.signal).then(
      page => {
        if (this.changing !== controller) {
          return;
        }
        this.asked.forEach(c => c.abort());
        this.asked.clear();
        this.blocks.clear();
        this.busy = false;
        this.broken = '';
        this.took(page, query);
        this.keep(this.key(0, 0), page.rows);
        this.tell();
        if (this.wish) {
          this.want(this.wish.first, this.wish.last, this.wish.columns);
        }
      },
      (e: Error) => {
        if (this.changing === controller && !controller.signal.aborted) {
          this.busy = false;
          this.problem = e.message;
          this.tell();
        }
      }
    );
  }

  /** Give up the order or filter that was refused. */
  back(): void {
    this.changing?.abort();
    this.query = this.loaded.query;
    this.busy = false;
    this.problem = '';
    this.tell();
  }

  retry(): void {
    this.broken = '';
    this.tell();
    if (this.wish) {
      this.want(this.wish.first, this.wish.last, this.wish.columns);
    }
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.changing?.abort();
    this.asked.forEach(c => c.abort());
    this.asked.clear();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly version = (): number => this.count;

  private key(page: number, block: number): string {
    return `${page}:${block}`;
  }

  private names(block: number): string[] | null {
    return this.wide ? this.columns.slice(block * COLUMNS, (block + 1) * COLUMNS).map(c => c.name) : null;
  }

  private missing(): { key: string; page: number; block: number }[] {
    const found: { key: string; page: number; block: number }[] = [];
    if (!this.wish || this.rows === 0) {
      return found;
    }
    const { first, last, columns } = this.wish;
    const blocks = this.wide ? [...new Set(columns.map(c => Math.floor(c / COLUMNS)))] : [0];
    for (let page = Math.floor(first / ROWS); page <= Math.floor(Math.min(last, this.rows - 1) / ROWS); page++) {
      for (const block of blocks) {
        const key = this.key(page, block);
        if (!this.blocks.has(key) && !(this.loaded.query === EVERYTHING && last < this.first.length)) {
          found.push({ key, page, block });
        }
      }
    }
    return found;
  }

  private readonly load = (): void => {
    this.settled = true;
    if (this.broken) {
      return;
    }
    const { query } = this.loaded;
    for (const { key, page, block } of this.missing()) {
      if (this.asked.has(key)) {
        continue;
      }
      const controller = new AbortController();
      this.asked.set(key, controller);
      this.fetch({ ...query, offset: page * ROWS, limit: ROWS, columns: this.names(block) }, controller.signal).then(
        got => {
          if (this.asked.get(key) === controller) {
            this.asked.delete(key);
            this.keep(key, got.rows);
            this.took(got, query);
            this.tell();
          }
        },
        (e: Error) => {
          if (this.asked.get(key) === controller) {
            this.asked.delete(key);
            this.broken = e.message;
            this.tell();
          }
        }
      );
    }
  };

  private took(page: TablePage, query: Query): void {
    this.loaded = {
      query,
      total: page.total ?? this.loaded.total,
      matched: page.matched ?? (narrowed(query) ? this.loaded.matched : (page.total ?? this.loaded.total)),
      sql: page.sql,
      code: page.code,
      seconds: page.seconds
    };
  }

  private keep(key: string, rows: unknown[][]): void {
    this.blocks.set(key, rows);
    if (this.blocks.size > KEPT) {
      this.blocks.delete(this.blocks.keys().next().value as string);
    }
  }

  private tell(): void {
    this.count += 1;
    this.listeners.forEach(l => l());
  }
}
