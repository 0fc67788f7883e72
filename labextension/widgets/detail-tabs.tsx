import { useEffect, useRef, useState } from 'react';

import type { Attempt, ErrorInfo, LogLine, Preview, StepDetail, Value } from '../src/protocol';
import { CopyButton } from '../src/shared/copy';
import { bytes, duration, moment } from '../src/shared/format';
import { LogView } from '../src/shared/log';
import { StateChip } from '../src/shared/states';
import { PreviewView } from '../src/shared/table';
import type { Ask } from '../src/shared/inspector/types';

export function CodeTab({ detail }: { detail: StepDetail }): JSX.Element {
  return (
    <>
      {detail.doc && <p className="aiosw-doc">{detail.doc}</p>}
      <Pre text={detail.code || '(the source is not known)'} what="code" caption={detail.cell} />
      {detail.policy.length > 0 && (
        <dl className="aiosw-facts">
          {detail.policy.map(p => (
            <div key={p.name}><dt>{p.name}</dt><dd>{p.summary}</dd></div>
          ))}
        </dl>
      )}
    </>
  );
}

export function OutputTab({ detail, ask }: { detail: StepDetail; ask: Ask }): JSX.Element {
  const { artifact, output } = detail;
  if (!artifact || !output) {
    return <p className="aiosw-quiet">No output.</p>;
  }
  return (
    <>
      <p className="aiosw-facts-line">
        <code>{artifact.type}</code>
        {artifact.shape && <span>{artifact.shape.join(' × ')}</span>}
        <span>{bytes(artifact.bytes)}</span>
        <span title={artifact.hash}>artifact <code>{artifact.hash.slice(0, 12)}</code></span>
        <CopyButton text={artifact.hash} what="the artifact's hash" />
        {detail.answered_by && <span>answered by <b>{detail.answered_by}</b></span>}
      </p>
      <PreviewView
        first={output}
        label={`Output of ${detail.step}`}
        fetchPage={(offset, limit) => ask({ kind: 'preview', hash: artifact.hash, offset, limit })}
      />
    </>
  );
}

export function InputsTab({ detail, ask }: { detail: StepDetail; ask: Ask }): JSX.Element {
  if (detail.inputs.length === 0) {
    return <p className="aiosw-quiet">This step takes no input.</p>;
  }
  return (
    <ul className="aiosw-list">
      {detail.inputs.map(v => <Input key={v.name} value={v} ask={ask} />)}
    </ul>
  );
}

function Input({ value, ask }: { value: Value; ask: Ask }): JSX.Element {
  const [preview, setPreview] = useState<Preview | null>(null);
  const [problem, setProblem] = useState('');
  const hash = value.hash;
  const toggle = (): void => {
    if (preview || hash === null) {
      setPreview(null);
    } else {
      ask({ kind: 'preview', hash, offset: 0, limit: 10 }).then(setPreview, (e: Error) => setProblem(e.message));
    }
  };
  return (
    <li>
      <p className="aiosw-facts-line">
        <b>{value.name}</b>
        <span className="aiosw-quiet">{value.source}</span>
        {value.type && <code>{value.type}</code>}
        <span>{value.summary}</span>
        {hash !== null && (
          <button type="button" aria-expanded={preview !== null} onClick={toggle}>{preview ? 'Hide' : 'Show'}</button>
        )}
      </p>
      {problem && <p className="aiosw-problem" role="alert">{problem}</p>}
      {preview && hash !== null && (
        <PreviewView
          first={preview}
          label={`Input ${value.name}`}
          fetchPage={(offset, limit) => ask({ kind: 'preview', hash, offset, limit })}
        />
      )}
    </li>
  );
}

const POLL_MILLISECONDS = 600;

export function LogTab({ detail, ask, moving }: { detail: StepDetail; ask: Ask; moving: boolean }): JSX.Element {
  const [lines, setLines] = useState<LogLine[]>(detail.logs);
  const last = useRef(0);
  last.current = lines.length ? lines[lines.length - 1].seq : 0;
  const { step } = detail;
  useEffect(() => {
    let stopped = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const next = (): void => {
      ask({ kind: 'logs', step, after: last.current }, { seconds: 30 }).then(
        page => {
          if (stopped) {
            return;
          }
          if (page.lines.length) {
            setLines(now => [...now, ...page.lines.filter(l => l.seq > (now.length ? now[now.length - 1].seq : 0))].slice(-5000));
          }
          if (page.more || moving) {
            timer = setTimeout(next, page.more ? 0 : POLL_MILLISECONDS);
          }
        },
        () => {
          if (!stopped && moving) {
            timer = setTimeout(next, 5 * POLL_MILLISECONDS);
          }
        }
      );
    };
    next();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [ask, step, moving]);
  return (
    <div className="aiosw-pre-box">
      <LogView lines={lines} label={`Log of ${step}`} cut={detail.more_logs} />
      {lines.length > 0 && <CopyButton text={lines.map(l => l.text).join('\n')} what="the log" />}
    </div>
  );
}

export function AttemptsTab({ detail }: { detail: StepDetail }): JSX.Element {
  return (
    <ol className="aiosw-list">
      {detail.attempts.map(a => <AttemptItem key={a.attempt} attempt={a} />)}
    </ol>
  );
}

function AttemptItem({ attempt: a }: { attempt: Attempt }): JSX.Element {
  return (
    <li>
      <p className="aiosw-facts-line">
        <b>{`attempt ${a.attempt}`}</b>
        <StateChip status={a.status} />
        <span>{moment(a.started_at)}</span>
        {a.duration !== null && <span>{duration(a.duration)}</span>}
        {a.executor && <span className="aiosw-quiet">{a.executor}</span>}
      </p>
      {a.error && (
        <details>
          <summary>{title(a.error)}</summary>
          <Pre text={a.error.traceback || a.error.message} what="the traceback" />
        </details>
      )}
    </li>
  );
}

export function ErrorTab({ detail }: { detail: StepDetail }): JSX.Element {
  const error = detail.error as ErrorInfo;
  return (
    <>
      <p className="aiosw-error-title">{title(error)}</p>
      {error.traceback && <Pre text={error.traceback} what="the traceback" tone="failed" />}
    </>
  );
}

function title(error: ErrorInfo): string {
  return error.type ? `${error.type}: ${error.message}` : error.message;
}

function Pre({ text, what, caption, tone }: { text: string; what: string; caption?: string; tone?: string }): JSX.Element {
  return (
    <div className="aiosw-pre" data-tone={tone}>
      {caption && <p className="aiosw-quiet">{caption}</p>}
      <div className="aiosw-pre-box">
        <pre tabIndex={0}>{text}</pre>
        <CopyButton text={text} what={what} />
      </div>
    </div>
  );
}
