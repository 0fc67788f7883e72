// Asking the kernel from a part of the screen: one question at a time, the newest wins, failures in words.
import { useCallback, useEffect, useRef, useState } from 'react';

import type { TuningAnswers, TuningQuestion } from '../../tuning_protocol';
import { isAbort } from '../inspector/abort';
import { problemOf, type Problem } from '../inspector/use';
import { Refused } from '../inspector/types';
import type { TuningHost, WithoutId } from './types';

export interface Asking<K extends keyof TuningAnswers> {
  data: TuningAnswers[K] | null;
  problem: Problem | null;
  /** What is wrong with which field of what was asked. */
  fields: Record<string, string>;
  busy: boolean;
  /** Resolves to the answer, or to null when there was none. */
  ask: (request: Extract<WithoutId<TuningQuestion>, { kind: K }>) => Promise<TuningAnswers[K] | null>;
  forget: () => void;
}

export function useAsk<K extends keyof TuningAnswers>(host: TuningHost, _kind: K): Asking<K> {
  const [state, set] = useState<{ data: TuningAnswers[K] | null; problem: Problem | null; fields: Record<string, string>; busy: boolean }>({
    data: null, problem: null, fields: {}, busy: false
  });
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const { ask: put } = host;
  const ask = useCallback(
    async (request: Extract<WithoutId<TuningQuestion>, { kind: K }>): Promise<TuningAnswers[K] | null> => {
      stop.current?.abort();
      const mine = (stop.current = new AbortController());
      set(now => ({ ...now, busy: true }));
      try {
        const data = (await put(request as never, { signal: mine.signal })) as TuningAnswers[K];
        set({ data, problem: null, fields: {}, busy: false });
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
    set({ data: null, problem: null, fields: {}, busy: false });
  }, []);
  return { ...state, ask, forget };
}
