// Which rows are on the screen. Browsers cut elements off at 16 to 33 million pixels: above a limit the scrollbar
// stands for the whole table in a smaller scale, and the wheel still moves by rows.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

export const ROW = 24;
const TALLEST = 6_000_000;

export interface Viewport {
  /** Virtual pixels above the first visible one. */
  top: number;
  left: number;
  width: number;
  /** Of the body, without the header. */
  height: number;
  sizer: number;
  onScroll: () => void;
  scrollTo: (top: number | null, left: number | null) => void;
}

export function useViewport(box: React.RefObject<HTMLDivElement>, rows: number, head: number): Viewport {
  const [at, setAt] = useState({ top: 0, left: 0, width: 0, height: 0 });
  const now = useRef(at);
  now.current = at;
  const total = rows * ROW;
  const body = Math.min(total, TALLEST);
  const maxTop = Math.max(0, total - at.height);
  const maxScroll = Math.max(0, body - at.height);
  const scaled = total > TALLEST;
  const ratio = scaled && maxScroll > 0 ? maxTop / maxScroll : 1;
  const own = useRef(-1);

  const scrollTo = useCallback(
    (top: number | null, left: number | null) => {
      const el = box.current;
      if (!el) {
        return;
      }
      const next = { ...now.current };
      if (top !== null) {
        next.top = Math.max(0, Math.min(maxTop, top));
        el.scrollTop = next.top / ratio;
        own.current = el.scrollTop;
      }
      if (left !== null) {
        el.scrollLeft = left;
        next.left = el.scrollLeft;
      }
      now.current = next;
      setAt(next);
    },
    [box, maxTop, ratio]
  );

  const onScroll = useCallback(() => {
    const el = box.current;
    if (!el) {
      return;
    }
    const next = { ...now.current, left: el.scrollLeft };
    // What we scrolled ourselves is known more exactly than the scrollbar can tell.
    if (Math.abs(el.scrollTop - own.current) > 1) {
      next.top = Math.min(maxTop, el.scrollTop * ratio);
      own.current = -1;
    }
    setAt(next);
  }, [box, maxTop, ratio]);

  useLayoutEffect(() => {
    const el = box.current as HTMLDivElement;
    const measure = (): void => {
      const width = el.clientWidth;
      const height = Math.max(0, el.clientHeight - head);
      setAt(old => (old.width === width && old.height === height ? old : { ...old, width, height }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(el);
    return () => observer.disconnect();
  }, [box, head]);

  // Fewer rows than before: what was below the end is gone.
  useLayoutEffect(() => {
    if (now.current.top > maxTop) {
      scrollTo(maxTop, null);
    }
  }, [maxTop, scrollTo]);

  useEffect(() => {
    const el = box.current as HTMLDivElement;
    if (!scaled) {
      return;
    }
    const onWheel = (e: WheelEvent): void => {
      if (e.ctrlKey || e.shiftKey || Math.abs(e.deltaY) <= Math.abs(e.deltaX)) {
        return;
      }
      const step = e.deltaMode === 1 ? ROW : e.deltaMode === 2 ? now.current.height : 1;
      const top = Math.max(0, Math.min(maxTop, now.current.top + e.deltaY * step));
      if (top !== now.current.top) {
        e.preventDefault();
        scrollTo(top, null);
      }
    };
    // React listens passively; the page must not scroll along.
    el.addEventListener('wheel', onWheel, { passive: false });
    return () => el.removeEventListener('wheel', onWheel);
  }, [box, scaled, maxTop, scrollTo]);

  return { ...at, top: Math.min(at.top, maxTop), sizer: head + body, onScroll, scrollTo };
}
