// The open step: what it is, what went in, what came out, what it said, what went wrong, what can be done.
import { useCallback, useRef, useState } from 'react';

import type { RunStatus, StepDetail, StepStatus } from '../../../protocol';
import { PolicyForm } from '../../edit';
import { duration } from '../../format';
import type { TableMode } from '../../grid/table-view';
import { StateChip } from '../../states';
import { Tabs } from '../../tabs';
import { isAbort } from '../abort';
import type { Host } from '../types';
import { Actions } from './actions';
import { AttemptsTab, ErrorTab } from './attempts-tab';
import { CodeTab } from './code-tab';
import { GateTab } from './gate-tab';
import { InputsTab } from './inputs-tab';
import { LettersTab } from './letters-tab';
import { LineageTab } from './lineage-tab';
import { LogTab } from './log-tab';
import { useAsking } from './use-asking';
import { useNews } from './use-news';
import { ArtifactLine, ValueView } from './value-view';

export type StepTab = 'Decide' | 'Decision' | 'Error' | 'Dead letters' | 'Output' | 'Inputs' | 'Log' | 'Attempts' | 'Lineage' | 'Code' | 'Settings';

export interface StepPaneProps {
  host: Host;
  runId: string | null;
  step: string;
  status: StepStatus;
  /** The run's state where it is known: decides what can be done. */
  run?: RunStatus | null;
  /** The code has changed since this run. */
  stale?: boolean;
  cached?: boolean;
  /** A kernel answers: settings can be changed there. */
  kernel?: boolean;
  /** Shown in a tab already: none is offered. */
  inTab?: boolean;
  onRerun?: () => Promise<void>;
  /** Does a map's open dead letters again. */
  onRedrive?: () => Promise<void>;
  onClose?: () => void;
  onOpenStep?: (step: string) => void;
}

/** What the reader looked at last: the next step opens there, if it has that. */
let last: StepTab | null = null;

const MOVING = new Set<StepStatus>(['running', 'retrying']);

export function StepPane(props: StepPaneProps): JSX.Element {
  // Another step or run is another pane: nothing of the one before may be seen.
  return <Pane key={`${props.runId ?? ''}/${props.step}`} {...props} />;
}

