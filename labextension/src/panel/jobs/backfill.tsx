// Runs of the past: choose a range, see which ticks it has, start, watch, give up.
import { type FormEvent, useState } from 'react';
import type { Backfill, BackfillPreview, Job } from '../../api';
import { StatusBadge } from '../badge';
import { sure } from '../confirm';
import { ago, plural } from '../format';
import { Button, Failure, useAction, useAsk } from '../hooks';
import type { PanelModel } from '../model';

interface Props {
  model: PanelModel;
  job: Job;
  now: number;
}

const GOING: ReadonlySet<string> = new Set(['running', 'paused']);
const SHOWN = 12; // ticks of a preview; the rest is a number

export function Backfills({ model, job, now }: Props): JSX.Element | null {
  const [asking, setAsking] = useState(false);
  const action = useAction();
  const { data, error, again } = useAsk(() => model.api.jobs.backfills(job.job_id), [job.job_id, model.snapshot?.seq]);
  if (error?.status === 404) {
    return null; // a server without
  }
  const change = (backfill: Backfill, to: 'cancel' | 'pause' | 'resume') => async (): Promise<void> => {
    if (to === 'cancel' && !(await sure('Cancel this backfill?', 'What waits is not run, what runs is stopped. What has succeeded stays.', 'Cancel backfill', 'Keep running'))) {
      return;
    }
    action.go(async () => {
      await model.api.jobs.changeBackfill(job.job_id, backfill.backfill_id, to);
      again();
    });
  };
  return (
    <section aria-label="Runs of the past">
      <h4 className="aios-label">Runs of the past</h4>
      {error && <Failure error={error} retry={again} />}
      {data && data.backfills.length > 0 && (
        <ul className="aios-backfills">
          {data.backfills.map(backfill => (
            <Row key={backfill.backfill_id} backfill={backfill} now={now} busy={action.busy} onChange={to => void change(backfill, to)()} />
          ))}
        </ul>
      )}
      <Failure error={action.error} />
      {asking ? (
        <Form
          model={model}
          job={job}
          onDone={() => {
            setAsking(false);
            again();
            void model.refresh();
          }}
          onCancel={() => setAsking(false)}
        />
      ) : (
        <div className="aios-actions">
          <Button title="Run ticks that have passed: first shows which" onClick={() => setAsking(true)}>
            Backfill…
          </Button>
        </div>
      )}
    </section>
  );
}

function Row(props: { backfill: Backfill; now: number; busy: boolean; onChange: (to: 'cancel' | 'pause' | 'resume') => void }): JSX.Element {
  const { backfill: b, now, busy, onChange } = props;
  const ended = Math.round(b.share * b.total);
  return (
    <li className="aios-backfill" data-testid="aios-backfill" data-status={b.status}>
      <span className="aios-row">
        <StatusBadge status={b.status} />
        <span>{`${ended} of ${plural(b.total, 'run')}`}</span>
        {b.failed > 0 && <span className="aios-note aios-mod-bad">{`${b.failed} failed`}</span>}
        <span className="aios-ago" title={`by ${b.created_by}`}>
          {ago(b.created_at, now)}
        </span>
      </span>
      <span className={`aios-bar aios-is-${b.status}`} role="progressbar" aria-label="Backfill" aria-valuenow={ended} aria-valuemin={0} aria-valuemax={b.total}>
        <span style={{ width: `${100 * b.share}%` }} />
      </span>
      {GOING.has(b.status) && (
        <span className="aios-row aios-sub aios-links">
          <button type="button" className="aios-link" disabled={busy} onClick={() => onChange(b.status === 'paused' ? 'resume' : 'pause')}>
            {b.status === 'paused' ? 'Go on' : 'Hold'}
          </button>
          <button type="button" className="aios-link" disabled={busy} onClick={() => onChange('cancel')}>
            Cancel backfill
          </button>
        </span>
      )}
    </li>
  );
}

