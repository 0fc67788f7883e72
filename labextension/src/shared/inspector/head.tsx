// The head of a run: what runs, how it stands, for how long, and what can be done about it. Below it what needs a person.
import { type ReactNode, useState } from 'react';

import type { GraphState, StepStatus } from '../../protocol';
import { CopyButton } from '../copy';
import { duration, ticking } from '../format';
import { StateChip, StateMark } from '../states';
import { useNow } from '../tick';

const ORDER: StepStatus[] = ['failed', 'waiting', 'retrying', 'running', 'succeeded', 'compensated', 'skipped', 'cancelled', 'pending'];
export const MOVING = new Set(['queued', 'running', 'waiting']);
const RESUMABLE = new Set(['failed', 'cancelled', 'interrupted']);

export type RunAction = { kind: 'cancel' } | { kind: 'resume' } | { kind: 'rerun_from'; step: string } | { kind: 'redrive'; step: string };

interface Props {
  state: GraphState;
  skew: number;
  lost: boolean;
  canAct: boolean;
  act: (action: RunAction) => Promise<void>;
  /** Further buttons. */
  children?: ReactNode;
  openRun?: (runId: string) => void;
}

export function Header({ state, skew, lost, canAct, act, children, openRun }: Props): JSX.Element {
  const run = state.run;
  const [busy, setBusy] = useState(false);
  const click = (action: RunAction) => () => {
    setBusy(true);
    void act(action).finally(() => setBusy(false));
  };
  const stale = state.nodes.filter(n => n.stale).length;
  const root = onlyRoot(state);
  const off = busy || lost || !canAct;
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
          <button type="button" disabled={off} onClick={click({ kind: 'cancel' })}>Cancel run</button>
        )}
        {run && RESUMABLE.has(run.status) && (
          <button type="button" className="aiosw-primary" disabled={off} onClick={click({ kind: 'resume' })}>Resume run</button>
        )}
        {run && !MOVING.has(run.status) && root !== null && (
          <button type="button" disabled={off} title="A new run of all steps, with the same code and parameters" onClick={click({ kind: 'rerun_from', step: root })}>
            Rerun all
          </button>
        )}
        {children}
      </div>
      {run && (
        <div className="aiosw-run">
          <span className="aiosw-inline">run <code>{run.run_id}</code> <CopyButton text={run.run_id} what="the run's id" /></span>
          {run.rerun_from && (
            <span>
              rerun from <b>{run.rerun_from}</b>
              {run.parent_run_id && openRun && (
                <> of <button type="button" className="aiosw-link" title={run.parent_run_id} onClick={() => openRun(run.parent_run_id as string)}>another run</button></>
              )}
            </span>
          )}
          {run.params && <span className="aiosw-ellipsis" title={run.params}>with {run.params}</span>}
        </div>
      )}
      <span className="aiosw-hidden" role="status">{run ? `run ${run.status}` : ''}</span>
    </header>
  );
}

/** The one step all others come after; with several a rerun from one would not be a rerun of all. */
function onlyRoot(state: GraphState): string | null {
  const roots = state.nodes.filter(n => n.deps.length === 0 && n.after.length === 0);
  return roots.length === 1 ? roots[0].name : null;
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
  /** Empty: somebody is there. */
  lost: string;
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
      {lost && <p className="aiosw-notice" data-tone="quiet" role="status">{lost}</p>}
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
