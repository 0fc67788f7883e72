// From a notebook to a job: command, context menu of the file browser, button in the notebook's toolbar.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification, ToolbarButton } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import { aiosIcon } from '../../panel/icons';
import { PromoteDialog, type Step } from '../../panel/promote';
import { LabBook } from '../books';
import { Cells } from '../cells';
import { PromoteBadge } from '../promote_badge';
import { CATEGORY, CommandIDs, IAios } from '../tokens';

export const promotePlugin: JupyterFrontEndPlugin<void> = {
  id: 'aios-workbench:promote',
  description: 'The promote dialog: run a notebook on a schedule, in a fresh kernel.',
  autoStart: true,
  requires: [IAios],
  optional: [INotebookTracker, IDocumentManager, IDefaultFileBrowser, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    { model, localPath }: IAios,
    notebooks: INotebookTracker | null,
    documents: IDocumentManager | null,
    browser: IDefaultFileBrowser | null,
    palette: ICommandPalette | null
  ) => {
    const { commands } = app;
    const promoted = new Signal<object, string>({});
    /** The notebook meant: the one given, the one selected in the file browser, the one open. */
    const target = (args: { path?: unknown; from?: unknown }): string => {
      if (typeof args.path === 'string' && args.path) {
        return args.path;
      }
      const selected = browser ? Array.from(browser.selectedItems()).find(item => item.type === 'notebook') : undefined;
      const open = notebooks?.currentWidget?.context.path;
      return (args.from === 'browser' ? (selected?.path ?? open) : (open ?? selected?.path)) ?? '';
    };
    commands.addCommand(CommandIDs.promote, {
      label: args => (args.from === 'browser' ? 'Promote to a Job…' : 'Promote Notebook to a Job…'),
      caption: 'Run this notebook on a schedule, in a fresh kernel',
      icon: aiosIcon,
      execute: async args => {
        const path = target(args);
        if (!path) {
          Notification.warning('Open or select the notebook to promote first.', { autoClose: 5000 });
          return;
        }
        model.follow(localPath(path));
        const cells = notebooks && new Cells(notebooks, documents, commands);
        const book = new LabBook(path, notebooks, app.serviceManager.contents, cells);
        const { job, show } = await PromoteDialog.show(model.api, localPath(path), book, args.step as Step | undefined);
        if (!job) {
          return;
        }
        promoted.emit(path);
        await model.refresh();
        if (show) {
          await commands.execute(CommandIDs.openPanel, { tab: 'jobs', item: job.job_id });
        }
      }
    });
    palette?.addItem({ command: CommandIDs.promote, category: CATEGORY });
    app.contextMenu.addItem({
      command: CommandIDs.promote,
      args: { from: 'browser' },
      selector: '.jp-DirListing-item[data-file-type="notebook"]',
      rank: 3.5
    });
    app.docRegistry.addWidgetExtension('Notebook', {
      createNew: (widget: NotebookPanel, context: DocumentRegistry.IContext<DocumentRegistry.IModel>): IDisposable => {
        const button = new ToolbarButton({
          icon: aiosIcon,
          label: 'Promote…',
          className: 'aios-promote-button',
          tooltip: `Promote ${PathExt.basename(context.path)} to a job`,
          onClick: () => void commands.execute(CommandIDs.promote, { path: context.path })
        });
        widget.toolbar.insertItem(10, 'aios-promote', button);
        const open = (step: Step) => void commands.execute(CommandIDs.promote, { path: context.path, step });
        const badge = new PromoteBadge(model.api, context, localPath, promoted, open);
        widget.toolbar.insertAfter('aios-promote', 'aios-promoted', badge);
        return new DisposableDelegate(() => {
          button.dispose();
          badge.dispose();
        });
      }
    });
  }
};
