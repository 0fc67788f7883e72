// What the step printed: live, searched by the server, any length.
import { useCallback, useEffect, useRef, useState } from 'react';

import type { LogLine, LogPage, StepDetail } from '../../../protocol';
import { stripped } from '../../ansi';
import { CopyButton } from '../../copy';
import { count } from '../../format';
import { LogView } from '../../log';
import { isAbort } from '../abort';
import type { Host } from '../types';
import { useNews } from './use-news';

type Level = 'debug' | 'info' | 'warning' | 'error';

const KEPT = 200_000;
const TYPING_MILLISECONDS = 250;

interface Props {
  host: Host;
  runId: string | null;
  detail: StepDetail;
  /** Lines may still come. */
  moving: boolean;
  shown: boolean;
}

export function LogTab({ host, runId, detail, moving, shown }: Props): JSX.Element {
  const { ask } = host;
  const { step } = detail;
  const [typed, setTyped] = useState('');
  const [search, setSearch] = useState('');
  const [level, setLevel] = useState<Level | ''>('');
  const [attempt, setAttempt] = useState(0);
  const [wrap, setWrap] = useState(true);
  const [following, setFollowing] = useState(true);
  const [jump, setJump] = useState(0);
  const [lines, setLines] = useState<LogLine[]>(detail.logs);
  const [cut, setCut] = useState(detail.more_logs);
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const news = useNews(host, runId);
  const now = useRef(lines);
  now.current = lines;

  useEffect(() => {
    const timer = setTimeout(() => setSearch(typed.trim()), TYPING_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [typed]);

  const request = useCallback(
    (part: { after?: number; before?: number }, signal: AbortSignal): Promise<LogPage> =>
      ask(
        {
          kind: 'logs',
          run_id: runId,
          step,
          ...(search ? { search } : {}),
          ...(level ? { level } : {}),
          ...(attempt ? { attempt } : {}),
          ...part
        },
        { signal, seconds: 30 }
      ),
    [ask, runId, step, search, level, attempt]
  );

  // Another question begins anew; the first one was answered with the step.
  const asked = useRef({ search: '', level: '' as Level | '', attempt: 0 });
  useEffect(() => {
    const last = asked.current;
    if (last.search === search && last.level === level && last.attempt === attempt) {
      return;
    }
    asked.current = { search, level, attempt };
    const controller = new AbortController();
    setBusy(true);
    request({}, controller.signal).then(
      page => {
        setLines(page.lines);
        setCut(page.more);
        setProblem('');
        setBusy(false);
      },
      (e: Error) => {
        if (!isAbort(e)) {
          setProblem(e.message);
          setBusy(false);
        }
      }
    );
    return () => controller.abort();
  }, [request, search, level, attempt]);

  // What came since: asked when there is news, as long as there is more, one question at a time.
  const next = useRef<() => void>(() => undefined);
  useEffect(() => {
    if (!shown) {
      return;
    }
    const controller = new AbortController();
    let running = false;
    let again = false;
    const go = (): void => {
      if (running) {
        again = true;
        return;
      }
      running = true;
      again = false;
      const held = now.current;
      request({ after: held.length ? held[held.length - 1].seq : 0 }, controller.signal)
        .then(
          page => {
            setProblem('');
            setLines(old => {
              const end = old.length ? old[old.length - 1].seq : 0;
              const fresh = page.lines.filter(l => l.seq > end);
              return fresh.length ? [...old, ...fresh].slice(-KEPT) : old;
            });
            again = again || (page.more && held.length > 0 && page.lines.length > 0);
          },
          (e: Error) => !isAbort(e) && setProblem(e.message)
        )
        .finally(() => {
          running = false;
          if (again && !controller.signal.aborted) {
            setTimeout(go, 0); // the lines just read are in `now` then
          }
        });
    };
    next.current = go;
    go();
    return () => {
      next.current = () => undefined;
      controller.abort();
    };
  }, [request, shown]);
  useEffect(() => next.current(), [news]);

  const reading = useRef(false);
  const earlier = useCallback(() => {
    const held = now.current;
    if (reading.current || held.length === 0) {
      return;
    }
    reading.current = true;
    request({ before: held[0].seq }, new AbortController().signal)
      .then(
        page => {
          setLines(old => [...page.lines.filter(l => l.seq < old[0].seq), ...old].slice(-KEPT));
          setCut(page.more);
        },
        (e: Error) => setProblem(e.message)
      )
      .finally(() => (reading.current = false));
  }, [request]);

  const tries = Math.max(1, ...detail.attempts.map(a => a.attempt));
  const narrow = search !== '' || level !== '' || attempt !== 0;
  return (
    <>
      <div className="aiosw-tools">
        <input type="search" aria-label="Search the log" placeholder="Search the log" value={typed} onChange={e => setTyped(e.target.value)} />
        <select aria-label="Level" value={level} onChange={e => setLevel(e.target.value as Level | '')}>
          <option value="">All levels</option>
          <option value="debug">Debug and above</option>
          <option value="info">Info and above</option>
          <option value="warning">Warnings and errors</option>
          <option value="error">Errors</option>
        </select>
        {tries > 1 && (
          <select aria-label="Attempt" value={attempt} onChange={e => setAttempt(Number(e.target.value))}>
            <option value={0}>All attempts</option>
            {Array.from({ length: tries }, (_, i) => <option key={i} value={i + 1}>{`Attempt ${i + 1}`}</option>)}
          </select>
        )}
        <label className="aiosw-check"><input type="checkbox" checked={wrap} onChange={e => setWrap(e.target.checked)} /> Wrap</label>
        <span className="aiosw-counted" role="status">
          {busy ? 'Searching…' : `${count(lines.length)}${cut ? '+' : ''} ${narrow ? 'matching ' : ''}${lines.length === 1 ? 'line' : 'lines'}${moving ? ', live' : ''}`}
        </span>
        <span className="aiosw-buttons">
          {!following && <button type="button" onClick={() => setJump(n => n + 1)}>{moving ? 'Follow the end' : 'Jump to the end'}</button>}
          {lines.length > 0 && <CopyButton text={() => now.current.map(l => stripped(l.text)).join('\n')} what="these lines" label="Copy" copy={host.copy} />}
        </span>
      </div>
      {problem && <p className="aiosw-problem" role="alert">{problem}</p>}
      <LogView
        lines={lines}
        label={`Log of ${step}`}
        cut={cut}
        wrap={wrap}
        search={search}
        tries={tries > 1}
        empty={narrow ? 'No line matches.' : moving ? 'Nothing printed yet.' : 'Nothing was printed.'}
        onStart={earlier}
        onFollow={setFollowing}
        jump={jump}
      />
    </>
  );
}
