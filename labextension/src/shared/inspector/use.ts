// Asking, and asking again when there is news. Nothing here polls.
import { useCallback, useEffect, useRef, useState } from 'react';

import type { Answers, Request } from '../../protocol';
import { isAbort } from './abort';
import { type Host, type News, Refused, type WithoutId } from './types';

/** However fast news comes, a question is put at most this often. */
const EVERY_MILLISECONDS = 400;
/** After a lost connection: 2, 4, 8 … seconds, then every half minute. */
const LONGEST_PAUSE_SECONDS = 30;
const PASSING = new Set(['Timeout', 'Unreachable', 'Server']);

export interface Problem {
  message: string;
  hint: string;
  type: string;
}

export interface Answered<T> {
  /** The last answer; it stays while the next one is awaited. */
  data: T | null;
  problem: Problem | null;
  busy: boolean;
  again: () => void;
}

export function problemOf(error: unknown): Problem {
  const e = error instanceof Error ? error : new Error(String(error));
  return { message: e.message, hint: e instanceof Refused ? e.hint : '', type: e instanceof Refused ? e.type : e.name };
}

/** Calls back when there is news of the run. */
export function onNews(news: News, runId: string, listener: () => void): () => void {
  let seen = news.get(runId);
  return news.subscribe(() => {
    const now = news.get(runId);
    if (now !== seen) {
      seen = now;
      listener();
    }
  });
}

interface Kept {
  key: string;
  data: unknown;
  problem: Problem | null;
  busy: boolean;
}

/** The answer to a question (null: none to ask), kept fresh by the news of `follow`. */
export function useAnswer<R extends WithoutId<Request>>(host: Host, request: R | null, follow: string | null = null): Answered<Answers[R['kind']]> {
  const { ask, news } = host;
  const key = request === null ? '' : JSON.stringify(request);
  const [kept, keep] = useState<Kept>({ key, data: null, problem: null, busy: key !== '' });
  const poke = useRef<() => void>(() => undefined);
  useEffect(() => {
    if (key === '') {
      keep({ key, data: null, problem: null, busy: false });
      return;
    }
    const question = JSON.parse(key) as R;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let [flying, wanted, last, failures] = [false, false, 0, 0];
    const soon = (milliseconds = 0): void => {
      if (flying) {
        wanted = true; // one at a time: a slow answer must not be overtaken for ever
      } else if (!stop.signal.aborted) {
        clearTimeout(timer);
        timer = setTimeout(go, Math.max(milliseconds, EVERY_MILLISECONDS - (Date.now() - last)));
      }
    };
    const go = (): void => {
      [flying, wanted, last] = [true, false, Date.now()];
      keep(now => (now.key === key ? { ...now, busy: true } : { key, data: null, problem: null, busy: true }));
      ask(question, { signal: stop.signal }).then(
        data => {
          [flying, failures] = [false, 0];
          keep({ key, data, problem: null, busy: false });
          if (wanted) {
            soon();
          }
        },
        (error: unknown) => {
          flying = false;
          if (isAbort(error)) {
            return;
          }
          const problem = problemOf(error);
          keep(now => ({ key, data: now.key === key ? now.data : null, problem, busy: false }));
          if (PASSING.has(problem.type)) {
            failures += 1;
            soon(1000 * Math.min(LONGEST_PAUSE_SECONDS, 2 ** failures));
          }
        }
      );
    };
    poke.current = () => soon();
    go();
    const off = follow === null ? undefined : onNews(news, follow, () => soon());
    return () => {
      stop.abort();
      clearTimeout(timer);
      off?.();
      poke.current = () => undefined;
    };
  }, [ask, news, key, follow]);
  const again = useCallback(() => poke.current(), []);
  const current = kept.key === key;
  return {
    data: current ? (kept.data as Answers[R['kind']] | null) : null,
    problem: current ? kept.problem : null,
    busy: current ? kept.busy : key !== '',
    again
  };
}

/** An element's width, kept up to date. */
export function useWidth<E extends HTMLElement>(): [React.RefObject<E>, number] {
  const ref = useRef<E>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const el = ref.current;
    if (!el) {
      return;
    }
    const measure = (): void => setWidth(Math.round(el.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(el);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}
