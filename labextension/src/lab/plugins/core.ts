// The model everything else shows: made once, follows the document in focus.
import { ILabShell, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Api } from '../../api';
import { PanelModel } from '../../panel/model';
import { Settings } from '../settings';
import { IAios } from '../tokens';

const ID = 'aios-workbench:plugin'; // also names schema/plugin.json

export const corePlugin: JupyterFrontEndPlugin<IAios> = {
  id: ID,
  description: 'What AIOS Workbench knows of the workspace in focus.',
  autoStart: true,
  provides: IAios,
  optional: [ILabShell, ISettingRegistry],
  activate: (app: JupyterFrontEnd, labShell: ILabShell | null, registry: ISettingRegistry | null): IAios => {
    const { serviceManager } = app;
    const settings = new Settings();
    registry && settings.follow(registry, ID).catch(e => console.warn(`The settings of ${ID} could not be read.`, e));
    const model = new PanelModel(new Api(serviceManager.serverSettings), serviceManager, settings);
    const localPath = (path: string): string => serviceManager.contents.localPath(path);
    // The workspace is that of the document in focus; a launcher or a terminal changes nothing.
    labShell?.currentPathChanged.connect((_, change) => {
      if (change.newValue) {
        model.follow(localPath(change.newValue));
      }
    });
    return { model, settings, localPath };
  }
};
