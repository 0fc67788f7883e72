// A person's own threshold for one column: whatever else is said, at this value it is drifted.
import { useId, useState } from 'react';

import type { ColumnDrift } from '../../drift_protocol';
import { Section } from '../inspector/parts';
import type { DriftHost } from './types';
import type { Rejudging } from './use-ask';
import { number, statistic } from './words';

const STEPS = 200;

export function Own({ column: c, host, rejudging }: { column: ColumnDrift; host: DriftHost; rejudging: Rejudging }): JSX.Element | null {
  const id = useId();
  const { rules, set } = rejudging;
  const own = Object.prototype.hasOwnProperty.call(rules.columns, c.name) ? rules.columns[c.name] : {};
  const names = Object.keys(c.statistics);
  const [chosen, setChosen] = useState('');
  const name = names.includes(chosen) ? chosen : (Object.keys(own).find(n => names.includes(n)) ?? (names.includes('psi') ? 'psi' : names[0]));
  if (name === undefined) {
    return null;
  }
  const value = c.statistics[name].value;
  const limit = own[name];
  const top = Math.max(value * 2, limit ?? 0, 0.2);
  const put = (next: number | null): void => {
    const { [name]: _, ...others } = own;
    const mine = next === null ? others : { ...others, [name]: next };
    const { [c.name]: __, ...rest } = rules.columns;
    set({ ...rules, columns: Object.keys(mine).length === 0 ? rest : { ...rest, [c.name]: mine } });
  };
  const said = limit === undefined ? 'no threshold of its own' : `${statistic(name)} ${number(value)} is ${value >= limit ? 'at or above' : 'below'} ${number(limit)}: ${value >= limit ? 'drifted' : 'not drifted'}`;
  return (
    <Section title="Threshold of its own" aside={limit !== undefined && <button type="button" className="aiosw-small" disabled={!host.canAct} onClick={() => put(null)}>Remove</button>}>
      <div className="aiosw-dr-own">
        <select className="aiosw-dr-select" aria-label="Statistic" value={name} onChange={e => setChosen(e.target.value)}>
          {names.map(n => <option key={n} value={n}>{statistic(n)}</option>)}
        </select>
        <input
          id={id}
          type="range"
          aria-label={`Drifted from ${statistic(name)}`}
          aria-valuetext={said}
          min={0}
          max={STEPS}
          value={Math.round(((limit ?? value) / top) * STEPS)}
          disabled={!host.canAct}
          onChange={e => put(Number(((Number(e.target.value) / STEPS) * top).toPrecision(3)))}
        />
        <output htmlFor={id}>{said}</output>
      </div>
    </Section>
  );
}
