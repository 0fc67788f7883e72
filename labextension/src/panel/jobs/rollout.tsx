// A version on trial: on a share of the runs (canary), or beside all of them with nothing of it used (shadow).
import { type FormEvent, useState } from 'react';
import { type Job, sentence } from '../../api';
import { brief, plural } from '../format';
import { Button, Failure, useAction, useAsk } from '../hooks';
import type { PanelModel } from '../model';
import { Reason } from './reason';

interface Props {
  model: PanelModel;
  job: Job;
  now: number;
}

export function RolloutCard({ model, job }: Props): JSX.Element | null {
  const { data, again } = useAsk(() => model.api.jobs.rollout(job.job_id), [job.job_id, job.version, model.snapshot?.seq]);
  const action = useAction();
  const [asking, setAsking] = useState<'' | 'promote' | 'roll_back'>('');
  const found = data?.rollout;
  if (!found || found.status !== 'running') {
    return null;
  }
  const finish = (reason: string): void =>
    action.go(async () => {
      await model.api.jobs.finishRollout(job.job_id, { decision: asking === 'promote' ? 'promote' : 'roll_back', reason: reason || null });
      setAsking('');
      await model.refresh();
      again();
    });
  return (
    <section className="aios-notice aios-rollout" aria-label="Version on trial" data-testid="aios-rollout">
      <b>{brief(found)}</b>
      {asking === '' ? (
        <div className="aios-actions">
          <Button kind="primary" onClick={() => setAsking('promote')}>
            Take it for all runs…
          </Button>
          <Button kind="danger" onClick={() => setAsking('roll_back')}>
            Give it up…
          </Button>
        </div>
      ) : (
        <Reason
          label="Why?"
          yes={asking === 'promote' ? `Take version ${String(found.version)}` : 'Give it up'}
          danger={asking === 'roll_back'}
          busy={action.busy}
          error={action.error}
          onYes={finish}
          onNo={() => setAsking('')}
        />
      )}
    </section>
  );
}

/** How to try a version out. */
export function StartRollout(props: { model: PanelModel; job: Job; version: number; onDone: () => Promise<void>; onClose: () => void }): JSX.Element {
  const { model, job, version } = props;
  const action = useAction();
  const [mode, setMode] = useState<'canary' | 'shadow'>('canary');
  const [share, setShare] = useState(20);
  const onSubmit = (e: FormEvent): void => {
    e.preventDefault();
    action.go(async () => {
      await model.api.jobs.startRollout(job.job_id, { version, mode, share: share / 100 });
      await props.onDone();
    });
  };
  return (
    <form className="aios-one-off" onSubmit={onSubmit} aria-label={`Try version ${version} out`}>
      <label className="aios-check">
        <input type="radio" name="mode" checked={mode === 'canary'} onChange={() => setMode('canary')} />
        Canary: it makes a share of the runs
      </label>
      {mode === 'canary' && (
        <label className="aios-check">
          of
          <input type="number" className="aios-input aios-small-number" min={1} max={100} value={share} onChange={e => setShare(Math.max(1, Math.min(100, Number(e.target.value) || 1)))} />
          %
        </label>
      )}
      <label className="aios-check">
        <input type="radio" name="mode" checked={mode === 'shadow'} onChange={() => setMode('shadow')} />
        Shadow: it runs beside each run, and outputs are compared
      </label>
      <Failure error={action.error} />
      <div className="aios-actions">
        <Button kind="primary" submit disabled={action.busy}>
          Start
        </Button>
        <Button onClick={props.onClose}>Close</Button>
      </div>
    </form>
  );
}

export const unused = { plural, sentence };
