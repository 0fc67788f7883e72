// The versions of a job: who promoted what, what differs, going back, trying one out.
import { useEffect, useRef, useState } from 'react';
import type { Job, JobVersion, JobVersions } from '../../api';
import { StateMark } from '../../shared';
import { ago, moment, plural } from '../format';
import { Button, Failure, Skeleton, useAction, useAsk } from '../hooks';
import type { PanelModel } from '../model';
import { DiffView } from './diff';
import { Reason } from './reason';
import { StartRollout } from './rollout';

interface Props {
  model: PanelModel;
  job: Job;
  now: number;
}

/** A version number, or null for the notebook as it is saved. */
type Side = number | null;

export function Versions({ model, job, now }: Props): JSX.Element {
  const { data, error, again } = useAsk(() => model.api.jobs.versions(job.job_id), [job.job_id, job.version, model.snapshot?.seq]);
  const [pair, setPair] = useState<{ from: number; to: Side } | null>(null);
  if (!data) {
    return error ? <Failure error={error} retry={again} /> : <Skeleton rows={3} label="Loading versions" />;
  }
  const current = data.versions.find(v => v.current)?.version ?? job.version;
  return (
    <>
      {error && <Failure error={error} retry={again} />}
      <ol className="aios-versions" aria-label={`Versions of ${job.name}`}>
        {data.versions.map((v, i) => (
          <Version
            key={v.version}
            model={model}
            job={job}
            version={v}
            now={now}
            current={current}
            notebook={v.current ? data.notebook : null}
            before={data.versions[i + 1]?.version ?? null}
            onCompare={(from, to) => setPair({ from, to })}
            onChanged={async () => {
              await model.refresh();
              again();
            }}
          />
        ))}
      </ol>
      <Compare model={model} job={job} data={data} current={current} pair={pair} onPair={setPair} />
    </>
  );
}

interface VersionProps {
  model: PanelModel;
  job: Job;
  version: JobVersion;
  now: number;
  current: number;
  notebook: string | null;
  before: number | null;
  onCompare: (from: number, to: Side) => void;
  onChanged: () => Promise<void>;
}

const STATES: Record<string, string> = { approved: 'approved', waiting: 'waiting for approval', rejected: 'rejected' };

function Version({ model, job, version: v, now, current, notebook, before, onCompare, onChanged }: VersionProps): JSX.Element {
  const action = useAction();
  const [asking, setAsking] = useState<'' | 'back' | 'try'>('');
  const back = (reason: string): void =>
    action.go(async () => {
      await model.api.jobs.rollback(job.job_id, { version: v.version, reason: reason || null });
      setAsking('');
      await onChanged();
    });
  return (
    <li className="aios-version" data-testid="aios-version" data-version={v.version} aria-current={v.current || undefined}>
      <span className="aios-row">
        <b>{`Version ${v.version}`}</b>
        {v.current && <span className="aios-note aios-mod-current">current</span>}
        {v.status !== 'approved' && (
          <span className="aiosw-chip" data-status={v.status === 'rejected' ? 'failed' : v.status}>
            <StateMark status={v.status} />
            {STATES[v.status] ?? v.status}
          </span>
        )}
        <span className="aios-ago" title={moment(v.created_at)}>
          {ago(v.created_at, now)}
        </span>
      </span>
      <span className="aios-row aios-sub aios-wrap">
        <span>{v.created_by ? `by ${v.created_by}` : ''}</span>
        <span>{plural(v.runs, 'run')}</span>
        <code title={`Content hash ${v.bundle_hash}`}>{v.bundle_hash.slice(0, 10)}</code>
      </span>
      {v.note && <span className="aios-version-note">{v.note}</span>}
      <span className="aios-row aios-sub aios-wrap aios-links">
        {notebook !== null && (
          <button type="button" className="aios-link" title={`What promoting ${notebook} now would change`} onClick={() => onCompare(v.version, null)}>
            Compare with the notebook
          </button>
        )}
        {!v.current && (
          <button type="button" className="aios-link" onClick={() => onCompare(current, v.version)}>
            Compare with the current one
          </button>
        )}
        {v.current && before !== null && (
          <button type="button" className="aios-link" onClick={() => onCompare(before, v.version)}>
            {`What it changed`}
          </button>
        )}
        {!v.current && v.status === 'approved' && (
          <button type="button" className="aios-link" aria-expanded={asking === 'back'} onClick={() => setAsking(asking === 'back' ? '' : 'back')}>
            {v.version < current ? 'Roll back to this' : 'Make this current'}
          </button>
        )}
        {!v.current && v.status === 'approved' && (
          <button type="button" className="aios-link" aria-expanded={asking === 'try'} onClick={() => setAsking(asking === 'try' ? '' : 'try')}>
            Try out…
          </button>
        )}
      </span>
      {asking === 'back' && (
        <Reason
          label={`Why go ${v.version < current ? 'back' : 'over'} to version ${v.version}?`}
          help="The next run is made of exactly this version. Kept in the audit trail."
          yes={`Go to version ${v.version}`}
          busy={action.busy}
          error={action.error}
          onYes={back}
          onNo={() => setAsking('')}
        />
      )}
      {asking === 'try' && (
        <StartRollout
          model={model}
          job={job}
          version={v.version}
          onDone={async () => {
            setAsking('');
            await onChanged();
          }}
          onClose={() => setAsking('')}
        />
      )}
    </li>
  );
}

