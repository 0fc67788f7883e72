// One timer for everything that ticks on the page; none while nothing does.
import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = Date.now() / 1000;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  now = Date.now() / 1000;
  timer ??= setInterval(() => {
    now = Date.now() / 1000;
    listeners.forEach(l => l());
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0 && timer !== undefined) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The browser's clock in seconds, once a second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
