// The lab extension: one plugin per part, so that a deployment can disable one and keep the others.
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { cellsPlugin } from './lab/plugins/cells';
import { corePlugin } from './lab/plugins/core';
import { inspectorPlugin } from './lab/plugins/inspector';
import { launcherPlugin } from './lab/plugins/launcher';
import { panelPlugin } from './lab/plugins/panel';
import { promotePlugin } from './lab/plugins/promote';
import { toastsPlugin } from './lab/plugins/toasts';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  corePlugin,
  panelPlugin,
  inspectorPlugin,
  promotePlugin,
  cellsPlugin,
  launcherPlugin,
  toastsPlugin
];

export default plugins;
