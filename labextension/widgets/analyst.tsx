// A widget of one report: its whole state in a trait, what came since in `patch`, the kernel to ask.
import type { AnyModel, RenderProps } from '@anywidget/types';
import { type ComponentType, useSyncExternalStore } from 'react';

import type { Host } from '../src/shared/host';
import { mount } from './mount';
import { TraitStore } from './store';
import { type Place, useSurroundings } from './surroundings';

type Nothing = Record<string, never>;

interface Props<V, A> {
  view: V;
  host: Host<A>;
  /** Empty: somebody is there. */
  lost: string;
}

/** What anywidget calls. `lost` is said when nobody answers any more. */
export function analyst<V, P, A>(trait: string, apply: (view: V, patch: P | Nothing) => V, Screen: ComponentType<Props<V, A>>, lost: string): { render: (props: RenderProps) => () => void } {
  type Store = TraitStore<Record<string, unknown>, V>;

  function App({ store, ...place }: Place<A> & { store: Store }): JSX.Element {
    const view = useSyncExternalStore(store.subscribe, store.get);
    const host = useSurroundings(place);
    return <Screen view={view} host={host} lost={host.canAct ? '' : lost} />;
  }

  return {
    render({ model, el }) {
      const store: Store = new TraitStore(model as AnyModel, [trait, 'patch'], () => apply(model.get(trait) as V, model.get('patch') as P | Nothing));
      const undo = mount({ model: model as AnyModel, el }, ({ client, host, onLost }) => <App store={store} ask={client.ask as unknown as A} el={host} onLost={onLost} />);
      return () => {
        undo();
        store.dispose();
      };
    }
  };
}
