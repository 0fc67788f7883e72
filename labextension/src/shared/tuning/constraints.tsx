// What the index has to hold. A changed field asks at once; the choice follows from what was measured.
import { useEffect, useId, useState } from 'react';

import type { Constraints, TuningView } from '../../tuning_protocol';
import { bytes } from '../format';
import type { TuningHost } from './types';
import { useAsk } from './use-ask';

type Field = keyof Constraints;
type Draft = Record<Field, string>;

const UNITS: Record<string, number> = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 };
const FIELDS: { name: Field; label: string; hint: string }[] = [
  { name: 'recall', label: 'Recall at least', hint: '0.95 or 95 %' },
  { name: 'latency_ms', label: 'p95 at most, ms', hint: 'any' },
  { name: 'memory_bytes', label: 'Memory at most', hint: 'any; 2 GB' },
  { name: 'build_seconds', label: 'Build at most, s', hint: 'any' }
];

/** A field's text as a value; undefined when it says nothing that is understood. */
export function parse(name: Field, text: string): number | null | undefined {
  const t = text.trim().toLowerCase().replace(/,/g, '');
  if (t === '' || t === 'any') {
    return name === 'recall' ? undefined : null;
  }
  const m = /^(\d*\.?\d+(?:e[+-]?\d+)?)\s*([a-z%]*)$/.exec(t);
  if (!m) {
    return undefined;
  }
  const [value, unit] = [Number(m[1]), m[2]];
  if (name === 'memory_bytes') {
    const factor = unit === '' ? 1e6 : UNITS[unit];
    return factor === undefined ? undefined : Math.round(value * factor);
  }
  if (name === 'recall') {
    return unit === '%' || (unit === '' && value > 1 && value <= 100) ? value / 100 : unit === '' ? value : undefined;
  }
  return unit === '' || (name === 'latency_ms' && unit === 'ms') || (name === 'build_seconds' && unit === 's') ? value : undefined;
}

function write(c: Constraints): Draft {
  return {
    recall: String(c.recall),
    latency_ms: c.latency_ms === null ? '' : String(c.latency_ms),
    memory_bytes: c.memory_bytes === null ? '' : bytes(c.memory_bytes),
    build_seconds: c.build_seconds === null ? '' : String(c.build_seconds)
  };
}

export function ConstraintsForm({ view, host }: { view: TuningView; host: TuningHost }): JSX.Element {
  const id = useId();
  const asking = useAsk(host, 'constrain');
  const now = view.constraints;
  const key = JSON.stringify(now);
  const [draft, setDraft] = useState<Draft>(() => write(now));
  const [wrong, setWrong] = useState<Partial<Draft>>({});
  // What the kernel holds is what the fields say, unless somebody is typing something else.
  useEffect(() => {
    setDraft(write(JSON.parse(key) as Constraints));
    setWrong({});
  }, [key]);
  const commit = (name: Field): void => {
    if (draft[name] === write(now)[name]) {
      setWrong(w => ({ ...w, [name]: undefined }));
      return;
    }
    const value = parse(name, draft[name]);
    if (value === undefined || (name === 'recall' && (value === null || value <= 0 || value > 1)) || value === 0) {
      setWrong(w => ({ ...w, [name]: name === 'recall' ? 'a recall between 0 and 1, like 0.95' : name === 'memory_bytes' ? 'a size like 500 MB or 2 GB, or nothing' : 'a number above 0, or nothing' }));
      return;
    }
    setWrong(w => ({ ...w, [name]: undefined }));
    void asking.ask({ kind: 'constrain', constraints: { ...now, [name]: value } });
  };
  const problems: Partial<Draft> = { ...asking.fields, ...wrong };
  return (
    <form
      className="aiosw-tun-constraints"
      aria-label="What the index has to hold"
      onSubmit={e => {
        e.preventDefault();
        FIELDS.forEach(f => commit(f.name));
      }}
    >
      {FIELDS.map(f => (
        <div key={f.name} className="aiosw-field">
          <label htmlFor={`${id}-${f.name}`}>{f.label}</label>
          <input
            id={`${id}-${f.name}`}
            type="text"
            inputMode={f.name === 'memory_bytes' ? 'text' : 'decimal'}
            autoComplete="off"
            placeholder={f.hint}
            value={draft[f.name]}
            disabled={!host.canAct}
            aria-invalid={problems[f.name] ? true : undefined}
            aria-describedby={problems[f.name] ? `${id}-${f.name}-wrong` : undefined}
            onChange={e => setDraft(d => ({ ...d, [f.name]: e.target.value }))}
            onBlur={() => commit(f.name)}
            onKeyDown={e => {
              if (e.key === 'Escape') {
                setDraft(write(now));
                setWrong({});
              }
            }}
          />
          {problems[f.name] && <p className="aiosw-problem" id={`${id}-${f.name}-wrong`} role="alert">{problems[f.name]}</p>}
        </div>
      ))}
      {/* Enter in a field submits where a form has a button. */}
      <button type="submit" hidden>Apply</button>
      {asking.problem && Object.keys(asking.fields).length === 0 && <p className="aiosw-problem" role="alert">{asking.problem.message}</p>}
    </form>
  );
}
