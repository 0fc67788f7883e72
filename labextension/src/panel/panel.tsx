// The side panel: head, three tabs, one section.
import { ReactWidget, refreshIcon } from '@jupyterlab/ui-components';
import type { KeyboardEvent } from 'react';
import { plural } from './format';
import { GatesSection } from './gates';
import { Failure, Skeleton, useModel } from './hooks';
import { aiosIcon } from './icons';
import { needsYou } from './jobs/health';
import { JobsSection } from './jobs/section';
import type { PanelModel, TabName } from './model';
import { RunsSection } from './runs';
import type { TourState } from './tour';

/** What the panel asks of the rest of JupyterLab. */
export interface PanelActions {
  /** A run, or one step of it, in the main area. */
  openRun: (runId: string, step?: string, workflow?: string) => void;
  /** A job, in the main area. */
  openJob: (jobId: string, name: string) => void;
  promote: () => void;
  /** A small notebook that works, opened and ready to run. */
  tryExample: () => void;
  newWorkflow: () => void;
  readonly tour: TourState;
}

export class AiosPanel extends ReactWidget {
  constructor(
    private readonly model: PanelModel,
    private readonly actions: PanelActions
  ) {
    super();
    this.id = 'aios-workbench-panel';
    this.addClass('aios-ui');
    this.addClass('aios-panel');
    this.title.icon = aiosIcon;
    this.title.caption = 'AIOS: runs, decisions, jobs';
  }

  protected override render(): JSX.Element {
    return <Panel model={this.model} actions={this.actions} />;
  }
}

const TABS: { name: TabName; label: string }[] = [
  { name: 'runs', label: 'Runs' },
  { name: 'waiting', label: 'Waiting' },
  { name: 'jobs', label: 'Jobs' }
];

function Panel({ model, actions }: { model: PanelModel; actions: PanelActions }): JSX.Element {
  useModel(model);
  const shot = model.snapshot;
  const running = (shot?.counts.running ?? 0) + (shot?.counts.queued ?? 0);
  const badge: Record<TabName, number> = { runs: running, waiting: shot?.gates.length ?? 0, jobs: shot?.jobs.filter(needsYou).length ?? 0 };
  return (
    <>
      <header className="aios-head">
        <h2>AIOS</h2>
        {shot && (
          <span className="aios-workspace" title={`Workspace of the notebook in focus: ${shot.workspace.path}`} data-testid="aios-workspace">
            <bdi>{shot.workspace.shown}</bdi>
          </span>
        )}
        <button type="button" className="aios-icon-button" title="Refresh" aria-label="Refresh" onClick={() => void model.refresh()}>
          <refreshIcon.react tag="span" width="14px" height="14px" />
        </button>
      </header>
      <Tabs tab={model.tab} badge={badge} onSelect={tab => model.show(tab)} />
      <div className="aios-section" role="tabpanel" id="aios-tabpanel" aria-labelledby={`aios-tab-${model.tab}`}>
        {model.error && <Failure error={model.error} retry={() => void model.refresh()} />}
        {!shot && model.loading && <Skeleton rows={4} />}
        {shot && model.tab === 'runs' && <RunsSection model={model} shot={shot} actions={actions} />}
        {shot && model.tab === 'waiting' && <GatesSection model={model} shot={shot} actions={actions} />}
        {shot && model.tab === 'jobs' && <JobsSection model={model} shot={shot} actions={actions} />}
      </div>
    </>
  );
}

function Tabs(props: { tab: TabName; badge: Record<TabName, number>; onSelect: (tab: TabName) => void }): JSX.Element {
  const onKey = (e: KeyboardEvent<HTMLDivElement>) => {
    const at = TABS.findIndex(t => t.name === props.tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: TABS.length - 1 }[e.key];
    if (to === undefined) {
      return;
    }
    e.preventDefault();
    const next = TABS[(to + TABS.length) % TABS.length];
    props.onSelect(next.name);
    e.currentTarget.querySelector<HTMLElement>(`#aios-tab-${next.name}`)?.focus();
  };
  const words: Record<TabName, (n: number) => string> = {
    runs: n => `${n} running`,
    waiting: n => `${plural(n, 'decision')} waiting`,
    jobs: n => `${plural(n, 'job needs', 'jobs need')} a look`
  };
  return (
    <div className="aios-tabs" role="tablist" aria-label="AIOS sections" onKeyDown={onKey}>
      {TABS.map(({ name, label }) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`aios-tab-${name}`}
          className={`aios-tab aios-tab-${name}`}
          aria-selected={props.tab === name}
          aria-controls="aios-tabpanel"
          tabIndex={props.tab === name ? 0 : -1}
          onClick={() => props.onSelect(name)}
        >
          {label}
          {props.badge[name] > 0 && (
            <span className="aios-count" aria-label={words[name](props.badge[name])} title={words[name](props.badge[name])}>
              {props.badge[name]}
            </span>
          )}
        </button>
      ))}
    </div>
  );
}
