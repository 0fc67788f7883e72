// Ways in: launcher cards and commands that make a first notebook.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { aiosIcon } from '../../panel/icons';
import { asApiError } from '../../panel/model';
import { EXAMPLE_CELLS, NEW_CELLS, notebook, saveNew } from '../notebooks';
import { CATEGORY, CommandIDs, IAios } from '../tokens';

const LESSON = '01_first_workflow';
/** Lessons after the first: command, lesson, label, caption. */
const MORE: [string, string, string, string][] = [
  [CommandIDs.inspectTutorial, '02_inspect_a_run', 'Open the Inspector Tutorial', 'Tables, time, failures, differences: a copy of lesson 2'],
  [CommandIDs.tuningTutorial, '03_tune_a_knn_index', 'Open the Nearest Neighbour Tutorial', 'The best index for a recall: a copy of lesson 3'],
  [CommandIDs.driftTutorial, '04_find_drift', 'Open the Drift Tutorial', 'Has the data changed, and does it matter: a copy of lesson 4'],
  [CommandIDs.explainTutorial, '05_explain_a_model', 'Open the Explanation Tutorial', 'Why a model says what it says, and when not to believe it: a copy of lesson 5'],
  [CommandIDs.promoteTutorial, '06_promote', 'Open the Promote Tutorial', 'From your notebook to a job that runs every night: a copy of lesson 6'],
  [CommandIDs.failuresTutorial, '07_failures_and_gates', 'Open the Failures Tutorial', 'When things fail, and when people decide: a copy of lesson 7']
];

export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: 'aios-workbench:launcher',
  description: 'Launcher cards: workflow tutorial, new workflow notebook, runs.',
  autoStart: true,
  requires: [IAios],
  optional: [ILauncher, ICommandPalette, IDefaultFileBrowser],
  activate: (
    app: JupyterFrontEnd,
    { model }: IAios,
    launcher: ILauncher | null,
    palette: ICommandPalette | null,
    browser: IDefaultFileBrowser | null
  ) => {
    const { commands, serviceManager } = app;
    /** Make a notebook and open it; a failure (a read-only folder) is said, not thrown. */
    const create = async (cwd: unknown, stem: string, content: () => Promise<unknown>): Promise<void> => {
      const folder = typeof cwd === 'string' ? cwd : (browser?.model.path ?? '');
      try {
        const path = await saveNew(serviceManager.contents, folder, stem, await content());
        await commands.execute('docmanager:open', { path, factory: 'Notebook' });
      } catch (e) {
        Notification.error(`The notebook could not be made. ${asApiError(e).message}`.slice(0, 140), { autoClose: 10_000 });
      }
    };
    const label = (short: string, long: string) => (args: { isLauncher?: unknown }) => (args.isLauncher ? short : long);
    commands.addCommand(CommandIDs.tutorial, {
      label: label('Workflow tutorial', 'Open the Workflow Tutorial'),
      caption: 'Your first workflow in twenty minutes: a copy of lesson 1, yours to change',
      icon: aiosIcon,
      execute: args =>
        create(args.cwd, LESSON, async () => {
          try {
            return await model.api.tutorial(LESSON);
          } catch {
            return notebook(NEW_CELLS); // an installation without the lessons still gets people started
          }
        })
    });
    for (const [command, lesson, title, caption] of MORE) {
      commands.addCommand(command, {
        label: title,
        caption,
        icon: aiosIcon,
        execute: args => create(args.cwd, lesson, () => model.api.tutorial(lesson))
      });
    }
    commands.addCommand(CommandIDs.newWorkflow, {
      label: label('New workflow notebook', 'New Workflow Notebook'),
      caption: 'A notebook with a workflow of two steps',
      icon: aiosIcon,
      execute: args => create(args.cwd, 'workflow', async () => notebook(NEW_CELLS))
    });
    commands.addCommand(CommandIDs.example, {
      label: 'Try the Claims Example',
      caption: 'A small workflow that works: press Run All and watch',
      icon: aiosIcon,
      execute: args => create(args.cwd, 'claims_example', async () => notebook(EXAMPLE_CELLS))
    });
    for (const command of [CommandIDs.tutorial, ...MORE.map(([id]) => id), CommandIDs.newWorkflow, CommandIDs.example]) {
      palette?.addItem({ command, category: CATEGORY });
    }
    [CommandIDs.tutorial, CommandIDs.newWorkflow, CommandIDs.openPanel].forEach((command, rank) =>
      launcher?.add({ command, category: CATEGORY, rank, args: { isLauncher: true } })
    );
  }
};
