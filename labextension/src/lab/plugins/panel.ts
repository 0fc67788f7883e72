// The side panel, its status item, and the commands that lead there.
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { IStateDB } from '@jupyterlab/statedb';
import { IStatusBar } from '@jupyterlab/statusbar';
import { aiosIcon } from '../../panel/icons';
import type { TabName } from '../../panel/model';
import { JobTab } from '../../panel/jobs/tab';
import { AiosPanel } from '../../panel/panel';
import { StatusItem } from '../../panel/statusbar';
import type { TourState } from '../../panel/tour';
import { CATEGORY, CommandIDs, IAios } from '../tokens';

const TOUR = 'aios-workbench:tour';

export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'aios-workbench:panel',
  description: 'Side panel and status bar: runs, decisions and jobs.',
  autoStart: true,
  requires: [IAios],
  optional: [ICommandPalette, IStatusBar, ILayoutRestorer, IStateDB],
  activate: (
    app: JupyterFrontEnd,
    { model }: IAios,
    palette: ICommandPalette | null,
    statusBar: IStatusBar | null,
    restorer: ILayoutRestorer | null,
    state: IStateDB | null
  ) => {
    const { commands, shell } = app;
    const openPanel = (tab: TabName, item: string | null = null): void => {
      shell.activateById(panel.id);
      model.show(tab, item);
    };
    const openRun = (runId: string, step?: string, workflow?: string): void => {
      if (commands.hasCommand(CommandIDs.openRun)) {
        void commands.execute(CommandIDs.openRun, { run_id: runId, ...(step ? { step } : {}), ...(workflow ? { workflow } : {}) });
      } else if (step) {
        void commands.execute(CommandIDs.openStep, { runId, step, workflow: workflow ?? '' });
      } else {
        openPanel('runs', runId);
      }
    };
    const tour = tourState(state);
    const jobs = new WidgetTracker<JobTab>({ namespace: 'aios-workbench-jobs' });
    const openJob = (jobId: string, name: string): void => {
      const known = jobs.find(t => t.jobId === jobId);
      if (!known) {
        const tab = new JobTab(model, jobId, name);
        void jobs.add(tab);
        shell.add(tab, 'main');
      }
      shell.activateById(`aios-job-${jobId}`);
    };
    const panel = new AiosPanel(model, {
      openRun,
      openJob,
      promote: () => void commands.execute(CommandIDs.promote),
      tryExample: () => void commands.execute(CommandIDs.example),
      newWorkflow: () => void commands.execute(CommandIDs.newWorkflow),
      tour
    });
    shell.add(panel, 'left', { rank: 300, type: 'AIOS' });
    restorer?.add(panel, panel.id);
    statusBar?.registerStatusItem('aios-workbench:status', {
      item: new StatusItem(model, { openPanel, openRun: id => openRun(id) }),
      align: 'left',
      rank: 50
    });

    const tabs: [string, TabName, string, string][] = [
      [CommandIDs.showRuns, 'runs', 'Show Runs', 'Runs of the workspace of the notebook in focus'],
      [CommandIDs.showWaiting, 'waiting', 'Show Decisions Waiting', 'Gates that wait for somebody to approve or reject'],
      [CommandIDs.showJobs, 'jobs', 'Show Jobs', 'Promoted notebooks, their schedules and results']
    ];
    commands.addCommand(CommandIDs.openPanel, {
      label: args => (args.isLauncher ? 'AIOS runs' : 'Open the AIOS Panel'),
      caption: 'Show runs, decisions and jobs',
      icon: aiosIcon,
      execute: args => openPanel((args.tab as TabName) ?? model.tab, (args.item as string) ?? null)
    });
    for (const [id, tab, label, caption] of tabs) {
      commands.addCommand(id, { label, caption, icon: aiosIcon, execute: () => openPanel(tab) });
    }
    commands.addCommand(CommandIDs.openJob, {
      label: 'Open Job',
      isVisible: () => false, // called with a job, by whoever shows one
      execute: args => openJob(String(args.job_id), String(args.name ?? args.job_id))
    });
    void restorer?.restore(jobs, {
      command: CommandIDs.openJob,
      args: tab => ({ job_id: tab.jobId, name: tab.name }),
      name: tab => tab.id
    });
    commands.addCommand(CommandIDs.refresh, {
      label: 'Refresh Runs and Jobs',
      caption: 'Ask the server now; it happens by itself as well',
      execute: () => model.refresh()
    });
    const failed = () => model.snapshot?.failure ?? null;
    commands.addCommand(CommandIDs.openFailure, {
      label: () => (failed() ? `Open the Last Failed Run (${failed()?.workflow.slice(0, 60)})` : 'Open the Last Failed Run'),
      caption: 'The last run that failed and was not made good since',
      isEnabled: () => failed() !== null,
      execute: () => {
        const run = failed();
        run && openRun(run.run_id, undefined, run.workflow);
      }
    });
    commands.addCommand(CommandIDs.nextDecision, {
      label: 'Decide on the Oldest Waiting Gate',
      caption: 'Open the gate that has waited longest',
      isEnabled: () => (model.snapshot?.gates.length ?? 0) > 0,
      execute: () => {
        const gate = model.snapshot?.gates[0];
        gate && openPanel('waiting', `${gate.run_id}/${gate.step}`);
      }
    });
    commands.addCommand(CommandIDs.showTour, {
      label: 'Show the AIOS Tour',
      caption: 'The first steps, again',
      execute: async () => {
        await tour.put(false);
        model.tour.emit();
        openPanel('runs');
      }
    });
    commands.addCommand(CommandIDs.settings, {
      label: 'AIOS Settings',
      caption: 'Notifications, groups, page sizes',
      isEnabled: () => commands.hasCommand('settingeditor:open'),
      execute: () => commands.execute('settingeditor:open', { query: 'AIOS Workbench' })
    });
    model.changed.connect(() => {
      commands.notifyCommandChanged(CommandIDs.openFailure);
      commands.notifyCommandChanged(CommandIDs.nextDecision);
    });
    for (const command of [
      CommandIDs.openPanel, ...tabs.map(([id]) => id), CommandIDs.refresh, CommandIDs.openFailure, CommandIDs.nextDecision,
      CommandIDs.showTour, CommandIDs.settings
    ]) {
      palette?.addItem({ command, category: CATEGORY });
    }
  }
};

/** Remembered with the workspace of the lab; for this page only where there is no such place. */
function tourState(state: IStateDB | null): TourState {
  let here = false;
  return {
    seen: async () => here || (await state?.fetch(TOUR).catch(() => undefined)) === 'seen',
    put: async seen => {
      here = seen;
      await state?.save(TOUR, seen ? 'seen' : 'new').catch(() => undefined);
    }
  };
}
