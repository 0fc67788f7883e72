// Asking the kernel about a drift report from a part of the screen.
import { useEffect, useState } from 'react';

import type { ColumnDrift, DriftAnswers, DriftQuestion, DriftView, Rules } from '../../drift_protocol';
import { useLatest } from '../asking';
import { asker } from '../host';
import { isAbort } from '../inspector/abort';
import { type Problem, problemOf } from '../inspector/use';
import type { DriftHost } from './types';

export const useAsk = asker<DriftQuestion, DriftAnswers>();

export interface Rejudging {
  /** The rules as somebody is about to have them: what a slider stands at. */
  rules: Rules;
  set: (rules: Rules) => void;
  busy: boolean;
  problem: Problem | null;
}

/** Other rules: the kernel judges anew, which reads no data, as fast as a slider moves. */
export function useRules(view: DriftView, host: DriftHost): Rejudging {
  const [draft, setDraft] = useState<Rules | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const { want, busy } = useLatest((rules: Rules) =>
    host.ask({ kind: 'judge', rules }, { seconds: 20 }).then(
      () => setProblem(null),
      (error: unknown) => isAbort(error) || setProblem(problemOf(error))
    )
  );
  // Nothing is under way: what the kernel holds is what the fields say, as soon as it is here.
  useEffect(() => {
    if (busy || draft === null) {
      return;
    }
    // Only this draft: another may have come before this is done.
    const drop = (): void => setDraft(now => (now === draft ? null : now));
    if (problem !== null || JSON.stringify(draft) === JSON.stringify(view.rules)) {
      drop();
      return;
    }
    const timer = setTimeout(drop, 1000);
    return () => clearTimeout(timer);
  }, [busy, draft, problem, view.rules]);
  const set = (rules: Rules): void => {
    setDraft(rules);
    want(rules);
  };
  return { rules: draft ?? view.rules, set, busy, problem };
}

interface Paged {
  column: ColumnDrift | null;
  problem: Problem | null;
  busy: boolean;
  again: () => void;
}

/** A column's page: what came with the view at once, then as the kernel has it now. */
export function useColumn(view: DriftView, host: DriftHost, name: string): Paged {
  const { ask, canAct } = host;
  const [kept, keep] = useState<{ name: string; id: string; column: ColumnDrift | null; problem: Problem | null }>({ name, id: view.id, column: null, problem: null });
  const [busy, setBusy] = useState(false);
  const [round, setRound] = useState(0);
  const { id, seq } = view;
  useEffect(() => {
    if (!canAct) {
      setBusy(false);
      return;
    }
    const stop = new AbortController();
    setBusy(true);
    ask({ kind: 'column', column: name }, { signal: stop.signal, seconds: 30 }).then(
      ({ column }) => {
        keep({ name, id, column, problem: null });
        setBusy(false);
      },
      (error: unknown) => {
        if (!isAbort(error)) {
          keep(now => ({ name, id, column: now.name === name && now.id === id ? now.column : null, problem: problemOf(error) }));
          setBusy(false);
        }
      }
    );
    return () => stop.abort();
  }, [ask, canAct, name, id, seq, round]);
  const current = kept.name === name && kept.id === id;
  const own = Object.prototype.hasOwnProperty.call(view.pages, name) ? view.pages[name] : null;
  return { column: (current ? kept.column : null) ?? own, problem: current ? kept.problem : null, busy, again: () => setRound(n => n + 1) };
}
