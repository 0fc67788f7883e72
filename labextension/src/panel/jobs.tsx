// Jobs: what is scheduled, when next, how it went.
import { showDialog, Dialog } from '@jupyterlab/apputils';
import { useEffect, useRef, useState } from 'react';
import { sentence, type Job, type JobRun, type Snapshot } from '../api';
import { StatusBadge } from './badge';
import { ago, brief, duration, moment, tick, ticking, until } from './format';
import { Button, Empty, Failure, Fold, Skeleton, useAction, useAsk, useNow } from './hooks';
import type { PanelModel } from './model';
import type { PanelActions } from './panel';
import { ErrorBox } from './run';

interface Props {
  model: PanelModel;
  shot: Snapshot;
  actions: PanelActions;
}

const MOVING = new Set(['queued', 'running']);
/** These ends have a reason, not an error. */
const ON_PURPOSE = new Set(['skipped', 'cancelled']);

export function JobsSection({ model, shot, actions }: Props): JSX.Element {
  const [open, setOpen] = useState<string | null>(null);
  const now = useNow(model, shot.jobs.some(j => j.last && MOVING.has(j.last.status)));
  const list = useRef<HTMLUListElement>(null);
  const focused = model.focused;
  useEffect(() => {
    if (focused && shot.jobs.some(j => j.job_id === focused)) {
      model.focused = null;
      setOpen(focused);
      list.current?.querySelector(`[data-id="${CSS.escape(focused)}"] .aios-fold-head`)?.scrollIntoView({ block: 'nearest' });
    }
  }, [focused, shot, model]);

  if (shot.jobs.length === 0) {
    return (
      <Empty title="No jobs yet">
        <p>A job runs a finished notebook in a fresh kernel: on a schedule, or when you say so.</p>
        <ol>
          <li>Tag one cell “parameters” and assign its defaults there.</li>
          <li>Promote the notebook: from here, from its toolbar, or from the file browser’s menu.</li>
          <li>
            Leave <code>aios worker</code> running in a terminal; it needs no JupyterLab.
          </li>
        </ol>
        <Button kind="primary" onClick={actions.promote}>
          Promote a notebook…
        </Button>
      </Empty>
    );
  }
  const due = shot.jobs.some(j => j.schedule && j.status === 'active');
  return (
    <>
      {due && shot.workers === 0 && (
        <div className="aios-notice" role="note" data-testid="aios-no-worker">
          <b>No worker is running,</b> so schedules wait. Start one in a terminal: <code>aios worker</code>
        </div>
      )}
      <ul className="aios-list" ref={list} aria-label="Jobs">
        {shot.jobs.map(job => (
          <Fold
            key={job.job_id}
            id={job.job_id}
            testId="aios-job"
            open={open === job.job_id}
            onToggle={() => setOpen(open === job.job_id ? null : job.job_id)}
            head={<JobHead job={job} now={now} />}
          >
            <JobBody model={model} job={job} now={now} />
          </Fold>
        ))}
      </ul>
      <div className="aios-more">
        <Button onClick={actions.promote}>Promote a notebook…</Button>
      </div>
    </>
  );
}

function JobHead({ job, now }: { job: Job; now: number }): JSX.Element {
  const last = job.last;
  return (
    <>
      <span className="aios-row">
        <span className="aios-name" title={job.name}>
          {job.name}
        </span>
        {job.status === 'paused' && <StatusBadge status="paused" />}
      </span>
      <span className="aios-row aios-sub aios-wrap">
        <span title={job.schedule ?? undefined}>{job.schedule ? job.schedule_words : 'Only when triggered'}</span>
      </span>
      {job.status === 'active' && job.next_tick_at !== null && (
        <span className="aios-row aios-sub" title={`${moment(job.next_tick_at)} in your own time zone`}>
          <span>{`next ${tick(job.next_tick_at, job.timezone)}`}</span>
          <span className="aios-ago">{until(job.next_tick_at, now)}</span>
        </span>
      )}
      <span className="aios-row aios-sub">
        {last ? (
          <>
            <span className="aios-dim">last</span>
            <StatusBadge status={last.status} />
            <span className="aios-ago" title={moment(last.started_at ?? last.queued_at)}>
              {ago(last.started_at ?? last.queued_at, now)}
            </span>
          </>
        ) : (
          <span className="aios-dim">never ran</span>
        )}
      </span>
    </>
  );
}

