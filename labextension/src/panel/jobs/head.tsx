// One job in the list: how it does, what starts it, when next, how it went.
import { memo } from 'react';
import type { Job } from '../../api';
import { sentence } from '../../api';
import { ago, moment, tick, until } from '../format';
import { HealthChip, healthOf, TROUBLE } from './health';
import { StatusBadge } from '../badge';

export const MOVING: ReadonlySet<string> = new Set(['queued', 'running']);

export const JobHead = memo(function JobHead({ job, now }: { job: Job; now: number }): JSX.Element {
  const health = healthOf(job);
  const next = job.status === 'active' ? job.next_tick_at : null;
  return (
    <>
      <span className="aios-row">
        <span className="aios-name" title={job.name}>
          {job.name}
        </span>
        <HealthChip health={health} />
      </span>
      {TROUBLE.has(health.state) && health.state !== 'waiting' && health.why && (
        <span className="aios-sub aios-why" title={health.why}>
          {sentence(health.why)}
        </span>
      )}
      <span className="aios-row aios-sub aios-wrap">
        <span title={job.schedule ?? undefined}>{sentence(job.triggers || job.schedule_words)}</span>
        {next === null && <Last job={job} now={now} />}
      </span>
      {next !== null && (
        <span className="aios-row aios-sub aios-wrap">
          <span title={`${moment(next)} in your own time zone`}>
            {`next ${tick(next, job.timezone)}, `}
            {until(next, now)}
          </span>
          <Last job={job} now={now} />
        </span>
      )}
    </>
  );
});

/** How the last run went, in as few words as say it. */
function Last({ job, now }: { job: Job; now: number }): JSX.Element {
  const last = job.last;
  if (!last) {
    return <span className="aios-ago">never ran</span>;
  }
  const began = last.started_at ?? last.queued_at;
  return MOVING.has(last.status) ? (
    <span className="aios-ago" title={moment(began)}>
      <StatusBadge status={last.status} />
    </span>
  ) : (
    <span className="aios-ago" title={`Last run: ${last.status}, ${moment(began)}`}>
      {`ran ${ago(began, now)}`}
    </span>
  );
}
