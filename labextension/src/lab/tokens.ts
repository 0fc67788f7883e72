// What the lab's plugins share: one model, one set of commands. Each plugin asks for `IAios`.
import { Token } from '@lumino/coreutils';
import type { PanelModel } from '../panel/model';
import type { Settings } from './settings';

export const CommandIDs = {
  openPanel: 'aios:open-panel',
  showRuns: 'aios:show-runs',
  showWaiting: 'aios:show-waiting',
  showJobs: 'aios:show-jobs',
  refresh: 'aios:refresh',
  openFailure: 'aios:open-last-failure',
  nextDecision: 'aios:next-decision',
  showTour: 'aios:show-tour',
  settings: 'aios:settings',
  tutorial: 'aios:tutorial',
  inspectTutorial: 'aios:inspect-tutorial',
  tuningTutorial: 'aios:tuning-tutorial',
  driftTutorial: 'aios:drift-tutorial',
  explainTutorial: 'aios:explain-tutorial',
  promoteTutorial: 'aios:promote-tutorial',
  failuresTutorial: 'aios:failures-tutorial',
  newWorkflow: 'aios:new-workflow',
  example: 'aios:example',
  openStep: 'aios:open-step',
  openRun: 'aios:open-run',
  openHistory: 'aios:open-history',
  openJob: 'aios:open-job',
  promote: 'aios:promote'
};

/** Where the palette and the launcher list our commands. */
export const CATEGORY = 'AIOS';

export interface IAios {
  /** Snapshot of the workspace of the document in focus, and the client to ask the server with. */
  readonly model: PanelModel;
  readonly settings: Settings;
  /** A contents path without its drive, as the server knows it. */
  localPath(path: string): string;
}

export const IAios = new Token<IAios>('aios-workbench:IAios', 'Runs, decisions and jobs of the workspace in focus.');
