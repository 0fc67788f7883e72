// One run of a job, opened: its cells as they go, what they printed, with what it ran and what it took.
import { useEffect, useState } from 'react';
import { type Job, type JobCell, type JobRun, type JobRunDetail, sentence } from '../../api';
import { bytes, CopyButton } from '../../shared';
import { StatusBadge } from '../badge';
import { brief, duration, moment, plural, ticking } from '../format';
import { Button, Failure, Skeleton, useAsk } from '../hooks';
import type { PanelModel } from '../model';
import { MOVING } from './head';
import { JobLog } from './log';

interface Props {
  model: PanelModel;
  job: Job;
  jobRunId: string;
  /** The run as the list has it: says when there is more to ask for. */
  row?: JobRun;
  now: number;
  busy: boolean;
  onRetry: (jobRunId: string) => void;
  onAgain: (params: Record<string, unknown>) => void;
}

const EVERY = 2000; // ms between two looks at the cells of a run that goes on
const FAILED: ReadonlySet<string> = new Set(['failed', 'timeout', 'cancelled']);

export function JobRunBody({ model, job, jobRunId, row, now, busy, onRetry, onAgain }: Props): JSX.Element {
  const [round, setRound] = useState(0);
  const [whole, setWhole] = useState(false);
  const { data, error, again } = useAsk(
    () => model.api.jobs.run(job.job_id, jobRunId),
    [job.job_id, jobRunId, row?.status, row?.attempt, round]
  );
  const status = row?.status ?? data?.status;
  const live = status !== undefined && MOVING.has(status);
  useEffect(() => {
    if (live) {
      const timer = window.setInterval(() => !document.hidden && setRound(n => n + 1), EVERY);
      return () => window.clearInterval(timer);
    }
    return undefined;
  }, [live]);
  if (!data) {
    return error ? <Failure error={error} retry={again} /> : <Skeleton rows={2} label="Loading the run" />;
  }
  return (
    <section className="aios-job-run" aria-label={`Run ${jobRunId}`} data-testid="aios-job-run-body">
      {error && <Failure error={error} retry={again} />}
      {data.cells.length > 0 && <Cells model={model} job={job} run={data} live={live} now={now} />}
      <div className="aios-actions">
        {FAILED.has(data.status) && data.cannot_resume === null && (
          <Button kind="primary" disabled={busy} title="A new run that takes over what succeeded before" onClick={() => onRetry(jobRunId)}>
            Retry from the failed step
          </Button>
        )}
        {!live && data.status !== 'skipped' && (
          <Button disabled={busy || job.status === 'waiting'} title="A new run from the start, with the parameters of this one" onClick={() => onAgain((data.params ?? {}) as Record<string, unknown>)}>
            Run again
          </Button>
        )}
        <Button expanded={whole} onClick={() => setWhole(!whole)}>
          {whole ? 'Hide log' : 'Whole log'}
        </Button>
      </div>
      {FAILED.has(data.status) && data.cannot_resume !== null && (
        <p className="aios-sub aios-quiet-line">{`It cannot go on from where it failed: ${data.cannot_resume}`}</p>
      )}
      {whole && <JobLog model={model} job={job.job_id} run={jobRunId} cell={null} live={live} label={`Log of run ${jobRunId}`} />}
      <Facts model={model} run={data} />
    </section>
  );
}

function Cells(props: { model: PanelModel; job: Job; run: JobRunDetail; live: boolean; now: number }): JSX.Element {
  const { run, live, now } = props;
  const [chosen, setChosen] = useState<number | null | undefined>(undefined);
  // Unless the reader has chosen: what failed, or what goes on.
  const telling = run.cells.find(c => c.status === 'failed' || c.status === 'timeout') ?? (live ? run.cells.find(c => c.status === 'running') : undefined);
  const open = chosen === undefined ? (telling?.position ?? null) : chosen;
  const done = run.cells.filter(c => c.status === 'succeeded').length;
  return (
    <>
      <h4 className="aios-label">{`Cells: ${done} of ${run.cells.length} done`}</h4>
      <ol className="aios-cells" aria-label="Cells">
        {run.cells.map(cell => (
          <Cell key={cell.position} {...props} cell={cell} now={now} open={open === cell.position} onToggle={() => setChosen(open === cell.position ? null : cell.position)} />
        ))}
      </ol>
    </>
  );
}

interface CellProps {
  model: PanelModel;
  job: Job;
  run: JobRunDetail;
  cell: JobCell;
  live: boolean;
  now: number;
  open: boolean;
  onToggle: () => void;
}

function Cell({ model, job, run, cell, live, now, open, onToggle }: CellProps): JSX.Element {
  const took = cell.started_at === null ? null : (cell.ended_at ?? now) - cell.started_at;
  return (
    <li className="aios-cell" data-testid="aios-cell" data-status={cell.status}>
      <button type="button" className="aios-cell-head" aria-expanded={open} onClick={onToggle}>
        <StatusBadge status={cell.status} word={false} />
        <span className="aios-cell-number">{cell.cell === null ? '' : `[${cell.cell}]`}</span>
        <span className="aios-cell-label" title={cell.label}>
          {cell.label || 'cell'}
        </span>
        {took !== null && <span className="aios-time">{cell.ended_at === null ? ticking(took) : duration(took)}</span>}
      </button>
      {open && (
        <JobLog
          model={model}
          job={job.job_id}
          run={run.job_run_id}
          cell={cell.position}
          live={live && cell.ended_at === null}
          label={`What cell ${cell.cell ?? cell.position} printed`}
        />
      )}
    </li>
  );
}

function Facts({ model, run }: { model: PanelModel; run: JobRunDetail }): JSX.Element {
  const facts: [string, string][] = [
    ...Object.entries((run.params ?? {}) as Record<string, unknown>).map(([name, value]): [string, string] => [name, brief(value, 300)]),
    ['version', String(run.version)],
    ['attempts', String(run.attempt)],
    ['queued', moment(run.queued_at)]
  ];
  if (run.started_at !== null) {
    facts.push(['started', moment(run.started_at)]);
  }
  if (run.ended_at !== null) {
    facts.push(['ended', moment(run.ended_at)]);
  }
  if (run.peak_bytes !== null) {
    facts.push(['peak memory', bytes(run.peak_bytes)]);
  }
  if (run.resumed_from !== null) {
    facts.push(['goes on from', run.resumed_from]);
  }
  return (
    <dl className="aios-facts">
      {run.status === 'skipped' && run.error && (
        <div>
          <dt>skipped</dt>
          <dd>{sentence(run.error.message)}</dd>
        </div>
      )}
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
      {run.workflows.length > 0 && (
        <div>
          <dt>{plural(run.workflows.length, 'workflow run').replace(/^\S+ /, '')}</dt>
          <dd className="aios-workflows">
            {run.workflows.map(w => (
              <span key={w.run_id} className="aios-row">
                <StatusBadge status={w.status} word={false} />
                <button type="button" className="aios-link" onClick={() => model.show('runs', w.run_id)}>
                  {w.workflow}
                </button>
              </span>
            ))}
          </dd>
        </div>
      )}
      <div>
        <dt>id</dt>
        <dd className="aios-mono aios-copied">
          {run.job_run_id}
          <CopyButton text={run.job_run_id} what="the run's id" />
        </dd>
      </div>
    </dl>
  );
}
