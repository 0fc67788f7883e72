// The lab's side of what is shown in a notebook's output: takes what its widgets ask for.
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';

import { type Deed, DO, type DeedDetail } from '../shared/inspector/do';

/** Does one kind of deed for the element that asked; what it resolves with is replied. */
type Doer<A extends Deed['action']> = (deed: Extract<Deed, { action: A }>, from: Element | null) => unknown;
export type Doers = { [A in Deed['action']]?: Doer<A> };

/** Takes the deeds there is a doer for, until disposed. */
export function listen(doers: Doers): IDisposable {
  const all: Doers = { hello: () => true, ...doers };
  const onDeed = (e: Event): void => {
    const event = e as CustomEvent<DeedDetail>;
    const deed = event.detail;
    const doer = all[deed.action] as ((deed: Deed, from: Element | null) => unknown) | undefined;
    if (doer === undefined || event.defaultPrevented) {
      return;
    }
    event.preventDefault();
    // The first on its way: below a shadow root `target` is the host.
    const from = event.composedPath().find((t): t is Element => t instanceof Element) ?? null;
    Promise.resolve()
      .then(() => doer(deed, from))
      .then(
        value => deed.reply(null, value),
        (error: unknown) => deed.reply(error instanceof Error ? error.message : String(error))
      );
  };
  document.addEventListener(DO, onDeed);
  return new DisposableDelegate(() => document.removeEventListener(DO, onDeed));
}
