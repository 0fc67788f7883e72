// Log lines, following the end while the reader is there.
import { useLayoutEffect, useRef } from 'react';

import type { LogLine } from '../protocol';
import { clock } from './format';

export function LogView({ lines, label, cut }: { lines: LogLine[]; label: string; cut?: boolean }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useLayoutEffect(() => {
    if (box.current && atEnd.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [lines]);
  const onScroll = (): void => {
    const el = box.current;
    atEnd.current = !el || el.scrollHeight - el.scrollTop - el.clientHeight < 24;
  };
  const several = lines.length > 0 && lines[0].attempt !== lines[lines.length - 1].attempt;
  return (
    <div className="aiosw-log" ref={box} onScroll={onScroll} tabIndex={0} role="log" aria-label={label} aria-live="off">
      {cut && <p className="aiosw-quiet">Earlier lines are not shown.</p>}
      {lines.length === 0 && <p className="aiosw-quiet">Nothing was printed.</p>}
      {lines.map(l => (
        <div key={l.seq} className="aiosw-line" data-stream={l.stream} data-level={l.level ?? undefined}>
          <time>{clock(l.at)}</time>
          {several && <span className="aiosw-try">try {l.attempt}</span>}
          {l.level && <b>{l.level}</b>}
          {!l.level && l.stream === 'stderr' && <b>stderr</b>}
          <span className="aiosw-said">{l.text}</span>
        </div>
      ))}
    </div>
  );
}
