// What can be done with the open step. What cannot be done now says why.
import { useId, useState } from 'react';

import type { RunStatus, StepDetail } from '../../../protocol';
import type { Host } from '../types';
import { reveal } from './code-tab';

const SETTLED = new Set<RunStatus>(['succeeded', 'failed', 'cancelled', 'interrupted']);
const RESUMABLE = new Set<RunStatus>(['failed', 'cancelled', 'interrupted']);

interface Props {
  host: Host;
  runId: string | null;
  step: string;
  detail: StepDetail | null;
  /** undefined: not known here; then nothing is refused beforehand. */
  run?: RunStatus | null;
  inTab?: boolean;
  onRerun?: () => Promise<void>;
  onSql?: () => void;
  onClose?: () => void;
  onProblem: (problem: string) => void;
}

export function Actions({ host, runId, step, detail, run, inTab, onRerun, onSql, onClose, onProblem }: Props): JSX.Element {
  const id = useId();
  const [busy, setBusy] = useState(false);
  const [sure, setSure] = useState(false);
  const act = (what: () => Promise<unknown>): void => {
    setBusy(true);
    onProblem('');
    what()
      .catch((e: Error) => onProblem(e.message))
      .finally(() => setBusy(false));
  };
  const going = run !== undefined && run !== null && !SETTLED.has(run);
  const why = !host.canAct
    ? 'Not possible from here: the kernel is gone, or you may only look.'
    : going
      ? 'The run is still going. Rerun from here when it has ended.'
      : '';
  const cell = detail?.cell_ref ?? null;
  if (sure) {
    return (
      <span className="aiosw-buttons" role="alertdialog" aria-label="Cancel the run?">
        <span>Cancel the whole run? Finished steps are kept.</span>
        <button
          type="button"
          className="aiosw-danger"
          autoFocus
          disabled={busy}
          onClick={() => {
            setSure(false);
            act(() => host.ask({ kind: 'cancel', run_id: runId }));
          }}
        >
          Cancel the run
        </button>
        <button type="button" onClick={() => setSure(false)}>Let it go on</button>
      </span>
    );
  }
  return (
    <span className="aiosw-buttons">
      {runId !== null && onRerun && (
        <>
          <button
            type="button"
            disabled={why !== '' || busy}
            aria-describedby={why ? `${id}-why` : undefined}
            title={why || 'A new run that keeps what came before and redoes this step and all that depends on it'}
            onClick={() => act(onRerun)}
          >
            Rerun from here
          </button>
          {why && <span id={`${id}-why`} className="aiosw-hidden">{why}</span>}
        </>
      )}
      {runId !== null && run && RESUMABLE.has(run) && host.canAct && (
        <button type="button" disabled={busy} title="Go on with this run: finished steps are kept" onClick={() => act(() => host.ask({ kind: 'resume', run_id: runId }))}>
          Resume
        </button>
      )}
      {runId !== null && going && host.canAct && <button type="button" disabled={busy} onClick={() => setSure(true)}>Cancel…</button>}
      {onSql && <button type="button" onClick={onSql}>Query with SQL</button>}
      {runId !== null && host.openRun && !inTab && <button type="button" onClick={() => host.openRun?.(runId, step)}>Open step in a tab</button>}
      {cell && host.revealCell && <button type="button" onClick={() => act(async () => onProblem(await reveal(host, cell)))}>Open in notebook</button>}
      {onClose && <button type="button" className="aiosw-close" aria-label={`Close ${step}`} title="Close (Escape)" onClick={onClose}>✕</button>}
    </span>
  );
}
