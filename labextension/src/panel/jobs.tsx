// Jobs: what is scheduled, when next, how it went.
import { useState } from 'react';
import type { Job, Snapshot } from '../api';
import { StateMark } from '../shared';
import { StatusBadge } from './badge';
import { ago, moment, tick, until } from './format';
import { Button, Empty, Fold, useFocused, useNow } from './hooks';
import { JobBody } from './job_body';
import { walk } from './keys';
import type { PanelModel } from './model';
import type { PanelActions } from './panel';

interface Props {
  model: PanelModel;
  shot: Snapshot;
  actions: PanelActions;
}

const MOVING = new Set(['queued', 'running']);

export function JobsSection({ model, shot, actions }: Props): JSX.Element {
  const [open, setOpen] = useState<string | null>(null);
  const now = useNow(model, shot.jobs.some(j => j.last && MOVING.has(j.last.status)));
  const list = useFocused(model, shot.jobs.map(j => j.job_id), setOpen);

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
      <div ref={list} onKeyDown={walk}>
        <ul className="aios-list" aria-label="Jobs">
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
      </div>
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
      <Strip job={job} now={now} />
    </>
  );
}

/** The last results as marks, oldest first; each says its state and age when pointed at, all together in words. */
function Strip({ job, now }: { job: Job; now: number }): JSX.Element | null {
  const recent = job.recent ?? [];
  if (recent.length < 2) {
    return null;
  }
  const good = recent.filter(r => r.status === 'succeeded').length;
  return (
    <span className="aios-row aios-sub aios-strip" data-testid="aios-strip">
      <span className="aios-hidden">{`Last ${recent.length} results, oldest first: ${recent.map(r => r.status).join(', ')}.`}</span>
      <span className="aios-strip-marks" aria-hidden="true">
        {recent.map(r => (
          <span key={r.job_run_id} className="aiosw-chip" data-status={r.status} title={`${r.status}, ${ago(r.at, now)}`}>
            <StateMark status={r.status} />
          </span>
        ))}
      </span>
      <span>{`${good} of ${recent.length} succeeded`}</span>
    </span>
  );
}
