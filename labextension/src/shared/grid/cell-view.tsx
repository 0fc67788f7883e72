// One cell in full.
import type { Column } from '../../protocol';
import { CopyButton } from '../copy';
import { cell, count } from '../format';

interface Props {
  column: Column;
  row: number;
  value: unknown;
  copy: (text: string) => Promise<void>;
  onClose: () => void;
}

export function CellView({ column, row, value, copy, onClose }: Props): JSX.Element {
  const text = typeof value === 'object' && value !== null ? JSON.stringify(value, null, 2) : cell(value);
  return (
    <section
      className="aiosw-card"
      aria-label={`Row ${count(row)}, column ${column.name}`}
      onKeyDown={e => {
        if (e.key === 'Escape') {
          e.stopPropagation();
          onClose();
        }
      }}
    >
      <div className="aiosw-card-head">
        <b className="aiosw-ellipsis">{column.name}</b>
        <code>{column.type}</code>
        <span className="aiosw-quiet">{`row ${count(row)}${typeof value === 'string' ? `, ${count([...value].length)} characters` : ''}`}</span>
        <CopyButton text={text} what="the cell" copy={copy} />
        <button type="button" className="aiosw-close" autoFocus aria-label="Close the cell" onClick={onClose}>✕</button>
      </div>
      {value === null ? (
        <p><i className="aiosw-null">null</i></p>
      ) : value === undefined ? (
        <p className="aiosw-quiet">This row is not loaded.</p>
      ) : (
        <pre className="aiosw-text" tabIndex={0}>{text}</pre>
      )}
    </section>
  );
}
