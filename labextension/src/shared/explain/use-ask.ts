// Asking the kernel about an explanation from a part of the screen.
import { useEffect, useRef, useState } from 'react';

import type { ExplainAnswers, ExplainQuestion } from '../../explain_protocol';
import { asker, type Unnumbered } from '../host';
import { isAbort } from '../inspector/abort';
import { type Answered, type Problem, problemOf } from '../inspector/use';
import type { ExplainHost } from './types';

export const useAsk = asker<ExplainQuestion, ExplainAnswers>();

type Question = Unnumbered<ExplainQuestion>;

interface Kept {
  key: string;
  data: unknown;
  problem: Problem | null;
}

/**
 * The answer to a question; null asks nothing. What came with the view (`first`) is shown at once and where nobody
 * answers. While another question is under way the last answer stays, and `busy` says so. `seconds`: the longest wait.
 */
export function useFetch<R extends Question>(host: ExplainHost, request: R | null, first: ExplainAnswers[R['kind']] | null = null, seconds = 60): Answered<ExplainAnswers[R['kind']]> & { current: boolean } {
  const { ask, canAct } = host;
  const key = request === null ? '' : JSON.stringify(request);
  const [kept, keep] = useState<Kept>({ key: '', data: null, problem: null });
  const [round, setRound] = useState(0);
  const given = useRef(first);
  given.current = first;
  const needless = first !== null;
  useEffect(() => {
    if (key === '' || !canAct || needless) {
      return;
    }
    const stop = new AbortController();
    ask(JSON.parse(key) as R, { signal: stop.signal, seconds }).then(
      data => keep({ key, data, problem: null }),
      (error: unknown) => isAbort(error) || keep(now => ({ key, data: now.data, problem: problemOf(error) }))
    );
    return () => stop.abort();
  }, [ask, canAct, key, needless, round, seconds]);
  const current = kept.key === key;
  return {
    data: first ?? (key === '' ? null : (kept.data as ExplainAnswers[R['kind']] | null)),
    problem: current && !needless ? kept.problem : null,
    busy: key !== '' && canAct && !needless && !current,
    current: needless || (current && kept.problem === null),
    again: () => {
      keep(now => ({ ...now, key: '', problem: null }));
      setRound(n => n + 1);
    }
  };
}
