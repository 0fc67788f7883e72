// The last runs of a job as a heat strip: a cell each, oldest first. State by pattern, mark and colour, time by height.
// One stop in the tab order: arrows walk the cells, Enter opens the run.
import { type KeyboardEvent, useId, useState } from 'react';
import type { Job, JobResult } from '../../api';
import { duration, StateMark } from '../../shared';
import { plural, tick } from '../format';

const LEAST = 22; // per cent of the height: a run that took no time is still seen

interface Props {
  job: Job;
  /** The run that is open. */
  open?: string | null;
  onOpen: (jobRunId: string) => void;
}

export function HeatStrip({ job, open, onOpen }: Props): JSX.Element | null {
  const id = useId();
  const [at, setAt] = useState<number | null>(null);
  const runs = job.recent ?? [];
  if (runs.length === 0) {
    return null;
  }
  const longest = Math.max(...runs.map(r => r.seconds ?? 0));
  const shown = at === null ? null : runs[Math.min(at, runs.length - 1)];
  const go = (to: number): void => setAt(Math.max(0, Math.min(runs.length - 1, to)));
  const onKeyDown = (e: KeyboardEvent): void => {
    const from = at ?? runs.length - 1;
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: runs.length - 1 }[e.key];
    if (to !== undefined) {
      go(to);
    } else if (e.key === 'Enter' || e.key === ' ') {
      onOpen(runs[from].job_run_id);
    } else if (e.key !== 'Escape') {
      return;
    } else {
      setAt(null);
    }
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <div className="aios-strip" data-testid="aios-strip">
      <div
        className="aios-strip-cells"
        role="listbox"
        aria-label={`Last ${plural(runs.length, 'run')} of ${job.name}, oldest first`}
        aria-orientation="horizontal"
        aria-activedescendant={shown ? `${id}-${shown.job_run_id}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onFocus={() => at === null && go(runs.length - 1)}
        onBlur={() => setAt(null)}
        onMouseLeave={e => e.currentTarget !== document.activeElement && setAt(null)}
      >
        {runs.map((run, i) => (
          <span
            key={run.job_run_id}
            id={`${id}-${run.job_run_id}`}
            className="aios-strip-cell"
            role="option"
            data-status={run.status}
            data-run={run.job_run_id}
            data-open={run.job_run_id === open || undefined}
            aria-selected={i === at}
            aria-label={words(run, job.timezone)}
            onMouseEnter={() => setAt(i)}
            onClick={() => onOpen(run.job_run_id)}
          >
            <span className="aios-strip-room">
              <i style={{ height: `${height(run, longest)}%` }} />
            </span>
            <StateMark status={run.status} />
          </span>
        ))}
      </div>
      <div className="aios-strip-says" title={shown ? words(shown, job.timezone) : undefined}>
        {shown ? <Said run={shown} timezone={job.timezone} /> : <Summary job={job} runs={runs} />}
      </div>
    </div>
  );
}

function Said({ run, timezone }: { run: JobResult; timezone: string }): JSX.Element {
  return (
    <>
      <span className="aiosw-chip" data-status={run.status}>
        <StateMark status={run.status} />
        {!run.reason && run.status}
      </span>
      {[run.reason ? '' : '·', tick(run.at, timezone), took(run), run.reason ? `· ${run.reason}` : ''].filter(Boolean).map(part => ` ${part}`)}
    </>
  );
}

const took = (run: JobResult): string => (run.seconds === null ? '' : `· ${duration(run.seconds)}`);

function Summary({ job, runs }: { job: Job; runs: JobResult[] }): JSX.Element {
  const ended = runs.filter(r => r.status === 'succeeded' || r.status === 'failed' || r.status === 'timeout');
  const good = ended.filter(r => r.status === 'succeeded').length;
  const typical = job.health?.median_seconds ?? null;
  return (
    <>
      {ended.length > 0 && `${good} of ${ended.length} succeeded`}
      {typical !== null && ` · typically ${duration(typical)}`}
    </>
  );
}

function words(run: JobResult, timezone: string): string {
  const seconds = run.seconds === null ? '' : `, ${duration(run.seconds)}`;
  return `${run.status}, ${tick(run.at, timezone)}${seconds}${run.reason ? `: ${run.reason}` : ''}`;
}

/** By the square root: a run of an hour must not flatten those of minutes. */
function height(run: JobResult, longest: number): number {
  if (run.seconds === null || longest <= 0) {
    return run.status === 'running' ? 60 : LEAST;
  }
  return LEAST + (100 - LEAST) * Math.sqrt(run.seconds / longest);
}
