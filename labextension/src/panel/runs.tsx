// Runs, newest first: filter, list, details on demand.
import { useEffect, useRef, useState } from 'react';
import type { Run, RunStatus, Snapshot } from '../api';
import { StatusBadge } from './badge';
import { CopyButton } from '../shared';
import { ago, duration, moment, plural, ticking } from './format';
import { Button, Empty, Fold, useNow } from './hooks';
import type { PanelModel } from './model';
import type { PanelActions } from './panel';
import { RunBody } from './run';

const STATUSES: RunStatus[] = ['running', 'waiting', 'queued', 'failed', 'interrupted', 'succeeded', 'cancelled'];
const MOVING = new Set<string>(['running', 'queued', 'waiting']);

interface Props {
  model: PanelModel;
  shot: Snapshot;
  actions: PanelActions;
}

export function RunsSection({ model, shot, actions }: Props): JSX.Element {
  const [open, setOpen] = useState<string | null>(null);
  const now = useNow(model, shot.runs.some(r => MOVING.has(r.status)));
  const list = useRef<HTMLUListElement>(null);
  const focused = model.focused;
  useEffect(() => {
    if (focused && shot.runs.some(r => r.run_id === focused)) {
      model.focused = null;
      setOpen(focused);
      list.current?.querySelector(`[data-id="${CSS.escape(focused)}"] .aios-fold-head`)?.scrollIntoView({ block: 'nearest' });
    }
  }, [focused, shot, model]);

  if (shot.runs.length === 0 && !model.filtered) {
    return <FirstSteps exists={shot.workspace.exists} promote={actions.promote} />;
  }
  const total = model.filter.status
    ? (shot.counts[model.filter.status as RunStatus] ?? 0)
    : Object.values(shot.counts).reduce((sum, n) => sum + n, 0);
  return (
    <>
      <Filter model={model} shot={shot} />
      {shot.runs.length === 0 ? (
        <Empty title="No run matches">
          <Button onClick={() => model.setFilter({ search: '', status: '' })}>Show all runs</Button>
        </Empty>
      ) : (
        <ul className="aios-list" ref={list} aria-label="Runs">
          {shot.runs.map(run => (
            <Fold
              key={run.run_id}
              id={run.run_id}
              testId="aios-run"
              open={open === run.run_id}
              onToggle={() => setOpen(open === run.run_id ? null : run.run_id)}
              head={<RunHead run={run} now={now} />}
            >
              <RunBody model={model} run={run} now={now} actions={actions} />
            </Fold>
          ))}
        </ul>
      )}
      {shot.runs.length >= model.limit && model.limit < 500 && (
        <div className="aios-more">
          <Button onClick={() => model.more()}>Show older runs</Button>
          {!model.filter.search && <span className="aios-dim">{`${shot.runs.length} of ${plural(total, 'run')}`}</span>}
        </div>
      )}
    </>
  );
}

function Filter({ model, shot }: { model: PanelModel; shot: Snapshot }): JSX.Element {
  return (
    <div className="aios-filter" role="search">
      <input
        type="search"
        className="aios-input"
        placeholder="Filter"
        aria-label="Filter runs by workflow or id"
        value={model.filter.search}
        maxLength={200}
        onChange={e => model.setFilter({ search: e.currentTarget.value })}
      />
      <select
        className="aios-input"
        aria-label="Filter runs by status"
        value={model.filter.status}
        onChange={e => model.setFilter({ status: e.currentTarget.value })}
      >
        <option value="">all states</option>
        {STATUSES.map(status => (
          <option key={status} value={status}>
            {`${status} (${shot.counts[status] ?? 0})`}
          </option>
        ))}
      </select>
    </div>
  );
}

function RunHead({ run, now }: { run: Run; now: number }): JSX.Element {
  const total = run.steps_total ?? 0;
  const done = run.steps_done ?? 0;
  const began = run.started_at ?? run.created_at;
  const took = (run.ended_at ?? now) - began;
  return (
    <>
      <span className="aios-row">
        <span className="aios-name" title={run.workflow}>
          {run.workflow}
        </span>
        {run.started_at !== null && <span className="aios-time">{run.ended_at === null ? ticking(took) : duration(took)}</span>}
      </span>
      <span className="aios-row aios-sub">
        <StatusBadge status={run.status} />
        {total > 0 && <span title={`${done} of ${plural(total, 'step')} done`}>{`${done}/${total}`}</span>}
        {MOVING.has(run.status) && run.current && (
          <span className="aios-current" title={`at step ${run.current}`}>
            {run.current}
          </span>
        )}
        <span className="aios-ago" title={moment(began)}>
          {ago(began, now)}
        </span>
      </span>
      {run.job && (
        <span className="aios-row aios-sub">
          <span className="aios-tag" title={`Started by the job ${run.job.name}`}>{`job ${run.job.name}`}</span>
        </span>
      )}
      {total > 0 && MOVING.has(run.status) && (
        <span
          className={`aios-bar aios-is-${run.status}`}
          role="progressbar"
          aria-label={`${run.workflow}: steps done`}
          aria-valuenow={done}
          aria-valuemin={0}
          aria-valuemax={total}
        >
          <span style={{ width: `${(100 * done) / total}%` }} />
        </span>
      )}
    </>
  );
}

const EXAMPLE = `import aios_workbench as aios

wf = aios.Workflow("hello")

@wf.step
def load():
    return [1, 2, 3]

@wf.step
def total(load):
    return sum(load)

wf.run()`;

function FirstSteps({ exists, promote }: { exists: boolean; promote: () => void }): JSX.Element {
  return (
    <Empty title="No runs yet">
      <p>Plain functions in a notebook cell become steps. Run this in a notebook and watch it here:</p>
      <pre className="aios-code" data-testid="aios-example">
        {EXAMPLE}
      </pre>
      <div className="aios-actions">
        <CopyButton text={EXAMPLE} what="the example" />
        <Button onClick={promote}>Promote a notebook…</Button>
      </div>
      {!exists && <p className="aios-dim">The workspace folder is made when the first workflow runs.</p>}
    </Empty>
  );
}
