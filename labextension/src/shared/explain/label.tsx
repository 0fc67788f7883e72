// A column's name and what the row has in it. Text only; a name may be empty, or markup.
import type { Column } from '../../explain_protocol';
import { cellOf, nameAt } from './words';

interface Props {
  columns: Column[];
  at: number;
  value?: string;
  onColumn?: (at: number) => void;
}

export function Label({ columns, at, value, onColumn }: Props): JSX.Element {
  const name = nameAt(columns, at);
  const said = value === undefined ? name : `${name} = ${cellOf(value)}`;
  const inside = (
    <>
      <b>{name}</b>
      {value !== undefined && <span>{` = ${cellOf(value)}`}</span>}
    </>
  );
  return onColumn ? (
    <button type="button" className="aiosw-plain aiosw-ex-label" title={`${said}. Show how it acts over all rows.`} onClick={() => onColumn(at)}>{inside}</button>
  ) : (
    <span className="aiosw-ex-label" title={said}>{inside}</span>
  );
}
