// A stored table: its rows in any order, filtered; its profile; questions in SQL.
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';

import type { Column, Filter, Preview, Sort, TablePage, TableProfile } from '../../protocol';
import { CopyButton } from '../copy';
import { count } from '../format';
import { CellView } from './cell-view';
import { Chooser } from './chooser';
import { ColumnCard } from './column-card';
import { Chips } from './filters';
import { DataGrid } from './grid';
import { ProfileView } from './profile-view';
import { useProfiles } from './profiles';
import { type Fetch, narrowed, Pages, type Query } from './source';
import { firstQuery, type SqlMemory, SqlView } from './sql';

export type TableMode = 'Rows' | 'Profile' | 'SQL';

/** How a table is asked; what is undefined is not offered. */
export interface TableAsk {
  page: Fetch;
  profile?: (columns: string[], signal: AbortSignal) => Promise<TableProfile>;
  sql?: (query: string, signal: AbortSignal) => Promise<TablePage>;
}

interface Props {
  first: Preview;
  label: string;
  ask: TableAsk;
  copy: (text: string) => Promise<void>;
  mode: TableMode;
  onMode: (mode: TableMode) => void;
}

/** Bars in the heads say something from about this many rows on. */
const ROWS_FOR_BARS = 30;

export function TableView({ first, label, ask, copy, mode, onMode }: Props): JSX.Element {
  const columns = useMemo(() => allColumns(first), [first]);
  const [source] = useState(() => new Pages(columns, first.rows, first.total, ask.page));
  useEffect(() => () => source.dispose(), [source]);
  useSyncExternalStore(source.subscribe, source.version);
  const profiles = useProfiles(ask.profile ?? null);
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set());
  const [panel, setPanel] = useState<{ column: string } | 'columns' | null>(null);
  const [cell, setCell] = useState<{ row: number; column: number } | null>(null);
  const [target, setTarget] = useState<{ column: number } | null>(null);
  const [sql, setSql] = useState<SqlMemory>(() => ({ query: firstQuery(columns), answer: null }));
  const visible = useMemo(() => columns.map((_, i) => i).filter(i => !hidden.has(i)), [columns, hidden]);
  const box = useRef<HTMLDivElement>(null);
  const focusGrid = (): void => box.current?.querySelector<HTMLElement>('[role="grid"]')?.focus({ preventScroll: true });
  /** What takes its own button away hands the focus on first. */
  const away = (act: () => void): void => {
    focusGrid();
    act();
  };

  const { query, loaded } = source;
  const change = useCallback((part: Partial<Query>) => source.setQuery({ ...source.query, ...part }), [source]);
  const sortBy = useCallback(
    (column: string, add: boolean) => {
      const now = source.query.sort.find(s => s.column === column);
      const next: Sort | null = now === undefined ? { column, descending: false } : now.descending ? null : { column, descending: true };
      change({ sort: placed(source.query.sort, column, next, add) });
    },
    [source, change]
  );
  const openColumn = useCallback((column: string) => setPanel({ column }), []);
  const setFilter = (filter: Filter): void => {
    const rest = query.filters.filter(f => f.column !== filter.column || (isRange(f) && isRange(filter) && f.op !== filter.op));
    change({ filters: [...rest, filter] });
  };
  const openCell = useCallback((row: number, column: number) => setCell({ row, column }), []);
  const rows = first.total ?? first.rows.length;
  const bars = ask.profile !== undefined && rows >= ROWS_FOR_BARS;
  const current = panel !== null && panel !== 'columns' ? panel.column : null;
  const { want } = profiles;
  useEffect(() => {
    if (current !== null) {
      want([current]);
    }
  }, [current, want]);

  const modes: TableMode[] = ['Rows', ...(ask.profile ? ['Profile' as const] : []), ...(ask.sql ? ['SQL' as const] : [])];
  return (
    <div className="aiosw-tableview" ref={box}>
      <div className="aiosw-tools">
        {modes.length > 1 && (
          <span className="aiosw-segments" role="group" aria-label="View">
            {modes.map(m => <button key={m} type="button" aria-pressed={m === mode} onClick={() => onMode(m)}>{m}</button>)}
          </span>
        )}
        <span className="aiosw-counted" role="status">
          {narrowed(loaded.query) ? `matched ${count(loaded.matched ?? 0)} of ${count(loaded.total ?? rows)} rows` : `${count(loaded.total ?? rows)} ${loaded.total === 1 ? 'row' : 'rows'}`}
          {` × ${count(columns.length)} ${columns.length === 1 ? 'column' : 'columns'}`}
          {source.busy && ' · asking…'}
        </span>
        {mode === 'Rows' && (
          <span className="aiosw-buttons">
            <button
              type="button"
              aria-expanded={current !== null}
              onClick={() => setPanel(current !== null ? null : { column: columns[visible[0]].name })}
            >
              Filter
            </button>
            <button type="button" aria-expanded={panel === 'columns'} onClick={() => setPanel(panel === 'columns' ? null : 'columns')}>
              {hidden.size ? `Columns (${count(hidden.size)} hidden)` : 'Columns'}
            </button>
            <CopyButton text={async () => loaded.code || (await ask.page({ ...loaded.query, offset: 0, limit: 1, columns: null }, new AbortController().signal)).code} what="the code of these rows" label="Copy code" copy={copy} />
          </span>
        )}
      </div>
      {mode === 'Rows' && (
        <>
          {panel === 'columns' && (
            <Chooser
              columns={columns}
              hidden={hidden}
              onHidden={setHidden}
              onGo={i => setTarget({ column: i })}
              onClose={() => {
                setPanel(null);
                focusGrid();
              }}
            />
          )}
          {current !== null && (
            <ColumnCard
              columns={columns}
              name={current}
              profile={profiles.known.get(current)}
              sampled={profiles.about?.sampled ?? null}
              sort={query.sort}
              filters={query.filters}
              where={query.where}
              busy={profiles.busy}
              onName={column => setPanel({ column })}
              onSort={descending => change({ sort: placed(query.sort, current, descending === null ? null : { column: current, descending }, true) })}
              onFilter={setFilter}
              onWhere={where => change({ where })}
              onHide={() => {
                const index = columns.findIndex(c => c.name === current);
                if (visible.length > 1) {
                  setHidden(new Set([...hidden, index]));
                }
                setPanel(null);
                focusGrid();
              }}
              onClose={() => {
                setPanel(null);
                focusGrid();
              }}
            />
          )}
          {source.problem && (
            <p className="aiosw-problem aiosw-filter-problem" role="alert">
              <span>{source.problem}</span>
              <button type="button" onClick={() => away(() => source.back())}>Undo</button>
            </p>
          )}
          <Chips
            filters={query.filters}
            where={query.where}
            columns={columns}
            onRemove={i => away(() => change({ filters: query.filters.filter((_, at) => at !== i) }))}
            onWhere={where => away(() => change({ where }))}
            onClear={() => away(() => change({ filters: [], where: '' }))}
          />
          <DataGrid
            source={source}
            label={label}
            visible={visible}
            copy={copy}
            sort={query.sort}
            filters={query.filters}
            onSort={sortBy}
            onMenu={openColumn}
            onOpen={openCell}
            profiles={bars ? profiles.known : undefined}
            onColumns={bars ? want : undefined}
            order={loaded.query}
            target={target}
            empty={narrowed(loaded.query) ? 'No row matches these filters.' : 'No rows.'}
          />
          {source.broken && (
            <p className="aiosw-problem aiosw-filter-problem" role="alert">
              <span>{source.broken}</span>
              <button type="button" onClick={() => away(() => source.retry())}>Try again</button>
            </p>
          )}
          {bars && profiles.about?.sampled != null && <p className="aiosw-note">{`Bars in the heads are from a sample of ${count(profiles.about.sampled)} rows.`}</p>}
          {cell && (
            <CellView
              column={columns[cell.column]}
              row={cell.row}
              value={source.cell(cell.row, cell.column)}
              copy={copy}
              onClose={() => {
                setCell(null);
                focusGrid();
              }}
            />
          )}
        </>
      )}
      {mode === 'Profile' && ask.profile && (
        <ProfileView
          columns={columns}
          profiles={profiles}
          copy={copy}
          onColumn={column => {
            onMode('Rows');
            setPanel({ column });
            setTarget({ column: columns.findIndex(c => c.name === column) });
          }}
        />
      )}
      {mode === 'SQL' && ask.sql && <SqlView memory={sql} onMemory={setSql} ask={ask.sql} copy={copy} />}
    </div>
  );
}

function isRange(f: Filter): boolean {
  return ['<', '<=', '>', '>='].includes(f.op);
}

/** Orders with one of them changed: alone, or beside the others. */
function placed(sort: Sort[], column: string, next: Sort | null, add: boolean): Sort[] {
  if (!add) {
    return next ? [next] : [];
  }
  if (next && sort.some(s => s.column === column)) {
    return sort.map(s => (s.column === column ? next : s));
  }
  const rest = sort.filter(s => s.column !== column);
  return next ? [...rest, next] : rest;
}

/** A preview of a wide array names only its first columns. */
function allColumns(first: Preview): Column[] {
  const all = first.shape?.length === 2 ? first.shape[1] : first.columns.length;
  if (first.kind !== 'npy' || all <= first.columns.length) {
    return first.columns;
  }
  return Array.from({ length: all }, (_, i) => first.columns[i] ?? { name: String(i), type: first.columns[0]?.type ?? '' });
}
