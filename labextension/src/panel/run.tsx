// One run, opened: its steps, what went wrong, what one can do.
import { useState } from 'react';
import type { Run, RunDetail, Step } from '../api';
import { StatusBadge } from './badge';
import { CopyButton, figure } from '../shared';
import { sure } from './confirm';
import { brief, duration, moment, ticking } from './format';
import { Button, Failure, Skeleton, useAction, useAsk } from './hooks';
import type { PanelModel } from './model';
import type { PanelActions } from './panel';

const LIVE = new Set(['queued', 'running', 'waiting']);
const RESUMABLE = new Set(['failed', 'cancelled', 'interrupted']);

interface Props {
  model: PanelModel;
  run: Run;
  now: number;
  actions: PanelActions;
}

export function RunBody({ model, run, now, actions }: Props): JSX.Element {
  const id = run.run_id;
  const { data, error, again } = useAsk(() => model.api.run(id), [id, run.status, run.steps_done, model.news.get(id)]);
  const action = useAction();
  const act = (work: () => Promise<{ run_id: string }>) =>
    action.go(async () => {
      const answer = await work();
      model.caused(answer.run_id);
      if (answer.run_id !== id) {
        model.show('runs', answer.run_id);
      }
      await model.refresh();
    });
  const cancel = async () => {
    const ask = model.settings.get('confirmCancel');
    const why = `“${run.workflow}” stops: steps not started yet never start, what finished is kept. It can be resumed later.`;
    if (!ask || (await sure('Cancel this run?', why, 'Cancel run', 'Keep running'))) {
      act(() => model.api.cancel(id));
    }
  };
  if (!data) {
    return error ? <Failure error={error} retry={again} /> : <Skeleton rows={2} label="Loading steps" />;
  }
  return (
    <>
      {data.error && !data.steps.some(s => s.error) && <ErrorBox error={data.error} />}
      <ol className="aios-steps" aria-label="Steps">
        {data.steps.map(step => (
          <StepRow
            key={step.step}
            step={step}
            now={now}
            run={data}
            busy={action.busy}
            onOpen={() => actions.openRun(id, step.step, run.workflow)}
            onRerun={() => act(() => model.api.rerun(id, step.step))}
            onDecide={() => model.show('waiting', `${id}/${step.step}`)}
          />
        ))}
      </ol>
      <Metrics run={data} />
      <Facts run={data} onParent={parent => model.show('runs', parent)} />
      <div className="aios-actions">
        <Button title="Overview, timing, events and every step of this run" onClick={() => actions.openRun(id)}>
          Open
        </Button>
        {LIVE.has(data.status) && (
          <Button kind="danger" disabled={action.busy} onClick={() => void cancel()}>
            Cancel run
          </Button>
        )}
        {RESUMABLE.has(data.status) && (
          <Button kind="primary" disabled={action.busy} title="Continue where it stopped; finished steps are kept" onClick={() => act(() => model.api.resume(id))}>
            Resume
          </Button>
        )}
        {!LIVE.has(data.status) && data.steps.length > 0 && (
          <Button disabled={action.busy} title="A new run of all steps, with the same parameters" onClick={() => act(() => model.api.rerun(id, data.steps[0].step))}>
            Rerun all
          </Button>
        )}
      </div>
      <Failure error={action.error ?? error} />
    </>
  );
}

