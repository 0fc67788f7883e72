// A list of rows of one height, of which only those in sight are elements. One tab stop; arrow keys move in it.
import { type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

interface Props {
  count: number;
  rowHeight: number;
  /** At most this high; shorter when there are fewer rows. */
  height: number;
  label: string;
  cursor: number;
  onCursor: (index: number) => void;
  onOpen?: (index: number) => void;
  /** Stays at the end as rows come, as long as the reader is there. */
  follow?: boolean;
  header?: ReactNode;
  headerHeight?: number;
  /** Behind the rows. */
  backdrop?: ReactNode;
  /** Without a `label` a row is called by what it shows. */
  row: (index: number) => { key: string; label?: string; className?: string; status?: string; content: ReactNode };
  onKey?: (event: React.KeyboardEvent) => boolean;
}

const MARGIN_ROWS = 8;

export function VirtualList(props: Props): JSX.Element {
  const { count, rowHeight, height, label, cursor, onCursor, onOpen, follow, header, headerHeight = 0, backdrop, row, onKey } = props;
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const atEnd = useRef(true);
  const inside = Math.min(height, count * rowHeight + headerHeight + 2);
  const first = Math.max(0, Math.floor(top / rowHeight) - MARGIN_ROWS);
  const last = Math.min(count, Math.ceil((top + inside) / rowHeight) + MARGIN_ROWS);

  useLayoutEffect(() => {
    if (follow && atEnd.current && box.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [follow, count]);

  const wanted = useRef(false);
  const go = useCallback(
    (index: number) => {
      const el = box.current;
      if (!el || count === 0) {
        return;
      }
      const to = Math.min(count - 1, Math.max(0, index));
      const y = to * rowHeight;
      if (y < el.scrollTop) {
        el.scrollTop = y;
      } else if (y + rowHeight + headerHeight > el.scrollTop + el.clientHeight) {
        el.scrollTop = y + rowHeight + headerHeight - el.clientHeight;
      }
      wanted.current = true;
      onCursor(to);
    },
    [count, rowHeight, headerHeight, onCursor]
  );
  // The row may have come into being only now.
  useEffect(() => {
    if (wanted.current) {
      const el = box.current?.querySelector<HTMLElement>(`[data-index="${cursor}"]`);
      if (el) {
        wanted.current = false;
        el.focus({ preventScroll: true });
      }
    }
  });

  const onKeyDown = (e: React.KeyboardEvent): void => {
    const pageOf = Math.max(1, Math.floor(inside / rowHeight) - 2);
    const to = { ArrowDown: cursor + 1, ArrowUp: cursor - 1, Home: 0, End: count - 1, PageDown: cursor + pageOf, PageUp: cursor - pageOf }[e.key];
    if (to !== undefined) {
      e.preventDefault();
      go(to);
    } else if (onKey?.(e)) {
      e.preventDefault();
    }
  };
  const reachable = cursor >= first && cursor < last ? cursor : first;
  return (
    <div
      ref={box}
      className="aiosw-rows"
      style={{ height: inside }}
      role="group"
      aria-label={label}
      onKeyDown={onKeyDown}
      onScroll={e => {
        const el = e.currentTarget;
        atEnd.current = el.scrollHeight - el.scrollTop - el.clientHeight < rowHeight;
        setTop(el.scrollTop);
      }}
    >
      {header}
      <div className="aiosw-rows-inside" style={{ height: count * rowHeight }}>
        {backdrop}
        {Array.from({ length: Math.max(0, last - first) }, (_, i) => {
          const index = first + i;
          const r = row(index);
          return (
            <button
              key={r.key}
              type="button"
              data-index={index}
              data-status={r.status}
              className={`aiosw-rowbutton ${r.className ?? ''}`}
              style={{ top: index * rowHeight, height: rowHeight }}
              tabIndex={index === reachable ? 0 : -1}
              aria-label={r.label}
              aria-current={index === cursor || undefined}
              onClick={() => {
                onCursor(index);
                onOpen?.(index);
              }}
              onFocus={() => index !== cursor && onCursor(index)}
            >
              {r.content}
            </button>
          );
        })}
      </div>
    </div>
  );
}
