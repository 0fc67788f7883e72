// Which columns are shown, and a way to one among thousands.
import { useId, useMemo, useState } from 'react';

import type { Column } from '../../protocol';
import { count } from '../format';

const LISTED = 200;

interface Props {
  columns: Column[];
  hidden: ReadonlySet<number>;
  onHidden: (hidden: ReadonlySet<number>) => void;
  onGo: (index: number) => void;
  onClose: () => void;
}

export function Chooser({ columns, hidden, onHidden, onGo, onClose }: Props): JSX.Element {
  const id = useId();
  const [search, setSearch] = useState('');
  const found = useMemo(() => {
    const wanted = search.trim().toLowerCase();
    return columns.map((_, i) => i).filter(i => wanted === '' || columns[i].name.toLowerCase().includes(wanted) || columns[i].type.toLowerCase() === wanted);
  }, [columns, search]);
  const set = (indices: number[], show: boolean): void => {
    const next = new Set(hidden);
    indices.forEach(i => (show ? next.delete(i) : next.add(i)));
    if (next.size < columns.length) {
      onHidden(next);
    }
  };
  return (
    <section
      className="aiosw-card"
      aria-label="Columns"
      onKeyDown={e => {
        if (e.key === 'Escape') {
          e.stopPropagation();
          onClose();
        }
      }}
    >
      <div className="aiosw-card-head">
        <label htmlFor={id} className="aiosw-hidden">Find a column</label>
        <input id={id} autoFocus type="search" placeholder="Find a column by name or type" value={search} onChange={e => setSearch(e.target.value)} />
        <span className="aiosw-quiet" role="status">{search ? `${count(found.length)} of ${count(columns.length)}` : `${count(columns.length - hidden.size)} of ${count(columns.length)} shown`}</span>
        <span className="aiosw-buttons">
          <button type="button" onClick={() => set(found, true)}>Show {search ? 'these' : 'all'}</button>
          <button
            type="button"
            disabled={search === ''}
            title={search === '' ? 'Search first: at least one column stays' : undefined}
            onClick={() => onHidden(new Set(columns.map((_, i) => i).filter(i => !found.includes(i))))}
          >
            Only these
          </button>
        </span>
        <button type="button" className="aiosw-close" aria-label="Close the columns" onClick={onClose}>✕</button>
      </div>
      <ul className="aiosw-chooser">
        {found.slice(0, LISTED).map(i => (
          <li key={i}>
            <label>
              <input type="checkbox" checked={!hidden.has(i)} disabled={!hidden.has(i) && hidden.size === columns.length - 1} onChange={e => set([i], e.target.checked)} />
              <span className="aiosw-ellipsis" title={columns[i].name}>{columns[i].name}</span>
            </label>
            <small>{columns[i].type}</small>
            <button type="button" disabled={hidden.has(i)} aria-label={`Go to the column ${columns[i].name}`} onClick={() => onGo(i)}>Go to</button>
          </li>
        ))}
      </ul>
      {found.length > LISTED && <p className="aiosw-quiet">{`${count(found.length - LISTED)} more: search for them.`}</p>}
      {found.length === 0 && <p className="aiosw-quiet">No column is called like that.</p>}
    </section>
  );
}
