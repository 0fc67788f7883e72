// From a notebook to a job: command, context menu of the file browser, button in the notebook's toolbar.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification, ToolbarButton } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { aiosIcon } from '../../panel/icons';
import { promoteDialog } from '../../panel/promote';
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
    const { commands, shell } = app;
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
        const current = shell.currentWidget; // null right after the lab has opened
        const context = notebooks?.find(w => w.context.path === path)?.context ?? (current && documents?.contextForWidget(current));
        if (context?.path === path && context.model.dirty) {
          await context.save(); // what is promoted is the file
        }
        model.follow(localPath(path));
        const job = await promoteDialog(model.api, localPath(path));
        if (!job) {
          return;
        }
        await model.refresh();
        const version = job.version > 1 ? `version ${job.version}` : 'a job';
        const show = () => void commands.execute(CommandIDs.openPanel, { tab: 'jobs', item: job.job_id });
        Notification.success(`“${job.name}” is now ${version}. ${job.schedule_words}`.slice(0, 140), {
          autoClose: 12_000,
          actions: [{ label: 'Show job', displayType: 'accent', callback: show }]
        });
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
        return new DisposableDelegate(() => button.dispose());
      }
    });
  }
};
