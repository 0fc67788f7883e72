import { useState } from 'react';

import type { GraphState, StepStatus } from '../src/protocol';
import { duration, ticking } from '../src/shared/format';
import { StateChip, StateMark } from '../src/shared/states';
import { useNow } from '../src/shared/tick';

const ORDER: StepStatus[] = ['failed', 'waiting', 'retrying', 'running', 'succeeded', 'skipped', 'cancelled', 'pending'];
const MOVING = new Set(['queued', 'running', 'waiting']);
const RESUMABLE = new Set(['failed', 'cancelled', 'interrupted']);

interface Props {
  state: GraphState;
  skew: number;
  lost: boolean;
  act: (request: { kind: 'cancel' } | { kind: 'resume' }) => Promise<void>;
}

export function Header({ state, skew, lost, act }: Props): JSX.Element {
  const run = state.run;
  const [busy, setBusy] = useState(false);
  const click = (kind: 'cancel' | 'resume') => () => {
    setBusy(true);
    void act({ kind }).finally(() => setBusy(false));
  };
  const stale = state.nodes.filter(n => n.stale).length;
  return (
    <header className="aiosw-header">
      <div className="aiosw-title">
        <strong title={state.description || undefined}>{state.workflow}</strong>
        {run ? <StateChip status={run.status} /> : <span className="aiosw-chip" data-status="pending">not run yet</span>}
        {run && (
          <span className="aiosw-quiet">
            {MOVING.has(run.status) && !lost ? <Elapsed since={run.started_at ?? run.created_at} skew={skew} /> : took(run)}
          </span>
        )}
      </div>
      <div className="aiosw-counts" aria-label="Steps by state">
        {ORDER.map(status => {
          const n = state.nodes.filter(s => s.status === status).length;
          return n > 0 ? (
            <span key={status} className="aiosw-count" data-status={status}>
              <StateMark status={status} />
              {n} {status}
            </span>
          ) : null;
        })}
        {stale > 0 && <span className="aiosw-count" data-status="stale">{stale} stale</span>}
      </div>
      <div className="aiosw-buttons">
        {run && MOVING.has(run.status) && (
          <button type="button" disabled={busy || lost} onClick={click('cancel')}>Cancel run</button>
        )}
        {run && RESUMABLE.has(run.status) && (
          <button type="button" className="aiosw-primary" disabled={busy || lost} onClick={click('resume')}>Resume run</button>
        )}
      </div>
      {run && (
        <div className="aiosw-run">
          <span>run <code>{run.run_id}</code></span>
          {run.rerun_from && <span>rerun from <b>{run.rerun_from}</b></span>}
          {run.params && <span className="aiosw-ellipsis" title={run.params}>with {run.params}</span>}
        </div>
      )}
      <span className="aiosw-hidden" role="status">{run ? `run ${run.status}` : ''}</span>
    </header>
  );
}

function took(run: NonNullable<GraphState['run']>): string {
  const start = run.started_at ?? run.created_at;
  return run.ended_at === null ? '' : duration(run.ended_at - start);
}

function Elapsed({ since, skew }: { since: number; skew: number }): JSX.Element {
  return <>{ticking(useNow() + skew - since)}</>;
}

interface NoticeProps {
  state: GraphState;
  lost: boolean;
  problem: string;
  open: string | null;
  onOpen: (step: string) => void;
  onDismiss: () => void;
}

export function Notices({ state, lost, problem, open, onOpen, onDismiss }: NoticeProps): JSX.Element {
  const waiting = state.gates.filter(g => g.step !== open);
  const failed = state.run?.status === 'failed' ? state.nodes.find(n => n.status === 'failed' && n.name !== open) : undefined;
  return (
    <>
      {lost && (
        <p className="aiosw-notice" data-tone="quiet" role="status">
          Kernel gone: this is the last known state. Run the cell again to follow the run.
        </p>
      )}
      {state.problem && <p className="aiosw-notice" data-tone="failed" role="alert">{state.problem}</p>}
      {problem && (
        <p className="aiosw-notice" data-tone="failed" role="alert">
          <span>{problem}</span>
          <button type="button" onClick={onDismiss}>Dismiss</button>
        </p>
      )}
      {waiting.map(g => (
        <p key={g.step} className="aiosw-notice" data-tone="waiting" role="status">
          <span><StateMark status="waiting" /> <b>{g.step}</b> waits for a decision.</span>
          <button type="button" className="aiosw-primary" onClick={() => onOpen(g.step)}>Review</button>
        </p>
      ))}
      {failed && (
        <p className="aiosw-notice" data-tone="failed" role="status">
          <span><StateMark status="failed" /> <b>{failed.name}</b> failed{failed.error ? `: ${failed.error}` : '.'}</span>
          <button type="button" onClick={() => onOpen(failed.name)}>Show</button>
        </p>
      )}
    </>
  );
}
