// The tuning widget: what anywidget calls.
import type { AnyModel, RenderProps } from '@anywidget/types';
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';

import { copy } from '../src/shared/copy';
import { heard, request } from '../src/shared/inspector/do';
import { apply } from '../src/shared/tuning/picture';
import { TuningScreen } from '../src/shared/tuning/screen';
import type { TuningAsk, TuningHost } from '../src/shared/tuning/types';
import type { TuningPatch, TuningView } from '../src/tuning_protocol';
import { mount } from './mount';
import { TraitStore } from './store';

import './tuning.css';

interface Traits {
  tuning: TuningView;
  patch: TuningPatch | Record<string, never>;
}

interface Props {
  store: TraitStore<Traits, TuningView>;
  ask: TuningAsk;
  el: HTMLElement;
  onLost: (listener: (lost: boolean) => void) => () => void;
}

const LOST = 'Kernel gone: this is what was known last. What was measured is kept: run the cell again to go on from it.';

function App({ store, ask, el, onLost }: Props): JSX.Element {
  const view = useSyncExternalStore(store.subscribe, store.get);
  const [lost, setLost] = useState(false);
  useEffect(() => onLost(setLost), [onLost]);
  // Asked once it hangs in the page: JupyterLab hears what bubbles up to the document.
  const [lab, setLab] = useState(false);
  useEffect(() => {
    const observer = new ResizeObserver(() => el.isConnected && heard(el) && setLab(true));
    observer.observe(el);
    return () => observer.disconnect();
  }, [el]);
  const host = useMemo<TuningHost>(
    () => ({
      ask,
      copy,
      canAct: !lost,
      ...(lab && { writeCell: (edit, run) => request(el, { action: 'write_cell', edit, run }).then(() => undefined) })
    }),
    [ask, lost, lab, el]
  );
  return <TuningScreen view={view} host={host} lost={lost ? LOST : ''} />;
}

function render({ model, el }: RenderProps<Traits>): () => void {
  const store = new TraitStore<Traits, TuningView>(model, ['tuning', 'patch'], () => apply(model.get('tuning'), model.get('patch')));
  const undo = mount({ model: model as AnyModel, el }, ({ client, host, onLost }) => (
    <App store={store} ask={client.ask as unknown as TuningAsk} el={host} onLost={onLost} />
  ));
  return () => {
    undo();
    store.dispose();
  };
}

export default { render };