function StepRow(props: {
  step: Step;
  run: RunDetail;
  now: number;
  busy: boolean;
  onOpen: () => void;
  onRerun: () => void;
  onDecide: () => void;
}): JSX.Element {
  const { step, run, now } = props;
  const moving = step.status === 'running' || step.status === 'retrying';
  const took = step.started_at === null ? null : (step.ended_at ?? (moving || step.status === 'waiting' ? now : step.started_at)) - step.started_at;
  const notes = [
    step.kind === 'gate' ? 'gate' : '',
    step.cached ? 'cached' : '',
    step.attempts > 1 ? `${step.attempts} tries` : ''
  ].filter(Boolean);
  return (
    <li className={`aios-step aios-is-${step.status}`} data-testid="aios-step" data-step={step.step}>
      <span className="aios-row">
        <StatusBadge status={step.status} word={false} />
        <button type="button" className="aios-step-name" title={`Open ${step.step}: output, log, attempts`} onClick={props.onOpen}>
          {step.step}
        </button>
        {notes.map(note => (
          <span key={note} className="aios-note">
            {note}
          </span>
        ))}
        <span className="aios-step-end">
          {step.status === 'waiting' && step.kind === 'gate' ? (
            <button type="button" className="aios-link" onClick={props.onDecide}>
              Decide
            </button>
          ) : (
            <span className="aios-step-word">{step.status}</span>
          )}
          {took !== null && <span className="aios-time">{step.ended_at === null ? ticking(took) : duration(took)}</span>}
          {!LIVE.has(run.status) && (
            <button
              type="button"
              className="aios-icon-button"
              title={`Rerun from ${step.step}: this step and what depends on it`}
              aria-label={`Rerun from ${step.step}`}
              disabled={props.busy}
              onClick={props.onRerun}
            >
              ↻
            </button>
          )}
        </span>
      </span>
      {moving && (step.progress !== null || step.message) && (
        <span className="aios-row aios-sub aios-step-progress">
          {step.progress !== null && (
            <span className="aios-bar aios-is-running" role="progressbar" aria-label={`${step.step}: progress`} aria-valuenow={Math.round(step.progress * 100)} aria-valuemin={0} aria-valuemax={100}>
              <span style={{ width: `${Math.min(100, Math.max(0, step.progress * 100))}%` }} />
            </span>
          )}
          {step.message && <span className="aios-current">{step.message}</span>}
        </span>
      )}
      {step.error && step.status !== 'succeeded' && <ErrorBox error={step.error} />}
    </li>
  );
}

export function ErrorBox({ error }: { error: { type: string; message: string; traceback: string } }): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <div className="aios-error" data-testid="aios-error">
      <div className="aios-error-text">
        {error.type && <b>{error.type}: </b>}
        {error.message}
      </div>
      {error.traceback && (
        <button type="button" className="aios-link" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? 'Hide traceback' : 'Show traceback'}
        </button>
      )}
      {open && (
        <pre className="aios-code" tabIndex={0}>
          {error.traceback}
        </pre>
      )}
    </div>
  );
}

function Metrics({ run }: { run: RunDetail }): JSX.Element | null {
  if (!run.metrics?.length) {
    return null;
  }
  return (
    <dl className="aios-facts" aria-label="Metrics">
      {run.metrics.map(m => (
        <div key={`${m.step}/${m.name}`}>
          <dt title={`from step ${m.step}`}>{m.name}</dt>
          <dd>{`${m.value === null ? (m.text ?? '') : figure(m.value)}${m.unit ? ` ${m.unit}` : ''}`}</dd>
        </div>
      ))}
    </dl>
  );
}

function Facts({ run, onParent }: { run: RunDetail; onParent: (id: string) => void }): JSX.Element {
  const params = Object.entries(run.params ?? {});
  return (
    <dl className="aios-facts">
      {params.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd title={brief(value, 2000)}>{brief(value)}</dd>
        </div>
      ))}
      {run.parent_run_id && (
        <div>
          <dt>rerun of</dt>
          <dd>
            <button type="button" className="aios-link" onClick={() => onParent(run.parent_run_id!)}>
              {brief(run.parent_run_id, 14)}
            </button>
            {run.rerun_from ? ` from ${run.rerun_from}` : ''}
          </dd>
        </div>
      )}
      <div>
        <dt>started</dt>
        <dd>{`${moment(run.started_at ?? run.created_at)}${run.user ? ` by ${run.user}` : ''}`}</dd>
      </div>
      <div>
        <dt>id</dt>
        <dd className="aios-mono aios-copied">
          {run.run_id}
          <CopyButton text={run.run_id} what="the run's id" />
        </dd>
      </div>
    </dl>
  );
}
