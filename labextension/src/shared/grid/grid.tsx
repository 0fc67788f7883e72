// A table of any size: only the cells on the screen exist. Every name and value is text.
import { memo, useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';

import type { Column, ColumnProfile, Filter, Sort } from '../../protocol';
import { cell as textOf, count } from '../format';
import { kindOf, MAX_WIDTH, MIN_WIDTH, shown, tsv, widthsOf } from './columns';
import { HeadCell, type Order } from './head';
import type { Source } from './source';
import { ROW, useViewport } from './viewport';

const HEAD = 42;
const SPARK = 24;
const BLOCK = 1000;
const COPIED_CELLS = 200_000;

export interface GridProps {
  source: Source;
  label: string;
  /** Indices of the columns to show, in their order. */
  visible: number[];
  copy: (text: string) => Promise<void>;
  sort?: Sort[];
  filters?: Filter[];
  onSort?: (column: string, add: boolean) => void;
  onMenu?: (column: string) => void;
  onOpen?: (row: number, column: number) => void;
  /** Figures per column name; without it the heads have no bars. */
  profiles?: Map<string, ColumnProfile>;
  onColumns?: (names: string[]) => void;
  /** Another value: back to the first row. */
  order?: unknown;
  /** A column to scroll to. */
  target?: { column: number } | null;
  empty?: string;
}

interface Spot {
  row: number; // -1 is the head
  column: number; // place among the visible ones
}

export function DataGrid(props: GridProps): JSX.Element {
  const { source, visible, sort, filters, onSort, onMenu, onOpen, profiles } = props;
  useSyncExternalStore(source.subscribe, source.version);
  const { columns, rows } = source;
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const head = HEAD + (profiles ? SPARK : 0);
  const view = useViewport(box, rows, head);
  const [active, setActive] = useState<Spot | null>(null);
  const [anchor, setAnchor] = useState<Spot | null>(null);
  const [whole, setWhole] = useState(false);
  const [said, setSaid] = useState('');

  const natural = useMemo(() => {
    const rowsAtHand: unknown[][] = [];
    for (let r = 0; r < Math.min(rows, 40); r++) {
      rowsAtHand.push(columns.map((_, c) => source.cell(r, c) ?? null));
    }
    return widthsOf(columns, rowsAtHand);
    // Once per table: widths that follow the rows would jump while reading.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [columns]);
  const [pulled, setPulled] = useState<Record<number, number>>({});
  const { lefts, total } = useMemo(() => {
    let x = 0;
    const starts = visible.map(c => {
      const start = x;
      x += pulled[c] ?? natural[c];
      return start;
    });
    return { lefts: starts, total: x };
  }, [visible, natural, pulled]);
  const numbers = Math.max(34, String(Math.max(rows - 1, 0)).length * 7.5 + 18 + Math.floor(String(rows).length / 4) * 4);
  const widthAt = (place: number): number => pulled[visible[place]] ?? natural[visible[place]];

  const first = Math.max(0, Math.floor(view.top / ROW));
  const last = Math.min(rows - 1, Math.ceil((view.top + view.height) / ROW));
  const [from, to] = range(lefts, total, view.left, view.width - numbers);
  const shownColumns = useMemo(() => visible.slice(from, to + 1), [visible, from, to]);

  useEffect(() => {
    source.want(first, last, shownColumns);
  }, [source, first, last, shownColumns, source.version()]);
  const { onColumns } = props;
  useEffect(() => {
    onColumns?.(shownColumns.map(c => columns[c].name));
  }, [onColumns, shownColumns, columns]);

  const { scrollTo } = view;
  const order = useRef(props.order);
  useLayoutEffect(() => {
    if (order.current !== props.order) {
      order.current = props.order;
      scrollTo(0, null);
      setActive(a => (a ? { ...a, row: Math.min(a.row, 0) } : null));
      setAnchor(null);
    }
  }, [props.order, scrollTo]);

  const { target } = props;
  useEffect(() => {
    const place = target ? visible.indexOf(target.column) : -1;
    if (place >= 0) {
      scrollTo(null, Math.max(0, lefts[place] - 40));
      setActive(a => ({ row: a?.row ?? -1, column: place }));
    }
    // Only when another place is asked for, not when columns get wider.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [target]);

  const reveal = (spot: Spot): void => {
    const x = lefts[spot.column];
    const w = widthAt(spot.column);
    const room = view.width - numbers;
    const left = x < view.left ? x : x + w > view.left + room ? Math.min(x, x + w - room) : null;
    const y = spot.row * ROW;
    const top = spot.row < 0 ? null : y < view.top ? y : y + ROW > view.top + view.height ? y + ROW - view.height : null;
    if (left !== null || top !== null) {
      scrollTo(top, left);
    }
  };
  const go = (spot: Spot, extend: boolean): void => {
    setAnchor(extend ? (anchor ?? active) : null);
    setActive(spot);
    reveal(spot);
  };
  const resize = useCallback((index: number, width: number | null) => {
    setPulled(old => {
      const { [index]: _, ...rest } = old;
      return width === null ? rest : { ...rest, [index]: width };
    });
  }, []);

  const selection = active && {
    r0: Math.min(active.row, anchor?.row ?? active.row),
    r1: Math.max(active.row, anchor?.row ?? active.row),
    c0: whole ? 0 : Math.min(active.column, anchor?.column ?? active.column),
    c1: whole ? visible.length - 1 : Math.max(active.column, anchor?.column ?? active.column)
  };
  const copySelection = (): void => {
    if (!selection) {
      return;
    }
    const { r0, r1, c0, c1 } = selection;
    const one = r0 === r1 && c0 === c1;
    const out: unknown[][] = r0 < 0 || whole || !one ? [visible.slice(c0, c1 + 1).map(c => columns[c].name)] : [];
    let missing = 0;
    for (let r = Math.max(0, r0); r <= r1 && (r - r0) * (c1 - c0 + 1) < COPIED_CELLS; r++) {
      const values = visible.slice(c0, c1 + 1).map(c => source.cell(r, c));
      if (values.includes(undefined)) {
        missing += 1;
      } else {
        out.push(values);
      }
    }
    const text = one && r0 >= 0 ? textOf(out[0]?.[0]) : tsv(out);
    const what = one ? (r0 < 0 ? 'Copied the name' : 'Copied the cell') : `Copied ${count(r1 - Math.max(0, r0) + 1 - missing)} rows with their names`;
    props.copy(text).then(
      () => setSaid(missing ? `${what}; ${count(missing)} rows were not loaded` : what),
      (e: Error) => setSaid(e.message)
    );
  };

  const onKeyDown = (e: React.KeyboardEvent): void => {
    if (e.target !== box.current || visible.length === 0) {
      return;
    }
    const at = active ?? { row: rows > 0 ? 0 : -1, column: 0 };
    const ctrl = e.ctrlKey || e.metaKey;
    const page = Math.max(1, Math.floor(view.height / ROW) - 1);
    const end = visible.length - 1;
    const keys: Record<string, () => Spot> = {
      ArrowDown: () => ({ ...at, row: ctrl ? rows - 1 : at.row + 1 }),
      ArrowUp: () => ({ ...at, row: ctrl ? 0 : at.row - 1 }),
      ArrowRight: () => ({ ...at, column: ctrl ? end : at.column + 1 }),
      ArrowLeft: () => ({ ...at, column: ctrl ? 0 : at.column - 1 }),
      PageDown: () => ({ ...at, row: at.row + page }),
      PageUp: () => ({ ...at, row: Math.max(0, at.row - page) }),
      Home: () => ({ row: ctrl ? 0 : at.row, column: 0 }),
      End: () => ({ row: ctrl ? rows - 1 : at.row, column: end })
    };
    const column = columns[visible[Math.min(at.column, end)]];
    if (e.altKey && at.row < 0 && (e.key === 'ArrowLeft' || e.key === 'ArrowRight')) {
      const width = widthAt(at.column) + (e.key === 'ArrowRight' ? 24 : -24);
      resize(visible[at.column], Math.max(MIN_WIDTH, Math.min(MAX_WIDTH, width)));
    } else if (e.altKey && e.key === 'ArrowDown') {
      onMenu?.(column.name);
    } else if (e.altKey) {
      return;
    } else if (keys[e.key]) {
      // The first plain arrow only enters the grid.
      const to = active || ctrl || !e.key.startsWith('Arrow') ? keys[e.key]() : at;
      setWhole(false);
      go(
        { row: Math.max(-1, Math.min(rows - 1, to.row)), column: Math.max(0, Math.min(end, to.column)) },
        e.shiftKey && active !== null
      );
    } else if (e.key === 'Enter' || e.key === ' ') {
      if (at.row < 0) {
        onSort?.(column.name, e.shiftKey);
      } else {
        onOpen?.(at.row, visible[at.column]);
      }
    } else if (ctrl && e.key.toLowerCase() === 'c' && !String(window.getSelection())) {
      copySelection();
    } else {
      return;
    }
    e.preventDefault();
    e.stopPropagation();
  };

  const onPick = useCallback((row: number, column: number | null, extend: boolean) => {
    box.current?.focus({ preventScroll: true });
    setActive(old => {
      setAnchor(a => (extend ? (a ?? old) : null));
      return { row, column: column ?? 0 };
    });
    setWhole(column === null);
  }, []);
  const openAt = useRef(onOpen);
  openAt.current = onOpen;
  const onCellOpen = useCallback((row: number, column: number) => openAt.current?.(row, column), []);

  const base = Math.floor(first / BLOCK) * BLOCK;
  const lines: JSX.Element[] = [];
  for (let r = first; r <= last; r++) {
    const inside = selection && r >= selection.r0 && r <= selection.r1;
    lines.push(
      <Line
        key={r}
        id={id}
        row={r}
        y={(r - base) * ROW}
        source={source}
        version={source.version()}
        from={from}
        indices={shownColumns}
        lefts={lefts}
        widths={pulled}
        natural={natural}
        numbers={numbers}
        active={active?.row === r ? active.column : -1}
        picked0={inside ? selection.c0 : -1}
        picked1={inside ? selection.c1 : -2}
        onPick={onPick}
        onOpen={onCellOpen}
      />
    );
  }
  const style = {
    height: head + Math.max(rows, 1) * ROW + 2 + (total + numbers > view.width ? 16 : 0)
  };
  const orderOf = (name: string): Order | null => {
    const place = sort?.findIndex(s => s.column === name) ?? -1;
    return place < 0 ? null : { descending: sort?.[place].descending ?? false, place: (sort?.length ?? 0) > 1 ? place + 1 : 0 };
  };
  return (
    <div className="aiosw-grid-box">
      <div
        ref={box}
        role="grid"
        className="aiosw-grid"
        tabIndex={0}
        aria-label={props.label}
        aria-rowcount={rows + 1}
        aria-colcount={visible.length + 1}
        aria-multiselectable="true"
        aria-describedby={`${id}-help`}
        aria-activedescendant={active ? `${id}-${active.row}-${active.column}` : undefined}
        style={style}
        onScroll={view.onScroll}
        onKeyDown={onKeyDown}
      >
        <div className="aiosw-grid-sizer" role="presentation" style={{ width: total + numbers, height: view.sizer }}>
          <div
            className="aiosw-grid-view"
            role="presentation"
            style={{ width: view.width, height: view.height + head, '--aiosw-x': `${numbers - view.left}px` } as React.CSSProperties}
          >
            <div role="row" className="aiosw-grid-row aiosw-grid-heads" aria-rowindex={1} style={{ height: head }}>
              <div role="columnheader" aria-colindex={1} className="aiosw-grid-num" style={{ width: numbers }}><span className="aiosw-hidden">row</span></div>
              <div className="aiosw-grid-cells" role="presentation">
                {shownColumns.map((c, i) => (
                  <HeadCell
                    key={c}
                    id={`${id}--1-${from + i}`}
                    column={columns[c]}
                    index={c}
                    left={lefts[from + i]}
                    width={pulled[c] ?? natural[c]}
                    number={kindOf(columns[c].type) === 'number'}
                    order={orderOf(columns[c].name)}
                    filtered={filters?.some(f => f.column === columns[c].name) ?? false}
                    active={active?.row === -1 && active.column === from + i}
                    profile={profiles ? (profiles.get(columns[c].name) ?? null) : undefined}
                    onSort={onSort && sortBy}
                    onMenu={onMenu && menuOf}
                    onResize={resize}
                  />
                ))}
              </div>
            </div>
            <div role="rowgroup" className="aiosw-grid-body" style={{ top: head, height: view.height }}>
              <div role="presentation" style={{ transform: `translateY(${base * ROW - view.top}px)` }}>{lines}</div>
              {rows === 0 && <p className="aiosw-grid-empty">{props.empty ?? 'No rows.'}</p>}
            </div>
          </div>
        </div>
      </div>
      <span id={`${id}-help`} className="aiosw-hidden">
        Arrow keys move, Enter opens a cell in full or sorts by a head, Shift+Enter adds an order, Alt+arrow down opens a column, Ctrl+C copies.
      </span>
      <span className="aiosw-grid-said" role="status">{said}</span>
    </div>
  );

  function sortBy(column: Column, add: boolean): void {
    onSort?.(column.name, add);
  }
  function menuOf(column: Column): void {
    onMenu?.(column.name);
  }
}

interface LineProps {
  id: string;
  row: number;
  y: number;
  source: Source;
  version: number;
  from: number;
  indices: number[];
  lefts: number[];
  widths: Record<number, number>;
  natural: number[];
  numbers: number;
  active: number;
  picked0: number;
  picked1: number;
  onPick: (row: number, column: number | null, extend: boolean) => void;
  onOpen: (row: number, column: number) => void;
}

const Line = memo(function Line(p: LineProps): JSX.Element {
  const { row, source, from, onPick } = p;
  return (
    <div role="row" className="aiosw-grid-row" aria-rowindex={row + 2} data-odd={row % 2 || undefined} style={{ top: p.y }}>
      <div role="rowheader" aria-colindex={1} className="aiosw-grid-num" style={{ width: p.numbers }} onClick={e => onPick(row, null, e.shiftKey)}>
        {count(row)}
      </div>
      <div className="aiosw-grid-cells" role="presentation">
        {p.indices.map((c, i) => {
          const value = source.cell(row, c);
          const place = from + i;
          return (
            <div
              key={c}
              id={`${p.id}-${row}-${place}`}
              role="gridcell"
              className="aiosw-grid-cell"
              aria-colindex={c + 2}
              aria-selected={(place >= p.picked0 && place <= p.picked1) || undefined}
              data-active={p.active === place || undefined}
              data-number={typeof value === 'number' || kindOf(source.columns[c].type) === 'number' || undefined}
              style={{ left: p.lefts[place], width: p.widths[c] ?? p.natural[c] }}
              title={value === undefined || value === null ? undefined : textOf(value).slice(0, 500)}
              onClick={e => onPick(row, place, e.shiftKey)}
              onDoubleClick={() => p.onOpen(row, c)}
            >
              {value === undefined ? <i className="aiosw-grid-wait">·</i> : value === null ? <i className="aiosw-null">null</i> : shown(value)}
            </div>
          );
        })}
      </div>
    </div>
  );
});

/** First and last column that reach into the window, one more on each side. */
function range(lefts: number[], total: number, left: number, width: number): [number, number] {
  const find = (x: number): number => {
    let low = 0;
    let high = lefts.length - 1;
    while (low < high) {
      const mid = (low + high + 1) >> 1;
      if (lefts[mid] <= x) {
        low = mid;
      } else {
        high = mid - 1;
      }
    }
    return low;
  };
  return [Math.max(0, find(left) - 1), Math.min(lefts.length - 1, find(Math.min(total, left + Math.max(width, 1))) + 1)];
}
