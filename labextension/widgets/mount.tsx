// What every widget does when anywidget calls: somebody to ask, a place to draw in, the kernel watched.
import type { AnyModel } from '@anywidget/types';
import type { ReactNode } from 'react';
import { createRoot } from 'react-dom/client';

import { Client } from './client';
import { watchKernel } from './liveness';

/** More questions than anything asks in the time that Panel waits. */
const KEPT = 32;

interface Mounted {
  client: Client;
  host: HTMLElement;
  onLost: (listener: (lost: boolean) => void) => () => void;
}

/** Draws what `draw` gives into `el`; returns the undo. */
export function mount({ model, el }: { model: AnyModel; el: HTMLElement }, draw: (mounted: Mounted) => ReactNode): () => void {
  if (typeof model.send !== 'function') {
    // Panel's adapter sends nothing: a question goes as a trait there, its answer comes as a message. Panel waits a
    // moment and then hands on what the trait is by then, so the last questions go along with each.
    const traits = model as unknown as { set(name: string, value: unknown): void; save_changes(): void };
    const browser = Math.random().toString(36).slice(2);
    let sent = 0;
    let messages: unknown[] = [];
    model.send = question => {
      messages = [...messages, question].slice(-KEPT);
      sent += 1;
      traits.set('asked', { browser, sent, messages });
      traits.save_changes();
    };
  }
  const client = new Client(model);
  let lost = false;
  let tell: (lost: boolean) => void = () => undefined;
  const unwatch = watchKernel((model as AnyModel & { widget_manager?: unknown }).widget_manager, client, now => {
    lost = now;
    tell(now);
  });
  const onLost = (listener: (lost: boolean) => void): (() => void) => {
    tell = listener;
    listener(lost);
    return () => (tell = () => undefined);
  };
  const host = document.createElement('div');
  // JupyterLab and Lumino take some keys for themselves: what is typed here stays here.
  host.dataset.lmSuppressShortcuts = 'true';
  host.addEventListener('keydown', e => e.stopPropagation());
  el.appendChild(host);
  const root = createRoot(host);
  root.render(draw({ client, host, onLost }));
  return () => {
    root.unmount();
    unwatch();
    client.dispose();
    host.remove();
  };
}
