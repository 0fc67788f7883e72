// How something shown in a notebook's output reaches the JupyterLab around it: an event it may take, or not.
import type { CellRef, CodeEdit } from '../../protocol';

export const DO = 'aios:do';

export type Deed =
  | { action: 'hello' }
  | { action: 'open_run'; run_id: string; step?: string; view?: string; other?: string }
  | { action: 'open_history'; workflow: string }
  | { action: 'reveal_cell'; cell: CellRef }
  | { action: 'write_cell'; edit: CodeEdit; run: boolean };

/** What the event carries: the deed, and where its end is told (`error` null: done). */
export type DeedDetail = Deed & { reply: (error: string | null, value?: unknown) => void };

/** Resolves with what was replied; rejects with the error, and with `nobody` where no JupyterLab listens. */
export function request(from: EventTarget, deed: Deed): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const reply = (error: string | null, value?: unknown): void => {
      if (error === null) {
        resolve(value);
      } else {
        reject(new Error(error));
      }
    };
    if (!offer(from, deed, reply)) {
      reject(new Error('Nobody here can do this: it needs JupyterLab with the AIOS extension.'));
    }
  });
}

/** True when a JupyterLab with our extension is around. */
export function heard(from: EventTarget): boolean {
  return offer(from, { action: 'hello' }, () => undefined);
}

function offer(from: EventTarget, deed: Deed, reply: DeedDetail['reply']): boolean {
  const event = new CustomEvent<DeedDetail>(DO, { bubbles: true, composed: true, cancelable: true, detail: { ...deed, reply } });
  from.dispatchEvent(event);
  return event.defaultPrevented;
}
