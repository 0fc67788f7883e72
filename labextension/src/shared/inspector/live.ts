// A run's graph, asked for once and then only what moved since.
import { useCallback, useEffect, useRef, useState } from 'react';

import { isAbort } from './abort';
import { apply, type Picture, skewOf } from './picture';
import type { Host } from './types';
import { onNews, type Problem, problemOf } from './use';

const EVERY_MILLISECONDS = 100;
const LONGEST_PAUSE_SECONDS = 30;

export interface Live {
  picture: Picture | null;
  problem: Problem | null;
  again: () => void;
}

export function useLive(host: Pick<Host, 'ask' | 'news'>, runId: string): Live {
  const { ask, news } = host;
  const [live, setLive] = useState<{ of: string; picture: Picture | null; problem: Problem | null }>({ of: runId, picture: null, problem: null });
  const poke = useRef<() => void>(() => undefined);
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let since: number | null = null;
    let [flying, wanted, last, failures] = [false, false, 0, 0];
    const soon = (milliseconds = 0): void => {
      if (flying) {
        wanted = true;
      } else if (!stop.signal.aborted) {
        clearTimeout(timer);
        timer = setTimeout(go, Math.max(milliseconds, EVERY_MILLISECONDS - (Date.now() - last)));
      }
    };
    const go = (): void => {
      [flying, wanted, last] = [true, false, Date.now()];
      ask({ kind: 'graph', run_id: runId, since }, { signal: stop.signal }).then(
        told => {
          [flying, failures, since] = [false, 0, told.seq];
          setLive(now => {
            const old = now.of === runId ? (now.picture?.state ?? null) : null;
            const next = told.state ? apply(told.state, null, old) : old && told.patch ? apply({ ...old, seq: told.patch.base }, told.patch, old) : old;
            return { of: runId, picture: next && { state: next, skew: skewOf(next) }, problem: null };
          });
          if (wanted) {
            soon();
          }
        },
        (error: unknown) => {
          flying = false;
          if (!isAbort(error)) {
            failures += 1;
            setLive(now => ({ of: runId, picture: now.of === runId ? now.picture : null, problem: problemOf(error) }));
            soon(1000 * Math.min(LONGEST_PAUSE_SECONDS, 2 ** failures));
          }
        }
      );
    };
    poke.current = () => soon();
    go();
    const off = onNews(news, runId, () => soon());
    return () => {
      stop.abort();
      clearTimeout(timer);
      off();
    };
  }, [ask, news, runId]);
  const again = useCallback(() => poke.current(), []);
  return live.of === runId ? { picture: live.picture, problem: live.problem, again } : { picture: null, problem: null, again };
}
