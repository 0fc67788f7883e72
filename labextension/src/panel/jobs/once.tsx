// Parameters for one run of a job: the job's own stand in the fields, what is changed holds this once.
import { type FormEvent, useEffect, useState } from 'react';
import type { ApiError, Job } from '../../api';
import { check, draftOf, type Draft, type Field, fields, SchemaForm } from '../../shared';
import { Button, Failure, Skeleton, useAsk } from '../hooks';
import type { PanelModel } from '../model';
import { schemaOf } from '../promote';

export function OneOff(props: {
  model: PanelModel;
  job: Job;
  busy: boolean;
  error: ApiError | null;
  onRun: (given: Record<string, unknown>) => void;
}): JSX.Element {
  const { model, job } = props;
  const { data, error, again } = useAsk(() => model.api.jobs.parameters(job.job_id), [job.job_id, job.version]);
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
