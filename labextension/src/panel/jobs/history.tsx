// The runs of a job, newest first; each opens to its cells, its log and what it left.
import { useEffect, useRef, useState } from 'react';
import { type Job, type JobRun, sentence } from '../../api';
import { StatusBadge } from '../badge';
import { sure } from '../confirm';
import { ago, brief, duration, moment, tick, ticking } from '../format';
import { Button, Failure, Skeleton, useAction, useAsk } from '../hooks';
import type { PanelModel } from '../model';
import { ErrorBox } from '../run';
import { MOVING } from './head';
import { JobRunBody } from './run';

interface Props {
  model: PanelModel;
  job: Job;
  now: number;
  run: string | null;
  onRun: (jobRunId: string | null) => void;
}

/** These ends have a reason, not an error. */
const ON_PURPOSE: ReadonlySet<string> = new Set(['skipped', 'cancelled']);
const PAGE = 50; // as the server gives them

export function History({ model, job, now, run: open, onRun }: Props): JSX.Element {
  const action = useAction();
  const last = job.last;
  const { data, error, again } = useAsk(
    () => model.api.jobs.history(job.job_id),
    [job.job_id, job.version, last?.job_run_id, last?.status, last?.attempt, model.snapshot?.seq]
  );
  const older = useOlder(model, job.job_id);
  const act = (work: () => Promise<unknown>): void =>
    action.go(async () => {
      await work();
      await model.refresh();
      again();
    });
  const cancel = async (run: JobRun): Promise<void> => {
    const ask = model.settings.get('confirmCancel');
    if (!ask || (await sure('Cancel this run of the job?', `“${brief(job.name, 80)}” stops where it is. The next tick starts anew.`, 'Cancel run', 'Keep running'))) {
      act(() => model.api.jobs.cancel(job.job_id, run.job_run_id));
    }
  };
  const known = new Set(data?.runs.map(r => r.job_run_id));
  const runs = [...(data?.runs ?? []), ...older.runs.filter(r => !known.has(r.job_run_id))];
  // A run the strip knows and this page does not: shown above the others.
  const asked = open !== null && data !== null && !runs.some(r => r.job_run_id === open) ? open : null;
  const params = Object.entries(job.parameters);
  return (
    <>
      {params.length > 0 && (
        <p className="aios-params" title={params.map(([n, v]) => `${n} = ${brief(v, 500)}`).join('\n')}>
          <span className="aios-dim">with </span>
          {params.map(([n, v]) => `${n} = ${brief(v, 60)}`).join(', ')}
        </p>
      )}
      <Failure error={action.error} />
      {error && <Failure error={error} retry={again} />}
      {!data && !error && <Skeleton rows={2} label="Loading history" />}
      {data && runs.length === 0 && <p className="aios-dim">No run yet. “Run now” starts one.</p>}
      {asked && <JobRunBody model={model} job={job} jobRunId={asked} now={now} busy={action.busy} onRetry={id => act(() => retry(id))} onAgain={params => act(() => startAgain(params))} />}
      {runs.length > 0 && (
        <ol className="aios-history" aria-label={`History of ${job.name}`}>
          {runs.map(run => (
            <HistoryRow
              key={run.job_run_id}
              model={model}
              job={job}
              run={run}
              now={now}
              busy={action.busy}
              open={open === run.job_run_id}
              onToggle={() => onRun(open === run.job_run_id ? null : run.job_run_id)}
              onCancel={() => void cancel(run)}
              onRetry={id => act(() => retry(id))}
              onAgain={params => act(() => startAgain(params))}
            />
          ))}
        </ol>
      )}
      {data && data.runs.length === PAGE && !older.over && (
        <div className="aios-actions">
          <Button disabled={older.busy} onClick={() => older.more(runs[runs.length - 1])}>
            {older.busy ? 'Loading…' : 'Earlier runs'}
          </Button>
        </div>
      )}
      <Failure error={older.error} />
    </>
  );

  async function retry(id: string): Promise<void> {
    const made = await model.api.jobs.resumeRun(job.job_id, id);
    model.caused(made.job_run_id);
    onRun(made.job_run_id);
  }

  async function startAgain(params: Record<string, unknown>): Promise<void> {
    const made = await model.api.jobs.trigger(job.job_id, params);
    model.caused(made.job_run_id);
    onRun(made.job_run_id);
  }
}

