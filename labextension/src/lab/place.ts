// Where a run opens: a setting.
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Widget } from '@lumino/widgets';
import type { Settings } from './settings';

/** Add a widget to the main area, as a tab or to the right of what is open, and show it. */
export function addToMain(shell: JupyterFrontEnd.IShell, widget: Widget, settings: Settings): void {
  if (!widget.isAttached) {
    const right = settings.get('openRunsIn') === 'right' && shell.currentWidget !== null;
    void shell.add(widget, 'main', right ? { mode: 'split-right', ref: shell.currentWidget?.id } : {});
  }
  shell.activateById(widget.id);
}
