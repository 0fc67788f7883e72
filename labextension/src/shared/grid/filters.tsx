// Conditions on columns: written in a small form, shown as chips that can be taken off.
import { useId, useState } from 'react';

import type { Column, ColumnProfile, Filter } from '../../protocol';
import { count } from '../format';
import { type ColumnKind, kindOf, shown } from './columns';

type Op = Filter['op'];

const WORDS: Record<Op, string> = {
  '=': 'is',
  '!=': 'is not',
  '<': 'less than',
  '<=': 'at most',
  '>': 'more than',
  '>=': 'at least',
  contains: 'contains',
  starts_with: 'starts with',
  in: 'is one of',
  between: 'between',
  is_null: 'is null',
  not_null: 'is not null'
};
const TIME_WORDS: Partial<Record<Op, string>> = { '<': 'before', '<=': 'until', '>': 'after', '>=': 'from' };

const OPS: Record<ColumnKind, Op[]> = {
  number: ['=', '!=', '<', '<=', '>', '>=', 'between', 'in', 'is_null', 'not_null'],
  time: ['>=', '<=', '>', '<', 'between', '=', 'is_null', 'not_null'],
  boolean: ['=', 'is_null', 'not_null'],
  text: ['contains', '=', '!=', 'starts_with', 'in', 'is_null', 'not_null'],
  other: ['is_null', 'not_null']
};

export function word(op: Op, kind: ColumnKind): string {
  return (kind === 'time' ? TIME_WORDS[op] : undefined) ?? WORDS[op];
}

/** A condition as a person would say it. */
export function say(filter: Filter, columns: Column[]): string {
  const kind = kindOf(columns.find(c => c.name === filter.column)?.type ?? '');
  const verb = word(filter.op, kind);
  if (filter.op === 'is_null' || filter.op === 'not_null') {
    return `${filter.column} ${verb}`;
  }
  const values = Array.isArray(filter.value) ? filter.value : [filter.value];
  const said = values.map(v => (typeof v === 'string' && kind === 'text' ? `“${v}”` : String(v)));
  return `${filter.column} ${verb} ${said.join(filter.op === 'between' ? ' and ' : ', ')}`;
}

function read(text: string, kind: ColumnKind): { value: unknown; problem: string } {
  const trimmed = text.trim();
  if (kind === 'number') {
    const value = Number(trimmed.replaceAll('_', ''));
    if (trimmed === '' || Number.isNaN(value)) {
      return { value: null, problem: trimmed === '' ? 'Please enter a number.' : `“${trimmed}” is not a number.` };
    }
    // A number this large would be rounded on the way.
    return { value: Number.isInteger(value) && !Number.isSafeInteger(value) ? trimmed : value, problem: '' };
  }
  if (kind === 'boolean') {
    return { value: trimmed === 'true', problem: '' };
  }
  return { value: kind === 'time' ? trimmed : text, problem: kind === 'time' && trimmed === '' ? 'Please enter a time, such as 2026-01-31.' : '' };
}

interface FormProps {
  column: Column;
  first?: Filter;
  profile?: ColumnProfile;
  onApply: (filter: Filter) => void;
}