/** Pages of runs before those of the first answer. */
function useOlder(model: PanelModel, jobId: string) {
  const action = useAction();
  const [runs, setRuns] = useState<JobRun[]>([]);
  const [over, setOver] = useState(false);
  const more = (before: JobRun): void =>
    action.go(async () => {
      const found = await model.api.jobs.history(jobId, before.tick_at ?? before.queued_at);
      setOver(found.runs.length < PAGE);
      setRuns(old => [...old, ...found.runs.filter(r => !old.some(o => o.job_run_id === r.job_run_id))]);
    });
  return { runs, over, more, busy: action.busy, error: action.error };
}

interface RowProps {
  model: PanelModel;
  job: Job;
  run: JobRun;
  now: number;
  busy: boolean;
  open: boolean;
  onToggle: () => void;
  onCancel: () => void;
  onRetry: (jobRunId: string) => void;
  onAgain: (params: Record<string, unknown>) => void;
}

export function HistoryRow({ model, job, run, now, busy, open, onToggle, onCancel, onRetry, onAgain }: RowProps): JSX.Element {
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (open) {
      row.current?.scrollIntoView({ block: 'nearest' });
    }
  }, [open]);
  const began = run.started_at ?? run.queued_at;
  return (
    <li ref={row} className={`aios-history-row${open ? ' aios-mod-open' : ''}`} data-testid="aios-job-run" data-status={run.status} data-run={run.job_run_id}>
      <button type="button" className="aios-history-head" aria-expanded={open} onClick={onToggle}>
        <span className="aios-row">
          <span className="aios-caret" aria-hidden="true" />
          <StatusBadge status={run.status} />
          {run.started_at !== null && (
            <span className="aios-time">{run.ended_at === null ? ticking(now - run.started_at) : duration(run.ended_at - run.started_at)}</span>
          )}
          <span className="aios-ago" title={moment(began)}>
            {ago(began, now)}
          </span>
        </span>
        <span className="aios-row aios-sub aios-wrap aios-history-why">
          <span>{why(job, run)}</span>
          {run.attempt > 1 && <span className="aios-note">{`attempt ${run.attempt}`}</span>}
          {run.version !== job.version && <span className="aios-note">{`version ${run.version}`}</span>}
          {run.role && <span className="aios-note">{run.role}</span>}
        </span>
      </button>
      <div className="aios-history-rest">
        {run.error && (ON_PURPOSE.has(run.status) ? <span className="aios-sub">{sentence(run.error.message)}</span> : <ErrorBox error={run.error} />)}
        <span className="aios-row aios-sub aios-wrap aios-links">
          {run.html && (
            <a href={model.api.fileUrl(job.job_id, run.job_run_id, 'html')} target="_blank" rel="noopener noreferrer">
              Report
              <span className="aios-hidden"> of this run, in a new tab</span>
            </a>
          )}
          {run.notebook && (
            <a href={model.api.fileUrl(job.job_id, run.job_run_id, 'notebook')} download>
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
        {open && <JobRunBody model={model} job={job} jobRunId={run.job_run_id} row={run} now={now} busy={busy} onRetry={onRetry} onAgain={onAgain} />}
      </div>
    </li>
  );
}

const TRIGGERS: Record<string, string> = {
  schedule: 'scheduled', missed: 'missed tick', manual: 'started by hand', event: 'an event was told', after: 'after another job',
  backfill: 'backfill', retry: 'taken up again', shadow: 'in the shadow'
};

function why(job: Job, run: JobRun): string {
  const at = run.tick_at ?? run.logical_at;
  const word = TRIGGERS[run.trigger] ?? run.trigger;
  return at === null || run.trigger === 'manual' ? word : `${word}, ${tick(at, job.timezone)}`;
}
