// The side panel, its status item and the command that opens both.
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IStatusBar } from '@jupyterlab/statusbar';
import { aiosIcon } from '../../panel/icons';
import type { TabName } from '../../panel/model';
import { AiosPanel } from '../../panel/panel';
import { StatusItem } from '../../panel/statusbar';
import { CommandIDs, IAios } from '../tokens';

export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'aios-workbench:panel',
  description: 'Side panel and status bar: runs, decisions and jobs.',
  autoStart: true,
  requires: [IAios],
  optional: [ICommandPalette, IStatusBar, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    { model }: IAios,
    palette: ICommandPalette | null,
    statusBar: IStatusBar | null,
    restorer: ILayoutRestorer | null
  ) => {
    const { commands, shell } = app;
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
    commands.addCommand(CommandIDs.openPanel, {
      label: 'AIOS: Open Panel',
      caption: 'Show runs, decisions and jobs',
      icon: aiosIcon,
      execute: args => openPanel((args.tab as TabName) ?? model.tab, (args.item as string) ?? null)
    });
    palette?.addItem({ command: CommandIDs.openPanel, category: 'AIOS' });
  }
};
