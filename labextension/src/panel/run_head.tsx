// One run in the list: what, how far, since when, whose job.
import type { Run } from '../api';
import { StatusBadge } from './badge';
import { ago, duration, moment, plural, ticking } from './format';

export const MOVING = new Set<string>(['running', 'queued', 'waiting']);

export function RunHead({ run, now }: { run: Run; now: number }): JSX.Element {
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
