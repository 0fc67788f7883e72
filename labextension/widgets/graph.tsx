// The graph widget: what anywidget calls.
import type { AnyModel, RenderProps } from '@anywidget/types';
import { createRoot } from 'react-dom/client';

import { App } from './app';
import { Client } from './client';
import { watchKernel } from './liveness';
import { Store, type Traits } from './store';

import './graph.css';

function render({ model, el }: RenderProps<Traits>): () => void {
  if (typeof model.send !== 'function') {
    // Panel's adapter sends nothing: a question goes as a trait there, its answer comes as a message.
    const traits = model as unknown as { set(name: string, value: unknown): void; save_changes(): void };
    model.send = question => {
      traits.set('asked', question);
      traits.save_changes();
    };
  }
  const store = new Store(model);
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
  root.render(<App store={store} ask={client.ask} el={host} onLost={onLost} />);
  return () => {
    root.unmount();
    unwatch();
    client.dispose();
    store.dispose();
    host.remove();
  };
}

export default { render };
