// Log lines, any number: only those near the screen exist. Follows the end while the reader is there.
import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';

import type { LogLine } from '../protocol';
import { pieces } from './ansi';
import { clock } from './format';
import { marked } from './mark';

const LINE = 18;
const AROUND = 30;
/** Fewer lines are all drawn: they can be selected and searched with the browser's own means. */
const ALL = 300;

interface Props {
  lines: LogLine[];
  label: string;
  /** True when lines before the first one are not here. */
  cut?: boolean;
  wrap?: boolean;
  search?: string;
  /** Show the attempt before each line. */
  tries?: boolean;
  empty?: string;
  /** Called when the reader comes to the first line and there are earlier ones. */
  onStart?: () => void;
  /** Tells whether the end is followed. */
  onFollow?: (following: boolean) => void;
  /** Counts up to jump to the end. */
  jump?: number;
}

export function LogView({ lines, label, cut, wrap = true, search = '', tries, empty, onStart, onFollow, jump = 0 }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const [at, setAt] = useState({ top: 0, height: 400, perRow: 100 });
  const several = tries ?? (lines.length > 0 && lines[0].attempt !== lines[lines.length - 1].attempt);
  const few = lines.length <= ALL;

  // How high each line probably is: the true height only moves the scrollbar a little.
  const tops = useMemo(() => {
    const out = new Float64Array(lines.length + 1);
    for (let i = 0; i < lines.length; i++) {
      out[i + 1] = out[i] + LINE * (wrap && !few ? Math.max(1, Math.ceil(lines[i].text.length / at.perRow)) : 1);
    }
    return out;
  }, [lines, wrap, few, at.perRow]);
  const first = few ? 0 : Math.max(0, place(tops, at.top) - AROUND);
  const last = few ? lines.length : Math.min(lines.length, place(tops, at.top + at.height) + AROUND);

  useLayoutEffect(() => {
    const el = box.current as HTMLDivElement;
    const measure = (): void => {
      const perRow = Math.max(20, Math.floor((el.clientWidth - 130) / 7.25));
      setAt(old => (old.height === el.clientHeight && old.perRow === perRow ? old : { top: el.scrollTop, height: el.clientHeight, perRow }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(el);
    return () => observer.disconnect();
  }, []);

  const toEnd = useCallback(() => {
    const el = box.current;
    if (el) {
      el.scrollTop = el.scrollHeight;
      setAt(old => (old.top === el.scrollTop ? old : { ...old, top: el.scrollTop }));
    }
  }, []);
  useLayoutEffect(() => {
    if (following.current) {
      toEnd();
    }
  }, [lines, first, last, wrap, toEnd]);
  useEffect(() => {
    if (jump > 0) {
      following.current = true;
      toEnd();
    }
  }, [jump, toEnd]);
  // Earlier lines put above must not push away what is being read.
  const anchor = useRef({ seq: 0, height: 0 });
  useLayoutEffect(() => {
    const el = box.current as HTMLDivElement;
    const seq = lines.length ? lines[0].seq : 0;
    if (anchor.current.seq > seq && !following.current && seq > 0) {
      el.scrollTop += el.scrollHeight - anchor.current.height;
    }
    anchor.current = { seq, height: el.scrollHeight };
  }, [lines]);

  const onScroll = (): void => {
    const el = box.current as HTMLDivElement;
    const end = el.scrollHeight - el.scrollTop - el.clientHeight < 24;
    if (end !== following.current) {
      following.current = end;
      onFollow?.(end);
    }
    setAt(old => (few || old.top === el.scrollTop ? old : { ...old, top: el.scrollTop }));
    if (el.scrollTop < 60 && cut) {
      onStart?.();
    }
  };
  return (
    <div className="aiosw-log" ref={box} onScroll={onScroll} tabIndex={0} role="log" aria-label={label} aria-live="off" data-wrap={wrap || undefined}>
      {cut && (
        <p className="aiosw-quiet">
          {onStart ? <button type="button" className="aiosw-link" onClick={onStart}>Show earlier lines</button> : 'Earlier lines are not shown.'}
        </p>
      )}
      {lines.length === 0 && <p className="aiosw-quiet">{empty ?? 'Nothing was printed.'}</p>}
      <div style={{ height: tops[first] }} />
      {lines.slice(first, last).map(l => <Line key={l.seq} line={l} tries={several} search={search} />)}
      <div style={{ height: tops[lines.length] - tops[last] }} />
    </div>
  );
}

const Line = memo(function Line({ line: l, tries, search }: { line: LogLine; tries: boolean; search: string }): JSX.Element {
  return (
    <div className="aiosw-line" data-stream={l.stream} data-level={l.level ?? undefined}>
      <time>{clock(l.at)}</time>
      {tries && <span className="aiosw-try">try {l.attempt}</span>}
      {l.level && <b>{l.level}</b>}
      {!l.level && l.stream === 'stderr' && <b>stderr</b>}
      <span className="aiosw-said">
        {pieces(l.text).map((p, i) => (p.look ? <span key={i} data-look={p.look}>{marked(p.text, search)}</span> : <span key={i}>{marked(p.text, search)}</span>))}
      </span>
    </div>
  );
});

/** The line at a height. */
function place(tops: Float64Array, y: number): number {
  let low = 0;
  let high = tops.length - 1;
  while (low < high) {
    const mid = (low + high + 1) >> 1;
    if (tops[mid] <= y) {
      low = mid;
    } else {
      high = mid - 1;
    }
  }
  return low;
}
