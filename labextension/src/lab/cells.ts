// Notebook cells, for what is shown in their outputs: finds one, writes into it, brings it into view.
import { PageConfig } from '@jupyterlab/coreutils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import { type INotebookTracker, NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import type { CommandRegistry } from '@lumino/commands';

import type { CellRef, CodeEdit } from '../protocol';

type Cell = NotebookPanel['content']['widgets'][number];
interface Found {
  panel: NotebookPanel;
  cell: Cell;
}

const FLASH_MS = 1600;

export class Cells {
  constructor(
    private readonly notebooks: INotebookTracker,
    private readonly documents: IDocumentManager | null,
    private readonly commands: CommandRegistry
  ) {}

  /**
   * Replaces the cell that holds exactly `before`, or adds one; as one step that can be undone.
   * Resolves when that is done, with `run` when the cell has ended. Rejects with what is wrong, for a person.
   */
  async writeCell(edit: CodeEdit, run: boolean, from: Element | null): Promise<void> {
    const { panel, cell } = edit.before === null ? await this.add(edit, from) : await this.replace(edit, edit.before, from);
    await this.show(panel, cell, null, false);
    if (run && !(await NotebookActions.runCells(panel.content, [cell], panel.sessionContext))) {
      throw new Error('The code was written and run, but the cell ended with an error: see below it.');
    }
  }

  /**
   * Opens the notebook a cell is in, scrolls to it and selects its line. False when there is no such cell,
   * 'changed' when its code is no longer the one that ran: the line may be another.
   */
  async revealCell(ref: CellRef, from: Element | null): Promise<boolean | 'changed'> {
    const panels = await this.panels(ref, from);
    // A cell that was changed since is still the one meant.
    const found = pick(panels, ref, trim(ref.source)) ?? pick(panels, ref, null) ?? holds(panels, trim(ref.source));
    if (found === null || found === 'several') {
      return false;
    }
    // Of a step that ran elsewhere only its function's text is known.
    const now = found.cell.model.sharedModel.getSource();
    const start = now.indexOf(trim(ref.source));
    const above = start > 0 ? now.slice(0, start).split('\n').length - 1 : 0;
    await this.commands.execute('docmanager:open', { path: found.panel.context.path });
    await this.show(found.panel, found.cell, ref.line === null ? null : ref.line + above, true);
    return start < 0 ? 'changed' : true;
  }

  /** Opens a notebook and shows one of its cells, by its place among them. */
  async revealAt(path: string, index: number, line: number | null): Promise<void> {
    const panel = (this.notebooks.find(p => p.context.path === path) ?? this.documents?.openOrReveal(path)) as NotebookPanel | undefined;
    await panel?.context.ready;
    await panel?.revealed;
    const cell = panel?.content.widgets[index];
    if (panel && cell) {
      await this.commands.execute('docmanager:open', { path });
      await this.show(panel, cell, line, true);
    }
  }

  private async replace(edit: CodeEdit, before: string, from: Element | null): Promise<Found> {
    const ref = edit.cell ?? { cell_id: null, notebook: null, label: '', source: before, line: null };
    const panels = await this.panels(ref, from);
    if (panels.length === 0) {
      throw new Error('The notebook with this cell is not open. Open it, then try again.');
    }
    const found = pick(panels, ref, trim(before));
    const name = ref.label || 'the cell';
    if (found === 'several') {
      throw new Error(`Several cells hold exactly the code of ${name}, so it is not clear which one is meant. Change it by hand.`);
    }
    if (found === null) {
      throw new Error(
        pick(panels, ref, null)
          ? `The code of ${name} was changed since it was run. Run the cell again, then try once more.`
          : `No cell holds the code of ${name} any more. If you changed it, run the cell again, then try once more.`
      );
    }
    this.check(found.panel, found.cell);
    const shared = found.cell.model.sharedModel;
    const now = shared.getSource();
    const after = trim(edit.after) + now.slice(trim(now).length);
    replaceSource(shared, now, after);
    return found;
  }

  private async add(edit: CodeEdit, from: Element | null): Promise<Found> {
    const panels = edit.below ? await this.panels(edit.below, from) : this.around(from);
    const found = edit.below ? pick(panels, edit.below, trim(edit.below.source)) ?? pick(panels, edit.below, null) : null;
    const near = found && found !== 'several' ? found : null;
    const panel = near?.panel ?? this.around(from)[0] ?? this.notebooks.currentWidget;
    if (!panel) {
      throw new Error('No notebook is open to write into. Open it, then try again.');
    }
    this.check(panel, null);
    const all = panel.content.widgets;
    const at = near ? all.indexOf(near.cell) + 1 : all.length;
    const model = panel.model?.sharedModel;
    model?.transact(() => model.insertCell(at, { cell_type: 'code', source: edit.after, metadata: { trusted: true } }));
    const cell = panel.content.widgets[at];
    if (!cell) {
      throw new Error('The notebook did not take the new cell.');
    }
    return { panel, cell };
  }

