// Notifications of the lab for what needs a person.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Toasts } from '../toasts';
import { CommandIDs, IAios } from '../tokens';

export const toastsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'aios-workbench:notifications',
  description: 'Tells of gates that wait and jobs that failed.',
  autoStart: true,
  requires: [IAios],
  activate: (app: JupyterFrontEnd, { model, settings }: IAios) => {
    new Toasts(model, settings, (tab, item) => void app.commands.execute(CommandIDs.openPanel, { tab, item }));
  }
};
