// The steps as a table: for people who want to sort, and for those whom a painted graph tells nothing.
import { useLayoutEffect, useMemo, useRef, useState } from 'react';

import type { StepNode } from '../../protocol';
import { bytes, count, duration } from '../format';
import { StateMark } from '../states';
import { Ticking } from './node';
import { URGENT } from './summary';

const ROW = 28;
const HEIGHT = 420;
const SPARE = 6;

type Column = 'step' | 'state' | 'duration' | 'attempts' | 'rows' | 'bytes';
const COLUMNS: readonly [Column, string, boolean][] = [
  ['step', 'Step', false], ['state', 'State', false], ['duration', 'Duration', true], ['attempts', 'Attempts', true],
  ['rows', 'Rows', true], ['bytes', 'Size', true]
];
const LOWEST = -Infinity;
const VALUE: Record<Column, (n: StepNode, index: number) => number | string> = {
  step: n => n.name,
  state: n => URGENT.indexOf(n.status),
  duration: n => n.duration ?? (n.started_at !== null && n.status === 'running' ? Math.max(0, Date.now() / 1000 - n.started_at) : LOWEST),
  attempts: n => n.attempts,
  rows: n => n.rows ?? LOWEST,
  bytes: n => n.bytes ?? LOWEST
};

interface Props {
  nodes: readonly StepNode[];
  selected: string | null;
  onOpen: (step: string) => void;
}

export function StepList({ nodes, selected, onOpen }: Props): JSX.Element {
  const [sort, setSort] = useState<{ by: Column | null; down: boolean }>({ by: null, down: false });
  const [top, setTop] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => sorted(nodes, sort.by, sort.down), [nodes, sort]);
  useLayoutEffect(() => {
    const el = box.current;
    if (el && el.scrollTop > rows.length * ROW) {
      el.scrollTop = 0;
    }
  }, [rows.length]);
  const first = Math.max(0, Math.floor(top / ROW) - SPARE);
  const last = Math.min(rows.length, Math.ceil((top + HEIGHT) / ROW) + SPARE);
  const press = (column: Column, number: boolean): void =>
    // Numbers interest from the largest down; a third press gives the workflow's order back.
    setSort(now => (now.by !== column ? { by: column, down: number } : now.down === number ? { by: column, down: !number } : { by: null, down: false }));
  return (
    <div
      ref={box}
      className="aiosw-list"
      style={{ maxHeight: HEIGHT }}
      role="region"
      aria-label="Steps as a table"
      tabIndex={0}
      onScroll={e => setTop(e.currentTarget.scrollTop)}
    >
      <table className="aiosw-table" aria-rowcount={rows.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {COLUMNS.map(([id, label, number]) => (
              <th
                key={id}
                scope="col"
                data-column={id}
                data-number={number || undefined}
                aria-sort={sort.by === id ? (sort.down ? 'descending' : 'ascending') : 'none'}
              >
                <button type="button" className="aiosw-plain" onClick={() => press(id, number)}>
                  {label}
                  <span aria-hidden="true">{sort.by === id ? (sort.down ? ' ↓' : ' ↑') : ''}</span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr aria-hidden="true" style={{ height: first * ROW }} />
          {rows.slice(first, last).map((n, k) => (
            <Row key={n.name} node={n} index={first + k + 2} selected={n.name === selected} onOpen={onOpen} />
          ))}
          <tr aria-hidden="true" style={{ height: (rows.length - last) * ROW }} />
        </tbody>
      </table>
      {rows.length === 0 && <p className="aiosw-quiet">No step matches.</p>}
    </div>
  );
}

function Row({ node, index, selected, onOpen }: { node: StepNode; index: number; selected: boolean; onOpen: Props['onOpen'] }): JSX.Element {
  const moving = (node.status === 'running' || node.status === 'retrying') && node.started_at !== null;
  return (
    <tr aria-rowindex={index} data-status={node.status} data-selected={selected || undefined} style={{ height: ROW }}>
      <th scope="row">
        <button type="button" className="aiosw-plain aiosw-ellipsis" data-row={node.name} aria-pressed={selected} title={node.name} onClick={() => onOpen(node.name)}>
          {node.name}
        </button>
      </th>
      <td className="aiosw-list-state">
        <StateMark status={node.status} /> {node.status}
        {node.stale && <em className="aiosw-badge" data-tone="stale">stale</em>}
        {node.cached && <em className="aiosw-badge">cached</em>}
      </td>
      <td data-number>{moving ? <Ticking since={node.started_at as number} /> : duration(node.duration)}</td>
      <td data-number>{node.attempts || ''}</td>
      <td data-number data-column="rows">{node.rows === null || node.rows === undefined ? '' : count(node.rows)}</td>
      <td data-number data-column="bytes">{node.bytes === null || node.bytes === undefined ? '' : bytes(node.bytes)}</td>
    </tr>
  );
}

function sorted(nodes: readonly StepNode[], by: Column | null, down: boolean): readonly StepNode[] {
  if (by === null) {
    return nodes;
  }
  const value = VALUE[by];
  const sign = down ? -1 : 1;
  const order = new Intl.Collator('en', { numeric: true });
  return nodes
    .map((n, i) => ({ n, i, v: value(n, i) }))
    .sort((a, b) => {
      if ((a.v === LOWEST) !== (b.v === LOWEST)) {
        return a.v === LOWEST ? 1 : -1; // what is not known comes last either way
      }
      const d = typeof a.v === 'string' ? order.compare(a.v, b.v as string) : a.v === b.v ? 0 : a.v < (b.v as number) ? -1 : 1;
      return d * sign || a.i - b.i;
    })
    .map(e => e.n);
}
