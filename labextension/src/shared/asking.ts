// Asking from a part of the screen: one question at a time, the newest wins, failures in words.
import { useCallback, useEffect, useRef, useState } from 'react';

import { isAbort } from './inspector/abort';
import { type AskOptions, Refused } from './inspector/types';
import { problemOf, type Problem } from './inspector/use';

interface Asked<T> {
  data: T | null;
  problem: Problem | null;
  /** What is wrong with which field of what was asked. */
  fields: Record<string, string>;
  busy: boolean;
}

export interface Asking<R, T> extends Asked<T> {
  /** Resolves to the answer, or to null when there was none. */
  ask: (request: R) => Promise<T | null>;
  forget: () => void;
}

const NOTHING = { data: null, problem: null, fields: {}, busy: false };

export function useAsking<R, T>(put: (request: R, options: AskOptions) => Promise<T>): Asking<R, T> {
  const [state, set] = useState<Asked<T>>(NOTHING);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const ask = useCallback(
    async (request: R): Promise<T | null> => {
      stop.current?.abort();
      const mine = (stop.current = new AbortController());
      set(now => ({ ...now, busy: true }));
      try {
        const data = await put(request, { signal: mine.signal });
        set({ ...NOTHING, data });
        return data;
      } catch (error) {
        if (!isAbort(error)) {
          set(now => ({ ...now, problem: problemOf(error), fields: error instanceof Refused ? error.fields : {}, busy: false }));
        }
        return null;
      }
    },
    [put]
  );
  const forget = useCallback(() => {
    stop.current?.abort();
    set(NOTHING);
  }, []);
  return { ...state, ask, forget };
}

/** Passes wishes on one at a time; while one is under way only the newest other is kept: a drag has hundreds. */
export function useLatest<W>(act: (wish: W) => Promise<unknown>): { want: (wish: W) => void; busy: boolean } {
  const [busy, setBusy] = useState(false);
  const flow = useRef<{ flying: boolean; next: { wish: W } | null; over: boolean }>({ flying: false, next: null, over: false });
  const doing = useRef(act);
  doing.current = act;
  useEffect(() => {
    flow.current.over = false;
    return () => {
      flow.current.over = true;
    };
  }, []);
  const want = useCallback((wish: W) => {
    const f = flow.current;
    if (f.flying) {
      f.next = { wish };
      return;
    }
    f.flying = true;
    setBusy(true);
    void doing.current(wish).finally(() => {
      f.flying = false;
      const { next } = f;
      f.next = null;
      if (f.over) {
        return;
      }
      if (next !== null) {
        want(next.wish);
      } else {
        setBusy(false);
      }
    });
  }, []);
  return { want, busy };
}
