// The inspector in a notebook's output, with the kernel behind it.
import { useCallback, useMemo, useState, useSyncExternalStore } from 'react';

import { AddStep } from '../src/shared/edit';
import { Inspector, type OpenStep } from '../src/shared/inspector/inspector';
import { FIRST_VIEW, type View } from '../src/shared/inspector/pages';
import { StepPane } from '../src/shared/inspector/step/pane';
import type { Ask } from '../src/shared/inspector/types';
import { hostOf } from './host';
import type { Store } from './store';
import { useReached } from './surroundings';

interface Props {
  store: Store;
  ask: Ask;
  /** What the widget is drawn in: from here JupyterLab is reached. */
  el: HTMLElement;
  onLost: (listener: (lost: boolean) => void) => () => void;
}

const LOST = 'Kernel gone: this is the last known state. Run the cell again to follow the run.';

export function App({ store, ask, el, onLost }: Props): JSX.Element {
  const { state, skew } = useSyncExternalStore(store.subscribe, store.get);
  const { lost, lab } = useReached({ el, onLost });
  const [view, setView] = useState<View>(FIRST_VIEW);
  const onView = useCallback((change: Partial<View>) => setView(now => ({ ...now, ...change })), []);

  const host = useMemo(() => hostOf(ask, store, lab ? el : null, lost), [ask, store, el, lab, lost]);
  const run = state.run;
  const renderStep = ({ node, onRerun, onRedrive, onClose, onOpenStep }: OpenStep): JSX.Element => (
    <StepPane
      host={host}
      runId={run?.run_id ?? null}
      step={node.name}
      status={node.status}
      run={run?.status ?? null}
      stale={node.stale}
      cached={node.cached}
      kernel
      onRerun={onRerun}
      onRedrive={onRedrive}
      onClose={onClose}
      onOpenStep={onOpenStep}
    />
  );
  return (
    <Inspector
      host={host}
      state={state}
      skew={skew}
      lost={lost ? LOST : ''}
      place="cell"
      view={view}
      onView={onView}
      renderStep={renderStep}
      build={<AddStep host={host} steps={state.nodes.map(n => n.name)} selected={view.step} />}
      empty={<Empty workflow={state.workflow} />}
    />
  );
}

function Empty({ workflow }: { workflow: string }): JSX.Element {
  return (
    <div className="aiosw-empty">
      <p><b>{workflow}</b> has no steps yet. Put a decorator above a function, then show the workflow again:</p>
      <pre>{'@wf.step\ndef load(path: str = "claims.csv"):\n    return pd.read_csv(path)\n\n@wf.step\ndef clean(load):        # named like a step: an edge\n    return load.dropna()'}</pre>
    </div>
  );
}
