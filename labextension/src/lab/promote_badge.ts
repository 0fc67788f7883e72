// Beside the toolbar's button: which job the notebook is, and whether it still is what was promoted.
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { ISignal } from '@lumino/signaling';
import { createElement } from 'react';
import type { Api, PromoteBadge as State } from '../api';
import type { Step } from '../panel/promote';

const AFTER_SAVE = 800; // ms: a notebook is saved often

export class PromoteBadge extends ReactWidget {
  private state: State | null = null;
  private timer = 0;

  constructor(
    private readonly api: Api,
    private readonly context: DocumentRegistry.IContext<DocumentRegistry.IModel>,
    private readonly localPath: (path: string) => string,
    private readonly promoted: ISignal<object, string>,
    private readonly open: (step: Step) => void
  ) {
    super();
    this.addClass('aios-ui');
    this.addClass('aios-promoted');
    void context.ready.then(() => this.soon(0));
    context.saveState.connect(this.onSave, this);
    promoted.connect(this.onPromoted, this);
  }

  protected override render(): JSX.Element | null {
    const { state } = this;
    if (!state?.job) {
      return null;
    }
    const { differs, version, job, what } = state;
    const words = differs ? `differs from v${version}` : `promoted v${version}`;
    const title = differs ? `${job}: ${what.join(', ')} differ from version ${version}. Click to see what promoting changes.` : `This notebook is version ${version} of “${job}”`;
    return createElement(
      'button',
      { type: 'button', className: `aios-promoted-badge${differs ? ' aios-mod-differs' : ''}`, title, onClick: () => this.open(differs ? 'approve' : 'check'), 'data-testid': 'aios-promoted' },
      createElement('span', { 'aria-hidden': true }, differs ? '▲' : '✓'),
      createElement('span', null, words)
    );
  }

  override dispose(): void {
    window.clearTimeout(this.timer);
    this.context.saveState.disconnect(this.onSave, this);
    this.promoted.disconnect(this.onPromoted, this);
    super.dispose();
  }

  private onSave(_: unknown, state: DocumentRegistry.SaveState): void {
    if (state === 'completed') {
      this.soon(AFTER_SAVE);
    }
  }

  private onPromoted(_: unknown, path: string): void {
    if (path === this.context.path) {
      this.soon(0);
    }
  }

  private soon(delay: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.api.badge(this.localPath(this.context.path)).then(
        state => {
          this.state = state;
          this.isDisposed || this.update();
        },
        () => undefined // no workspace, a notebook elsewhere: then there is nothing to say
      );
    }, delay);
  }
}
