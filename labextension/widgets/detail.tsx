// The open step: what it is, what went in, what came out, what it said, what went wrong.
import { useCallback, useEffect, useId, useRef, useState } from 'react';

import type { RunInfo, StepDetail, StepNode } from '../src/protocol';
import { PolicyForm } from '../src/shared/edit';
import { duration } from '../src/shared/format';
import { StateChip } from '../src/shared/states';
import type { Ask, Host } from '../src/shared/inspector/types';
import { AttemptsTab, CodeTab, ErrorTab, InputsTab, LogTab, OutputTab } from './detail-tabs';
import { GateTab } from './gate';

export type TabName = 'Decide' | 'Decision' | 'Error' | 'Output' | 'Inputs' | 'Log' | 'Attempts' | 'Code' | 'Settings';

interface Props {
  node: StepNode;
  run: RunInfo | null;
  ask: Ask;
  host: Host;
  lost: boolean;
  skew: number;
  onRerun: () => Promise<void>;
  onClose: () => void;
}

const DONE = new Set(['succeeded', 'failed', 'cancelled', 'interrupted']);

export function DetailPane({ node, run, ask, host, lost, onRerun, onClose }: Props): JSX.Element {
  const [detail, setDetail] = useState<StepDetail | null>(null);
  const [problem, setProblem] = useState('');
  const [chosen, setChosen] = useState<TabName | null>(null);
  const [busy, setBusy] = useState(false);
  const step = node.name;
  const load = useCallback(() => {
    let stopped = false;
    ask({ kind: 'open_step', step }).then(
      d => {
        if (!stopped) {
          setDetail(d);
          setProblem('');
        }
      },
      (e: Error) => !stopped && setProblem(e.message)
    );
    return () => {
      stopped = true;
    };
  }, [ask, step]);
  // A step that moved on is read again; what was read stays on the screen meanwhile.
  useEffect(load, [load, node.status, node.attempts, node.stale]);

  const tabs = detail ? tabsOf(detail) : [];
  const tab = chosen !== null && tabs.includes(chosen) ? chosen : tabs[0];
  const settled = run !== null && DONE.has(run.status);
  return (
    <section
      className="aiosw-detail"
      aria-label={`Step ${step}`}
      onKeyDown={e => {
        if (e.key === 'Escape') {
          onClose();
        }
      }}
    >
      <div className="aiosw-detail-head">
        <h3>{step}</h3>
        <StateChip status={node.status} />
        {node.duration !== null && <span className="aiosw-quiet">{duration(node.duration)}</span>}
        {node.attempts > 1 && <span className="aiosw-quiet">{`attempt ${node.attempts} of ${Math.max(node.max_attempts, node.attempts)}`}</span>}
        {node.cached && <em className="aiosw-badge">cached</em>}
        {node.stale && <em className="aiosw-badge" data-tone="stale">stale</em>}
        <span className="aiosw-buttons">
          {settled && (
            <button
              type="button"
              disabled={lost || busy}
              title="A new run that keeps what came before and redoes this step and all that depends on it"
              onClick={() => {
                setBusy(true);
                void onRerun().finally(() => setBusy(false));
              }}
            >
              Rerun from here
            </button>
          )}
          <button type="button" aria-label={`Close ${step}`} onClick={onClose}>✕</button>
        </span>
      </div>
      {problem && <p className="aiosw-notice" data-tone="failed" role="alert">{problem}</p>}
      {detail === null && !problem && <p className="aiosw-quiet aiosw-loading" role="status">Reading…</p>}
      {detail && tab && (
        <Tabs tabs={tabs} tab={tab} counts={{ Attempts: detail.attempts.length }} onChoose={setChosen}>
          {body(tab, detail)}
        </Tabs>
      )}
    </section>
  );

  function body(name: TabName, d: StepDetail): JSX.Element {
    switch (name) {
      case 'Decide':
      case 'Decision':
        return <GateTab detail={d} ask={ask} lost={lost} />;
      case 'Error':
        return <ErrorTab detail={d} />;
      case 'Output':
        return <OutputTab detail={d} ask={ask} />;
      case 'Inputs':
        return <InputsTab detail={d} ask={ask} />;
      case 'Log':
        return <LogTab detail={d} ask={ask} moving={node.status === 'running' || node.status === 'retrying'} />;
      case 'Attempts':
        return <AttemptsTab detail={d} />;
      case 'Settings':
        return <PolicyForm host={host} step={step} version={`${node.stale}`} />;
      default:
        return <CodeTab detail={d} />;
    }
  }
}

function tabsOf(d: StepDetail): TabName[] {
  const tabs: TabName[] = [];
  if (d.gate) {
    tabs.push('Decide');
  } else if (d.outcome) {
    tabs.push('Decision');
  }
  if (d.error) {
    tabs.push('Error');
  }
  if (d.status === 'running' || d.status === 'retrying') {
    tabs.push('Log');
  }
  if (d.output && !d.outcome) {
    tabs.push('Output');
  }
  if (d.status === 'pending' || d.status === 'skipped') {
    tabs.push('Code', 'Inputs', 'Settings');
    return tabs;
  }
  tabs.push('Inputs');
  if (!tabs.includes('Log')) {
    tabs.push('Log');
  }
  if (d.attempts.length > 0) {
    tabs.push('Attempts');
  }
  tabs.push('Code', 'Settings');
  return tabs;
}

interface TabsProps {
  tabs: TabName[];
  tab: TabName;
  counts: Partial<Record<TabName, number>>;
  onChoose: (tab: TabName) => void;
  children: JSX.Element;
}

function Tabs({ tabs, tab, counts, onChoose, children }: TabsProps): JSX.Element {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (e: React.KeyboardEvent): void => {
    const at = tabs.indexOf(tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[e.key];
    if (to !== undefined) {
      e.preventDefault();
      const next = (to + tabs.length) % tabs.length;
      onChoose(tabs[next]);
      (list.current?.children[next] as HTMLElement).focus();
    }
  };
  return (
    <>
      <div className="aiosw-tabs" role="tablist" ref={list} onKeyDown={onKeyDown}>
        {tabs.map(t => (
          <button
            key={t}
            type="button"
            role="tab"
            id={`${id}-${t}`}
            aria-selected={t === tab}
            aria-controls={`${id}-panel`}
            tabIndex={t === tab ? 0 : -1}
            onClick={() => onChoose(t)}
          >
            {t}
            {(counts[t] ?? 0) > 1 && <small> {counts[t]}</small>}
          </button>
        ))}
      </div>
      <div className="aiosw-panel" role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${tab}`}>
        {children}
      </div>
    </>
  );
}