function Pane({ host, runId, step, status, run, stale = false, cached = false, kernel = false, inTab = false, onRerun, onRedrive, onClose, onOpenStep }: StepPaneProps): JSX.Element {
  const { ask } = host;
  const [detail, setDetail] = useState<StepDetail | null>(null);
  const [problem, setProblem] = useState('');
  const [chosen, setChosen] = useState<StepTab | null>(last);
  const [mode, setMode] = useState<TableMode>('Rows');
  const news = useNews(host, runId);
  const seen = useRef(news);
  const settled = detail !== null && detail.status === status && !MOVING.has(status) && status !== 'waiting' && status !== 'pending';
  // News of the run are no news of a step that has ended. What was read stays until the next answer is here.
  useAsking(
    signal =>
      ask({ kind: 'open_step', run_id: runId, step }, { signal }).then(
        d => {
          setDetail(old => keep(old, d));
          setProblem('');
        },
        (e: Error) => {
          if (!isAbort(e) && detail === null) {
            setProblem(e.message);
          }
        }
      ),
    `${status} ${stale} ${settled ? seen.current : (seen.current = news)}`
  );

  const choose = useCallback((tab: StepTab) => {
    last = tab;
    setChosen(tab);
  }, []);
  const tabs = detail ? tabsOf(detail, kernel) : [];
  const tab = chosen !== null && tabs.includes(chosen) ? chosen : tabs[0];
  const [opened, setOpened] = useState(false);
  if (detail && !opened) {
    setOpened(true);
    if (detail.gate) {
      setChosen('Decide'); // a decision that waits comes before the reader's habit
    }
  }
  const took = detail?.attempts.reduce((sum, a) => sum + (a.duration ?? 0), 0) ?? 0;
  const tries = detail?.attempts.length ?? 0;
  const tabular = detail?.artifact !== null && detail?.artifact !== undefined && (detail.output?.columns.length ?? 0) > 0;
  return (
    <section
      className="aiosw-detail"
      aria-label={`Step ${step}`}
      onKeyDown={e => {
        if (e.key === 'Escape' && !e.defaultPrevented) {
          onClose?.();
        }
      }}
    >
      <div className="aiosw-detail-head">
        <h3>{step}</h3>
        <StateChip status={status} />
        {took > 0 && !MOVING.has(status) && <span className="aiosw-quiet">{duration(took)}</span>}
        {tries > 1 && <span className="aiosw-quiet">{`${tries} attempts`}</span>}
        {cached && <em className="aiosw-badge">cached</em>}
        {stale && <em className="aiosw-badge" data-tone="stale">stale</em>}
        <Actions
          host={host}
          runId={runId}
          step={step}
          detail={detail}
          run={run}
          inTab={inTab}
          onRerun={onRerun}
          onClose={onClose}
          onProblem={setProblem}
          onSql={
            tabular
              ? () => {
                  choose('Output');
                  setMode('SQL');
                }
              : undefined
          }
        />
      </div>
      {problem && <p className="aiosw-notice" data-tone="failed" role="alert">{problem}</p>}
      {detail === null && !problem && <p className="aiosw-quiet aiosw-loading" role="status">Reading…</p>}
      {detail && tab && <Tabs tabs={tabs} tab={tab} label={`About ${step}`} counts={{ Attempts: tries, Inputs: detail.inputs.length, 'Dead letters': detail.letters?.total ?? 0 }} onChoose={choose} panel={body(detail)} />}
    </section>
  );

  function body(d: StepDetail): (name: StepTab, shown: boolean) => JSX.Element | null {
    return (name, shown) => {
      switch (name) {
        case 'Decide':
        case 'Decision':
          return <GateTab host={host} runId={runId} detail={d} />;
        case 'Error':
          return d.error && <ErrorTab host={host} error={d.error} />;
        case 'Dead letters':
          return d.letters && <LettersTab key={`${d.letters.total} ${d.letters.open}`} host={host} runId={runId} detail={d} run={run} onRedrive={onRedrive} />;
        case 'Output':
          return <OutputTab host={host} runId={runId} detail={d} mode={mode} onMode={setMode} />;
        case 'Inputs':
          return <InputsTab host={host} runId={runId} detail={d} onOpenStep={onOpenStep} />;
        case 'Log':
          return <LogTab host={host} runId={runId} detail={d} moving={MOVING.has(status)} shown={shown} />;
        case 'Attempts':
          return <AttemptsTab host={host} detail={d} />;
        case 'Lineage':
          return runId === null ? null : <LineageTab host={host} runId={runId} step={step} onOpenStep={onOpenStep} />;
        case 'Settings':
          return <PolicyForm host={host} step={step} version={`${stale}`} />;
        default:
          return <CodeTab host={host} detail={d} stale={stale} />;
      }
    };
  }
}

/** Parts that did not change stay the same objects: their views keep their place. */
function keep(old: StepDetail | null, now: StepDetail): StepDetail {
  if (old === null || old.artifact?.hash !== now.artifact?.hash) {
    return now;
  }
  return { ...now, artifact: old.artifact, output: old.output ?? now.output };
}

function tabsOf(d: StepDetail, kernel: boolean): StepTab[] {
  const ran = d.run_id !== null || d.attempts.length > 0 || d.artifact !== null;
  const moving = MOVING.has(d.status);
  const idle = d.status === 'pending' || d.status === 'skipped';
  const all: (StepTab | false)[] = [
    d.gate !== null && 'Decide',
    d.gate === null && d.outcome !== null && 'Decision',
    d.error !== null && 'Error',
    moving && 'Log',
    d.output !== null && d.outcome === null && 'Output',
    d.letters !== null && 'Dead letters',
    idle && 'Code',
    'Inputs',
    !moving && !idle && 'Log',
    d.attempts.length > 0 && 'Attempts',
    ran && d.artifact !== null && 'Lineage',
    !idle && 'Code',
    kernel && 'Settings'
  ];
  return all.filter((t): t is StepTab => t !== false);
}

interface OutputProps {
  host: Host;
  runId: string | null;
  detail: StepDetail;
  mode: TableMode;
  onMode: (mode: TableMode) => void;
}

function OutputTab({ host, runId, detail, mode, onMode }: OutputProps): JSX.Element {
  const { artifact, output } = detail;
  if (!artifact || !output) {
    return <p className="aiosw-quiet">No output.</p>;
  }
  return (
    <>
      <ArtifactLine host={host} artifact={artifact} answeredBy={detail.answered_by} />
      <ValueView
        host={host}
        runId={runId}
        artifact={artifact}
        first={output}
        label={`Output of ${detail.step}`}
        code={`aios.run(${JSON.stringify(runId ?? '')})[${JSON.stringify(detail.step)}].output`}
        mode={mode}
        onMode={onMode}
      />
    </>
  );
}
