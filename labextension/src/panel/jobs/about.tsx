// What a job is made of, how it does in figures, and who was told what.
import type { Job, JobAlert } from '../../api';
import { sentence } from '../../api';
import { ago, brief, duration, moment } from '../format';
import { Button, Failure, useAsk } from '../hooks';
import type { PanelModel } from '../model';
import { HealthChip, healthOf } from './health';

interface Props {
  model: PanelModel;
  job: Job;
  now: number;
  busy: boolean;
  onRemove: () => void;
}

export function About({ model, job, now, busy, onRemove }: Props): JSX.Element {
  const health = healthOf(job);
  const facts: [string, string][] = [
    ['notebook', job.notebook],
    ...Object.entries(job.parameters).map(([name, value]): [string, string] => [name, brief(value, 500)]),
    ['version', `${job.version}${job.created_by ? `, promoted by ${job.created_by}` : ''}`],
    ...options(job)
  ];
  return (
    <>
      <div className="aios-row">
        <HealthChip health={health} />
      </div>
      {health.why && <p className="aios-sub aios-quiet-line">{sentence(health.why)}</p>}
      <dl className="aios-facts">
        {health.success_share !== null && <Fact name="succeeded" value={`${Math.round(100 * health.success_share)} % of the last runs`} />}
        {health.median_seconds !== null && <Fact name="takes" value={`typically ${duration(health.median_seconds)}`} />}
        {health.last_success_at !== null && <Fact name="last success" value={`${ago(health.last_success_at, now)}, ${moment(health.last_success_at)}`} />}
        {health.alarms.map(alarm => (
          <Fact key={`${alarm.kind}/${alarm.subject}`} name={alarm.kind} value={`since ${moment(alarm.since)}`} />
        ))}
      </dl>
      <h4 className="aios-label">Made of</h4>
      <dl className="aios-facts">
        {facts.map(([name, value]) => (
          <Fact key={name} name={name} value={value} />
        ))}
      </dl>
      <Alerts model={model} job={job} now={now} />
      <div className="aios-actions">
        <Button kind="danger" disabled={busy} onClick={onRemove}>
          Remove…
        </Button>
      </div>
    </>
  );
}

function Fact({ name, value }: { name: string; value: string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd title={value}>{value}</dd>
    </div>
  );
}

const MISSED: Record<string, string> = { latest: 'run the latest', all: 'run all', skip: 'skip' };
const OVERLAP: Record<string, string> = { forbid: 'the later one is skipped', queue: 'the later one waits', replace: 'the earlier one is cancelled' };

function options(job: Job): [string, string][] {
  const o = job.options ?? {};
  const shown: [string, unknown][] = [
    ['missed ticks', MISSED[job.missed] ?? job.missed],
    ['overlap', OVERLAP[String(o.overlap)] ?? o.overlap],
    ['side by side', Number(o.concurrency ?? 1) > 1 ? o.concurrency : null],
    ['retries', job.retries ? `${job.retries}, ${o.retry_delay ?? ''} apart` : null],
    ['timeout', job.timeout],
    ['memory', o.memory],
    ['late after', o.late_after],
    ['absent after', o.absent_after],
    ['approvals', o.approvals ? `${o.approvals} of other people` : null],
    ['told to', Array.isArray(o.alerts) && o.alerts.length ? o.alerts.join(', ') : null],
    ['files kept', kept(o)]
  ];
  return shown.filter(([, value]) => value !== null && value !== undefined && value !== '').map(([name, value]) => [name, brief(value, 300)]);
}

function kept(o: Record<string, unknown>): string {
  const parts = [`of ${o.retention ?? 50} runs`];
  if (o.retention_for) {
    parts.push(`for ${o.retention_for}`);
  }
  if (o.retention_bytes) {
    parts.push(`${o.retention_bytes} together`);
  }
  return parts.join(', ');
}

function Alerts({ model, job, now }: { model: PanelModel; job: Job; now: number }): JSX.Element | null {
  const { data, error, again } = useAsk(() => model.api.jobs.alerts(job.job_id), [job.job_id, model.snapshot?.seq]);
  if (error) {
    return <Failure error={error} retry={again} />;
  }
  if (!data) {
    return null;
  }
  return (
    <>
      <h4 className="aios-label">Alerts</h4>
      {data.alerts.length === 0 && <p className="aios-sub aios-quiet-line">Nobody was told anything yet.</p>}
      <ul className="aios-alerts">
        {data.alerts.map(alert => (
          <Alert key={`${alert.kind}/${alert.job_run_id}/${alert.at}`} alert={alert} now={now} />
        ))}
      </ul>
    </>
  );
}

function Alert({ alert, now }: { alert: JobAlert; now: number }): JSX.Element {
  const told = alert.told_at !== null ? `told ${ago(alert.told_at, now)}` : alert.status === 'waiting' ? 'not told yet' : alert.status;
  return (
    <li className="aios-alert" data-testid="aios-alert">
      <details>
        <summary>
          <span className="aios-current">{alert.subject}</span>
          <span className="aios-ago" title={moment(alert.at)}>
            {told}
          </span>
        </summary>
        <pre className="aios-code">{alert.body}</pre>
        {alert.error && <p className="aios-field-error">{`After ${alert.attempts} tries: ${alert.error}`}</p>}
      </details>
    </li>
  );
}
