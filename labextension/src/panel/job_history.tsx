// One run of a job: how it ended and what it left.
import { sentence, type Job, type JobRun } from '../api';
import { StatusBadge } from './badge';
import { ago, brief, duration, moment, tick, ticking } from './format';
import type { PanelModel } from './model';
import { ErrorBox } from './run';

const MOVING = new Set(['queued', 'running']);
/** These ends have a reason, not an error. */
const ON_PURPOSE = new Set(['skipped', 'cancelled']);

interface RowProps {
  model: PanelModel;
  job: Job;
  run: JobRun;
  now: number;
  busy: boolean;
  onCancel: () => void;
  onRun: (runId: string) => void;
}

export function HistoryRow({ model, job, run, now, busy, onCancel, onRun }: RowProps): JSX.Element {
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
            <span className="aios-hidden"> of this run, in a new tab</span>
          </a>
        )}
        {run.notebook && (
          <a href={model.api.fileUrl(job.job_id, run.job_run_id, 'notebook')} download>
            Notebook
          </a>
        )}
        {run.runs.map((id, i) => (
          <button key={id} type="button" className="aios-link" onClick={() => onRun(id)}>
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
