// What a widget in an output asks of its notebook: write into a cell, show a cell.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { INotebookTracker } from '@jupyterlab/notebook';
import { listen } from '../bridge';
import { Cells } from '../cells';

export const cellsPlugin: JupyterFrontEndPlugin<Cells> = {
  id: 'aios-workbench:cells',
  description: 'Writes code into notebook cells and brings them into view, for the graph and the inspector.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [IDocumentManager],
  activate: (app: JupyterFrontEnd, notebooks: INotebookTracker, documents: IDocumentManager | null) => {
    const cells = new Cells(notebooks, documents, app.commands);
    listen({
      reveal_cell: ({ cell }, from) => cells.revealCell(cell, from),
      write_cell: ({ edit, run }, from) => cells.writeCell(edit, run, from)
    });
    return cells;
  }
};