  private check(panel: NotebookPanel, cell: Cell | null): void {
    if (panel.model?.readOnly || panel.content.model?.readOnly) {
      throw new Error('The notebook is read-only. Copy the code instead.');
    }
    if (cell && (cell.model.getMetadata('editable') === false || cell.readOnly)) {
      throw new Error('The cell is locked: it is marked as not editable. Unlock it, or copy the code instead.');
    }
  }

  private async show(panel: NotebookPanel, cell: Cell, line: number | null, select: boolean): Promise<void> {
    const { content } = panel;
    NotebookActions.expandParent(cell, content); // below a collapsed heading
    if (cell.inputHidden) {
      cell.inputHidden = false;
    }
    if (select) {
      content.deselectAll();
      content.activeCellIndex = content.widgets.indexOf(cell);
    }
    await content.scrollToCell(cell, select ? 'center' : 'smart');
    await cell.ready; // a cell out of sight has no editor before
    if (select) {
      // The line is known only while the cell is as it was.
      const count = cell.model.sharedModel.getSource().split('\n').length;
      const row = line !== null && line <= count ? line - 1 : 0;
      const editor = cell.editor;
      if (editor) {
        content.mode = 'edit';
        editor.focus();
        editor.setSelection({ start: { line: row, column: 0 }, end: { line: row, column: (editor.getLine(row) ?? '').length } });
        editor.revealPosition({ line: row, column: 0 });
      }
    }
    cell.addClass('aios-flash');
    setTimeout(() => !cell.isDisposed && cell.removeClass('aios-flash'), FLASH_MS);
  }

  /** The notebook an element is in; none for one in a tab of its own. */
  private around(from: Element | null): NotebookPanel[] {
    const panel = from && this.notebooks.find(p => p.node.contains(from));
    return panel ? [panel] : [];
  }

  private async panels(ref: CellRef, from: Element | null): Promise<NotebookPanel[]> {
    const near = this.around(from);
    if (near.length > 0) {
      return near;
    }
    if (ref.notebook) {
      const file = ref.notebook;
      const path = contentsPath(file);
      // By its end too: the same folder may have two names on disk, one through a link.
      const open = this.notebooks.find(p => p.context.localPath === path || file.endsWith(`/${p.context.localPath}`));
      const panel = open ?? (path === null ? undefined : (this.documents?.openOrReveal(path) as NotebookPanel | undefined));
      if (panel) {
        await panel.context.ready;
        return [panel];
      }
    }
    const all: NotebookPanel[] = [];
    this.notebooks.forEach(p => all.push(p));
    return all;
  }
}

/** A file's path as the file browser has it; null when it lies outside the folder that is served. */
function contentsPath(file: string): string | null {
  const root = PageConfig.getOption('serverRoot').replace(/\/$/, '');
  if (root && file.startsWith(`${root}/`)) {
    return file.slice(root.length + 1);
  }
  return file.startsWith('/') || /^[a-z]:/i.test(file) ? null : file;
}

/** The code cell with this source (any, when null); where there are several, the one with the id. */
function pick(panels: NotebookPanel[], ref: CellRef, source: string | null): Found | 'several' | null {
  const found: Found[] = [];
  for (const panel of panels) {
    for (const cell of panel.content.widgets) {
      const mine = ref.cell_id !== null && cell.model.id === ref.cell_id;
      const same = source !== null && cell.model.type === 'code' && trim(cell.model.sharedModel.getSource()) === source;
      if (mine && (source === null || same)) {
        return { panel, cell };
      }
      if (same) {
        found.push({ panel, cell });
      }
    }
  }
  return found.length > 1 ? 'several' : (found[0] ?? null);
}

/** The only code cell with this text in it. */
function holds(panels: NotebookPanel[], text: string): Found | null {
  const found = panels.flatMap(panel =>
    panel.content.widgets
      .filter(cell => cell.model.type === 'code' && text !== '' && cell.model.sharedModel.getSource().includes(text))
      .map(cell => ({ panel, cell }))
  );
  return found.length === 1 ? found[0] : null;
}

/** IPython does not keep a cell's last line breaks. */
function trim(source: string): string {
  return source.replace(/\n+$/, '');
}

interface Editable {
  updateSource(start: number, end: number, value?: string): void;
}

/** Only what differs is replaced: the cursor and others' cursors stay where they are. */
export function replaceSource(cell: Editable, now: string, after: string): void {
  let start = 0;
  while (start < Math.min(now.length, after.length) && now[start] === after[start]) {
    start += 1;
  }
  let end = 0;
  while (end < Math.min(now.length, after.length) - start && now[now.length - 1 - end] === after[after.length - 1 - end]) {
    end += 1;
  }
  if (now !== after) {
    cell.updateSource(start, now.length - end, after.slice(start, after.length - end));
  }
}
