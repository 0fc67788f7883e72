// A column's head: name, type, order, filter, small bars, and an edge to pull.
import { memo, useRef } from 'react';

import type { Column, ColumnProfile } from '../../protocol';
import { MAX_WIDTH, MIN_WIDTH } from './columns';
import { Spark } from './spark';

export interface Order {
  descending: boolean;
  /** Place among several orders, from 1; 0 when there is only one. */
  place: number;
}

interface Props {
  id: string;
  column: Column;
  index: number;
  left: number;
  width: number;
  number: boolean;
  order: Order | null;
  filtered: boolean;
  active: boolean;
  /** undefined: no bars in this table; null: not here yet. */
  profile: ColumnProfile | null | undefined;
  onSort?: (column: Column, add: boolean) => void;
  onMenu?: (column: Column) => void;
  onResize: (index: number, width: number | null) => void;
}

export const HeadCell = memo(function HeadCell(props: Props): JSX.Element {
  const { column, index, left, width, order, onSort, onMenu, onResize } = props;
  const from = useRef<{ x: number; width: number } | null>(null);
  const sorted = order ? (order.descending ? 'descending' : 'ascending') : 'none';
  return (
    <div
      id={props.id}
      role="columnheader"
      className="aiosw-grid-head"
      aria-colindex={index + 2}
      aria-sort={onSort ? sorted : undefined}
      data-number={props.number || undefined}
      data-active={props.active || undefined}
      style={{ left, width }}
    >
      <div className="aiosw-grid-name">
        {onSort ? (
          <button type="button" tabIndex={-1} title={`${column.name}\nClick to sort, Shift+click to sort by it as well`} onClick={e => onSort(column, e.shiftKey)}>
            <span className="aiosw-ellipsis">{column.name}</span>
            {order && (
              <span className="aiosw-grid-order" aria-hidden="true">
                {order.descending ? '↓' : '↑'}
                {order.place > 0 && <sub>{order.place}</sub>}
              </span>
            )}
          </button>
        ) : (
          <span className="aiosw-ellipsis" title={column.name}>{column.name}</span>
        )}
        {onMenu && (
          <button
            type="button"
            tabIndex={-1}
            className="aiosw-grid-funnel"
            data-on={props.filtered || undefined}
            aria-label={`Filter and figures of ${column.name}`}
            title={props.filtered ? 'Filtered: change the filter' : 'Filter, figures, hide'}
            onClick={() => onMenu(column)}
          >
            <svg viewBox="0 0 12 12" width="10" height="10" aria-hidden="true"><path d="M1 1.5h10L7.2 6.3V11L4.8 9.6V6.3z" /></svg>
          </button>
        )}
      </div>
      <small className="aiosw-ellipsis">{column.type}</small>
      {props.profile !== undefined && (
        <div className="aiosw-grid-spark">{props.profile && <Spark profile={props.profile} width={Math.max(20, width - 18)} height={20} />}</div>
      )}
      <span
        className="aiosw-grid-edge"
        aria-hidden="true"
        title="Drag to resize, double-click to fit"
        onPointerDown={e => {
          e.currentTarget.setPointerCapture(e.pointerId);
          from.current = { x: e.clientX, width };
          e.preventDefault();
        }}
        onPointerMove={e => {
          if (from.current) {
            onResize(index, Math.max(MIN_WIDTH, Math.min(MAX_WIDTH, from.current.width + e.clientX - from.current.x)));
          }
        }}
        onPointerUp={() => (from.current = null)}
        onDoubleClick={() => onResize(index, null)}
      />
    </div>
  );
});
