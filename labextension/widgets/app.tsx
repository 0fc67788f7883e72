// Header, figures, graph, and the open step.
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react';

import { GraphView } from '../src/shared/graph/view';
import type { Ask } from '../src/shared/inspector/types';
import { DetailPane } from './detail';
import { Header, Notices } from './header';
import { Metrics } from './metrics';
import type { Store } from './store';
import { AddStep } from '../src/shared/edit';
import { hostOf } from './host';

interface Props {
  store: Store;
  ask: Ask;
  onLost: (listener: (lost: boolean) => void) => () => void;
}

export function App({ store, ask, onLost }: Props): JSX.Element {
  const { state, skew } = useSyncExternalStore(store.subscribe, store.get);
  const [lost, setLost] = useState(false);
  const [open, setOpen] = useState<string | null>(null);
  const [problem, setProblem] = useState('');
  useEffect(() => onLost(setLost), [onLost]);

  const act = useCallback(
    (request: { kind: 'cancel' } | { kind: 'resume' } | { kind: 'rerun_from'; step: string }) => {
      setProblem('');
      return ask(request).then(() => undefined, (e: Error) => setProblem(e.message));
    },
    [ask]
  );
  const toggle = useCallback((step: string) => setOpen(now => (now === step ? null : step)), []);
  const [root, setRoot] = useState<HTMLElement | null>(null);
  const host = useMemo(() => hostOf(ask, root, lost), [ask, root, lost]);
  const close = useCallback(() => {
    // Back to where the reader came from.
    root?.querySelector<HTMLElement>('.aiosw-node[aria-pressed="true"]')?.focus({ preventScroll: true });
    setOpen(null);
  }, [root]);
  const opened = useMemo(() => state.nodes.find(n => n.name === open) ?? null, [state.nodes, open]);

  return (
    <section ref={setRoot} className="aiosw" aria-label={`Workflow ${state.workflow}`} data-lost={lost || undefined}>
      <Header state={state} skew={skew} lost={lost} act={act} />
      <Notices state={state} lost={lost} problem={problem} open={open} onOpen={setOpen} onDismiss={() => setProblem('')} />
      <Metrics metrics={state.metrics} />
      {state.nodes.length > 0 ? (
        <GraphView workflow={state.workflow} nodes={state.nodes} selected={open} skew={skew} onOpen={toggle} />
      ) : (
        !state.problem && <Empty workflow={state.workflow} />
      )}
      {root && <AddStep host={host} steps={state.nodes.map(n => n.name)} selected={open} />}
      {opened && (
        <DetailPane
          key={`${state.run?.run_id ?? ''}/${opened.name}`}
          node={opened}
          run={state.run}
          ask={ask}
          host={host}
          lost={lost}
          skew={skew}
          onRerun={() => act({ kind: 'rerun_from', step: opened.name })}
          onClose={close}
        />
      )}
    </section>
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
