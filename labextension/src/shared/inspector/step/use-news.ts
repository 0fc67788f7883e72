import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';

import type { Host } from '../types';

const AT_MOST_EVERY_MILLISECONDS = 500;

/** Counts up when the run has news, at most twice a second: a view that asks then is never far behind. */
export function useNews(host: Host, runId: string | null): number {
  const { news } = host;
  const subscribe = useCallback((listener: () => void) => news.subscribe(listener), [news]);
  const latest = useSyncExternalStore(subscribe, () => (runId === null ? 0 : news.get(runId)));
  const [told, setTold] = useState({ news: latest, at: 0 });
  useEffect(() => {
    if (latest === told.news) {
      return;
    }
    const wait = Math.max(0, told.at + AT_MOST_EVERY_MILLISECONDS - performance.now());
    const timer = setTimeout(() => setTold({ news: latest, at: performance.now() }), wait);
    return () => clearTimeout(timer);
  }, [latest, told]);
  return told.news;
}
