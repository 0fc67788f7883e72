// Saying which rows a group has: a value, a range, or those marked in a picture.
import type { Cohort, ExplainView } from '../../explain_protocol';
import { count } from '../format';
import type { Looked } from './types';
import { cellOf, nameAt, valueOf } from './words';

export interface Draft {
  how: 'column' | 'marked' | 'others';
  column: number;
  value: string;
  low: string;
  high: string;
}

export function fresh(view: ExplainView, marked: boolean): Draft {
  // A column with few values makes plain groups; else the one that counts most.
  const order = view.page.importance.map(b => b.at);
  const column = order.find(at => view.columns[at].values.length > 0) ?? order[0] ?? 0;
  const of = view.columns[column];
  return { how: marked ? 'marked' : 'column', column, value: of?.values[0] ?? '', low: of?.quantiles ? String(of.quantiles[3]) : '', high: '' };
}

/** The group as the kernel takes it; null: all others; a text: what is wrong. */
export function read(d: Draft, { view, marked }: Looked): Cohort | null | string {
  const none = { rows: null, column: null, value: null, low: null, high: null };
  if (d.how === 'others') {
    return null;
  }
  if (d.how === 'marked') {
    return marked === null ? 'No rows are marked: draw around points in a scatter first.' : { ...none, name: 'marked rows', rows: marked.rows };
  }
  const column = view.columns[d.column];
  const name = nameAt(view.columns, d.column);
  if (!column) {
    return 'There is no such column.';
  }
  if (column.values.length > 0) {
    return { ...none, name: `${name} = ${cellOf(d.value)}`.slice(0, 200), column: d.column, value: d.value };
  }
  const [low, high] = [d.low, d.high].map(v => (v.trim() === '' ? null : Number(v)));
  if ([low, high].some(v => v !== null && !Number.isFinite(v)) || (low === null && high === null)) {
    return `${name}: from or to has to be a number.`;
  }
  if (low !== null && high !== null && low >= high) {
    return `${name}: “from” has to be below “to”.`;
  }
  const words = low === null ? `below ${valueOf(column.kind, high)}` : high === null ? `from ${valueOf(column.kind, low)}` : `${valueOf(column.kind, low)} to ${valueOf(column.kind, high)}`;
  return { ...none, name: `${name} ${words}`.slice(0, 200), column: d.column, low, high };
}

interface Props {
  looked: Looked;
  letter: string;
  title: string;
  draft: Draft;
  onDraft: (draft: Draft) => void;
  others: boolean;
}

export function Side({ looked, letter, title, draft: d, onDraft, others }: Props): JSX.Element {
  const { view, marked } = looked;
  const column = view.columns[d.column];
  return (
    <fieldset className="aiosw-ex-side">
      <legend><i className="aiosw-key" data-side={letter}>{letter}</i> {title}</legend>
      <select aria-label={`${title}: how`} value={d.how} onChange={e => onDraft({ ...d, how: e.target.value as Draft['how'] })}>
        {others && <option value="others">all others</option>}
        <option value="column">rows where …</option>
        <option value="marked" disabled={marked === null}>{marked === null ? 'marked rows (none)' : `marked rows (${count(marked.rows.length)})`}</option>
      </select>
      {d.how === 'column' && (
        <>
          <select
            aria-label={`${title}: column`}
            value={d.column}
            onChange={e => {
              const at = Number(e.target.value);
              const of = view.columns[at];
              onDraft({ ...d, column: at, value: of.values[0] ?? '', low: of.quantiles ? String(of.quantiles[3]) : '', high: '' });
            }}
          >
            {view.page.importance.map(b => <option key={b.at} value={b.at}>{nameAt(view.columns, b.at)}</option>)}
          </select>
          {column && column.values.length > 0 ? (
            <select aria-label={`${title}: value`} value={d.value} onChange={e => onDraft({ ...d, value: e.target.value })}>{column.values.map(v => <option key={v} value={v}>{cellOf(v)}</option>)}</select>
          ) : (
            <>
              <label><span>from</span><input className="aiosw-ex-goto" inputMode="decimal" value={d.low} onChange={e => onDraft({ ...d, low: e.target.value })} /></label>
              <label><span>to below</span><input className="aiosw-ex-goto" inputMode="decimal" value={d.high} onChange={e => onDraft({ ...d, high: e.target.value })} /></label>
            </>
          )}
        </>
      )}
    </fieldset>
  );
}
