// The values of a column as pairs of bars; what one side has alone says so.
import { useRef, useState } from 'react';

import type { Categories, Category, ColumnDrift } from '../../drift_protocol';
import { count } from '../format';
import { percent } from '../grid/spark';
import type { OnSlice } from './types';
import { rowsOf } from './words';

const FIRST = 12;

interface Props {
  column: ColumnDrift;
  of: Categories;
  onSlice: OnSlice;
}

export function Bars({ column: c, of, onSlice }: Props): JSX.Element {
  const [all, setAll] = useState(false);
  const list = useRef<HTMLUListElement>(null);
  const totals = [Math.max(1, rowsOf(c, 'reference')), Math.max(1, rowsOf(c, 'current'))];
  const shown = all ? of.values : of.values.slice(0, FIRST);
  const most = Math.max(...of.values.flatMap(v => [v.reference / totals[0], v.current / totals[1]]), 1e-9);
  const onKeyDown = (e: React.KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    const buttons = [...(list.current?.querySelectorAll('button') ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    if (step !== undefined && at >= 0) {
      e.preventDefault();
      buttons[Math.max(0, Math.min(buttons.length - 1, at + step))].focus();
    }
  };
  const tag = (v: Category): string => (v.rest ? '' : v.reference === 0 ? 'new' : v.current === 0 ? 'gone' : '');
  return (
    <div className="aiosw-dr-values">
      {(of.new > 0 || of.gone > 0) && (
        <p>
          {of.new > 0 && <><b>{count(of.new)} new</b> in {percent(of.new_share, 1)} of the current rows</>}
          {of.new > 0 && of.gone > 0 && '; '}
          {of.gone > 0 && <><b>{count(of.gone)} gone</b>, which {percent(of.gone_share, 1)} of the reference had</>}
        </p>
      )}
      <ul ref={list} onKeyDown={onKeyDown}>
        {shown.map((v, i) => {
          const [a, b] = [v.reference / totals[0], v.current / totals[1]];
          const name = v.rest ? 'all others' : v.label === '' ? '(empty)' : v.label;
          const inside = (
            <>
              <span className="aiosw-dr-label">
                <span className="aiosw-ellipsis" data-rest={v.rest || undefined}>{name}</span>
                {tag(v) && <em className="aiosw-badge" data-change={tag(v) === 'new' ? 'added' : 'removed'}>{tag(v)}</em>}
              </span>
              <span className="aiosw-paired-bars" aria-hidden="true">
                <i data-side="A" style={{ width: `${(100 * a) / most}%` }} />
                <i data-side="B" style={{ width: `${(100 * b) / most}%` }} />
              </span>
              <small>{`${percent(a, 1)} → ${percent(b, 1)}`}</small>
            </>
          );
          return (
            <li key={i}>
              {onSlice && !v.rest ? (
                <button type="button" className="aiosw-plain" title={name} onClick={() => onSlice({ column: c.name, value: v.label, low: null, high: null })}>{inside}<span className="aiosw-hidden">. Look at these rows alone.</span></button>
              ) : (
                <span className="aiosw-dr-value" title={name}>{inside}</span>
              )}
            </li>
          );
        })}
      </ul>
      {of.values.length > FIRST && <button type="button" className="aiosw-link" aria-expanded={all} onClick={() => setAll(!all)}>{all ? 'Fewer values' : `${count(of.values.length - FIRST)} more values`}</button>}
    </div>
  );
}
