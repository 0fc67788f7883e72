// Items of a map that failed for good: what each was, why it failed, and the way to do them again.
import { useCallback, useState } from 'react';

import type { Letter, Letters, RunStatus, StepDetail } from '../../../protocol';
import { moment } from '../../format';
import { many, RunLink } from '../parts';
import type { Host } from '../types';

const OVER = new Set<RunStatus>(['succeeded', 'failed', 'cancelled']);

interface Props {
  host: Host;
  runId: string | null;
  detail: StepDetail;
  run?: RunStatus | null;
  onRedrive?: () => Promise<void>;
}

export function LettersTab({ host, runId, detail, run, onRedrive }: Props): JSX.Element {
  const first = detail.letters as Letters;
  const [more, setMore] = useState<Letter[]>([]);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const shown = [...first.letters, ...more];
  const act = useCallback((what: () => Promise<unknown>): void => {
    setBusy(true);
    setProblem('');
    what()
      .catch((e: Error) => setProblem(e.message))
      .finally(() => setBusy(false));
  }, []);
  const going = run !== undefined && run !== null && !OVER.has(run);
  const why = first.open === 0 ? 'All of them are settled.' : going ? 'The run is still going. Do them again when it has ended.' : '';
  return (
    <>
      <div className="aiosw-tools">
        <span>{`${many(first.total, 'item')} failed for good, ${first.open.toLocaleString('en')} open`}</span>
        {onRedrive && host.canAct && detail.shape === 'map' && (
          <span className="aiosw-buttons">
            <button type="button" disabled={busy || why !== ''} title={why || 'A new run that does only these items again and keeps all other results'} onClick={() => act(onRedrive)}>
              {`Do ${many(first.open, 'item')} again`}
            </button>
          </span>
        )}
        {why && <span className="aiosw-quiet">{why}</span>}
      </div>
      {problem && <p className="aiosw-notice" data-tone="failed" role="alert">{problem}</p>}
      <ol className="aiosw-list aiosw-letters">
        {shown.map(l => <LetterItem key={l.item} host={host} letter={l} />)}
      </ol>
      {shown.length < first.total && (
        <button type="button" disabled={busy} onClick={() => act(() => host.ask({ kind: 'letters', run_id: runId, step: detail.step, offset: shown.length }).then(page => setMore(old => [...old, ...page.letters])))}>
          {`Show more (${shown.length.toLocaleString('en')} of ${first.total.toLocaleString('en')})`}
        </button>
      )}
    </>
  );
}

function LetterItem({ host, letter: l }: { host: Host; letter: Letter }): JSX.Element {
  return (
    <li>
      <p className="aiosw-facts-line">
        <b>{`item ${l.item.toLocaleString('en')}`}</b>
        <em className="aiosw-badge" data-tone={l.status === 'open' ? 'failed' : undefined}>{l.status}</em>
        {l.redriven_by !== null && <RunLink runId={l.redriven_by} open={host.openRun && (id => host.openRun?.(id))}>by a later run</RunLink>}
        <span className="aiosw-quiet">{many(l.attempts, 'attempt')}</span>
        <span className="aiosw-quiet">{moment(l.at)}</span>
      </p>
      <p className="aiosw-error-title">{`${l.type}: ${l.reason}`}</p>
      <p className="aiosw-letter-value"><code tabIndex={0}>{l.value}</code></p>
      {l.traceback && (
        <details>
          <summary>Traceback</summary>
          <div className="aiosw-pre"><pre tabIndex={0} aria-label={`Traceback of item ${l.item}`}>{l.traceback}</pre></div>
        </details>
      )}
    </li>
  );
}
