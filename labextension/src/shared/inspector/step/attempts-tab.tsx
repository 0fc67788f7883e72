// Each try, what it took, and what went wrong.
import type { Attempt, ErrorInfo, StepDetail } from '../../../protocol';
import { bytes, duration, moment } from '../../format';
import { StateChip } from '../../states';
import { Traceback } from '../../traceback';
import type { Host } from '../types';

export function AttemptsTab({ host, detail }: { host: Host; detail: StepDetail }): JSX.Element {
  return (
    <ol className="aiosw-list">
      {detail.attempts.map((a, i) => <AttemptItem key={a.attempt} host={host} attempt={a} waited={pause(detail.attempts[i - 1], a)} />)}
    </ol>
  );
}

function pause(before: Attempt | undefined, now: Attempt): number | null {
  return before === undefined || before.duration === null ? null : Math.max(0, now.started_at - before.started_at - before.duration);
}

function AttemptItem({ host, attempt: a, waited }: { host: Host; attempt: Attempt; waited: number | null }): JSX.Element {
  return (
    <li>
      <p className="aiosw-facts-line">
        <b>{`attempt ${a.attempt}`}</b>
        {a.made_by !== 'step' && <em className="aiosw-badge">{maker(a)}</em>}
        <StateChip status={a.status} />
        <span>{moment(a.started_at)}</span>
        {a.duration !== null && <span>took {duration(a.duration)}</span>}
        {waited !== null && waited > 0.001 && <span className="aiosw-quiet">after a pause of {duration(waited)}</span>}
        {a.peak_bytes !== null && <span className="aiosw-quiet">at most {bytes(a.peak_bytes)} memory</span>}
        {a.executor && <span className="aiosw-quiet">on {a.executor}</span>}
      </p>
      {a.message && <p className="aiosw-quiet">{a.message}</p>}
      {a.error && (
        <details>
          <summary>{title(a.error)}</summary>
          <Traceback host={host} error={a.error} />
        </details>
      )}
    </li>
  );
}

/** Whose function was called, where that is not the step's own. */
function maker(a: Attempt): string {
  return a.name === null ? a.made_by : `${a.made_by} ${a.name}`;
}

export function ErrorTab({ host, error }: { host: Host; error: ErrorInfo }): JSX.Element {
  return (
    <>
      <p className="aiosw-error-title">{title(error)}</p>
      <Traceback host={host} error={error} />
    </>
  );
}

export function title(error: ErrorInfo): string {
  return error.type ? `${error.type}: ${error.message}` : error.message;
}
