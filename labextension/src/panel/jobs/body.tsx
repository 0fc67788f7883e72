// A job, opened: run it, pause it, its runs, its times, its versions, and what it is made of.
import { useState } from 'react';
import type { Job } from '../../api';
import { Tabs } from '../../shared/tabs';
import { sure } from '../confirm';
import { brief } from '../format';
import { Button, Failure, IconButton, useAction } from '../hooks';
import type { PanelModel } from '../model';
import type { PanelActions } from '../panel';
import { About } from './about';
import { ApprovalNotice } from './approvals';
import { History } from './history';
import { OneOff } from './once';
import { RolloutCard } from './rollout';
import { Schedule } from './schedule';
import { Versions } from './versions';

export interface BodyProps {
  model: PanelModel;
  actions: PanelActions;
  job: Job;
  now: number;
  /** The run that is open, as the strip or the list has it. */
  run: string | null;
  onRun: (jobRunId: string | null) => void;
  /** In the main area: there is no wider place to offer. */
  wide?: boolean;
}

const TABS = ['Runs', 'Schedule', 'Versions', 'About'] as const;
type Tab = (typeof TABS)[number];

export function JobBody({ model, actions, job, now, run, onRun, wide }: BodyProps): JSX.Element {
  const action = useAction();
  const [asking, setAsking] = useState(false);
  const [tab, setTab] = useState<Tab>('Runs');
  const [seen, setSeen] = useState<string | null>(run);
  if (run !== seen) {
    setSeen(run); // a cell of the strip was chosen: what it opens must be in sight
    if (run !== null) {
      setTab('Runs');
    }
  }
  const act = (work: () => Promise<unknown>): void =>
    action.go(async () => {
      await work();
      await model.refresh();
    });
  const start = async (params: Record<string, unknown>): Promise<void> => {
    const { job_run_id } = await model.api.jobs.trigger(job.job_id, params);
    model.caused(job_run_id);
    setAsking(false);
  };
  const remove = async (): Promise<void> => {
    const lost = `“${brief(job.name, 80)}” is removed with all its versions, its history and the notebooks and reports of its past runs. The audit trail keeps that it was there.`;
    if (await sure('Remove this job?', lost, 'Remove job')) {
      act(() => model.api.jobs.remove(job.job_id));
    }
  };
  const shared = { model, job, now };
  return (
    <div className="aios-job-body" data-testid="aios-job-body">
      <div className="aios-actions">
        <Button kind="primary" disabled={action.busy} title="Run it now with its own parameters" onClick={() => act(() => start({}))}>
          Run now
        </Button>
        <Button disabled={action.busy} expanded={asking} title="Run it once with other parameters" onClick={() => setAsking(!asking)}>
          Run with…
        </Button>
        {job.status === 'paused' ? (
          <Button disabled={action.busy} onClick={() => act(() => model.api.jobs.change(job.job_id, 'resume'))}>
            Resume
          </Button>
        ) : (
          <Button disabled={action.busy} title="Keep the job, fire no ticks" onClick={() => act(() => model.api.jobs.change(job.job_id, 'pause'))}>
            Pause
          </Button>
        )}
        {!wide && (
          <span className="aios-push">
            <IconButton label="Open wide: a tab with room for logs and differences" onClick={() => actions.openJob(job.job_id, job.name)}>
              <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
                <path d="M9.5 2.5h4v4M13.5 2.5l-5 5M6.5 13.5h-4v-4M2.5 13.5l5-5" fill="none" stroke="currentColor" strokeWidth={1.6} strokeLinecap="round" strokeLinejoin="round" />
              </svg>
            </IconButton>
          </span>
        )}
      </div>
      {asking && <OneOff model={model} job={job} busy={action.busy} error={action.error} onRun={given => act(() => start(given))} />}
      {!asking && <Failure error={action.error} />}
      <ApprovalNotice {...shared} />
      <RolloutCard {...shared} />
      <Tabs
        tabs={TABS}
        tab={tab}
        label={`About ${job.name}`}
        onChoose={setTab}
        panel={(which, shown) => {
          switch (which) {
            case 'Runs':
              return <History {...shared} run={run} onRun={onRun} />;
            case 'Schedule':
              return shown ? <Schedule {...shared} /> : null;
            case 'Versions':
              return <Versions {...shared} />;
            default:
              return shown ? <About {...shared} busy={action.busy} onRemove={() => void remove()} /> : null;
          }
        }}
      />
    </div>
  );
}
