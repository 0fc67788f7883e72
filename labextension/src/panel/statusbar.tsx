// The status bar: what runs, what waits, whether the last run failed.
import { ReactWidget } from '@jupyterlab/ui-components';
import { StateMark } from '../shared';
import { useModel } from './hooks';
import type { PanelModel, TabName } from './model';

export class StatusItem extends ReactWidget {
  constructor(
    private readonly model: PanelModel,
    private readonly open: (tab: TabName) => void
  ) {
    super();
    this.addClass('aios-ui');
    this.addClass('aios-statusbar');
  }
  protected override render(): JSX.Element {
    return <Item model={this.model} open={this.open} />;
  }
}

function Item({ model, open }: { model: PanelModel; open: (tab: TabName) => void }): JSX.Element {
  useModel(model);
  const [marks, tab] = words(model);
  const text = marks.map(([, words]) => words).join(', ');
  return (
    <button type="button" className="aios-statusbar-button" title={`AIOS: ${text}. Click to open the panel.`} data-testid="aios-status" onClick={() => open(tab)}>
      <span>AIOS:</span>
      {marks.map(([status, words]) => (
        <span key={status} className={`aios-statusbar-part aios-is-${status}`}>
          {status !== 'idle' && <StateMark status={status} />}
          {words}
        </span>
      ))}
    </button>
  );
}

/** What to say, each with its state, and the tab that has more. */
function words(model: PanelModel): [[string, string][], TabName] {
  const shot = model.snapshot;
  if (model.error) {
    return [[['failed', model.error.status === 0 ? 'no connection' : 'not available']], 'runs'];
  }
  if (!shot) {
    return [[['idle', '…']], 'runs'];
  }
  const running = (shot.counts.running ?? 0) + (shot.counts.queued ?? 0);
  const waiting = shot.gates.length;
  const parts: [string, string][] = [];
  if (running) {
    parts.push(['running', `${running} running`]);
  }
  if (waiting) {
    parts.push(['waiting', `${waiting} waiting`]);
  }
  if (parts.length) {
    return [parts, waiting && !running ? 'waiting' : 'runs'];
  }
  const last = shot.newest;
  if (last && (last.status === 'failed' || last.status === 'interrupted')) {
    return [[[last.status, `${last.workflow} ${last.status}`]], 'runs'];
  }
  return [[['idle', last ? 'idle' : 'ready']], 'runs'];
}
