// How it was computed, what it cost, and what to know before believing it.
import type { Agreement, ExplainView } from '../../explain_protocol';
import { count, duration } from '../format';
import { Facts, Section } from '../inspector/parts';
import { LevelMark } from './marks';
import { LEVEL_WORDS, LEVELS, named, number, scaleWords } from './words';

export function MethodView({ view, agreement }: { view: ExplainView; agreement: Agreement | null }): JSX.Element {
  const { method: m, lime, model } = view;
  const checks = [...view.checks].sort((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level));
  const versions = Object.entries(m.versions);
  return (
    <>
      <div className="aiosw-columns">
        <Section title="SHAP">
          <p className="aiosw-ex-why">{m.why}</p>
          <Facts
            items={[
              { name: 'method', value: m.title },
              { name: 'figures', value: m.exact ? 'exact' : `estimated${m.tolerance === null ? '' : `, to ${number(m.tolerance)}`}` },
              { name: 'unit', value: view.unit || scaleWords(view.scale) },
              m.background > 0 && { name: 'background', value: `${count(m.background)} rows${m.summarised ? `, ${m.summarised}` : ''}` },
              { name: 'model asked', value: `${count(m.evaluations)} rows in ${count(m.calls)} calls` },
              { name: 'took', value: duration(m.seconds) },
              m.accelerator !== null && { name: 'accelerator', value: m.accelerator },
              versions.length > 0 && { name: 'versions', value: versions.map(v => v.join(' ')).join(', ') }
            ]}
          />
          {m.notes.length > 0 && <ul className="aiosw-ex-notes">{m.notes.map((n, i) => <li key={i}>{n}</li>)}</ul>}
        </Section>
        <Section title="LIME">
          {lime === null ? <p className="aiosw-quiet">Not run.</p> : (
            <>
              <Facts
                items={[
                  { name: 'rows', value: count(lime.rows) },
                  { name: 'samples', value: `${count(lime.samples)} a row, seeds ${lime.seeds.join(', ')}` },
                  { name: 'columns', value: lime.discretized ? 'in ranges' : 'as numbers' },
                  { name: 'kernel width', value: number(lime.kernel_width) },
                  lime.r2 !== null && { name: 'local fit', value: `R² ${lime.r2.toFixed(2)}` },
                  lime.stability !== null && { name: 'stability', value: `${Math.round(100 * lime.stability)} % of the top ${lime.top} stay with another seed` },
                  agreement?.rank !== null && agreement !== null && { name: 'agrees with SHAP', value: `rank correlation ${(agreement.rank as number).toFixed(2)}` },
                  { name: 'model asked', value: `${count(lime.evaluations)} rows in ${count(lime.calls)} calls` },
                  { name: 'took', value: duration(lime.seconds) }
                ]}
              />
              {lime.notes.length > 0 && <ul className="aiosw-ex-notes">{lime.notes.map((n, i) => <li key={i}>{n}</li>)}</ul>}
            </>
          )}
        </Section>
        <Section title="Model">
          <Facts
            items={[
              { name: 'type', value: model.title },
              model.uri !== null && { name: 'from', value: model.uri },
              model.steps.length > 0 && { name: 'steps', value: model.steps.join(' → ') },
              model.fingerprint !== null && { name: 'fingerprint', value: <code>{model.fingerprint.slice(0, 16)}</code> }
            ]}
          />
        </Section>
      </div>
      {checks.length > 0 && (
        <Section title="Checks">
          <div className="aiosw-scroll" tabIndex={0} role="region" aria-label="All checks">
            <table className="aiosw-table aiosw-ex-checktable">
              <thead><tr><th scope="col">Check</th><th scope="col">Level</th><th scope="col" data-number>Measured</th><th scope="col" data-number>Threshold</th><th scope="col">In words</th></tr></thead>
              <tbody>
                {checks.map(c => (
                  <tr key={c.name}>
                    <th scope="row">{c.title}</th>
                    <td><LevelMark level={c.level} size={12} /> {LEVEL_WORDS[c.level]}</td>
                    <td data-number>{number(c.value)}</td>
                    <td data-number>{number(c.threshold)}</td>
                    <td className="aiosw-ex-what">{c.words}{c.columns.length > 0 && ` (${c.columns.slice(0, 8).map(named).join(', ')})`}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Section>
      )}
      {view.notes.length > 0 && <Section title="Notes"><ul className="aiosw-ex-notes">{view.notes.map((n, i) => <li key={i}>{n}</li>)}</ul></Section>}
    </>
  );
}
