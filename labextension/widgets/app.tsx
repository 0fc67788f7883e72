// Header, figures, graph, and the open step.
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';

import { GraphView } from '../src/shared/graph/view';
import type { Ask } from '../src/shared/inspector/types';
import { DetailPane } from './detail';
import { Header, Notices } from './header';
import { Metrics } from './metrics';
import type { Store } from './store';

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
  const root = useRef<HTMLElement>(null);
  const close = useCallback(() => {
    // Back to where the reader came from.
    root.current?.querySelector<HTMLElement>('.aiosw-node[aria-pressed="true"]')?.focus({ preventScroll: true });
    setOpen(null);
  }, []);
  const opened = useMemo(() => state.nodes.find(n => n.name === open) ?? null, [state.nodes, open]);

  return (
    <section ref={root} className="aiosw" aria-label={`Workflow ${state.workflow}`} data-lost={lost || undefined}>
      <Header state={state} skew={skew} lost={lost} act={act} />
      <Notices state={state} lost={lost} problem={problem} open={open} onOpen={setOpen} onDismiss={() => setProblem('')} />
      <Metrics metrics={state.metrics} />
      {state.nodes.length > 0 ? (
        <GraphView workflow={state.workflow} nodes={state.nodes} selected={open} skew={skew} onOpen={toggle} />
      ) : (
        !state.problem && <Empty workflow={state.workflow} />
      )}
      {opened && (
        <DetailPane
          key={`${state.run?.run_id ?? ''}/${opened.name}`}
          node={opened}
          run={state.run}
          ask={ask}
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
