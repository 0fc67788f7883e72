// The notebook that is promoted, as the dialog needs it: open in the lab, or only a file.
import type { Mended } from '../../api';

export interface Changes {
  cells: Mended[];
  /** The notebook's own `aios` metadata, where that changes. */
  metadata: Record<string, unknown> | null;
}

export interface Book {
  readonly path: string;
  /** Whether it stands open in a tab: then the changes can be undone there as well. */
  isOpen(): boolean;
  isDirty(): boolean;
  save(): Promise<void>;
  /** Make changes and save; gives what takes them back. Rejects, with nothing changed, where a cell is not as it was. */
  apply(changes: Changes): Promise<() => Promise<void>>;
  /** Show a cell, counted from 1, and a line of it. */
  reveal(cell: number, line: number | null): Promise<void>;
}

export const MOVED = 'The notebook was changed since it was checked. Check it again, then try once more.';
