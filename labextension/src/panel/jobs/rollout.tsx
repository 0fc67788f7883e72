// A version on trial: on a share of the runs (canary), or beside all of them with nothing of it used (shadow).
import { type FormEvent, useState } from 'react';
import { type Job, type Rollout, sentence } from '../../api';
import { ago, moment, plural } from '../format';
import { Button, Failure, useAction, useAsk } from '../hooks';
import type { PanelModel } from '../model';
import { Reason } from './reason';

interface Props {
  model: PanelModel;
  job: Job;
  now: number;
}

export function RolloutCard({ model, job, now }: Props): JSX.Element | null {
  const { data, again } = useAsk(() => model.api.jobs.rollout(job.job_id), [job.job_id, job.version, job.last?.job_run_id, model.snapshot?.seq]);
  const action = useAction();
  const [asking, setAsking] = useState<'' | 'promote' | 'roll_back'>('');
  const found = data?.rollout;
  if (!found || !GOING.has(found.status)) {
    return null;
  }
  const finish = (reason: string): void =>
    action.go(async () => {
      await model.api.jobs.finishRollout(job.job_id, { decision: asking === 'promote' ? 'promote' : 'roll_back', reason: reason || null });
      setAsking('');
      await model.refresh();
      again();
    });
  const waits = found.status === 'waiting';
  return (
    <section className="aios-notice aios-rollout" aria-label="Version on trial" data-testid="aios-rollout">
      <div className="aios-row">
        <b>{`Version ${found.version} on trial`}</b>
        <span className="aios-ago" title={`${moment(found.started_at)}, by ${found.started_by}`}>
          {ago(found.started_at, now)}
        </span>
      </div>
      <p className="aios-quiet-line">{how(found)}</p>
      {waits ? <p className="aios-sub aios-quiet-line">It begins when the version is approved.</p> : <Figures trial={found} />}
      {found.because && !waits && <p className="aios-quiet-line">{`${found.decision === 'roll_back' ? '✗ ' : found.decision === 'promote' ? '✓ ' : ''}${sentence(found.because)}`}</p>}
      <Differences trial={found} />
      {asking === '' ? (
        <div className="aios-actions">
          {!waits && (
            <Button kind="primary" onClick={() => setAsking('promote')}>
              Take it for all runs…
            </Button>
          )}
          <Button kind="danger" onClick={() => setAsking('roll_back')}>
            Give it up…
          </Button>
        </div>
      ) : (
        <Reason
          label={asking === 'promote' ? `Why take version ${found.version} for all runs?` : `Why go on with version ${found.base_version}?`}
          help="Kept in the audit trail."
          yes={asking === 'promote' ? `Take version ${found.version}` : 'Give it up'}
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

const GOING: ReadonlySet<string> = new Set(['running', 'waiting']);

function how(trial: Rollout): string {
  const share = `${Math.round(100 * trial.share)} %`;
  const what = trial.mode === 'canary' ? `Canary: it makes ${share} of the runs` : `Shadow: it runs beside ${trial.share >= 1 ? 'every run' : `${share} of the runs`}, and nothing follows from it`;
  return trial.by_itself ? `${what}. After ${plural(trial.runs_wanted, 'good run')} it takes over by itself.` : `${what}.`;
}

function Figures({ trial }: { trial: Rollout }): JSX.Element {
  const rows: [string, Rollout['base']][] = [
    [`version ${trial.version}, new`, trial.new],
    [`version ${trial.base_version}`, trial.base]
  ];
  return (
    <table className="aios-trial">
      <thead>
        <tr>
          <th scope="col"> </th>
          <th scope="col">runs</th>
          <th scope="col">failed</th>
          <th scope="col">too slow</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, counts]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{counts === trial.new ? `${counts.runs} of ${trial.runs_wanted}` : counts.runs}</td>
            <td data-bad={counts.failed > 0 || undefined}>{counts.failed > 0 ? `✗ ${counts.failed}` : 0}</td>
            <td data-bad={counts.slow > 0 || undefined}>{counts.slow > 0 ? `✗ ${counts.slow}` : 0}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Differences({ trial }: { trial: Rollout }): JSX.Element | null {
  const different = trial.pairs.filter(p => p.differences !== null && p.differences.length > 0);
  if (trial.mode !== 'shadow' || trial.compared === 0) {
    return null;
  }
  return (
    <details className="aios-differences">
      <summary>{`${trial.differing} of ${plural(trial.compared, 'compared run')} differ`}</summary>
      <ul className="aios-given">
        {different.slice(-SHOWN).map(p => (
          <li key={p.shadow}>
            <code>{p.run}</code>
            {`: ${(p.differences ?? []).join('; ')}`}
          </li>
        ))}
      </ul>
    </details>
  );
}

const SHOWN = 20; // differing pairs, the newest

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
