// What the lab's plugins share: one model, one set of commands. Each plugin asks for `IAios`.
import { Token } from '@lumino/coreutils';
import type { PanelModel } from '../panel/model';

export const CommandIDs = {
  openPanel: 'aios:open-panel',
  openStep: 'aios:open-step',
  openRun: 'aios:open-run',
  promote: 'aios:promote'
};

export interface IAios {
  /** Snapshot of the workspace of the document in focus, and the client to ask the server with. */
  readonly model: PanelModel;
  /** A contents path without its drive, as the server knows it. */
  localPath(path: string): string;
}

export const IAios = new Token<IAios>('aios-workbench:IAios', 'Runs, decisions and jobs of the workspace in focus.');
