// Figures of columns, asked for when somebody looks at them, a few at a time.
import { useCallback, useEffect, useRef, useState } from 'react';

import type { ColumnProfile, TableProfile } from '../../protocol';

export type AskProfiles = (columns: string[], signal: AbortSignal) => Promise<TableProfile>;

export interface Profiles {
  known: Map<string, ColumnProfile>;
  /** The latest answer: rows looked at, duplicates, code. */
  about: TableProfile | null;
  busy: boolean;
  problem: string;
  want: (columns: string[]) => void;
}

const AT_ONCE = 25;
const SETTLE_MILLISECONDS = 250;

export function useProfiles(ask: AskProfiles | null): Profiles {
  const [state, setState] = useState<Omit<Profiles, 'want'>>({ known: new Map(), about: null, busy: false, problem: '' });
  const wish = useRef<string[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const running = useRef<AbortController | null>(null);
  const known = useRef(state.known);
  const failed = useRef(new Set<string>());

  const next = useCallback(() => {
    const missing = wish.current.filter(n => !known.current.has(n) && !failed.current.has(n)).slice(0, AT_ONCE);
    if (!ask || missing.length === 0 || running.current) {
      return;
    }
    const controller = new AbortController();
    running.current = controller;
    setState(s => ({ ...s, busy: true }));
    ask(missing, controller.signal).then(
      about => {
        running.current = null;
        known.current = new Map(known.current);
        about.columns.forEach(c => known.current.set(c.name, c));
        // A column the answer leaves out is not asked for again and again.
        missing.filter(n => !known.current.has(n)).forEach(n => failed.current.add(n));
        setState({ known: known.current, about, busy: false, problem: '' });
        next();
      },
      (e: Error) => {
        running.current = null;
        if (!controller.signal.aborted) {
          missing.forEach(n => failed.current.add(n));
          setState(s => ({ ...s, busy: false, problem: e.message }));
        }
      }
    );
  }, [ask]);

  const want = useCallback(
    (columns: string[]) => {
      wish.current = columns;
      clearTimeout(timer.current);
      timer.current = setTimeout(next, SETTLE_MILLISECONDS);
    },
    [next]
  );
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      running.current?.abort();
      running.current = null;
    },
    []
  );
  return { ...state, want };
}
