// A run, or a workflow's history, in a tab of the main area.
import { MainAreaWidget } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import { type ISignal, Signal } from '@lumino/signaling';
import { useEffect, useState } from 'react';

import { aiosIcon } from '../panel/icons';
import { CopyButton } from '../shared/copy';
import { HistoryPage } from '../shared/inspector/history';
import { Inspector } from '../shared/inspector/inspector';
import { useLive } from '../shared/inspector/live';
import type { View } from '../shared/inspector/pages';
import { Loading, Trouble } from '../shared/inspector/parts';
import { StepPane } from '../shared/inspector/step/pane';
import type { Host } from '../shared/inspector/types';
import { linkTo, type Place } from './address';

/** What one tab shows and how it tells that it shows something else. */
export class TabModel {
  private readonly _changed = new Signal<this, void>(this);

  constructor(
    public place: Place,
    readonly host: Host
  ) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The run's state in a word, for the title; empty while it is not known. */
  status = '';

  show(change: Partial<View>): void {
    this.place = { ...this.place, view: { ...this.place.view, ...change } };
    this._changed.emit();
  }

  known(workflow: string, status: string): void {
    if (workflow !== this.place.workflow || status !== this.status) {
      this.place = { ...this.place, workflow };
      this.status = status;
      this._changed.emit();
    }
  }
}

export function tabId(place: Place): string {
  return place.runId !== null ? `aios-run-${place.runId}` : `aios-history-${place.workflow}-${place.path}`;
}

export class InspectorTab extends MainAreaWidget<ReactWidget> {
  constructor(readonly model: TabModel) {
    super({ content: new Content(model) });
    this.id = tabId(model.place);
    this.addClass('aios-inspector-tab');
    this.title.icon = aiosIcon;
    this.title.closable = true;
    model.changed.connect(this.retitle, this);
    this.retitle();
  }

  override dispose(): void {
    Signal.clearData(this);
    super.dispose();
  }

  private retitle(): void {
    const { runId, workflow } = this.model.place;
    const name = workflow ?? runId ?? '';
    this.title.label = runId === null ? `${name}: history` : this.model.status ? `${name}: ${this.model.status}` : name;
    this.title.caption = runId === null ? `History of ${name}` : `Run ${runId} of ${name}`;
  }
}

class Content extends ReactWidget {
  constructor(private readonly model: TabModel) {
    super();
    this.addClass('aios-inspector');
  }

  protected override render(): JSX.Element {
    return <Tab model={this.model} />;
  }
}

function Tab({ model }: { model: TabModel }): JSX.Element {
  const [, redraw] = useState(0);
  useEffect(() => {
    const onChange = (): void => redraw(n => n + 1);
    model.changed.connect(onChange);
    return () => void model.changed.disconnect(onChange);
  }, [model]);
  const { runId, workflow } = model.place;
  return runId !== null ? <RunView model={model} runId={runId} /> : <HistoryView model={model} workflow={workflow ?? ''} />;
}

function RunView({ model, runId }: { model: TabModel; runId: string }): JSX.Element {
  const { host, place } = model;
  const { picture, problem, again } = useLive(host, runId);
  const status = picture?.state.run?.status ?? '';
  useEffect(() => {
    if (picture) {
      model.known(picture.state.workflow, status);
    }
  }, [model, picture, status]);
  if (picture === null) {
    return (
      <section className="aiosw" data-place="tab" aria-label={`Run ${runId}`}>
        <div className="aiosw-page">{problem ? <Trouble problem={problem} again={again} /> : <Loading what="the run" rows={6} />}</div>
      </section>
    );
  }
  const { state, skew } = picture;
  return (
    <Inspector
      host={host}
      state={state}
      skew={skew}
      lost={problem ? `${problem.message} ${problem.hint} What is shown is the last that was known.` : ''}
      place="tab"
      view={place.view}
      onView={change => model.show(change)}
      onRun={made => host.openRun?.(made)}
      buttons={<CopyButton text={linkTo(place)} what="a link to this page" label="Copy link" />}
      renderStep={({ node, onRerun, onRedrive, onClose, onOpenStep }) => (
        <StepPane
          host={host}
          runId={runId}
          step={node.name}
          status={node.status}
          run={state.run?.status ?? null}
          stale={node.stale}
          cached={node.cached}
          inTab
          onRerun={onRerun}
          onRedrive={onRedrive}
          onClose={onClose}
          onOpenStep={onOpenStep}
        />
      )}
    />
  );
}

function HistoryView({ model, workflow }: { model: TabModel; workflow: string }): JSX.Element {
  const { host, place } = model;
  return (
    <section className="aiosw" data-place="tab" aria-label={`History of ${workflow}`}>
      <header className="aiosw-header">
        <div className="aiosw-title"><strong>{workflow}</strong><span className="aiosw-quiet">history</span></div>
        <span />
        <div className="aiosw-buttons"><CopyButton text={linkTo(place)} what="a link to this page" label="Copy link" /></div>
      </header>
      <div className="aiosw-page" data-page="history">
        <HistoryPage host={host} workflow={workflow} runId={null} onCompare={(a, b) => host.openCompare?.(a, b)} />
      </div>
    </section>
  );
}
