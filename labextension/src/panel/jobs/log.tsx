// What a run of a job printed, or one of its cells: asked for in parts, and on while it goes on.
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { ApiError } from '../../api';
import { pieces } from '../../shared/ansi';
import { Failure } from '../hooks';
import { asApiError, type PanelModel } from '../model';

interface Props {
  model: PanelModel;
  job: string;
  run: string;
  /** Null for the whole run. */
  cell: number | null;
  live: boolean;
  label: string;
}

const EVERY = 1000; // ms
const KEPT = 200_000; // characters: more is in the executed notebook and in the file

export function JobLog({ model, job, run, cell, live, label }: Props): JSX.Element {
  const { text, cut, error, asked } = useLog({ model, job, run, cell, live, label });
  const box = useRef<HTMLPreElement>(null);
  const following = useRef(true);
  useLayoutEffect(() => {
    const el = box.current;
    if (el && following.current) {
      el.scrollTop = el.scrollHeight;
    }
  }, [text]);
  const onScroll = (): void => {
    const el = box.current as HTMLPreElement;
    following.current = el.scrollHeight - el.scrollTop - el.clientHeight < 24;
  };
  return (
    <>
      {(text !== '' || live) && (
        <pre ref={box} className="aios-code aios-log" tabIndex={0} role="log" aria-label={label} aria-live="off" onScroll={onScroll}>
          {cut && <span className="aios-dim">{'… earlier output is not shown\n'}</span>}
          {pieces(text).map((p, i) => (p.look ? <span key={i} data-look={p.look}>{p.text}</span> : <span key={i}>{p.text}</span>))}
          {live && <span className="aios-dim">{text.endsWith('\n') || text === '' ? '…' : ' …'}</span>}
        </pre>
      )}
      {text === '' && !live && asked && !error && <p className="aios-sub aios-quiet-line">Nothing was printed.</p>}
      <Failure error={error} />
    </>
  );
}

interface Log {
  text: string;
  cut: boolean;
  error: ApiError | null;
  asked: boolean;
}

function useLog({ model, job, run, cell, live }: Props): Log {
  const [log, setLog] = useState<Log>({ text: '', cut: false, error: null, asked: false });
  const next = useRef(0);
  useEffect(() => {
    next.current = 0;
    setLog({ text: '', cut: false, error: null, asked: false });
  }, [job, run, cell]);
  useEffect(() => {
    let timer = 0;
    let over = false;
    const look = async (): Promise<void> => {
      let more = false;
      try {
        const part = await model.api.jobs.log(job, run, cell, next.current);
        if (over) {
          return;
        }
        const anew = part.next < next.current; // another attempt has begun it anew
        next.current = part.next;
        more = part.more;
        setLog(old => {
          const text = (anew ? '' : old.text) + part.text;
          return { text: text.slice(-KEPT), cut: (old.cut && !anew) || text.length > KEPT, error: null, asked: true };
        });
      } catch (e) {
        if (!over) {
          setLog(old => ({ ...old, error: asApiError(e), asked: true }));
        }
      }
      if (!over && (more || live)) {
        timer = window.setTimeout(() => void look(), more ? 0 : EVERY);
      }
    };
    void look();
    return () => {
      over = true;
      window.clearTimeout(timer);
    };
  }, [model, job, run, cell, live]);
  return log;
}
