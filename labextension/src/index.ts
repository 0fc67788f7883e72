// The lab plugin: side panel, status item, commands, the promote dialog, and steps in the main area.
import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, Notification, ToolbarButton, WidgetTracker } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { IStatusBar } from '@jupyterlab/statusbar';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import type { Widget } from '@lumino/widgets';
import { Api } from './api';
import { aiosIcon } from './panel/icons';
import { PanelModel, type TabName } from './panel/model';
import { AiosPanel } from './panel/panel';
import { promoteDialog } from './panel/promote';
import { StatusItem } from './panel/statusbar';
import { stepWidget } from './panel/step';

export const CommandIDs = {
  openPanel: 'aios:open-panel',
  openStep: 'aios:open-step',
  promote: 'aios:promote'
};

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'aios-workbench:plugin',
  description: 'Runs, decisions and jobs of AIOS workflows: side panel, status, promote dialog.',
  autoStart: true,
  optional: [
    ILabShell, INotebookTracker, IDocumentManager, IDefaultFileBrowser, ICommandPalette, IStatusBar, ILayoutRestorer
  ],
  activate: (
    app: JupyterFrontEnd,
    labShell: ILabShell | null,
    notebooks: INotebookTracker | null,
    documents: IDocumentManager | null,
    browser: IDefaultFileBrowser | null,
    palette: ICommandPalette | null,
    statusBar: IStatusBar | null,
    restorer: ILayoutRestorer | null
  ) => {
    const { commands, serviceManager, shell } = app;
    const model = new PanelModel(new Api(serviceManager.serverSettings), serviceManager);
    const localPath = (path: string): string => serviceManager.contents.localPath(path);

    const panel = new AiosPanel(model, {
      openStep: (runId, step, workflow) => void commands.execute(CommandIDs.openStep, { runId, step, workflow }),
      promote: () => void commands.execute(CommandIDs.promote)
    });
    shell.add(panel, 'left', { rank: 300, type: 'AIOS' });
    restorer?.add(panel, panel.id);

    const openPanel = (tab: TabName, item: string | null = null): void => {
      shell.activateById(panel.id);
      model.show(tab, item);
    };
    statusBar?.registerStatusItem('aios-workbench:status', {
      item: new StatusItem(model, openPanel),
      align: 'left',
      rank: 50
    });

    // The workspace is that of the document in focus; a launcher or a terminal changes nothing.
    labShell?.currentPathChanged.connect((_, change) => {
      if (change.newValue) {
        model.follow(localPath(change.newValue));
      }
    });

    const steps = new WidgetTracker<MainAreaWidget>({ namespace: 'aios-workbench-steps' });
    commands.addCommand(CommandIDs.openPanel, {
      label: 'AIOS: Open Panel',
      caption: 'Show runs, decisions and jobs',
      icon: aiosIcon,
      execute: args => openPanel((args.tab as TabName) ?? model.tab, (args.item as string) ?? null)
    });
    commands.addCommand(CommandIDs.openStep, {
      label: 'AIOS: Open Step',
      isVisible: () => false, // called with a run and a step, by the panel
      execute: args => {
        const [runId, step, workflow] = [String(args.runId), String(args.step), String(args.workflow)];
        const found = steps.find(w => w.id === `aios-step-${runId}-${step}`);
        const widget = found ?? stepWidget(model, runId, step, workflow);
        if (!found) {
          void steps.add(widget);
          shell.add(widget, 'main');
        }
        shell.activateById(widget.id);
      }
    });

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
      label: args => (args.from === 'browser' ? 'Promote to a Job…' : 'AIOS: Promote Notebook to a Job…'),
      caption: 'Run this notebook on a schedule, in a fresh kernel',
      icon: aiosIcon,
      execute: async args => {
        const path = target(args);
        if (!path) {
          Notification.warning('Open or select the notebook to promote first.', { autoClose: 5000 });
          return;
        }
        const context = notebooks?.find(w => w.context.path === path)?.context ?? documents?.contextForWidget(shell.currentWidget as Widget);
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
        Notification.success(`“${job.name}” is now ${version}. ${job.schedule_words}`.slice(0, 140), {
          autoClose: 12_000,
          actions: [{ label: 'Show job', displayType: 'accent', callback: () => openPanel('jobs', job.job_id) }]
        });
      }
    });
    palette?.addItem({ command: CommandIDs.openPanel, category: 'AIOS' });
    palette?.addItem({ command: CommandIDs.promote, category: 'AIOS' });
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

export default plugin;