function JobBody({ model, job, now }: { model: PanelModel; job: Job; now: number }): JSX.Element {
  const action = useAction();
  const last = job.last;
  const { data, error, again } = useAsk(
    () => model.api.history(job.job_id),
    [job.job_id, job.version, last?.job_run_id, last?.status, last?.attempt, model.snapshot?.seq]
  );
  const act = (work: () => Promise<unknown>) =>
    action.go(async () => {
      await work();
      await model.refresh();
      again();
    });
  const remove = async () => {
    const answer = await showDialog({
      title: 'Remove this job?',
      body: `“${brief(job.name, 80)}” is removed with all its versions, its history and the notebooks and reports of its past runs. The audit trail keeps that it was there.`,
      buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: 'Remove job' })],
      defaultButton: 0
    });
    if (answer.button.accept) {
      act(() => model.api.removeJob(job.job_id));
    }
  };
  const params = Object.entries(job.parameters);
  return (
    <>
      <div className="aios-actions">
        <Button kind="primary" disabled={action.busy} title="Run it now with its own parameters" onClick={() => act(() => model.api.trigger(job.job_id))}>
          Run now
        </Button>
        {job.status === 'active' ? (
          <Button disabled={action.busy} title="Keep the job, fire no ticks" onClick={() => act(() => model.api.job(job.job_id, 'pause'))}>
            Pause
          </Button>
        ) : (
          <Button disabled={action.busy} onClick={() => act(() => model.api.job(job.job_id, 'resume'))}>
            Resume
          </Button>
        )}
        <Button kind="danger" disabled={action.busy} onClick={() => void remove()}>
          Remove…
        </Button>
      </div>
      <Failure error={action.error} />
      <h3 className="aios-label">History</h3>
      {error && <Failure error={error} retry={again} />}
      {!data && !error && <Skeleton rows={2} label="Loading history" />}
      {data && data.runs.length === 0 && <p className="aios-dim">No run yet.</p>}
      {data && data.runs.length > 0 && (
        <ol className="aios-history" aria-label={`History of ${job.name}`}>
          {data.runs.map(run => (
            <HistoryRow
              key={run.job_run_id}
              model={model}
              job={job}
              run={run}
              now={now}
              busy={action.busy}
              onCancel={() => act(() => model.api.cancelJobRun(job.job_id, run.job_run_id))}
            />
          ))}
        </ol>
      )}
      <dl className="aios-facts">
        <div>
          <dt>notebook</dt>
          <dd title={job.notebook}>{job.notebook}</dd>
        </div>
        {params.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd title={brief(value, 2000)}>{brief(value)}</dd>
          </div>
        ))}
        <div>
          <dt>missed ticks</dt>
          <dd>{{ latest: 'run the latest', all: 'run all', skip: 'skip' }[job.missed] ?? job.missed}</dd>
        </div>
        <div>
          <dt>version</dt>
          <dd>{`${job.version}${job.created_by ? `, promoted by ${job.created_by}` : ''}`}</dd>
        </div>
      </dl>
    </>
  );
}

interface RowProps {
  model: PanelModel;
  job: Job;
  run: JobRun;
  now: number;
  busy: boolean;
  onCancel: () => void;
}

function HistoryRow({ model, job, run, now, busy, onCancel }: RowProps): JSX.Element {
  const began = run.started_at ?? run.queued_at;
  const why = { schedule: 'scheduled', missed: 'missed tick', manual: 'started by hand' }[run.trigger] ?? run.trigger;
  return (
    <li className="aios-history-row" data-testid="aios-job-run" data-status={run.status}>
      <span className="aios-row">
        <StatusBadge status={run.status} />
        {run.started_at !== null && (
          <span className="aios-time">{run.ended_at === null ? ticking(now - run.started_at) : duration(run.ended_at - run.started_at)}</span>
        )}
        <span className="aios-ago" title={moment(began)}>
          {ago(began, now)}
        </span>
      </span>
      <span className="aios-row aios-sub aios-wrap">
        <span>{run.tick_at === null ? why : `${why}, ${tick(run.tick_at, job.timezone)}`}</span>
        {run.attempt > 1 && <span className="aios-note">{`attempt ${run.attempt}`}</span>}
      </span>
      {run.error && (ON_PURPOSE.has(run.status) ? <span className="aios-sub">{sentence(run.error.message)}</span> : <ErrorBox error={run.error} />)}
      <span className="aios-row aios-sub aios-wrap aios-links">
        {run.html && (
          <a href={model.api.fileUrl(job.job_id, run.job_run_id, 'html')} target="_blank" rel="noopener noreferrer">
            Report
          </a>
        )}
        {run.notebook && (
          <a href={model.api.fileUrl(job.job_id, run.job_run_id, 'notebook')} target="_blank" rel="noopener noreferrer">
            Notebook
          </a>
        )}
        {run.runs.map((id, i) => (
          <button key={id} type="button" className="aios-link" onClick={() => model.show('runs', id)}>
            {run.runs.length > 1 ? `Run ${i + 1}` : 'Steps'}
          </button>
        ))}
        {MOVING.has(run.status) && (
          <button type="button" className="aios-link" disabled={busy} onClick={onCancel}>
            Cancel
          </button>
        )}
      </span>
    </li>
  );
}
