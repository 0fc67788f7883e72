import { useState } from 'react';

import type { ValueDiff } from '../../protocol';
import { Section } from './parts';

/** Named values side by side; those that are the same are there on demand. */
export function Values({ title, values, same, none }: { title: string; values: ValueDiff[]; same: string; none?: string }): JSX.Element | null {
  const [all, setAll] = useState(false);
  const changed = values.filter(v => v.change !== 'same');
  const shown = all ? values : changed;
  if (values.length === 0) {
    return none ? <Section title={title}><p className="aiosw-quiet">{none}</p></Section> : null;
  }
  const rest = values.length - changed.length;
  const aside = rest > 0 && (
    <button type="button" className="aiosw-link" aria-expanded={all} onClick={() => setAll(!all)}>
      {all ? 'Hide what is the same' : `Show ${rest} that ${rest === 1 ? 'is' : 'are'} the same`}
    </button>
  );
  return (
    <Section title={title} aside={aside}>
      {changed.length === 0 && <p className="aiosw-same">{same}</p>}
      {shown.length > 0 && (
        <div className="aiosw-scroll" tabIndex={0} role="region" aria-label={title}>
          <table className="aiosw-table aiosw-values">
            <thead>
              <tr><th scope="col">Name</th><th scope="col">A</th><th scope="col">B</th><th scope="col"><span className="aiosw-hidden">Change</span></th></tr>
            </thead>
            <tbody>
              {shown.map(v => (
                <tr key={v.name} data-change={v.change}>
                  <th scope="row">{v.name}</th>
                  <td data-side="A">{v.a === null ? <i className="aiosw-null">none</i> : v.a}</td>
                  <td data-side="B">{v.b === null ? <i className="aiosw-null">none</i> : v.b}</td>
                  <td className="aiosw-quiet">{v.change}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}
