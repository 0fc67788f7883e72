// All columns, worst first; the one that is opened below, or beside where there is room.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

import type { DriftRow, DriftView, Verdict } from '../../drift_protocol';
import { count } from '../format';
import { Search } from '../inspector/parts';
import { VirtualList } from '../inspector/virtual';
import { marked } from '../mark';
import { ColumnPage } from './page';
import { counted, type Key, type Order, ordered } from './picture';
import { SparkPair, Trend } from './spark';
import { Threshold } from './threshold';
import type { DriftHost, OnSlice } from './types';
import type { Rejudging } from './use-ask';
import { VerdictMark } from './verdict';
import { effectText, LIKE, named, number, pText, statistic, VERDICTS, WORDS } from './words';

const ROW = 40;
const HEAD = 34;
const MOST_HEIGHT = 440;
/** Filters pay from here on. */
const MANY = 6;

interface Props {
  view: DriftView;
  host: DriftHost;
  open: string | null;
  onOpen: (name: string | null) => void;
  onSlice: OnSlice;
  rejudging: Rejudging;
}

export function Columns({ view, host, open, onOpen, onSlice, rejudging }: Props): JSX.Element {
  const [search, setSearch] = useState('');
  const [verdict, setVerdict] = useState<Verdict | ''>('');
  const [kind, setKind] = useState('');
  const [order, setOrder] = useState<Order>({ key: 'verdict', descending: false });
  const [cursor, setCursor] = useState(0);
  const { rows } = view;
  const counts = useMemo(() => counted(rows), [rows]);
  const kinds = useMemo(() => [...new Set(rows.map(r => r.kind))].sort(), [rows]);
  const which = verdict !== '' && counts[verdict] === 0 ? '' : verdict;
  const text = search.trim().toLowerCase();
  const shown = useMemo(
    () => ordered(rows.filter(r => (which === '' || r.verdict === which) && (kind === '' || r.kind === kind) && (text === '' || r.name.toLowerCase().includes(text))), order),
    [rows, which, kind, text, order]
  );
  const trends = rows.some(r => r.trend.length > 1);
  const opened = open !== null && rows.some(r => r.name === open) ? open : null;
  const page = useRef<HTMLDivElement>(null);
  const show = useCallback((name: string | null) => onOpen(name), [onOpen]);
  // Below the table a page opens out of sight.
  useEffect(() => {
    if (opened !== null) {
      page.current?.scrollIntoView?.({ block: 'nearest' });
    }
  }, [opened]);
  const at = shown.findIndex(r => r.name === opened);
  return (
    <div className="aiosw-dr-columns" data-open={opened !== null || undefined}>
      <div className="aiosw-dr-list">
        {rows.length > MANY && (
          <div className="aiosw-tools">
            <span className="aiosw-segments" role="group" aria-label="Verdict">
              <button type="button" aria-pressed={which === ''} onClick={() => setVerdict('')}>All {count(rows.length)}</button>
              {VERDICTS.filter(v => counts[v] > 0).map(v => (
                <button key={v} type="button" aria-pressed={which === v} onClick={() => setVerdict(v)}><VerdictMark verdict={v} size={12} /> {WORDS[v]} {count(counts[v])}</button>
              ))}
            </span>
            <Search value={search} onChange={setSearch} label="Search columns" />
            {kinds.length > 1 && (
              <select className="aiosw-dr-select" aria-label="Kind" value={kind} onChange={e => setKind(e.target.value)}>
                <option value="">all kinds</option>
                {kinds.map(k => <option key={k} value={k}>{k}</option>)}
              </select>
            )}
            <span className="aiosw-quiet" role="status">{shown.length < rows.length ? `${count(shown.length)} of ${count(rows.length)}` : ''}</span>
          </div>
        )}
        <Threshold view={view} host={host} rejudging={rejudging} open={opened} />
        {shown.length === 0 ? (
          <p className="aiosw-quiet aiosw-dr-none">No column fits.</p>
        ) : (
          <VirtualList
            count={shown.length}
            rowHeight={ROW}
            height={MOST_HEIGHT}
            label="Columns. Arrow keys move, Enter opens one."
            cursor={Math.min(cursor, shown.length - 1)}
            onCursor={setCursor}
            onOpen={i => show(shown[i].name)}
            header={<Heads order={order} onOrder={setOrder} trends={trends} />}
            headerHeight={HEAD}
            row={i => ({
              key: shown[i].name,
              status: LIKE[shown[i].verdict],
              className: `aiosw-dr-row${shown[i].name === opened ? ' aiosw-chosen' : ''}`,
              content: <Cells row={shown[i]} search={text} trends={trends} />
            })}
          />
        )}
      </div>
      {opened !== null && (
        <div className="aiosw-dr-open" ref={page}>
          <ColumnPage
            key={opened}
            view={view}
            host={host}
            name={opened}
            onSlice={onSlice}
            rejudging={rejudging}
            onClose={() => show(null)}
            onStep={at < 0 ? null : step => { const next = shown[at + step]; if (next) { show(next.name); setCursor(at + step); } }}
            place={at < 0 ? '' : `${count(at + 1)} of ${count(shown.length)}`}
          />
        </div>
      )}
    </div>
  );
}

