// What changed of the data's shape, before any distribution is compared; and what is missing on either side.
import { useMemo } from 'react';

import type { DriftView } from '../../drift_protocol';
import { percent } from '../grid/spark';
import { Nothing, Section } from '../inspector/parts';
import { VerdictMark } from './verdict';
import { named } from './words';

/** A share that moved by less than this is not worth a line. */
const MOVED = 0.0005;
const MOST = 200;

export function Quality({ view, onOpen }: { view: DriftView; onOpen: (name: string) => void }): JSX.Element {
  const there = new Set(view.rows.map(r => r.name));
  const nulls = useMemo(
    () =>
      view.rows
        .filter(r => r.nulls.length === 2 && Math.abs(r.nulls[1] - r.nulls[0]) > MOVED)
        .sort((a, b) => Math.abs(b.nulls[1] - b.nulls[0]) - Math.abs(a.nulls[1] - a.nulls[0])),
    [view.rows]
  );
  const name = (column: string): JSX.Element =>
    there.has(column) ? <button type="button" className="aiosw-link" onClick={() => onOpen(column)}>{named(column)}</button> : <>{named(column)}</>;
  return (
    <>
      {view.schema_changes.length === 0 ? (
        <Nothing title="The shape of the data has not changed">The same columns of the same types, with the same values possible.</Nothing>
      ) : (
        <Section title="Changes of the schema" aside={`${view.schema_changes.filter(c => c.grave).length} grave`}>
          <div className="aiosw-scroll aiosw-tall" tabIndex={0} role="region" aria-label="Changes of the schema">
            <table className="aiosw-table aiosw-dr-changes">
              <thead><tr><th scope="col">Column</th><th scope="col">Change</th><th scope="col">What</th></tr></thead>
              <tbody>
                {view.schema_changes.map((c, i) => (
                  <tr key={i}>
                    <th scope="row">{name(c.column)}</th>
                    <td><span className="aiosw-inline" data-status={c.grave ? 'failed' : 'retrying'}><VerdictMark verdict={c.grave ? 'drifted' : 'small'} size={12} /> {c.change.replaceAll('_', ' ')}{c.grave && <em className="aiosw-badge">grave</em>}</span></td>
                    <td className="aiosw-dr-what">{c.words}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Section>
      )}
      {nulls.length > 0 && (
        <Section title="Shares of nulls that moved" aside={nulls.length > MOST ? `the first ${MOST} of ${nulls.length}` : ''}>
          <ul className="aiosw-dr-nulls">
            {nulls.slice(0, MOST).map(r => (
              <li key={r.name}>
                <span className="aiosw-ellipsis">{name(r.name)}</span>
                <span className="aiosw-paired-bars" aria-hidden="true">
                  <i data-side="A" style={{ width: `${100 * r.nulls[0]}%` }} />
                  <i data-side="B" style={{ width: `${100 * r.nulls[1]}%` }} />
                </span>
                <small>{`${percent(r.nulls[0], 1)} → ${percent(r.nulls[1], 1)}`}</small>
              </li>
            ))}
          </ul>
        </Section>
      )}
      {view.notes.length > 0 && (
        <Section title="Notes"><ul className="aiosw-dr-why">{view.notes.map((n, i) => <li key={i}>{n}</li>)}</ul></Section>
      )}
    </>
  );
}
