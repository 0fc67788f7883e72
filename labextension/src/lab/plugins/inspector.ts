// Runs and steps in the main area.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { stepWidget } from '../../panel/step';
import { addToMain } from '../place';
import { CommandIDs, IAios } from '../tokens';

export const inspectorPlugin: JupyterFrontEndPlugin<void> = {
  id: 'aios-workbench:inspector',
  description: 'Runs and steps in the main area.',
  autoStart: true,
  requires: [IAios],
  activate: (app: JupyterFrontEnd, { model, settings }: IAios) => {
    const { commands, shell } = app;
    const steps = new WidgetTracker<MainAreaWidget>({ namespace: 'aios-workbench-steps' });
    commands.addCommand(CommandIDs.openStep, {
      label: 'Open Step',
      isVisible: () => false, // called with a run and a step, by the panel
      execute: args => {
        const [runId, step, workflow] = [String(args.runId), String(args.step), String(args.workflow)];
        const found = steps.find(w => w.id === `aios-step-${runId}-${step}`);
        const widget = found ?? stepWidget(model, runId, step, workflow);
        if (!found) {
          void steps.add(widget);
        }
        addToMain(shell, widget, settings);
      }
    });
  }
};
