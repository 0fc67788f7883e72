// What the widget's surroundings can do: the kernel answers, JupyterLab (where there is one) opens and writes.
import { copy } from '../src/shared/copy';
import { request } from '../src/shared/inspector/do';
import type { Ask, Host } from '../src/shared/inspector/types';
import type { Store } from './store';

/** `lab` is where the lab is asked from; null where there is none. */
export function hostOf(ask: Ask, store: Store, lab: HTMLElement | null, lost: boolean): Host {
  return {
    ask,
    news: { get: () => store.get().state.seq, subscribe: store.subscribe },
    now: () => Date.now() / 1000 + store.get().skew,
    copy,
    canAct: !lost,
    ...(lab && {
      openRun: (run_id, step, view) => void request(lab, { action: 'open_run', run_id, step, view }),
      openHistory: workflow => void request(lab, { action: 'open_history', workflow }),
      openCompare: (run_id, other) => void request(lab, { action: 'open_run', run_id, view: 'compare', other }),
      revealCell: cell => request(lab, { action: 'reveal_cell', cell }) as Promise<boolean | 'changed'>,
      writeCell: (edit, run) => request(lab, { action: 'write_cell', edit, run }).then(() => undefined)
    })
  };
}
