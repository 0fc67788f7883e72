// The lab extension: one plugin per part, so that a deployment can disable one and keep the others.
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { cellsPlugin } from './lab/plugins/cells';
import { corePlugin } from './lab/plugins/core';
import { inspectorPlugin } from './lab/plugins/inspector';
import { panelPlugin } from './lab/plugins/panel';
import { promotePlugin } from './lab/plugins/promote';

const plugins: JupyterFrontEndPlugin<unknown>[] = [corePlugin, panelPlugin, inspectorPlugin, promotePlugin, cellsPlugin];

export default plugins;
