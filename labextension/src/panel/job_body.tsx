// A job, opened: run it, pause it, its history and what it is made of.
import { type FormEvent, useEffect, useState } from 'react';
import type { ApiError, Job, JobRun } from '../api';
import { check, draftOf, type Draft, type Field, fields, SchemaForm } from '../shared';
import { sure } from './confirm';
import { brief } from './format';
import { Button, Failure, Skeleton, useAction, useAsk } from './hooks';
import { HistoryRow } from './job_history';
import type { PanelModel } from './model';
import { schemaOf } from './promote';

interface Props {
  model: PanelModel;
  job: Job;
  now: number;
}

export function JobBody({ model, job, now }: Props): JSX.Element {
  const action = useAction();
  const [asking, setAsking] = useState(false);
  const last = job.last;
  const { data, error, again } = useAsk(
    () => model.api.history(job.job_id),
    [job.job_id, job.version, last?.job_run_id, last?.status, last?.attempt, model.snapshot?.seq]
  );
  const act = (work: () => Promise<unknown>) =>
    action.go(async () => {
      await work();
      await model.refresh();
      again();
    });
  const remove = async () => {
    const lost = `“${brief(job.name, 80)}” is removed with all its versions, its history and the notebooks and reports of its past runs. The audit trail keeps that it was there.`;
    if (await sure('Remove this job?', lost, 'Remove job')) {
      act(() => model.api.removeJob(job.job_id));
    }
  };
  const cancel = async (run: JobRun) => {
    const ask = model.settings.get('confirmCancel');
    if (!ask || (await sure('Cancel this run of the job?', `“${brief(job.name, 80)}” stops where it is. The next tick starts anew.`, 'Cancel run', 'Keep running'))) {
      act(() => model.api.cancelJobRun(job.job_id, run.job_run_id));
    }
  };
  const start = async (params: Record<string, unknown>) => {
    const { job_run_id } = await model.api.trigger(job.job_id, params);
    model.caused(job_run_id);
    setAsking(false);
  };
  const params = Object.entries(job.parameters);
  return (
    <>
      <div className="aios-actions">
        <Button kind="primary" disabled={action.busy} title="Run it now with its own parameters" onClick={() => act(() => start({}))}>
          Run now
        </Button>
        <Button disabled={action.busy} expanded={asking} title="Run it once with other parameters" onClick={() => setAsking(!asking)}>
          Run with…
        </Button>
        {job.status === 'active' ? (
          <Button disabled={action.busy} title="Keep the job, fire no ticks" onClick={() => act(() => model.api.job(job.job_id, 'pause'))}>
            Pause
          </Button>
        ) : (
          <Button disabled={action.busy} onClick={() => act(() => model.api.job(job.job_id, 'resume'))}>
            Resume
          </Button>
        )}
        <Button kind="danger" disabled={action.busy} onClick={() => void remove()}>
          Remove…
        </Button>
      </div>
      {asking && <OneOff model={model} job={job} busy={action.busy} error={action.error} onRun={given => act(() => start(given))} />}
      {!asking && <Failure error={action.error} />}
      <h3 className="aios-label">History</h3>
      {error && <Failure error={error} retry={again} />}
      {!data && !error && <Skeleton rows={2} label="Loading history" />}
      {data && data.runs.length === 0 && <p className="aios-dim">No run yet.</p>}
      {data && data.runs.length > 0 && (
        <ol className="aios-history" aria-label={`History of ${job.name}`}>
          {data.runs.map(run => (
            <HistoryRow
              key={run.job_run_id}
              model={model}
              job={job}
              run={run}
              now={now}
              busy={action.busy}
              onCancel={() => void cancel(run)}
              onRun={id => model.show('runs', id)}
            />
          ))}
        </ol>
      )}
      <dl className="aios-facts">
        <div>
          <dt>notebook</dt>
          <dd title={job.notebook}>{job.notebook}</dd>
        </div>
        {params.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd title={brief(value, 2000)}>{brief(value)}</dd>
          </div>
        ))}
        <div>
          <dt>missed ticks</dt>
          <dd>{{ latest: 'run the latest', all: 'run all', skip: 'skip' }[job.missed] ?? job.missed}</dd>
        </div>
        <div>
          <dt>version</dt>
          <dd>{`${job.version}${job.created_by ? `, promoted by ${job.created_by}` : ''}`}</dd>
        </div>
      </dl>
    </>
  );
}

/** Parameters for one run: the job's own stand in the fields, what is changed holds this once. */
function OneOff(props: {
  model: PanelModel;
  job: Job;
  busy: boolean;
  error: ApiError | null;
  onRun: (given: Record<string, unknown>) => void;
}): JSX.Element {
  const { model, job } = props;
  const { data, error, again } = useAsk(() => model.api.parameters(job.job_id), [job.job_id, job.version]);
  const [all, setAll] = useState<Field[]>([]);
  const [draft, setDraft] = useState<Draft>({});
  const [problems, setProblems] = useState<Record<string, string>>({});
  useEffect(() => {
    const found = fields(schemaOf(data?.parameters ?? []));
    setAll(found);
    setDraft(draftOf(found));
  }, [data]);
  useEffect(() => setProblems(props.error?.fields ?? {}), [props.error]);
  const change = (next: Draft) => {
    setProblems(old => Object.fromEntries(Object.entries(old).filter(([name]) => next[name] === draft[name])));
    setDraft(next);
  };
  const onSubmit = (e: FormEvent) => {
    e.preventDefault();
    const checked = check(all, draft);
    setProblems(checked.problems);
    if (Object.keys(checked.problems).length === 0) {
      props.onRun(changed(all, draft, checked.values));
    }
  };
  const placed = Object.keys(props.error?.fields ?? {}).some(name => all.some(f => f.name === name));
  if (!data) {
    return error ? <Failure error={error} retry={again} /> : <Skeleton rows={2} label="Loading parameters" />;
  }
  return (
    <form className="aios-one-off" onSubmit={onSubmit} noValidate aria-label={`Run ${job.name} once`} data-testid="aios-one-off">
      {all.length === 0 && <p className="aios-dim">This notebook takes no parameters.</p>}
      <SchemaForm all={all} draft={draft} problems={problems} onChange={change} />
      <Failure error={placed ? null : props.error} />
      <div className="aios-actions">
        <Button kind="primary" submit disabled={props.busy}>
          Run once
        </Button>
        <span className="aios-dim">The job itself stays as it is.</span>
      </div>
    </form>
  );
}

/** Only what differs from the job's own: a default that is computed must stay the notebook's. */
function changed(all: Field[], draft: Draft, values: Record<string, unknown>): Record<string, unknown> {
  const was = draftOf(all);
  return Object.fromEntries(Object.entries(values).filter(([name]) => draft[name] !== was[name]));
}
