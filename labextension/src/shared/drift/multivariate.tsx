// What no column shows alone: a model that tells the sides apart, components, correlations, embeddings.
import type { DomainClassifier, DriftView, Multivariate } from '../../drift_protocol';
import { count } from '../format';
import { Loading, Nothing, Section, Trouble } from '../inspector/parts';
import type { DriftHost } from './types';
import { useAsk } from './use-ask';
import { VerdictChip, VerdictMark } from './verdict';
import { interval, named, number, pText, WORDS } from './words';

export function MultivariateView({ view, host }: { view: DriftView; host: DriftHost }): JSX.Element {
  const asking = useAsk(host, 'multivariate');
  const { multivariate: m, offers } = view;
  const missing = m === null || m.classifier === null;
  return (
    <>
      {m !== null && <Found m={m} />}
      {missing && !asking.busy && (
        <Nothing title={m === null ? 'Not computed yet' : 'Only correlations are computed yet'}>
          {offers.multivariate ? 'A classifier that tells the two sides apart, and components, take a second or a few on a sample.' : offers.why || 'Nothing can be computed here.'}
        </Nothing>
      )}
      {asking.problem && <Trouble problem={asking.problem} />}
      {asking.busy && <Loading what="what no column shows alone" rows={4} />}
      {missing && offers.multivariate && (
        <p className="aiosw-dr-centre"><button type="button" className="aiosw-primary" disabled={!host.canAct || asking.busy} onClick={() => void asking.ask({ kind: 'multivariate' })}>Compute it now</button></p>
      )}
    </>
  );
}

function Found({ m }: { m: Multivariate }): JSX.Element {
  return (
    <>
      <p className="aiosw-inline"><VerdictChip verdict={m.verdict} /></p>
      {m.reasons.length > 0 && <ul className="aiosw-dr-why">{m.reasons.map((r, i) => <li key={i}>{r}</li>)}</ul>}
      <div className="aiosw-columns">
        {m.classifier && <Classifier k={m.classifier} />}
        {(m.reconstruction || m.embeddings.length > 0) && (
          <div>
            {m.reconstruction && (
              <Section title="Reconstruction" aside={<VerdictChip verdict={m.reconstruction.verdict} />}>
                <p>{`Rows rebuilt from ${m.reconstruction.components} components of the reference miss by ${number(m.reconstruction.reference)} there, by ${number(m.reconstruction.current)} now (p ${pText(m.reconstruction.p_value)}, ${count(m.reconstruction.rows)} rows).`}</p>
              </Section>
            )}
            {m.embeddings.length > 0 && (
              <Section title="Embeddings">
                <div className="aiosw-scroll aiosw-tall" tabIndex={0} role="region" aria-label="Embeddings">
                  <table className="aiosw-table">
                    <thead><tr><th scope="col">Column</th><th scope="col" data-number>MMD</th><th scope="col" data-number>p</th><th scope="col">Verdict</th></tr></thead>
                    <tbody>{m.embeddings.map((e, i) => <tr key={i}><th scope="row">{named(e.column)}</th><td data-number>{number(e.mmd)}</td><td data-number>{pText(e.p_value)}</td><td><VerdictMark verdict={e.verdict} size={12} /> {WORDS[e.verdict]}</td></tr>)}</tbody>
                  </table>
                </div>
              </Section>
            )}
          </div>
        )}
      </div>
      {m.correlations.length > 0 && (
        <Section title="Correlations" aside="Spearman">
          <div className="aiosw-scroll" tabIndex={0} role="region" aria-label="Correlations">
            <table className="aiosw-table">
              <thead><tr><th scope="col">Columns</th><th scope="col" data-number>Reference</th><th scope="col" data-number>Current</th><th scope="col">Change</th><th scope="col" data-number>Adjusted p</th><th scope="col">Verdict</th></tr></thead>
              <tbody>
                {m.correlations.map((c, i) => (
                  <tr key={i}>
                    <th scope="row">{named(c.a)} <span className="aiosw-quiet">and</span> {named(c.b)}</th>
                    <td data-number>{c.reference.toFixed(2)}</td>
                    <td data-number>{c.current.toFixed(2)}</td>
                    <td><Change from={c.reference} to={c.current} /></td>
                    <td data-number>{pText(c.p_adjusted)}</td>
                    <td><VerdictMark verdict={c.verdict} size={12} /> {WORDS[c.verdict]}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Section>
      )}
    </>
  );
}

function Classifier({ k }: { k: DomainClassifier }): JSX.Element {
  const most = Math.max(...k.importances.map(i => i.importance), 1e-9);
  const place = (auc: number): string => `${Math.min(100, Math.max(0, (auc - 0.4) / 0.6) * 100)}%`;
  return (
    <Section title="A classifier tells the sides apart" aside={<VerdictChip verdict={k.verdict} />}>
      <p>{`AUC ${interval({ value: k.auc, low: k.low, high: k.high })}, p ${pText(k.p_value)}, ${count(k.rows)} rows. At .5 it cannot tell, at 1 it always can.`}</p>
      <div className="aiosw-dr-auc" aria-hidden="true">
        <i style={{ left: place(k.low), width: `calc(${place(k.high)} - ${place(k.low)})` }} />
        <b style={{ left: place(k.auc) }} />
        <em style={{ left: place(0.5) }} />
      </div>
      {k.importances.length > 0 && (
        <>
          <h5>What tells them apart</h5>
          <ul className="aiosw-dr-nulls">
            {k.importances.slice(0, 12).map((i, n) => (
              <li key={n}>
                <span className="aiosw-ellipsis" title={i.column}>{named(i.column)}</span>
                <span className="aiosw-paired-bars" aria-hidden="true"><i data-side="B" style={{ width: `${Math.max(0, (100 * i.importance) / most)}%` }} /></span>
                <small>{number(i.importance)}</small>
              </li>
            ))}
          </ul>
        </>
      )}
    </Section>
  );
}

/** From -1 to 1: where it was, where it is. */
function Change({ from, to }: { from: number; to: number }): JSX.Element {
  const x = (v: number): number => 4 + ((v + 1) / 2) * 92;
  return (
    <svg className="aiosw-dr-arrow" width={100} height={16} aria-hidden="true">
      <path className="aiosw-dr-base" d="M4 8H96M50 4V12" />
      <path className="aiosw-dr-qq" d={`M${x(from)} 8H${x(to)}`} />
      <circle className="aiosw-dr-spike-a" cx={x(from)} cy={8} r={3.4} />
      <circle className="aiosw-dr-qqdot" cx={x(to)} cy={8} r={4} />
    </svg>
  );
}
