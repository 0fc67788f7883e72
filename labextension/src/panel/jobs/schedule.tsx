// When a job runs: its triggers in words, the next ticks with what the clock does to them, and runs of the past.
import type { Job } from '../../api';
import { sentence } from '../../api';
import { until } from '../format';
import { Failure, Skeleton, useAsk } from '../hooks';
import type { PanelModel } from '../model';
import { Backfills } from './backfill';

export function Schedule({ model, job, now }: { model: PanelModel; job: Job; now: number }): JSX.Element {
  const { data, error, again } = useAsk(() => model.api.jobs.times(job.job_id), [job.job_id, job.version, job.next_tick_at, job.status]);
  return (
    <>
      {error && <Failure error={error} retry={again} />}
      {!data && !error && <Skeleton rows={4} label="Loading the next runs" />}
      {data && (
        <>
          <p className="aios-schedule-words">{sentence(data.words)}</p>
          {job.status === 'paused' && <p className="aios-sub">It is paused: none of these would run. “Resume” goes on with the next one.</p>}
          {data.ticks.length > 0 && (
            <>
              <h4 className="aios-label">{`Next runs, on the clock of ${data.timezone}`}</h4>
              <ol className="aios-ticks" data-testid="aios-next-ticks">
                {data.ticks.map(tick => (
                  <li key={tick.at}>
                    <span className="aios-row">
                      <span className="aios-tick-local">{tick.local}</span>
                      <span className="aios-ago">{until(tick.at, now)}</span>
                    </span>
                    {tick.note && <span className="aios-tick-note">{tick.note}</span>}
                  </li>
                ))}
              </ol>
            </>
          )}
          {data.ticks.length > 0 && <Backfills model={model} job={job} now={now} />}
        </>
      )}
    </>
  );
}
