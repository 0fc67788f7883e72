// A collapsed group, and the frame around an open one.
import { Handle, type Node, type NodeProps, Position } from '@xyflow/react';
import { memo, useContext } from 'react';

import { count, duration } from '../format';
import { StateMark } from '../states';
import { Actions } from './node';
import { GROUP_HEIGHT, GROUP_WIDTH } from './scene';
import { inWords, type Summary } from './summary';

export type GroupNode = Node<{ label: string; summary: Summary; reachable: boolean; found: number; critical: boolean; holds: boolean }, 'steps'>;
export type FrameNode = Node<{ label: string; summary: Summary; width: number; height: number }, 'frame'>;

function words(label: string, s: Summary): string {
  const spent = s.seconds > 0 ? `, ${duration(s.seconds)} in all` : '';
  return `group ${label}, ${count(s.total)} steps: ${inWords(s)}${spent}`;
}

export const GroupView = memo(function GroupView({ id, data, sourcePosition, targetPosition }: NodeProps<GroupNode>): JSX.Element {
  const { label, summary, reachable, found, critical, holds } = data;
  const actions = useContext(Actions);
  const text = words(label, summary);
  return (
    <>
      <Handle type="target" position={targetPosition ?? Position.Left} isConnectable={false} />
      <div
        className="aiosw-group nopan nodrag"
        data-status={summary.worst}
        data-found={found > 0 || undefined}
        data-critical={critical || undefined}
        data-holds={holds || undefined}
        style={{ width: GROUP_WIDTH, height: GROUP_HEIGHT }}
      >
        <button
          type="button"
          className="aiosw-plain aiosw-group-open"
          data-group={id}
          data-status={summary.worst}
          aria-expanded={false}
          aria-label={`${text}. Enter opens it.`}
          title={text}
          tabIndex={reachable ? 0 : -1}
          onClick={() => actions.toggle(id)}
          onKeyDown={e => actions.walk(id, e.key) && e.preventDefault()}
        >
          <span className="aiosw-node-name">
            <svg className="aiosw-mark" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
              <path d="M2.5 2.5h11v11h-11zM8 5v6M5 8h6" fill="none" stroke="currentColor" strokeWidth="1.6" />
            </svg>
            <span className="aiosw-ellipsis">{label}</span>
          </span>
          <span className="aiosw-node-meta">
            <span>{`${count(summary.total)} steps`}</span>
            {summary.seconds > 0 && <span>{duration(summary.seconds)}</span>}
            {found > 0 && <em className="aiosw-badge">{`${count(found)} found`}</em>}
            {summary.stale > 0 && <em className="aiosw-badge" data-tone="stale">{`${count(summary.stale)} stale`}</em>}
          </span>
        </button>
        <Stack summary={summary} />
        <span className="aiosw-group-counts">
          {summary.counts.slice(0, 4).map(([status, n]) => (
            <button
              key={status}
              type="button"
              className="aiosw-plain aiosw-group-count"
              data-status={status}
              tabIndex={reachable ? 0 : -1}
              aria-label={`${count(n)} ${status}: go to the first`}
              title={`${count(n)} ${status}`}
              onClick={() => actions.first(id, status)}
            >
              <StateMark status={status} />
              {short(n)}
            </button>
          ))}
        </span>
      </div>
      <Handle type="source" position={sourcePosition ?? Position.Right} isConnectable={false} />
    </>
  );
});

function Stack({ summary }: { summary: Summary }): JSX.Element {
  return (
    <span
      className="aiosw-stack"
      role="progressbar"
      aria-label="Steps that are over"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(summary.progress * 100)}
    >
      {summary.counts.map(([status, n]) => (
        <span key={status} data-status={status} style={{ flexGrow: n }} />
      ))}
    </span>
  );
}

export function short(n: number): string {
  return n < 10000 ? count(n) : `${Math.round(n / 1000)}k`;
}

export const FrameView = memo(function FrameView({ id, data }: NodeProps<FrameNode>): JSX.Element {
  const actions = useContext(Actions);
  return (
    <div className="aiosw-frame" style={{ width: data.width, height: data.height }} data-status={data.summary.worst}>
      <button
        type="button"
        className="aiosw-plain aiosw-frame-head nopan nodrag"
        data-frame={id}
        aria-expanded
        aria-label={`${words(data.label, data.summary)}. Enter closes it.`}
        tabIndex={-1}
        onClick={() => actions.toggle(id)}
      >
        <svg className="aiosw-mark" viewBox="0 0 16 16" width="13" height="13" aria-hidden="true">
          <path d="M2.5 2.5h11v11h-11zM5 8h6" fill="none" stroke="currentColor" strokeWidth="1.6" />
        </svg>
        <span className="aiosw-ellipsis">{data.label}</span>
        <small>{count(data.summary.total)}</small>
      </button>
    </div>
  );
});
