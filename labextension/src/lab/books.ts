// Notebooks as the promote dialog changes them: in the open tab, so that undo works there, or in the file.
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import { type Book, type Changes, MOVED } from '../panel/promote';
import { type Cells, replaceSource } from './cells';

interface FileCell {
  source: string | string[];
  outputs?: unknown[];
  execution_count?: number | null;
}

interface FileNotebook {
  metadata: Record<string, unknown>;
  cells: FileCell[];
}

/** The book of a path: the open notebook while there is one. */
export class LabBook implements Book {
  constructor(
    readonly path: string,
    private readonly notebooks: INotebookTracker | null,
    private readonly contents: Contents.IManager,
    private readonly cells: Cells | null
  ) {}

  private get panel(): NotebookPanel | undefined {
    return this.notebooks?.find(w => w.context.path === this.path);
  }

  isOpen(): boolean {
    return this.panel !== undefined;
  }

  isDirty(): boolean {
    return this.panel?.context.model.dirty ?? false;
  }

  async save(): Promise<void> {
    await this.panel?.context.save();
    if (this.isDirty()) {
      throw new Error(`${this.path} could not be saved. Save it yourself, then check again.`);
    }
  }

  async apply(changes: Changes): Promise<() => Promise<void>> {
    const { panel } = this;
    return panel ? this.inTab(panel, changes) : this.inFile(changes);
  }

  async reveal(cell: number, line: number | null): Promise<void> {
    await this.cells?.revealAt(this.path, cell - 1, line);
  }

  private async inTab(panel: NotebookPanel, { cells, metadata }: Changes): Promise<() => Promise<void>> {
    const shared = panel.context.model.sharedModel;
    if (panel.context.model.readOnly) {
      throw new Error('The notebook is read-only. Save a copy of it, and promote that.');
    }
    const meant = cells.map(change => ({ change, cell: shared.cells[change.cell - 1] }));
    if (meant.some(({ change, cell }) => cell?.getSource() !== change.before)) {
      throw new Error(MOVED);
    }
    const was = meant.map(({ cell }) => cell.toJSON());
    const before = shared.getMetadata('aios');
    shared.transact(() => {
      for (const { change, cell } of meant) {
        replaceSource(cell, change.before, change.after);
        if (change.clear_outputs && cell.cell_type === 'code') {
          (cell as unknown as Code).setOutputs([]);
          (cell as unknown as Code).execution_count = null;
        }
      }
      if (metadata) {
        shared.setMetadata('aios', metadata as never);
      }
    });
    await this.save();
    return async () => {
      if (meant.some(({ change, cell }) => cell.isDisposed || cell.getSource() !== change.after)) {
        throw new Error('A cell was changed since. Take the change back in the notebook, with its own undo.');
      }
      shared.transact(() => {
        meant.forEach(({ change, cell }, i) => {
          replaceSource(cell, change.after, change.before);
          if (change.clear_outputs) {
            (cell as unknown as Code).setOutputs((was[i] as { outputs?: unknown[] }).outputs ?? []);
            (cell as unknown as Code).execution_count = (was[i] as { execution_count?: number | null }).execution_count ?? null;
          }
        });
        if (metadata) {
          before === undefined ? shared.deleteMetadata('aios') : shared.setMetadata('aios', before);
        }
      });
      await this.save();
    };
  }

  private async inFile({ cells, metadata }: Changes): Promise<() => Promise<void>> {
    const was = structuredClone(await this.read());
    const now = structuredClone(was);
    for (const change of cells) {
      const cell = now.cells[change.cell - 1];
      if (!cell || text(cell.source) !== change.before) {
        throw new Error(MOVED);
      }
      cell.source = change.after;
      if (change.clear_outputs) {
        cell.outputs = [];
        cell.execution_count = null;
      }
    }
    if (metadata) {
      now.metadata.aios = metadata;
    }
    await this.write(now);
    return async () => {
      const there = await this.read();
      if (this.isOpen() || cells.some(change => text(there.cells[change.cell - 1]?.source ?? '') !== change.after)) {
        throw new Error('The notebook was changed since. Take the change back in the notebook.');
      }
      for (const change of cells) {
        const { source, outputs, execution_count } = was.cells[change.cell - 1];
        Object.assign(there.cells[change.cell - 1], { source }, change.clear_outputs ? { outputs, execution_count } : {});
      }
      if (metadata) {
        there.metadata = was.metadata;
      }
      await this.write(there);
    };
  }

  private async read(): Promise<FileNotebook> {
    const model = await this.contents.get(this.path, { content: true, type: 'notebook' });
    return model.content as FileNotebook;
  }

  private async write(content: FileNotebook): Promise<void> {
    await this.contents.save(this.path, { type: 'notebook', format: 'json', content });
  }
}

interface Code {
  setOutputs(outputs: unknown[]): void;
  execution_count: number | null;
}

function text(source: string | string[]): string {
  return Array.isArray(source) ? source.join('') : source;
}
