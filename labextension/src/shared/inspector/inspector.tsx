// The inspector of one run: head, graph, pages, and the open step beside or below.
//
// In a notebook's output (`place` "cell") the graph comes first and stays; pages open below it on demand. In a tab of
// the main area the graph is the first of the pages.
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react';

import type { GraphState, StepNode } from '../../protocol';
import { GraphView } from '../graph/view';
import { Boundary } from './boundary';
import { ComparePage } from './diff';
import { EventsPage } from './events';
import { Header, Notices, type RunAction } from './head';
import { HistoryPage } from './history';
import { Metrics } from './metrics';
import { OverviewPage } from './overview';
import { PageTabs } from './page-tabs';
import { type PageName, PAGES, type View } from './pages';
import { StepList } from './step-list';
import type { Host } from './types';
import { useWidth } from './use';
import { TimelinePage } from './waterfall';

/** What is drawn for the open step. */
export interface OpenStep {
  node: StepNode;
  onRerun: () => Promise<void>;
  onRedrive: () => Promise<void>;
  onClose: () => void;
  onOpenStep: (step: string) => void;
}

interface Props {
  host: Host;
  state: GraphState;
  skew: number;
  /** Why nobody answers; empty while somebody does. */
  lost: string;
  place: 'cell' | 'tab';
  view: View;
  onView: (change: Partial<View>) => void;
  /** A rerun made this run. */
  onRun?: (runId: string) => void;
  renderStep: (step: OpenStep) => ReactNode;
  /** Buttons of the surroundings, in the head. */
  buttons?: ReactNode;
  /** What changes the workflow: a button at the end of the row of pages. */
  build?: ReactNode;
  /** Instead of the graph while there are no steps. */
  empty?: ReactNode;
}

const SIDE_BY_SIDE = 980;

