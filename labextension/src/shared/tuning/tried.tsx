// Everything that was measured, and what was not tried further and why: in the grid all tables share.
import { useMemo, useState } from 'react';

import type { Column, Sort } from '../../protocol';
import type { Family, TuningView } from '../../tuning_protocol';
import { DataGrid } from '../grid/grid';
import { Rows } from '../grid/source';
import { Nothing } from '../inspector/parts';
import { FAMILIES, FamilyMark } from './family';
import { inside } from './picture';
import type { Brush, TuningHost } from './types';
import { digits } from './words';

const TRIED: Column[] = [
  ['index', 'text'], ['family', 'text'], ['state', 'text'], ['recall', 'double'], ['±', 'double'], ['verified', 'double'], ['queries/s', 'double'],
  ['p50 ms', 'double'], ['p95 ms', 'double'], ['p99 ms', 'double'], ['bytes/vector', 'double'], ['build s', 'double'], ['vectors', 'bigint'], ['at s', 'double']
].map(([name, type]) => ({ name, type }));
const PRUNED: Column[] = [['index', 'text'], ['family', 'text'], ['why', 'text'], ['queries/s at best', 'double'], ['at s', 'double']].map(([name, type]) => ({ name, type }));
const ALL_TRIED = TRIED.map((_, i) => i);

function short(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(4));
}

/** In the order asked for; null and empty last, whatever the direction. */
export function sorted<T extends unknown[]>(rows: T[], columns: Column[], sort: Sort[]): T[] {
  const keys = sort.map(s => [columns.findIndex(c => c.name === s.column), s.descending ? -1 : 1] as const).filter(k => k[0] >= 0);
  return keys.length === 0 ? rows : [...rows].sort((a, b) => {
    for (const [i, sign] of keys) {
      const [u, v] = [a[i], b[i]];
      if (u === v) {
        continue;
      }
      if (u === null || v === null) {
        return u === null ? 1 : -1;
      }
      return sign * (typeof u === 'number' && typeof v === 'number' ? u - v : String(u).localeCompare(String(v), 'en', { numeric: true }));
    }
    return 0;
  });
}

function useSort(first: Sort[]): [Sort[], (column: string, add: boolean) => void] {
  const [sort, setSort] = useState<Sort[]>(first);
  const by = (column: string, add: boolean): void =>
    setSort(now => {
      const old = now.find(s => s.column === column);
      const rest = add ? now.filter(s => s.column !== column) : [];
      return old === undefined ? [...rest, { column, descending: false }] : old.descending ? rest : [...rest, { column, descending: true }];
    });
  return [sort, by];
}

type Which = 'all' | 'front' | 'marked';

interface Props {
  view: TuningView;
  host: TuningHost;
  brush: Brush | null;
  onChoose: (id: string) => void;
}

export function Tried({ view, host, brush, onChoose }: Props): JSX.Element {
  const [sort, by] = useSort([{ column: 'queries/s', descending: true }]);
  const [asked, setWhich] = useState<Which>('all');
  const which = asked === 'marked' && !brush ? 'all' : asked;
  const { source, ids } = useMemo(() => {
    const front = new Set(view.front);
    const kept = view.points.filter(p => which === 'all' || (which === 'front' ? front.has(p.id) : brush !== null && inside(p, brush)));
    const rows = kept.map(p => [
      p.label, FAMILIES[p.family].name,
      p.id === view.chosen ? 'chosen' : front.has(p.id) ? 'front' : p.part ? 'trial on a part' : 'beaten',
      Number(p.recall.toFixed(4)), short((p.recall_high - p.recall_low) / 2), p.verified === null ? null : Number(p.verified.toFixed(4)), short(p.qps),
      short(p.p50_ms), short(p.p95_ms), short(p.p99_ms), short(p.bytes_per_vector), short(p.build_seconds), p.vectors, short(p.at), p.id
    ]);
    const inOrder = sorted(rows, TRIED, sort);
    return { source: new Rows(TRIED, inOrder), ids: inOrder.map(r => r[TRIED.length] as string) };
  }, [view.points, view.front, view.chosen, which, brush, sort]);
  const choices: [Which, string][] = [['all', 'All'], ['front', 'The front'], ...(brush ? [['marked', 'Marked on the chart'] as [Which, string]] : [])];
  return (
    <div className="aiosw-tableview">
      <div className="aiosw-tools">
        <span className="aiosw-segments" role="group" aria-label="Which points">
          {choices.map(([key, name]) => <button key={key} type="button" aria-pressed={which === key} onClick={() => setWhich(key)}>{name}</button>)}
        </span>
        <span className="aiosw-counted" role="status">{source.rows} of {view.points.length} points</span>
        <span className="aiosw-note">Enter or a double click chooses a row.</span>
      </div>
      <DataGrid source={source} label="Everything measured" visible={ALL_TRIED} copy={host.copy} sort={sort} onSort={by} onOpen={row => ids[row] && onChoose(ids[row])} empty="Nothing yet." />
    </div>
  );
}

/** Reasons are sentences: a plain table that wraps them. */
export function PrunedView({ view }: { view: TuningView }): JSX.Element {
  const [sort, by] = useSort([]);
  const rows = useMemo(() => sorted(view.pruned.map(p => [p.label, p.family, p.reason, p.qps_at_best, p.at] as const).map(r => [...r]), PRUNED, sort), [view.pruned, sort]);
  if (rows.length === 0) {
    return <Nothing title="Nothing was left out yet">What a prediction or a trial shows to be beaten is not measured further; it is listed here with the reason.</Nothing>;
  }
  const order = (name: string): 'ascending' | 'descending' | 'none' => {
    const found = sort.find(s => s.column === name);
    return found ? (found.descending ? 'descending' : 'ascending') : 'none';
  };
  return (
    <div className="aiosw-scroll" tabIndex={0} role="region" aria-label="What was not tried further">
      <table className="aiosw-table">
        <thead>
          <tr className="aiosw-tun-sort">
            {PRUNED.map(c => (
              <th key={c.name} scope="col" aria-sort={order(c.name)} data-number={c.type === 'double' || undefined}>
                <button type="button" className="aiosw-plain" onClick={e => by(c.name, e.shiftKey)}>
                  {c.name} <span aria-hidden="true">{{ ascending: '↑', descending: '↓', none: '' }[order(c.name)]}</span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((r, i) => (
            <tr key={i}>
              <td><FamilyMark family={r[1] as Family} /> {String(r[0])}</td>
              <td>{FAMILIES[r[1] as Family].name}</td>
              <td className="aiosw-tun-why">{String(r[2])}</td>
              <td data-number>{r[3] === null ? '' : digits(r[3] as number)}</td>
              <td data-number>{digits(r[4] as number)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
