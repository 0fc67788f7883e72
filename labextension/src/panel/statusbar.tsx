// The status bar: what runs, what waits for me, what failed last. Each leads to what it names.
import { ReactWidget } from '@jupyterlab/ui-components';
import { StateMark } from '../shared';
import { plural } from './format';
import { useModel } from './hooks';
import type { PanelModel, TabName } from './model';

export interface StatusActions {
  openPanel: (tab: TabName) => void;
  openRun: (runId: string) => void;
}

export class StatusItem extends ReactWidget {
  constructor(
    private readonly model: PanelModel,
    private readonly actions: StatusActions
  ) {
    super();
    this.addClass('aios-ui');
    this.addClass('aios-statusbar');
  }
  protected override render(): JSX.Element {
    return <Item model={this.model} actions={this.actions} />;
  }
}

interface Part {
  status: string;
  words: string;
  /** What a click does, for the tooltip. */
  leads: string;
  go: () => void;
}

function Item({ model, actions }: { model: PanelModel; actions: StatusActions }): JSX.Element {
  useModel(model);
  return (
    <div className="aios-statusbar-items" role="group" aria-label="AIOS" data-testid="aios-status">
      {parts(model, actions).map((part, i) => (
        <button
          key={part.status}
          type="button"
          className={`aios-statusbar-button aios-is-${part.status}`}
          title={`AIOS: ${part.words}. ${part.leads}`}
          onClick={part.go}
        >
          {i === 0 && <span>AIOS:</span>}
          {part.status !== 'idle' && <StateMark status={part.status} />}
          <span className="aios-statusbar-words">{part.words}</span>
        </button>
      ))}
    </div>
  );
}

function parts(model: PanelModel, { openPanel, openRun }: StatusActions): Part[] {
  const shot = model.snapshot;
  const runs = () => openPanel('runs');
  if (model.error) {
    const words = model.error.status === 0 ? 'no connection' : 'not available';
    return [{ status: 'failed', words, leads: 'Click to see why.', go: runs }];
  }
  if (!shot) {
    return [{ status: 'idle', words: '…', leads: 'Asking the server.', go: runs }];
  }
  const out: Part[] = [];
  const running = (shot.counts.running ?? 0) + (shot.counts.queued ?? 0);
  if (running) {
    out.push({ status: 'running', words: `${running} running`, leads: 'Click to see the runs.', go: runs });
  }
  const waiting = shot.gates.length;
  if (waiting) {
    const leads = `Click to decide: ${plural(waiting, 'gate waits', 'gates wait')}.`;
    out.push({ status: 'waiting', words: `${waiting} waiting`, leads, go: () => openPanel('waiting') });
  }
  const broken = shot.failure ?? (shot.newest?.status === 'interrupted' ? shot.newest : null);
  if (broken) {
    out.push({ status: broken.status, words: `${broken.workflow} ${broken.status}`, leads: 'Click to open the run.', go: () => openRun(broken.run_id) });
  }
  return out.length ? out : [{ status: 'idle', words: shot.newest ? 'idle' : 'ready', leads: 'Click to open the panel.', go: runs }];
}
