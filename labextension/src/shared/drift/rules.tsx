// What makes a column drifted: changed here, every verdict follows at once, and no data is read.
import { useEffect, useId, useState } from 'react';

import type { DriftView, Rules } from '../../drift_protocol';
import { Section } from '../inspector/parts';
import { compared, counted } from './picture';
import type { DriftHost } from './types';
import type { Rejudging } from './use-ask';
import { named, number, rulesWords, statistic } from './words';

type Field = 'effect' | 'alpha' | 'min_rows' | 'in_a_row' | 'max_share';

const FIELDS: { name: Field; label: string; hint: string; whole?: boolean; from: number; to: number }[] = [
  { name: 'effect', label: 'Effect at least', hint: 'corrected for noise', from: 0, to: 1e6 },
  { name: 'alpha', label: 'Adjusted p below', hint: 'Benjamini-Hochberg', from: 0, to: 1 },
  { name: 'min_rows', label: 'Rows at least, each side', hint: 'fewer: not enough data', whole: true, from: 1, to: 1e12 },
  { name: 'in_a_row', label: 'Windows in a row', hint: 'drifted before it counts', whole: true, from: 1, to: 1e6 },
  { name: 'max_share', label: 'Share of columns above, %', hint: 'the data drifted; empty: any', from: 0, to: 100 }
];

interface Props {
  view: DriftView;
  host: DriftHost;
  rejudging: Rejudging;
}

export function RulesForm({ view, host, rejudging }: Props): JSX.Element {
  const { rules, set, busy } = rejudging;
  const counts = counted(view.rows);
  const own = Object.entries(rules.columns);
  const same = JSON.stringify(rules) === JSON.stringify(view.defaults);
  return (
    <>
      <Section title="Rules" aside={<output aria-busy={busy}>{`${counts.drifted} of ${compared(counts)} columns drifted, ${counts.small} small`}</output>}>
        <p className="aiosw-quiet">{`Now: ${rulesWords(view.rules)}.`} A column’s p is corrected for how many columns there are; its effect for the noise that as many rows without drift would show.</p>
        <form className="aiosw-dr-rules" aria-label="Rules" onSubmit={e => e.preventDefault()}>
          <div className="aiosw-field">
            <Kind rules={rules} off={!host.canAct} set={set} />
          </div>
          {FIELDS.map(f => <NumberField key={f.name} field={f} rules={rules} off={!host.canAct || (rules.kind === 'evidently' && (f.name === 'effect' || f.name === 'alpha'))} set={set} />)}
        </form>
        <p><button type="button" disabled={same || !host.canAct} onClick={() => set(view.defaults)}>Back to the report’s rules</button></p>
      </Section>
      <Section title="Thresholds of single columns" aside="set on a column’s page">
        {own.length === 0 ? (
          <p className="aiosw-quiet">None: all columns are judged alike.</p>
        ) : (
          <ul className="aiosw-dr-owned">
            {own.map(([column, limits]) => (
              <li key={column}>
                <span><b>{named(column)}</b> {Object.entries(limits).map(([s, v]) => `${statistic(s)} from ${number(v)}`).join(', ')}</span>
                <button type="button" className="aiosw-small" aria-label={`Remove the threshold of ${named(column)}`} disabled={!host.canAct} onClick={() => { const { [column]: _, ...rest } = rules.columns; set({ ...rules, columns: rest }); }}>Remove</button>
              </li>
            ))}
          </ul>
        )}
      </Section>
    </>
  );
}

function Kind({ rules, off, set }: { rules: Rules; off: boolean; set: (rules: Rules) => void }): JSX.Element {
  const id = useId();
  return (
    <>
      <label htmlFor={id}>Which rules</label>
      <select id={id} value={rules.kind} disabled={off} onChange={e => set({ ...rules, kind: e.target.value as Rules['kind'] })}>
        <option value="honest">honest: p and effect</option>
        <option value="evidently">evidently’s own</option>
      </select>
    </>
  );
}

function NumberField({ field: f, rules, off, set }: { field: (typeof FIELDS)[number]; rules: Rules; off: boolean; set: (rules: Rules) => void }): JSX.Element {
  const id = useId();
  const value = rules[f.name];
  const text = value === null ? '' : String(f.name === 'max_share' ? Number((value * 100).toPrecision(6)) : value);
  const [draft, setDraft] = useState(text);
  const [wrong, setWrong] = useState('');
  // What the kernel holds is what the field says, unless somebody is typing something else.
  useEffect(() => {
    setDraft(text);
    setWrong('');
  }, [text]);
  const commit = (): void => {
    const t = draft.trim().replace(',', '.').replace(/\s*%$/, '');
    if (t === text) {
      setWrong('');
      return;
    }
    const n = Number(t);
    if (t === '' ? f.name !== 'max_share' : !Number.isFinite(n) || n < f.from || n > f.to || (f.whole && !Number.isInteger(n)) || (f.name === 'alpha' && (n === 0 || n === 1))) {
      setWrong(f.whole ? `a whole number, ${f.from} or more` : f.to < 1e5 ? `a number between ${f.from} and ${f.to}` : `a number, ${f.from} or more`);
      return;
    }
    setWrong('');
    set({ ...rules, [f.name]: t === '' ? null : f.name === 'max_share' ? n / 100 : n });
  };
  return (
    <div className="aiosw-field">
      <label htmlFor={id}>{f.label}</label>
      <input
        id={id}
        type="text"
        inputMode="decimal"
        autoComplete="off"
        value={draft}
        disabled={off}
        aria-invalid={wrong ? true : undefined}
        aria-describedby={`${id}-hint`}
        onChange={e => setDraft(e.target.value)}
        onBlur={commit}
        onKeyDown={e => {
          if (e.key === 'Enter') {
            commit();
          } else if (e.key === 'Escape') {
            setDraft(text);
            setWrong('');
          }
        }}
      />
      {wrong ? <p className="aiosw-problem" id={`${id}-hint`} role="alert">{wrong}</p> : <small id={`${id}-hint`}>{f.hint}</small>}
    </div>
  );
}
