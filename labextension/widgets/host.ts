// What the widget's surroundings can do: the kernel answers, JupyterLab (where there is one) opens and writes.
import { heard, request } from '../src/shared/inspector/do';
import type { Ask, Host } from '../src/shared/inspector/types';
import { copy } from '../src/shared/copy';

/** `el` is where the lab is asked from; the abilities are looked for once it is on the page. */
export function hostOf(ask: Ask, el: HTMLElement | null, lost: boolean): Host {
  const lab = el !== null && heard(el) ? el : null;
  return {
    ask,
    news: { get: () => 0, subscribe: () => () => undefined },
    now: () => Date.now() / 1000,
    copy,
    canAct: !lost,
    ...(lab && {
      revealCell: cell => request(lab, { action: 'reveal_cell', cell }) as Promise<boolean>,
      writeCell: (edit, run) => request(lab, { action: 'write_cell', edit, run }).then(() => undefined)
    })
  };
}
