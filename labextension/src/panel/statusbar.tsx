// The status bar: what runs, what waits, whether the last run failed.
import { ReactWidget } from '@jupyterlab/ui-components';
import { useModel } from './hooks';
import type { PanelModel, TabName } from './model';

export class StatusItem extends ReactWidget {
  constructor(
    private readonly model: PanelModel,
    private readonly open: (tab: TabName) => void
  ) {
    super();
    this.addClass('aios-statusbar');
  }
  protected override render(): JSX.Element {
    return <Item model={this.model} open={this.open} />;
  }
}

function Item({ model, open }: { model: PanelModel; open: (tab: TabName) => void }): JSX.Element {
  useModel(model);
  const [state, text, tab] = words(model);
  return (
    <button type="button" className={`aios-statusbar-button aios-is-${state}`} title={`AIOS: ${text}. Click to open the panel.`} data-testid="aios-status" onClick={() => open(tab)}>
      {`AIOS: ${text}`}
    </button>
  );
}

function words(model: PanelModel): [string, string, TabName] {
  const shot = model.snapshot;
  if (model.error) {
    return ['failed', 'no connection', 'runs'];
  }
  if (!shot) {
    return ['idle', '…', 'runs'];
  }
  const running = (shot.counts.running ?? 0) + (shot.counts.queued ?? 0);
  const waiting = shot.gates.length;
  const parts = [running ? `▶ ${running} running` : '', waiting ? `⏸ ${waiting} waiting` : ''].filter(Boolean);
  if (parts.length) {
    return [waiting ? 'waiting' : 'running', parts.join(' · '), waiting && !running ? 'waiting' : 'runs'];
  }
  const last = shot.newest;
  if (last && (last.status === 'failed' || last.status === 'interrupted')) {
    return ['failed', `✕ ${last.workflow} ${last.status}`, 'runs'];
  }
  return ['idle', last ? 'idle' : 'ready', 'runs'];
}