function Compare(props: {
  model: PanelModel;
  job: Job;
  data: JobVersions;
  current: number;
  pair: { from: number; to: Side } | null;
  onPair: (pair: { from: number; to: Side } | null) => void;
}): JSX.Element | null {
  const { model, job, data, pair, onPair } = props;
  const head = useRef<HTMLElement>(null);
  useEffect(() => {
    if (pair !== null) {
      head.current?.scrollIntoView({ block: 'nearest' });
    }
  }, [pair]);
  if (pair === null) {
    return data.versions.length > 1 || data.notebook !== null ? (
      <div className="aios-actions">
        <Button onClick={() => onPair({ from: data.versions[1]?.version ?? props.current, to: data.versions[1] ? data.versions[0].version : null })}>Compare…</Button>
      </div>
    ) : null;
  }
  const name = (side: Side): string => (side === null ? `notebook ${data.notebook ?? ''}` : `version ${side}`);
  return (
    <section ref={head} className="aios-compare" aria-label="Differences">
      <div className="aios-row aios-wrap aios-compare-head">
        <label>
          <span className="aios-sub">from </span>
          <select className="aios-input" value={pair.from} onChange={e => onPair({ ...pair, from: Number(e.target.value) })}>
            {data.versions.map(v => (
              <option key={v.version} value={v.version}>{`version ${v.version}`}</option>
            ))}
          </select>
        </label>
        <label>
          <span className="aios-sub">to </span>
          <select className="aios-input" value={pair.to ?? 'notebook'} onChange={e => onPair({ ...pair, to: e.target.value === 'notebook' ? null : Number(e.target.value) })}>
            {data.notebook !== null && <option value="notebook">the notebook as saved</option>}
            {data.versions.map(v => (
              <option key={v.version} value={v.version}>{`version ${v.version}`}</option>
            ))}
          </select>
        </label>
        <button type="button" className="aios-link" onClick={() => onPair(null)}>
          Close
        </button>
      </div>
      <Difference key={`${pair.from}/${pair.to}`} model={model} job={job} from={pair.from} to={pair.to} label={`From version ${pair.from} to ${name(pair.to)}`} />
    </section>
  );
}

function Difference(props: { model: PanelModel; job: Job; from: number; to: Side; label: string }): JSX.Element {
  const { model, job, from, to, label } = props;
  const { data, error, again } = useAsk(() => model.api.jobs.diff(job.job_id, from, to), [job.job_id, from, to]);
  if (!data) {
    return error ? <Failure error={error} retry={again} /> : <Skeleton rows={4} label="Loading differences" />;
  }
  return <DiffView diff={data} label={label} />;
}
