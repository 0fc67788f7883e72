// The model everything else shows: made once, follows the document in focus.
import { ILabShell, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Api } from '../../api';
import { PanelModel } from '../../panel/model';
import { IAios } from '../tokens';

export const corePlugin: JupyterFrontEndPlugin<IAios> = {
  id: 'aios-workbench:plugin',
  description: 'What AIOS Workbench knows of the workspace in focus.',
  autoStart: true,
  provides: IAios,
  optional: [ILabShell],
  activate: (app: JupyterFrontEnd, labShell: ILabShell | null): IAios => {
    const { serviceManager } = app;
    const model = new PanelModel(new Api(serviceManager.serverSettings), serviceManager);
    const localPath = (path: string): string => serviceManager.contents.localPath(path);
    // The workspace is that of the document in focus; a launcher or a terminal changes nothing.
    labShell?.currentPathChanged.connect((_, change) => {
      if (change.newValue) {
        model.follow(localPath(change.newValue));
      }
    });
    return { model, localPath };
  }
};
