// All columns summed up, one line each.
import { useEffect, useMemo, useState } from 'react';

import type { Column, ColumnProfile } from '../../protocol';
import { CopyButton } from '../copy';
import { bytes, count, duration, figure } from '../format';
import { plain, quantile } from './column-card';
import { shown } from './columns';
import type { Profiles } from './profiles';
import { different, percent, Spark } from './spark';

const MORE = 50;

type Key = 'name' | 'type' | 'nulls' | 'distinct' | 'min' | 'mean' | 'max';
const NUMERIC = new Set<Key>(['nulls', 'distinct', 'min', 'mean', 'max']);

interface Props {
  columns: Column[];
  profiles: Profiles;
  copy: (text: string) => Promise<void>;
  onColumn: (name: string) => void;
}

export function ProfileView({ columns, profiles, copy, onColumn }: Props): JSX.Element {
  const [shownCount, setShownCount] = useState(MORE);
  const [sort, setSort] = useState<{ key: Key; descending: boolean } | null>(null);
  const names = useMemo(() => columns.slice(0, shownCount).map(c => c.name), [columns, shownCount]);
  const { want, known, about } = profiles;
  useEffect(() => want(names), [want, names]);
  const lines = useMemo(() => {
    const all = names.map((n, i) => ({ column: columns[i], profile: known.get(n) }));
    if (sort) {
      const value = (l: (typeof all)[number]): unknown => (sort.key === 'name' || sort.key === 'type' ? l.column[sort.key] : l.profile?.[sort.key]);
      all.sort((a, b) => compare(value(a), value(b), sort.descending));
    }
    return all;
  }, [names, columns, known, sort]);
  const head = (key: Key, text: string): JSX.Element => {
    const now = sort?.key === key ? sort : null;
    return (
      <th scope="col" data-number={NUMERIC.has(key) || undefined} aria-sort={now ? (now.descending ? 'descending' : 'ascending') : 'none'}>
        <button type="button" onClick={() => setSort(now ? (now.descending ? null : { key, descending: true }) : { key, descending: NUMERIC.has(key) })}>
          {text}
          <span aria-hidden="true">{now ? (now.descending ? ' ↓' : ' ↑') : ''}</span>
        </button>
      </th>
    );
  };
  return (
    <div className="aiosw-profile">
      <div className="aiosw-tools">
        <span className="aiosw-quiet" role="status">
          {about ? summary(about) : profiles.busy ? 'Reading all rows once…' : ''}
          {about?.sampled != null && <> Figures from a sample of {count(about.sampled)} rows.</>}
        </span>
        {about?.code && <CopyButton text={about.code} what="the code of this profile" label="Copy code" copy={copy} />}
      </div>
      {profiles.problem && <p className="aiosw-problem" role="alert">{profiles.problem}</p>}
      <div className="aiosw-scroll" tabIndex={0} role="region" aria-label="Profile of all columns">
        <table className="aiosw-table aiosw-profile-table">
          <thead>
            <tr>
              {head('name', 'Column')}
              {head('type', 'Type')}
              <th scope="col">Values</th>
              {head('nulls', 'Nulls')}
              {head('distinct', 'Distinct')}
              {head('min', 'Min')}
              {head('mean', 'Mean')}
              {head('max', 'Max')}
              <th scope="col">Quantiles or most frequent</th>
            </tr>
          </thead>
          <tbody>
            {lines.map(({ column, profile: p }) => (
              <tr key={column.name}>
                <th scope="row">
                  <button type="button" className="aiosw-link" title={`Filter ${column.name}`} onClick={() => onColumn(column.name)}>{column.name}</button>
                </th>
                <td><code>{column.type}</code></td>
                {p ? <Figures profile={p} /> : <td colSpan={7} className="aiosw-quiet">{profiles.busy ? '…' : 'not known'}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {shownCount < columns.length && (
        <div className="aiosw-tools">
          <span className="aiosw-quiet">{`${count(shownCount)} of ${count(columns.length)} columns`}</span>
          <button type="button" disabled={profiles.busy} onClick={() => setShownCount(n => n + MORE)}>{`Profile ${count(Math.min(MORE, columns.length - shownCount))} more`}</button>
        </div>
      )}
    </div>
  );
}

function summary(about: { rows: number; bytes: number; duplicates: number | null; seconds: number }): string {
  const said = [`${count(about.rows)} rows`, bytes(about.bytes)];
  if (about.duplicates !== null) {
    said.push(about.duplicates === 0 ? 'no duplicate rows' : `${count(about.duplicates)} duplicate rows`);
  }
  said.push(`read in ${duration(about.seconds)}`);
  return `${said.join(', ')}.`;
}

function Figures({ profile: p }: { profile: ColumnProfile }): JSX.Element {
  const none = <span className="aiosw-quiet">–</span>;
  const quantiles = Object.entries(p.quantiles);
  return (
    <>
      <td><Spark profile={p} width={110} height={24} /></td>
      <td data-number title={`${count(p.nulls)} of ${count(p.rows)}`}>{p.nulls ? percent(p.nulls, p.rows) : '0'}</td>
      <td data-number>{p.distinct === null ? none : `${p.distinct_exact ? '' : '≈ '}${count(p.distinct)}`}</td>
      <td data-number={p.kind === 'number' || undefined}>{p.min === null || p.min === undefined ? none : plain(p, p.min)}</td>
      <td data-number title={p.std !== null ? `standard deviation ${figure(p.std)}` : undefined}>{p.mean === null ? none : plain(p, p.mean)}</td>
      <td data-number={p.kind === 'number' || undefined}>{p.max === null || p.max === undefined ? none : plain(p, p.max)}</td>
      <td className="aiosw-profile-more">
        {quantiles.length
          ? quantiles.map(([q, v]) => <span key={q}><i>{quantile(q)}</i> {plain(p, v)}</span>)
          : different(p) ? <i>all different</i> : p.top.slice(0, 4).map((t, i) => <span key={i}>{shown(t.value) || (t.value === null ? 'null' : '(empty)')} <i>{percent(t.count, p.rows)}</i></span>)}
      </td>
    </>
  );
}

function compare(a: unknown, b: unknown, descending: boolean): number {
  if (a === b) {
    return 0;
  }
  if (a === null || a === undefined) {
    return 1;
  }
  if (b === null || b === undefined) {
    return -1;
  }
  const order = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
  return descending ? -order : order;
}