export function Inspector({ host, state, skew, lost, place, view, onView, onRun, renderStep, buttons, build, empty }: Props): JSX.Element {
  const [root, width] = useWidth<HTMLElement>();
  const [problem, setProblem] = useState('');
  const run = state.run;
  const runId = run?.run_id ?? null;
  const { ask, openRun } = host;
  const aside = useRef<HTMLDivElement>(null);

  const act = useCallback(
    (action: RunAction) => {
      setProblem('');
      return ask({ ...action, run_id: runId }).then(
        done => {
          if ((action.kind === 'rerun_from' || action.kind === 'redrive') && done.run_id && done.run_id !== runId) {
            onRun?.(done.run_id);
          }
        },
        (e: Error) => setProblem(e.message)
      );
    },
    [ask, runId, onRun]
  );
  const openStep = useCallback((step: string) => onView({ step }), [onView]);
  const toggle = useCallback((step: string) => onView({ step: view.step === step ? null : step }), [onView, view.step]);
  /** The focus, when what had it goes: to the first that is there, at last to the row of pages. */
  const focus = useCallback(
    (wanted: string) => {
      const there = root.current?.querySelector<HTMLElement>(wanted) ?? root.current?.querySelector<HTMLElement>('.aiosw-pagetab[tabindex="0"]');
      there?.focus({ preventScroll: true });
    },
    [root]
  );
  const close = useCallback(() => {
    // Back to where the reader came from.
    const name = view.step === null ? '' : CSS.escape(view.step);
    focus(`.aiosw-node[data-step="${name}"], .aiosw-chosen, .aiosw-list tr[data-selected] button`);
    onView({ step: null });
  }, [onView, focus, view.step]);
  const fromNotice = useRef(false);
  const openNoticed = useCallback(
    (step: string) => {
      fromNotice.current = true; // its button goes with the notice
      openStep(step);
    },
    [openStep]
  );
  const dismiss = useCallback(() => {
    setProblem('');
    focus('.aiosw-pagetab[tabindex="0"]');
  }, [focus]);
  const compare = useCallback((other: string) => onView({ page: 'compare', other, compared: null }), [onView]);
  const node = useMemo(() => state.nodes.find(n => n.name === view.step) ?? null, [state.nodes, view.step]);

  const wide = place === 'tab' && width >= SIDE_BY_SIDE;
  // Below the page the open step may be out of sight: it comes to the reader, once, when it is opened.
  const opened = node?.name ?? null;
  useEffect(() => {
    if (opened !== null && place === 'tab' && !wide) {
      aside.current?.scrollIntoView({ block: 'nearest' });
    }
  }, [opened, place, wide]);

  useEffect(() => {
    if (opened !== null && fromNotice.current) {
      fromNotice.current = false;
      aside.current?.focus({ preventScroll: true });
    }
  }, [opened]);

  const graph =
    state.nodes.length > 0 ? (
      <GraphView workflow={state.workflow} nodes={state.nodes} selected={view.step} skew={skew} onOpen={toggle} />
    ) : (
      !state.problem && empty
    );
  const pane = node && (
    <div ref={aside} className="aiosw-aside" tabIndex={-1}>
      <Boundary key={node.name} what={`Step ${node.name}`}>
        {renderStep({ node, onRerun: () => act({ kind: 'rerun_from', step: node.name }), onRedrive: () => act({ kind: 'redrive', step: node.name }), onClose: close, onOpenStep: openStep })}
      </Boundary>
    </div>
  );
  const frame = (inside: ReactNode): JSX.Element => (
    <section ref={root} className="aiosw" data-place={place} data-wide={wide || undefined} aria-label={`Workflow ${state.workflow}`} data-lost={lost ? '' : undefined}>
      <Header state={state} skew={skew} lost={lost !== ''} canAct={host.canAct} act={act} openRun={openRun}>{buttons}</Header>
      <Notices state={state} lost={lost} problem={problem} open={view.step} onOpen={openNoticed} onDismiss={dismiss} />
      {inside}
    </section>
  );

  if (place === 'cell') {
    return frame(
      <>
        <Metrics metrics={state.metrics} />
        {graph}
        {(runId !== null || build) && (
          <PageTabs pages={runId === null ? [] : PAGES.filter(p => p !== 'steps')} page={view.page} folding onPage={page => onView({ page })}>
            {openRun && runId !== null && (
              <button type="button" className="aiosw-small" aria-label="Open in a tab" title="Open in a tab" onClick={() => openRun(runId, view.step ?? undefined, view.page)}>
                <span className="aiosw-roomy">Open in a tab </span>↗
              </button>
            )}
            {build}
          </PageTabs>
        )}
        {runId !== null && view.page !== 'steps' && <div className="aiosw-page" data-page={view.page}>{guarded(view.page, runId)}</div>}
        {pane}
      </>
    );
  }
  return frame(
    <>
      <PageTabs pages={PAGES} page={view.page} onPage={p => onView({ page: p })} />
      <div className="aiosw-body">
        <div className="aiosw-page" data-page={view.page}>
          {view.page === 'steps' || runId === null ? (
            <>
              <Metrics metrics={state.metrics} />
              {graph}
              <StepList nodes={state.nodes} selected={view.step} skew={skew} onOpen={openStep} />
            </>
          ) : (
            guarded(view.page, runId)
          )}
        </div>
        {pane}
      </div>
    </>
  );

  function guarded(name: PageName, of: string): ReactNode {
    return <Boundary key={`${of}/${name}`} what={`The page ${name}`}>{page(name, of)}</Boundary>;
  }

  function page(name: PageName, of: string): ReactNode {
    switch (name) {
      case 'overview':
        return <OverviewPage key={of} host={host} runId={of} onOpenStep={openStep} onCompare={compare} />;
      case 'timeline':
        return <TimelinePage key={of} host={host} runId={of} step={view.step} onOpenStep={openStep} />;
      case 'events':
        return <EventsPage key={of} host={host} runId={of} onOpenStep={openStep} />;
      case 'compare':
        return (
          <ComparePage
            key={of}
            host={host}
            runId={of}
            createdAt={run?.created_at ?? 0}
            workflow={state.workflow}
            other={view.other}
            compared={view.compared}
            onOther={other => onView({ other, compared: null })}
            onCompared={compared => onView({ compared })}
          />
        );
      case 'history':
        return <HistoryPage host={host} workflow={state.workflow} runId={of} onCompare={(a, b) => compareRuns(of, a, b)} />;
      default:
        return null;
    }
  }

  function compareRuns(of: string, late: string, early: string): void {
    if (late === of || early === of) {
      compare(late === of ? early : late);
    } else if (host.openCompare) {
      host.openCompare(late, early);
    } else {
      onView({ page: 'compare', other: early, compared: null });
    }
  }
}