export function FilterForm({ column, first, profile, onApply }: FormProps): JSX.Element {
  const id = useId();
  const kind = kindOf(column.type);
  const [op, setOp] = useState<Op>(first?.op ?? OPS[kind][0]);
  const given = Array.isArray(first?.value) ? first.value : first && first.value !== undefined ? [first.value] : [];
  const [text, setText] = useState(first?.op === 'in' ? given.join(', ') : given.length ? String(given[0]) : kind === 'boolean' ? 'true' : '');
  const [upper, setUpper] = useState(given.length > 1 ? String(given[1]) : '');
  const [problem, setProblem] = useState('');
  // Values that are all different are nothing to choose from.
  const top = (profile?.top ?? []).filter(t => t.value !== null && t.count > 1).slice(0, 12);
  const apply = (): void => {
    let value: unknown = null;
    if (op === 'between') {
      const low = read(text, kind);
      const high = read(upper, kind);
      if (low.problem || high.problem) {
        setProblem(low.problem || high.problem);
        return;
      }
      value = [low.value, high.value];
    } else if (op === 'in') {
      const parts = text.split(',').map(t => t.trim()).filter(Boolean).map(t => read(t, kind));
      const wrong = parts.find(p => p.problem);
      if (wrong || parts.length === 0) {
        setProblem(wrong?.problem ?? 'Please enter values with commas between them.');
        return;
      }
      value = parts.map(p => p.value);
    } else if (op !== 'is_null' && op !== 'not_null') {
      const one = read(text, kind);
      if (one.problem) {
        setProblem(one.problem);
        return;
      }
      value = one.value;
    }
    setProblem('');
    onApply(value === null ? { column: column.name, op } : { column: column.name, op, value });
  };
  const needsValue = op !== 'is_null' && op !== 'not_null';
  const inputMode = kind === 'number' && op !== 'in' ? 'decimal' : undefined;
  const placeholder = kind === 'time' ? '2026-01-31 or 2026-01-31T12:00' : op === 'in' ? 'one, two, three' : undefined;
  return (
    <form
      className="aiosw-filter-form"
      noValidate
      onSubmit={e => {
        e.preventDefault();
        apply();
      }}
    >
      <select aria-label={`Condition on ${column.name}`} value={op} onChange={e => setOp(e.target.value as Op)}>
        {OPS[kind].map(o => <option key={o} value={o}>{word(o, kind)}</option>)}
      </select>
      {needsValue &&
        (kind === 'boolean' ? (
          <select aria-label="Value" value={text} onChange={e => setText(e.target.value)}>
            <option value="true">true</option>
            <option value="false">false</option>
          </select>
        ) : (
          <input
            type="text"
            aria-label={op === 'between' ? 'From' : 'Value'}
            aria-invalid={problem ? true : undefined}
            aria-describedby={problem ? `${id}-problem` : undefined}
            inputMode={inputMode}
            placeholder={placeholder}
            value={text}
            onChange={e => setText(e.target.value)}
          />
        ))}
      {op === 'between' && (
        <input type="text" aria-label="To" inputMode={inputMode} placeholder={placeholder} value={upper} onChange={e => setUpper(e.target.value)} />
      )}
      <button type="submit" className="aiosw-primary">Apply filter</button>
      {problem && <p id={`${id}-problem`} className="aiosw-problem" role="alert">{problem}</p>}
      {top.length > 0 && kind !== 'other' && (
        <div className="aiosw-suggest" role="group" aria-label={`Frequent values of ${column.name}`}>
          <span className="aiosw-quiet">Frequent</span>
          {top.map((t, i) => (
            <button
              key={i}
              type="button"
              title={`Only rows where ${column.name} is ${shown(t.value)}`}
              onClick={() => onApply({ column: column.name, op: '=', value: t.value })}
            >
              <span className="aiosw-ellipsis">{shown(t.value) || '(empty)'}</span> <small>{count(t.count)}</small>
            </button>
          ))}
        </div>
      )}
    </form>
  );
}

interface ChipsProps {
  filters: Filter[];
  where: string;
  columns: Column[];
  onRemove: (index: number) => void;
  onWhere: (where: string) => void;
  onClear: () => void;
}

export function Chips({ filters, where, columns, onRemove, onWhere, onClear }: ChipsProps): JSX.Element | null {
  if (filters.length === 0 && !where) {
    return null;
  }
  return (
    <ul className="aiosw-chips" aria-label="Active filters">
      {filters.map((f, i) => (
        <li key={i}>
          <span className="aiosw-ellipsis" title={say(f, columns)}>{say(f, columns)}</span>
          <button type="button" aria-label={`Remove the filter ${say(f, columns)}`} onClick={() => onRemove(i)}>✕</button>
        </li>
      ))}
      {where && (
        <li>
          <code className="aiosw-ellipsis" title={where}>{where}</code>
          <button type="button" aria-label={`Remove the condition ${where}`} onClick={() => onWhere('')}>✕</button>
        </li>
      )}
      {filters.length + (where ? 1 : 0) > 1 && <li className="aiosw-chips-all"><button type="button" onClick={onClear}>Remove all</button></li>}
    </ul>
  );
}
