// How far SHAP and LIME agree: over all rows both explained, by column, and where they agree least.
import { useMemo } from 'react';

import type { Agreement, AgreementPage, Scatter } from '../../explain_protocol';
import { count } from '../format';
import { Loading, Nothing, Section, Trouble } from '../inspector/parts';
import { Label } from './label';
import { codes, numbers, type WithBuffers } from './packed';
import { Plot } from './plot';
import { Take } from './take';
import type { Looked } from './types';
import { useFetch } from './use-ask';
import { nameAt, number, share } from './words';

export function AgreementView({ looked, agreement }: { looked: Looked; agreement: Agreement | null }): JSX.Element {
  const { view, host, output } = looked;
  const asked = useFetch(host, view.lime === null ? null : ({ kind: 'agreement', output, points: 20_000 } as const));
  if (view.lime === null) {
    return <Nothing title="No second opinion">Explain with <code>lime=True</code> to compare SHAP with LIME.</Nothing>;
  }
  const page = asked.data;
  const a = page?.agreement ?? agreement;
  return (
    <>
      {a !== null && <Figures a={a} />}
      {asked.problem && <Trouble problem={asked.problem} again={asked.again} stale={page !== null} />}
      {page !== null ? <Found looked={looked} page={page} /> : !asked.problem && (host.canAct ? <Loading what="how far they agree" rows={5} /> : <Worst looked={looked} rows={a?.worst ?? []} />)}
    </>
  );
}

function Figures({ a }: { a: Agreement }): JSX.Element {
  const bars: [string, number | null, string][] = [
    ['Same order of columns', a.rank, 'Spearman’s correlation of absolute contributions, median over rows; 1: the same order'],
    [`Same top ${a.k}`, a.overlap, `Share of the top ${a.k} columns both have, median over rows`],
    ['Same sign', a.sign, `Share of SHAP’s top ${a.k} columns to which LIME gives the same sign, median over rows`]
  ];
  return (
    <Section title={`How far SHAP and LIME agree, over ${count(a.rows)} rows`}>
      <dl className="aiosw-ex-agree">
        {bars.map(([name, value, why]) => (
          <div key={name} title={why}>
            <dt>{name}</dt>
            <dd><b>{value === null ? '–' : value.toFixed(2)}</b><span className="aiosw-ex-gauge" aria-hidden="true"><i style={{ width: `${100 * Math.max(0, value ?? 0)}%` }} /></span></dd>
          </div>
        ))}
      </dl>
      <p className="aiosw-ex-hint">The two answer different questions: SHAP shares out this prediction among the columns, LIME fits a line to the model nearby. Where they differ, the model is not a line there, or columns stand in for each other.</p>
    </Section>
  );
}

/** The points as a scatter of LIME over SHAP, one row's columns after another. */
function scatterOf(page: AgreementPage & WithBuffers): Scatter & WithBuffers {
  const rows = codes(page.rows, page);
  const m = Math.max(1, page.columns.length);
  const shap = numbers(page.shap, page);
  const each = new Uint32Array(shap.length);
  for (let i = 0; i < each.length; i++) {
    each[i] = rows[Math.floor(i / m)] ?? 0;
  }
  const bytes = new DataView(each.buffer);
  const own = page.buffers ?? [];
  return {
    output: page.output,
    of: shap.length,
    x_axis: { of: 'shap', column: null, title: 'SHAP', kind: 'numeric', values: [] },
    y_axis: { of: 'lime', column: null, title: 'LIME', kind: 'numeric', values: [] },
    colour_axis: null,
    rows: { dtype: 'u32', length: each.length, low: 0, high: 0, top: 0, missing: null, base64: null, buffer: own.length },
    x: page.shap,
    y: page.lime,
    colour: null,
    buffers: [...own, bytes]
  };
}

function Found({ looked, page }: { looked: Looked; page: AgreementPage & WithBuffers }): JSX.Element {
  const { view, row, onRow, onColumn, marked, onMark } = looked;
  const scatter = useMemo(() => scatterOf(page), [page]);
  const columns = [...page.by_column].sort((a, b) => (a.rank ?? 2) - (b.rank ?? 2));
  return (
    <div className="aiosw-ex-pair">
      <Section title="LIME over SHAP" aside={<Take looked={looked} picture={['agreement']} />}>
        <Plot scatter={scatter} columns={view.columns} row={row} marked={marked} zero label="LIME’s contribution over SHAP’s, a point for each column of each row" onRow={onRow} onMark={m => onMark(m === null ? null : { ...m, rows: [...new Set(m.rows)] })} diagonal />
      </Section>
      <div>
        {page.worst.length > 0 && <Worst looked={looked} rows={page.worst.map(l => l.row)} values={page.worst.map(l => l.agreement)} />}
        {columns.length > 0 && (
          <Section title="By column, the least agreed first">
            <div className="aiosw-scroll aiosw-ex-figtable" tabIndex={0} role="region" aria-label="Agreement by column">
              <table className="aiosw-table">
                <thead><tr><th scope="col">Column</th><th scope="col" data-number>Rank correlation</th><th scope="col" data-number>Same sign</th><th scope="col" data-number>SHAP</th><th scope="col" data-number>LIME</th></tr></thead>
                <tbody>
                  {columns.map(c => (
                    <tr key={c.at}>
                      <th scope="row" title={nameAt(view.columns, c.at)}><Label columns={view.columns} at={c.at} onColumn={onColumn} /></th>
                      <td data-number>{c.rank === null ? '–' : c.rank.toFixed(2)}</td>
                      <td data-number>{share(c.sign)}</td>
                      <td data-number>{number(c.shap)}</td>
                      <td data-number>{number(c.lime)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </Section>
        )}
      </div>
    </div>
  );
}

function Worst({ looked, rows, values }: { looked: Looked; rows: number[]; values?: (number | null)[] }): JSX.Element | null {
  return rows.length === 0 ? null : (
    <Section title="Rows they agree on least">
      <ul className="aiosw-ex-worst">
        {rows.slice(0, 12).map((r, i) => <li key={r}><button type="button" className="aiosw-small" onClick={() => looked.onRow(r)}>{`Row ${count(r)}`}{values?.[i] !== null && values?.[i] !== undefined && <small>{` ${(values[i] as number).toFixed(2)}`}</small>}</button></li>)}
      </ul>
    </Section>
  );
}
