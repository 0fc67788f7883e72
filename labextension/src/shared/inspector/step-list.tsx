// The steps as a list: what the graph shows, for those who read.
import { useState } from 'react';

import type { StepNode } from '../../protocol';
import { duration, ticking } from '../format';
import { StateMark } from '../states';
import { useNow } from '../tick';
import { Search } from './parts';
import { VirtualList } from './virtual';

const ROW = 30;
const MOST_HEIGHT = 460;
/** A search pays from here on. */
const MANY = 12;

interface Props {
  nodes: readonly StepNode[];
  selected: string | null;
  skew: number;
  onOpen: (step: string) => void;
}

export function StepList({ nodes, selected, skew, onOpen }: Props): JSX.Element | null {
  const [search, setSearch] = useState('');
  const [cursor, setCursor] = useState(0);
  const text = search.trim().toLowerCase();
  const shown = text ? nodes.filter(n => n.name.toLowerCase().includes(text) || n.status.includes(text)) : nodes;
  if (nodes.length === 0) {
    return null;
  }
  return (
    <div className="aiosw-steplist">
      {nodes.length > MANY && (
        <div className="aiosw-tools">
          <Search value={search} onChange={setSearch} label="Search steps" />
          {text && <span className="aiosw-quiet" role="status">{`${shown.length} of ${nodes.length}`}</span>}
        </div>
      )}
      {shown.length === 0 ? (
        <p className="aiosw-quiet">No step fits.</p>
      ) : (
        <VirtualList
          count={shown.length}
          rowHeight={ROW}
          height={MOST_HEIGHT}
          label="Steps. Enter opens one."
          cursor={Math.min(cursor, shown.length - 1)}
          onCursor={setCursor}
          onOpen={i => onOpen(shown[i].name)}
          row={i => ({
            key: shown[i].name,
            label: [shown[i].name, shown[i].status, ...notes(shown[i])].join(', '),
            status: shown[i].status,
            className: `aiosw-steprow${shown[i].name === selected ? ' aiosw-chosen' : ''}`,
            content: <Row node={shown[i]} skew={skew} />
          })}
        />
      )}
    </div>
  );
}

function notes(n: StepNode): string[] {
  return [
    n.kind === 'gate' ? 'gate' : '',
    n.cached ? 'cached' : '',
    n.stale ? 'stale' : '',
    n.attempts > 1 ? `${n.attempts} attempts` : '',
    n.status !== 'succeeded' && n.error ? n.error : (n.message ?? '')
  ].filter(Boolean);
}

function Row({ node: n, skew }: { node: StepNode; skew: number }): JSX.Element {
  const moving = n.status === 'running' || n.status === 'retrying' || n.status === 'waiting';
  return (
    <>
      <StateMark status={n.status} />
      <b className="aiosw-ellipsis">{n.name}</b>
      <span className="aiosw-steprow-word">{n.status}</span>
      <span className="aiosw-ellipsis aiosw-quiet">{notes(n).join(' · ')}</span>
      <span className="aiosw-steprow-time">
        {moving && n.started_at !== null ? <Elapsed since={n.started_at} skew={skew} /> : n.cached || n.duration === null ? '' : duration(n.duration)}
      </span>
    </>
  );
}

function Elapsed({ since, skew }: { since: number; skew: number }): JSX.Element {
  return <>{ticking(useNow() + skew - since)}</>;
}
