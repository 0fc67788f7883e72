// A job, opened: run it, pause it, its runs, its times, its versions, and what it is made of.
import { useState } from 'react';
import type { Job } from '../../api';
import { Tabs } from '../../shared/tabs';
import { sure } from '../confirm';
import { brief } from '../format';
import { Button, Failure, useAction } from '../hooks';
import type { PanelModel } from '../model';
import { About } from './about';
import { ApprovalNotice } from './approvals';
import { History } from './history';
import { OneOff } from './once';
import { RolloutCard } from './rollout';
import { Schedule } from './schedule';
import { Versions } from './versions';

export interface BodyProps {
  model: PanelModel;
  job: Job;
  now: number;
  /** The run that is open, as the strip or the list has it. */
  run: string | null;
  onRun: (jobRunId: string | null) => void;
}

const TABS = ['Runs', 'Schedule', 'Versions', 'About'] as const;
type Tab = (typeof TABS)[number];

export function JobBody({ model, job, now, run, onRun }: BodyProps): JSX.Element {
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
  const unapproved = job.status === 'waiting';
  const shared = { model, job, now };
  return (
    <div className="aios-job-body" data-testid="aios-job-body">
      <div className="aios-actions">
        <Button kind="primary" disabled={action.busy || unapproved} title={unapproved ? 'It runs when its version is approved' : 'Run it now with its own parameters'} onClick={() => act(() => start({}))}>
          Run now
        </Button>
        <Button disabled={action.busy || unapproved} expanded={asking} title="Run it once with other parameters" onClick={() => setAsking(!asking)}>
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
