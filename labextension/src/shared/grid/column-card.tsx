// One column: its figures, its order, a filter on it.
import { useId, useState } from 'react';

import type { Column, ColumnProfile, Filter, Sort } from '../../protocol';
import { count, figure } from '../format';
import { shown } from './columns';
import { FilterForm } from './filters';
import { edge, percent, Spark } from './spark';

interface Props {
  columns: Column[];
  name: string;
  profile?: ColumnProfile;
  sampled: number | null;
  sort: Sort[];
  filters: Filter[];
  where: string;
  busy: boolean;
  onName: (name: string) => void;
  onSort: (descending: boolean | null) => void;
  onFilter: (filter: Filter) => void;
  onWhere: (where: string) => void;
  onHide: () => void;
  onClose: () => void;
}

export function ColumnCard(p: Props): JSX.Element {
  const id = useId();
  const { name, profile, sort } = p;
  const column = p.columns.find(c => c.name === name) as Column;
  const now = sort.find(s => s.column === name);
  const [where, setWhere] = useState(p.where);
  return (
    <section
      className="aiosw-card"
      aria-label={`Column ${name}`}
      onKeyDown={e => {
        if (e.key === 'Escape') {
          e.stopPropagation();
          p.onClose();
        }
      }}
    >
      <div className="aiosw-card-head">
        <label htmlFor={`${id}-c`} className="aiosw-hidden">Column</label>
        <select id={`${id}-c`} autoFocus value={name} onChange={e => p.onName(e.target.value)}>
          {p.columns.map(c => <option key={c.name} value={c.name}>{c.name}</option>)}
        </select>
        <code>{column.type}</code>
        <span className="aiosw-buttons" role="group" aria-label={`Order by ${name}`}>
          <button type="button" aria-pressed={now !== undefined && !now.descending} onClick={() => p.onSort(now && !now.descending ? null : false)}>Ascending ↑</button>
          <button type="button" aria-pressed={now?.descending === true} onClick={() => p.onSort(now?.descending ? null : true)}>Descending ↓</button>
          <button type="button" onClick={p.onHide}>Hide column</button>
        </span>
        <button type="button" className="aiosw-close" aria-label="Close the column" onClick={p.onClose}>✕</button>
      </div>
      {profile ? (
        <div className="aiosw-card-figures">
          <Spark profile={profile} width={200} height={44} />
          <dl className="aiosw-facts-flow">{facts(profile).map(([k, v]) => <div key={k}><dt>{k}</dt><dd>{v}</dd></div>)}</dl>
          {p.sampled !== null && <p className="aiosw-quiet">{`From a sample of ${count(p.sampled)} rows.`}</p>}
        </div>
      ) : (
        p.busy && <p className="aiosw-quiet" role="status">Reading its figures…</p>
      )}
      <FilterForm key={name} column={column} first={p.filters.find(f => f.column === name)} profile={profile} onApply={p.onFilter} />
      <form
        className="aiosw-filter-form"
        onSubmit={e => {
          e.preventDefault();
          p.onWhere(where.trim());
        }}
      >
        <label htmlFor={`${id}-w`} className="aiosw-quiet">or in SQL: where</label>
        <input id={`${id}-w`} type="text" className="aiosw-mono" spellCheck={false} placeholder={`"${name.replaceAll('"', '""')}" is not null`} value={where} onChange={e => setWhere(e.target.value)} />
        <button type="submit">Apply condition</button>
      </form>
    </section>
  );
}

/** A column's figures as pairs of words. */
export function facts(p: ColumnProfile): [string, string][] {
  const out: [string, string][] = [['nulls', `${count(p.nulls)} (${percent(p.nulls, p.rows)})`]];
  if (p.distinct !== null) {
    out.push(['distinct', `${p.distinct_exact ? '' : 'about '}${count(p.distinct)}`]);
  }
  if (p.min !== null && p.min !== undefined) {
    out.push(['min', plain(p, p.min)], ['max', plain(p, p.max)]);
  }
  if (p.mean !== null) {
    out.push(['mean', edge(p, p.mean)]);
  }
  if (p.std !== null && p.kind === 'number') {
    out.push(['std', figure(p.std)]);
  }
  for (const [q, v] of Object.entries(p.quantiles)) {
    out.push([quantile(q), edge(p, v)]);
  }
  if (p.zeros !== null && p.zeros > 0) {
    out.push(['zeros', `${count(p.zeros)} (${percent(p.zeros, p.rows)})`]);
  }
  return out;
}

export function quantile(name: string): string {
  const share = Number(name);
  return Number.isFinite(share) && share > 0 && share < 1 ? (share === 0.5 ? 'median' : `${Number((share * 100).toFixed(2))} %`) : name;
}

export function plain(p: ColumnProfile, value: unknown): string {
  return typeof value === 'number' ? edge(p, value) : shown(value);
}
