// A step in the main area: its output, log, attempts and inputs, for any run of any process.
import { MainAreaWidget } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import { useEffect, useState } from 'react';
import type { LogLine, StepDetail } from '../api';
import { StatusBadge } from './badge';
import { LogView, PreviewView } from '../shared';
import { brief, duration, moment } from './format';
import { Failure, Skeleton, useAsk, useModel } from './hooks';
import { aiosIcon } from './icons';
import type { PanelModel } from './model';
import { ErrorBox } from './run';

const PAGE = 50;
const LOG_LINES = 2000;

const NO_OUTPUT: Record<string, string> = {
  succeeded: 'This step returned nothing.',
  failed: 'It failed, so there is no output.',
  skipped: 'It was skipped, so there is no output.',
  cancelled: 'It was cancelled, so there is no output.'
};

class StepContent extends ReactWidget {
  constructor(
    private readonly model: PanelModel,
    private readonly runId: string,
    private readonly step: string,
    private readonly workflow: string
  ) {
    super();
    this.addClass('aios-ui');
    this.addClass('aios-step-view');
  }
  protected override render(): JSX.Element {
    return <StepView model={this.model} runId={this.runId} step={this.step} workflow={this.workflow} />;
  }
}

export function stepWidget(model: PanelModel, runId: string, step: string, workflow: string): MainAreaWidget {
  const widget = new MainAreaWidget({ content: new StepContent(model, runId, step, workflow) });
  widget.id = `aios-step-${runId}-${step}`;
  widget.title.label = brief(step, 40);
  widget.title.caption = `Step ${step} of ${workflow}, run ${runId}`;
  widget.title.icon = aiosIcon;
  widget.title.closable = true;
  return widget;
}

function StepView(props: { model: PanelModel; runId: string; step: string; workflow: string }): JSX.Element {
  const { model, runId, step } = props;
  useModel(model);
  const news = model.news.get(runId);
  const [over, setOver] = useState(false); // a finished output stays as it is, whatever else the run does
  const { data, error, again } = useAsk(() => model.api.step(runId, step, 0, PAGE), [runId, step, over ? 'over' : news]);
  useEffect(() => setOver(data?.status === 'succeeded'), [data?.status]);
  if (!data) {
    return error ? <Failure error={error} retry={again} /> : <Skeleton rows={5} label="Loading the step" />;
  }
  const took = data.started_at === null ? null : (data.ended_at ?? model.now()) - data.started_at;
  return (
    <div className="aios-step-page" data-testid="aios-step-page">
      <header>
        <h2>{step}</h2>
        <div className="aios-row aios-sub">
          <StatusBadge status={data.status} />
          {took !== null && <span>{duration(took)}</span>}
          {data.cached && <span className="aios-note">cached</span>}
          <span className="aios-dim">{`${props.workflow} · run ${runId}`}</span>
        </div>
      </header>
      {error && <Failure error={error} retry={again} />}
      {data.error && <ErrorBox error={data.error} />}
      <section aria-label="Output">
        <h3 className="aios-label">Output</h3>
        {data.preview ? (
          <PreviewView
            first={data.preview}
            label={`Output of ${step}`}
            fetchPage={(offset, limit) => model.api.step(runId, step, offset, limit).then(d => d.preview!)}
          />
        ) : (
          <p className="aios-dim">{NO_OUTPUT[data.status] ?? 'No output yet.'}</p>
        )}
      </section>
      <Inputs inputs={data.inputs} />
      <Attempts detail={data} />
      <Log model={model} runId={runId} step={step} news={news} />
    </div>
  );
}

function Inputs({ inputs }: { inputs: Record<string, unknown> }): JSX.Element | null {
  const all = Object.entries(inputs);
  if (all.length === 0) {
    return null;
  }
  return (
    <section aria-label="Inputs">
      <h3 className="aios-label">Inputs</h3>
      <dl className="aios-facts">
        {all.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{describe(value)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function describe(value: unknown): string {
  const a = value as { type?: string; shape?: number[] | null; hash?: string; value?: unknown } | null;
  if (a && typeof a === 'object' && a.hash && a.type) {
    if ('value' in a) {
      return brief(a.value, 300);
    }
    const shape = a.shape?.length ? ` ${a.shape.map(n => n.toLocaleString('en-US')).join(' × ')}` : '';
    return `${a.type}${shape} (${a.hash.slice(0, 10)})`;
  }
  return brief(value, 300);
}

function Attempts({ detail }: { detail: StepDetail }): JSX.Element | null {
  if (detail.attempts_list.length < 2) {
    return null;
  }
  return (
    <section aria-label="Attempts">
      <h3 className="aios-label">Attempts</h3>
      <ol className="aios-history">
        {detail.attempts_list.map(a => (
          <li key={a.attempt} className="aios-history-row">
            <span className="aios-row">
              <StatusBadge status={a.status} />
              <span className="aios-dim">{`attempt ${a.attempt}, ${moment(a.started_at)}`}</span>
              {a.ended_at !== null && <span className="aios-time">{duration(a.ended_at - a.started_at)}</span>}
            </span>
            {a.error && <ErrorBox error={a.error} />}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Log(props: { model: PanelModel; runId: string; step: string; news: number | undefined }): JSX.Element {
  const { model, runId, step, news } = props;
  const [lines, setLines] = useState<LogLine[]>([]);
  const [cut, setCut] = useState(false);
  const [failed, setFailed] = useState(false);
  const last = lines[lines.length - 1]?.seq ?? 0;
  useEffect(() => {
    let live = true;
    model.api.logs(runId, step, last).then(
      got => {
        if (live && got.logs.length) {
          setLines(old => [...old, ...got.logs].slice(-LOG_LINES));
          setCut(was => was || lines.length + got.logs.length > LOG_LINES);
        }
        if (live) {
          setFailed(false);
        }
      },
      () => live && setFailed(true)
    );
    return () => {
      live = false;
    };
  }, [model, runId, step, news, last]);
  return (
    <section aria-label="Log">
      <h3 className="aios-label">Log</h3>
      {failed && lines.length === 0 ? <p className="aios-dim">The log could not be read.</p> : <LogView lines={lines} cut={cut} label={`Log of ${step}`} />}
    </section>
  );
}
