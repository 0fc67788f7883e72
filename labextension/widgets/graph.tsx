// The graph widget: what anywidget calls.
import type { AnyModel, RenderProps } from '@anywidget/types';

import { App } from './app';
import { mount } from './mount';
import { Store, type Traits } from './store';

import './graph.css';

function render({ model, el }: RenderProps<Traits>): () => void {
  const store = new Store(model);
  const undo = mount({ model: model as AnyModel, el }, ({ client, host, onLost }) => <App store={store} ask={client.ask} el={host} onLost={onLost} />);
  return () => {
    undo();
    store.dispose();
  };
}

export default { render };
