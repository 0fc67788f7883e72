// A job in the main area: the same as in the side panel, with room for logs and differences.
import { MainAreaWidget } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import { useState } from 'react';
import { Empty, Failure, Skeleton, useModel, useNow } from '../hooks';
import { aiosIcon } from '../icons';
import type { PanelModel } from '../model';
import { JobBody } from './body';
import { JobHead, MOVING } from './head';
import { HeatStrip } from './strip';

export class JobTab extends MainAreaWidget<ReactWidget> {
  constructor(
    model: PanelModel,
    readonly jobId: string,
    readonly name: string
  ) {
    super({ content: new Content(model, jobId, name) });
    this.id = `aios-job-${jobId}`;
    this.addClass('aios-job-tab');
    this.title.icon = aiosIcon;
    this.title.closable = true;
    this.title.label = name;
    this.title.caption = `Job ${name}`;
  }
}

class Content extends ReactWidget {
  constructor(
    private readonly model: PanelModel,
    private readonly jobId: string,
    private readonly name: string
  ) {
    super();
    this.addClass('aios-ui');
    this.addClass('aios-job-page');
  }

  protected override render(): JSX.Element {
    return <JobPage model={this.model} jobId={this.jobId} name={this.name} />;
  }
}

function JobPage(props: { model: PanelModel; jobId: string; name: string }): JSX.Element {
  const { model, jobId, name } = props;
  useModel(model);
  const [run, setRun] = useState<string | null>(null);
  const shot = model.snapshot;
  const job = shot?.jobs.find(j => j.job_id === jobId);
  const now = useNow(model, job?.last ? MOVING.has(job.last.status) : false);
  if (!shot) {
    return model.error ? <Failure error={model.error} retry={() => void model.refresh()} /> : <Skeleton rows={6} label="Loading the job" />;
  }
  if (!job) {
    return (
      <Empty title={`“${name}” is not here`}>
        <p>
          There is no such job in the workspace of the document in focus, <code>{shot.workspace.shown}</code>. It was removed, or it is of another
          workspace: go to a document of that one.
        </p>
      </Empty>
    );
  }
  return (
    <section aria-label={`Job ${job.name}`} data-testid="aios-job-page">
      <Failure error={model.error} />
      <header className="aios-job-page-head">
        <JobHead job={job} now={now} />
        <HeatStrip job={job} open={run} onOpen={setRun} />
      </header>
      <JobBody model={model} job={job} now={now} run={run} onRun={setRun} />
    </section>
  );
}