function Form(props: { model: PanelModel; job: Job; onDone: () => void; onCancel: () => void }): JSX.Element {
  const { model, job } = props;
  const action = useAction();
  const [start, setStart] = useState('');
  const [end, setEnd] = useState('');
  const [again, setAgain] = useState(false);
  const [newest, setNewest] = useState(false);
  const [concurrency, setConcurrency] = useState(1);
  const [preview, setPreview] = useState<BackfillPreview | null>(null);
  const range = { start, end, again };
  const change = (set: () => void): void => {
    set();
    setPreview(null); // what is shown is what will be run
    action.clear();
  };
  const onSubmit = (e: FormEvent): void => {
    e.preventDefault();
    action.go(async () => {
      if (preview === null) {
        setPreview(await model.api.jobs.previewBackfill(job.job_id, range));
      } else {
        await model.api.jobs.startBackfill(job.job_id, { ...range, concurrency, newest_first: newest, parameters: null });
        props.onDone();
      }
    });
  };
  const problems = action.error?.fields ?? {};
  return (
    <form className="aios-one-off" onSubmit={onSubmit} noValidate aria-label="Backfill" data-testid="aios-backfill-form">
      <div className="aios-range">
        <Time label="From" value={start} problem={problems.start} onChange={v => change(() => setStart(v))} />
        <Time label="Up to" value={end} problem={problems.end} onChange={v => change(() => setEnd(v))} />
      </div>
      <p className="aios-field-help">{`On the clock of ${job.timezone}; the end is not included.`}</p>
      <label className="aios-check">
        <input type="checkbox" checked={again} onChange={e => change(() => setAgain(e.target.checked))} />
        Also what has succeeded already
      </label>
      <div className="aios-range">
        <label className="aios-check">
          <input type="checkbox" checked={newest} onChange={e => setNewest(e.target.checked)} />
          Newest first
        </label>
        <label className="aios-check">
          at a time
          <input type="number" className="aios-input aios-small-number" min={1} max={100} value={concurrency} onChange={e => setConcurrency(Math.max(1, Math.min(100, Number(e.target.value) || 1)))} />
        </label>
      </div>
      {preview && <Preview preview={preview} />}
      <Failure error={Object.keys(problems).length ? null : action.error} />
      <div className="aios-actions">
        <Button kind="primary" submit disabled={action.busy || start === '' || end === '' || preview?.total === 0}>
          {preview === null ? 'Show the runs' : `Start ${plural(preview.total, 'run')}`}
        </Button>
        <Button onClick={props.onCancel}>Close</Button>
      </div>
    </form>
  );
}

function Time(props: { label: string; value: string; problem?: string; onChange: (value: string) => void }): JSX.Element {
  return (
    <label className="aios-field">
      <span className="aios-field-name">{props.label}</span>
      <input
        type="datetime-local"
        className="aios-input"
        value={props.value}
        aria-invalid={props.problem ? true : undefined}
        onChange={e => props.onChange(e.target.value)}
      />
      {props.problem && <span className="aios-field-error">{props.problem}</span>}
    </label>
  );
}

function Preview({ preview }: { preview: BackfillPreview }): JSX.Element {
  const { ticks, total } = preview;
  const done = ticks.filter(t => t.done).length;
  return (
    <div className="aios-backfill-preview" role="status" data-testid="aios-backfill-preview">
      <b>{`${plural(total, 'run')}`}</b>
      {done > 0 && ` · ${done} left out, they have succeeded or are about to run`}
      <ol className="aios-ticks">
        {ticks.slice(0, SHOWN).map(t => (
          <li key={t.at} data-done={t.done || undefined}>
            <span className="aios-row">
              <span className="aios-tick-local">{t.local}</span>
              {t.done && <span className="aios-ago">left out</span>}
            </span>
          </li>
        ))}
        {ticks.length > SHOWN && <li className="aios-dim">{`and ${ticks.length - SHOWN} more, up to ${ticks[ticks.length - 1].local}`}</li>}
      </ol>
    </div>
  );
}
