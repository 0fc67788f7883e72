// Jobs: how each does, what needs somebody first.
import { memo, useCallback, useMemo, useState } from 'react';
import type { Job, Snapshot } from '../../api';
import { Button, Empty, Failure, Fold, IconButton, useAction, useFocused, useNow } from '../hooks';
import { walk } from '../keys';
import type { PanelModel } from '../model';
import type { PanelActions } from '../panel';
import { JobBody } from './body';
import { ALL, fits, JobFilterBar } from './filter';
import { JobHead, MOVING } from './head';
import { byTrouble, healthOf } from './health';
import { HeatStrip } from './strip';

interface Props {
  model: PanelModel;
  shot: Snapshot;
  actions: PanelActions;
}

const FEW = 4; // so many are looked through without a filter
const COARSE = 30; // seconds: how often "in 5 min" of a job at rest is said anew

export function JobsSection({ model, shot, actions }: Props): JSX.Element {
  const [open, setOpen] = useState<{ job: string; run: string | null } | null>(null);
  const [filter, setFilter] = useState(ALL);
  const now = useNow(model, shot.jobs.some(moving));
  const sorted = useMemo(() => byTrouble(shot.jobs), [shot.jobs]);
  const ids = useMemo(() => shot.jobs.map(j => j.job_id), [shot.jobs]);
  const onOpen = useCallback((job: string, run: string | null = null) => setOpen({ job, run }), []);
  const onToggle = useCallback((job: string) => setOpen(old => (old?.job === job ? null : { job, run: null })), []);
  const list = useFocused(model, ids, id => {
    setFilter(ALL); // what is asked for must not be hidden
    onOpen(id);
  });

  if (shot.jobs.length === 0) {
    return <NoJobs actions={actions} />;
  }
  const shown = sorted.filter(j => fits(j, healthOf(j).state, filter) || j.job_id === open?.job);
  const coarse = Math.floor(now / COARSE) * COARSE;
  return (
    <>
      <NoWorker model={model} shot={shot} />
      {(sorted.length > FEW || filter !== ALL) && <JobFilterBar jobs={sorted} shown={shown.length} filter={filter} onChange={setFilter} />}
      <div ref={list} onKeyDown={walk}>
        <ul className="aios-list aios-jobs" aria-label="Jobs">
          {shown.map(job => (
            <Row
              key={job.job_id}
              model={model}
              actions={actions}
              job={job}
              now={moving(job) || job.job_id === open?.job ? now : coarse}
              open={job.job_id === open?.job}
              run={job.job_id === open?.job ? open.run : null}
              onOpen={onOpen}
              onToggle={onToggle}
            />
          ))}
        </ul>
        {shown.length === 0 && <Empty title="No such job">Change the filter above, or show all.</Empty>}
      </div>
      <div className="aios-more">
        <Button onClick={actions.promote}>Promote a notebook…</Button>
      </div>
    </>
  );
}

const moving = (job: Job): boolean => job.last !== null && MOVING.has(job.last.status);

interface RowProps {
  model: PanelModel;
  actions: PanelActions;
  job: Job;
  now: number;
  open: boolean;
  run: string | null;
  onOpen: (job: string, run?: string | null) => void;
  onToggle: (job: string) => void;
}

/** Drawn again only when something of it has changed: every picture the server gives is made of new objects. */
const Row = memo(
  function Row({ model, actions, job, now, open, run, onOpen, onToggle }: RowProps): JSX.Element {
    const id = job.job_id;
    return (
      <Fold
        id={id}
        testId="aios-job"
        open={open}
        onToggle={() => onToggle(id)}
        head={<JobHead job={job} now={now} />}
        aside={open && <OpenWide onClick={() => actions.openJob(id, job.name)} />}
        below={<HeatStrip job={job} open={run} onOpen={found => onOpen(id, found)} />}
      >
        <JobBody model={model} job={job} now={now} run={run} onRun={found => onOpen(id, found)} />
      </Fold>
    );
  },
  (a, b) => a.now === b.now && a.open === b.open && a.run === b.run && (a.open ? a.job === b.job : signature(a.job) === signature(b.job))
);

function OpenWide({ onClick }: { onClick: () => void }): JSX.Element {
  return (
    <IconButton label="Open wide: a tab with room for logs and differences" onClick={onClick}>
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        <path d="M9.5 2.5h4v4M13.5 2.5l-5 5M6.5 13.5h-4v-4M2.5 13.5l5-5" fill="none" stroke="currentColor" strokeWidth={1.6} strokeLinecap="round" strokeLinejoin="round" />
      </svg>
    </IconButton>
  );
}

const signatures = new WeakMap<Job, string>();

function signature(job: Job): string {
  const known = signatures.get(job) ?? JSON.stringify(job);
  signatures.set(job, known);
  return known;
}

function NoJobs({ actions }: { actions: PanelActions }): JSX.Element {
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

/** Who runs the jobs when nobody does: told with the command, and with a button. */
function NoWorker({ model, shot }: { model: PanelModel; shot: Snapshot }): JSX.Element | null {
  const action = useAction();
  const due = shot.jobs.some(j => (j.status === 'active' && j.next_tick_at !== null) || moving(j));
  if (!due || shot.workers > 0) {
    return null;
  }
  const start = async (): Promise<void> => {
    await model.api.jobs.startWorker();
    await model.refresh();
  };
  return (
    <div className="aios-notice" role="note" data-testid="aios-no-worker">
      <b>No worker is running,</b> so schedules wait. Start one in a terminal: <code>aios worker</code>
      <div className="aios-actions">
        <Button disabled={action.busy} title="In the background, until this computer is shut down; it needs no JupyterLab" onClick={() => action.go(start)}>
          {action.busy ? 'Starting…' : 'Start a worker'}
        </Button>
      </div>
      <Failure error={action.error} />
    </div>
  );
}
