// A control for a column's value: a slider where there are numbers, a list where there are values.
import { useEffect, useId, useState } from 'react';

import type { Column, ColumnPage } from '../../explain_protocol';
import type { Looked } from './types';
import { useAsk } from './use-ask';
import { cellOf, nameAt, number, valueOf } from './words';

export type Cell = boolean | number | string | null;

const STEPS = 200;

interface Props {
  looked: Looked;
  at: number;
  /** What the row has; what it is to have. */
  own: Cell;
  value: Cell;
  disabled: boolean;
  onChange: (value: Cell) => void;
}

export function Control({ looked, at, own, value, disabled, onChange }: Props): JSX.Element {
  const id = useId();
  const column = looked.view.columns[at];
  const name = nameAt(looked.view.columns, at);
  const changed = value !== own;
  const shown = value === null ? 'null' : typeof value === 'number' ? valueOf(column.kind, value) : cellOf(String(value));
  return (
    <div className="aiosw-ex-control" data-changed={changed || undefined}>
      <label htmlFor={id} title={name}>{name}</label>
      <output htmlFor={id}>{shown}{changed && <small>{` was ${own === null ? 'null' : typeof own === 'number' ? valueOf(column.kind, own) : cellOf(String(own))}`}</small>}</output>
      <Field id={id} looked={looked} at={at} column={column} own={own} value={value} disabled={disabled} onChange={onChange} />
      <button type="button" className="aiosw-small" disabled={disabled || !changed} aria-label={`${name} as it was`} onClick={() => onChange(own)}>↺</button>
    </div>
  );
}

function Field({ id, looked, at, column, own, value, disabled, onChange }: Props & { id: string; column: Column }): JSX.Element {
  switch (column.kind) {
    case 'numeric':
    case 'datetime':
      return column.low !== null && column.high !== null && column.high > column.low ? (
        <Slider id={id} column={column} own={own} value={value} disabled={disabled} onChange={onChange} />
      ) : (
        <Typed id={id} column={column} value={value} disabled={disabled} onChange={onChange} />
      );
    case 'boolean':
      return (
        <select id={id} value={value === null ? '' : String(value)} disabled={disabled} onChange={e => onChange(e.target.value === '' ? null : typeof own === 'boolean' || own === null ? e.target.value.toLowerCase() === 'true' : e.target.value)}>
          {own === null && <option value="">null</option>}
          {(column.values.length > 0 ? column.values : ['True', 'False']).map(v => { const spelled = typeof own === 'boolean' || own === null ? v.toLowerCase() : v; return <option key={v} value={spelled}>{v}</option>; })}
        </select>
      );
    case 'categorical':
      return <Values id={id} looked={looked} at={at} column={column} own={own} value={value} disabled={disabled} onChange={onChange} />;
    default:
      return <Typed id={id} column={column} value={value} disabled={disabled} onChange={onChange} />;
  }
}

/** Along the values that occur; the row's own is marked. */
function Slider({ id, column, own, value, disabled, onChange }: Omit<Props, 'looked' | 'at'> & { id: string; column: Column }): JSX.Element {
  const [low, high] = [Math.min(column.low as number, typeof own === 'number' ? own : Infinity), Math.max(column.high as number, typeof own === 'number' ? own : -Infinity)];
  const span = high - low;
  const step = column.whole ? Math.max(1, Math.round(span / STEPS)) : span / STEPS;
  const now = typeof value === 'number' ? value : (low + high) / 2;
  const place = (v: number): string => `${Math.max(0, Math.min(100, (100 * (v - low)) / span))}%`;
  return (
    <span className="aiosw-ex-slider">
      {column.quantiles && <i className="aiosw-ex-usual" aria-hidden="true" style={{ left: place(column.quantiles[0]), right: `calc(100% - ${place(column.quantiles[4])})` }} />}
      {typeof own === 'number' && <i className="aiosw-ex-own" aria-hidden="true" style={{ left: place(own) }} />}
      <input
        id={id}
        type="range"
        min={0}
        max={Math.round(span / step)}
        value={Math.round((now - low) / step)}
        disabled={disabled}
        aria-valuetext={valueOf(column.kind, now)}
        onChange={e => {
          const v = low + Number(e.target.value) * step;
          onChange(column.whole ? Math.round(v) : Number(v.toPrecision(6)));
        }}
      />
    </span>
  );
}

function Typed({ id, column, value, disabled, onChange }: Omit<Props, 'looked' | 'at' | 'own'> & { id: string; column: Column }): JSX.Element {
  const [typed, setTyped] = useState(value === null ? '' : String(value));
  useEffect(() => setTyped(value === null ? '' : String(value)), [value]);
  const numeric = column.kind === 'numeric' || column.kind === 'datetime';
  const put = (): void => {
    const next = numeric ? (typed.trim() === '' ? null : Number(typed)) : typed;
    if (typeof next !== 'number' || Number.isFinite(next)) {
      onChange(next);
    }
  };
  return <input id={id} value={typed} disabled={disabled} aria-invalid={numeric && typed.trim() !== '' && !Number.isFinite(Number(typed))} onChange={e => setTyped(e.target.value)} onBlur={put} onKeyDown={e => e.key === 'Enter' && put()} />;
}

/** The most frequent values; the others when somebody wants them. */
function Values({ id, looked, at, column, own, value, disabled, onChange }: Props & { id: string; column: Column }): JSX.Element {
  const asking = useAsk(looked.host, 'column');
  const all = (asking.data as ColumnPage | null)?.column.values ?? column.values;
  const missing = [own, value].filter((v): v is Exclude<Cell, null> => v !== null && !all.includes(String(v))).map(String);
  const names = [...new Set([...missing, ...all])];
  return (
    <span className="aiosw-ex-values">
      <select
        id={id}
        value={value === null ? '\u0000null' : String(value)}
        disabled={disabled}
        onChange={e => {
          const v = e.target.value;
          onChange(v === '\u0000null' ? null : typeof own === 'number' && v !== '' && Number.isFinite(Number(v)) ? Number(v) : v);
        }}
      >
        {(own === null || value === null || column.nulls > 0) && <option value={'\u0000null'}>null</option>}
        {names.map(v => <option key={v} value={v}>{cellOf(v)}</option>)}
      </select>
      {column.more > 0 && asking.data === null && <button type="button" className="aiosw-small" disabled={!looked.host.canAct || asking.busy} onClick={() => void asking.ask({ kind: 'column', column: at })}>{`${number(column.more)} more`}</button>}
    </span>
  );
}