const HEADS: { key: Key; name: string; cell: string }[] = [
  { key: 'verdict', name: 'Verdict', cell: 'mark' },
  { key: 'name', name: 'Column', cell: 'name' },
  { key: 'effect', name: 'Effect', cell: 'effect' },
  { key: 'value', name: 'Statistic', cell: 'value' },
  { key: 'p', name: 'Adjusted p', cell: 'p' }
];

function Heads({ order, onOrder, trends }: { order: Order; onOrder: (order: Order) => void; trends: boolean }): JSX.Element {
  const head = ({ key, name, cell }: (typeof HEADS)[number]): JSX.Element => {
    const now = order.key === key;
    const said = now ? (order.descending ? ', descending' : ', ascending') : '';
    return (
      <button key={key} type="button" className="aiosw-plain" data-cell={cell} aria-pressed={now} onClick={() => onOrder({ key, descending: now ? !order.descending : key === 'effect' || key === 'value' })}>
        <span><span className="aiosw-hidden">Sort by </span>{key === 'verdict' ? <span className="aiosw-hidden">{name}</span> : name}<span className="aiosw-hidden">{said}</span></span><span aria-hidden="true">{now ? (order.descending ? '↓' : '↑') : key === 'verdict' ? '⇅' : ''}</span>
      </button>
    );
  };
  return (
    <div className="aiosw-dr-heads aiosw-dr-grid" style={{ height: HEAD }}>
      {head(HEADS[0])}
      {head(HEADS[1])}
      <span data-cell="spark">Both sides</span>
      {HEADS.slice(2).map(head)}
      {trends && <span data-cell="trend">Over time</span>}
    </div>
  );
}

function Cells({ row: r, search, trends }: { row: DriftRow; search: string; trends: boolean }): JSX.Element {
  const limit = r.threshold;
  const full = Math.max(0.3, (limit ?? 0.1) * 2.5);
  const share = r.effect === null ? 0 : Math.min(1, Math.max(0, r.effect) / full);
  return (
    <span className="aiosw-dr-grid">
      <VerdictMark verdict={r.verdict} />
      <span data-cell="name">
        <b className="aiosw-ellipsis">{marked(named(r.name), search)}</b>
        <small>{r.kind}{r.role !== 'feature' && `, ${r.role}`} · {WORDS[r.verdict]}</small>
      </span>
      <span data-cell="spark"><SparkPair spark={r.spark} /></span>
      <span data-cell="effect">
        <span className="aiosw-dr-bar" aria-hidden="true">
          <i style={{ width: `${100 * share}%` }} />
          {limit !== null && <em style={{ left: `${100 * Math.min(1, limit / full)}%` }} />}
        </span>
        <span><span className="aiosw-hidden">, effect </span>{effectText(r.effect)}{limit !== null && <span className="aiosw-hidden"> against {number(limit)}, </span>}</span>
      </span>
      <span data-cell="value">{r.main === null ? '–' : <><b>{number(r.value)}</b> <small>{statistic(r.main)}</small></>}</span>
      <span data-cell="p"><span className="aiosw-hidden">, adjusted p </span>{pText(r.p_adjusted)}</span>
      {trends && <span data-cell="trend"><Trend values={r.trend} marks={r.marks} limit={limit} /></span>}
    </span>
  );
}
