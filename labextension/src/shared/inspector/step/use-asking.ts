import { useEffect, useRef } from 'react';

/**
 * Asks now and whenever `key` changes, one question at a time: while one is under way, one more is remembered. News
 * that come faster than answers neither pile up nor keep each other from being answered.
 */
export function useAsking(ask: (signal: AbortSignal) => Promise<void>, key: unknown): void {
  const latest = useRef(ask);
  latest.current = ask;
  const state = useRef({ running: false, again: false });
  const controller = useRef<AbortController | null>(null);
  useEffect(() => {
    const own = (controller.current = new AbortController());
    return () => own.abort();
  }, []);
  useEffect(() => {
    const go = (): void => {
      const own = controller.current as AbortController;
      if (own.signal.aborted) {
        return;
      }
      state.current = { running: true, again: false };
      void latest.current(own.signal).finally(() => {
        const { again } = state.current;
        state.current = { running: false, again: false };
        if (again) {
          go();
        }
      });
    };
    if (state.current.running) {
      state.current.again = true;
    } else {
      go();
    }
  }, [key]);
}
