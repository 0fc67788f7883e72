// One row taken apart: what is predicted, and which columns made it so, by SHAP and by LIME.
import { useState } from 'react';

import type { RowPage } from '../../explain_protocol';
import { count } from '../format';
import { Section } from '../inspector/parts';
import { Force } from './force';
import { SignKey } from './marks';
import { Similar } from './similar';
import { Take } from './take';
import { TextView } from './text';
import type { Looked } from './types';
import { Versus } from './versus';
import { Waterfall } from './waterfall';
import { nameAt, number, share, signed, withError } from './words';

const FIRST = 12;

export function RowView({ looked, page }: { looked: Looked; page: RowPage }): JSX.Element {
  const { view, onColumn } = looked;
  const [shape, setShape] = useState<'waterfall' | 'force'>('waterfall');
  const [more, setMore] = useState(false);
  const [apart, setApart] = useState(false);
  const most = more ? page.bars.length : FIRST;
  const both = page.bars.some(b => b.lime !== null);
  const differing = page.bars.filter(b => b.agrees === false);
  const rest = page.bars.length + page.left - FIRST;
  const text = page.tokens.length > 0;
  return (
    <>
      <RowHead looked={looked} page={page} />
      {page.image !== null && page.image.startsWith('data:image/') && (
        <figure className="aiosw-ex-image">
          <img src={page.image} alt={`Row ${page.row}: the image, with what counts marked`} />
          <figcaption className="aiosw-ex-hint">Orange pieces raise the prediction, blue ones lower it. The strongest have an edge, those that lower it a double one.</figcaption>
        </figure>
      )}
      {text && <TextView page={page} />}
      <div className="aiosw-ex-pair">
        <Section
          title="What made this prediction: SHAP"
          aside={
            <span className="aiosw-buttons">
              <span className="aiosw-segments" role="group" aria-label="Picture of the row">
                <button type="button" aria-pressed={shape === 'waterfall'} onClick={() => setShape('waterfall')}>Waterfall</button>
                <button type="button" aria-pressed={shape === 'force'} onClick={() => setShape('force')}>Force</button>
              </span>
            </span>
          }
        >
          <p className="aiosw-ex-legend"><SignKey /></p>
          {shape === 'waterfall' ? <Waterfall row={page} columns={view.columns} most={most} onColumn={onColumn} /> : <Force row={page} columns={view.columns} />}
          <p className="aiosw-ex-take-line">
            {shape === 'waterfall' && rest > 1 && <button type="button" className="aiosw-link" aria-expanded={more} onClick={() => setMore(!more)}>{more ? 'Fewer columns' : `${count(page.bars.length - FIRST)} more columns`}</button>}
            <Take looked={looked} picture={[shape]} key={shape} row={page.row} />
          </p>
        </Section>
        {both && (
          <Section
            title="SHAP beside LIME, one axis"
            aside={differing.length > 0 && <label className="aiosw-inline"><input type="checkbox" checked={apart} onChange={e => setApart(e.target.checked)} /> disagreements first</label>}
          >
            <p className="aiosw-ex-legend">
              <span><i className="aiosw-ex-swatch" data-by="shap" /> SHAP</span> <span><i className="aiosw-ex-swatch" data-by="lime" /> LIME</span>{' '}
              {differing.length > 0 ? <span className="aiosw-ex-differ">{`≠ they disagree on ${differing.length} ${differing.length === 1 ? 'column' : 'columns'}`}</span> : <span>they agree on what counts</span>}
            </p>
            <Versus row={page} columns={view.columns} most={most} apart={apart} onColumn={onColumn} />
            <p className="aiosw-ex-hint">
              {page.lime_r2 !== null && `LIME’s line fits the model here with R² ${page.lime_r2.toFixed(2)}${page.lime_r2 < 0.5 ? ': read it with care' : ''}. `}
              {page.stability !== null && `${share(page.stability)} of its top columns stay with another seed.`}
            </p>
            <p className="aiosw-ex-take-line"><Take looked={looked} picture={['compare']} row={page.row} /></p>
          </Section>
        )}
      </div>
      <Figures looked={looked} page={page} both={both} />
      <Similar key={`${page.row} ${page.output}`} looked={looked} row={page.row} />
    </>
  );
}

function RowHead({ looked, page }: { looked: Looked; page: RowPage }): JSX.Element {
  const { view, onRow } = looked;
  const chances = Object.entries(page.probabilities);
  const most = Math.max(...chances.map(c => c[1]), 1e-9);
  return (
    <div className="aiosw-ex-rowhead">
      <div className="aiosw-ex-rowtitle">
        <h3>{`Row ${count(page.row)}`}{page.label !== String(page.row) && <small>{` ${page.label}`}</small>}</h3>
        <span className="aiosw-buttons">
          <button type="button" className="aiosw-small" aria-label="Previous row" disabled={page.row <= 0} onClick={() => onRow(page.row - 1)}>‹</button>
          <button type="button" className="aiosw-small" aria-label="Next row" disabled={page.row >= view.rows - 1} onClick={() => onRow(page.row + 1)}>›</button>
        </span>
      </div>
      <dl className="aiosw-ex-figures">
        <div><dt>{view.unit || 'prediction'}</dt><dd>{number(page.prediction)}</dd></div>
        <div><dt>average</dt><dd>{number(page.base)}</dd></div>
        <div><dt>difference</dt><dd>{signed(page.prediction - page.base)}</dd></div>
        {page.agreement !== null && <div title="Rank correlation of absolute contributions"><dt>SHAP–LIME agreement</dt><dd>{page.agreement.toFixed(2)}</dd></div>}
        {page.surprise !== null && <div title="How far this explanation is from the usual one"><dt>surprise</dt><dd>{number(page.surprise)}</dd></div>}
        {page.outside !== null && <div title="Share of training rows that lie nearer to the training data"><dt>farther out than</dt><dd data-tone={page.outside >= 0.99 ? 'warn' : undefined}>{share(page.outside)}{page.outside >= 0.99 && <small> ⚠ outside the training data</small>}</dd></div>}
      </dl>
      {chances.length > 1 && (
        <ul className="aiosw-ex-chances" aria-label="What the model says of each output">
          {chances.map(([name, p]) => <li key={name}><span className="aiosw-ellipsis" title={name}>{name}</span><i aria-hidden="true"><b style={{ width: `${(100 * p) / most}%` }} /></i><small>{`${(100 * p).toFixed(p < 0.1 ? 1 : 0)} %`}</small></li>)}
        </ul>
      )}
      {page.notes.length > 0 && <ul className="aiosw-ex-notes">{page.notes.map((n, i) => <li key={i}>{n}</li>)}</ul>}
      {Math.abs(page.gap) > 1e-3 * Math.max(Math.abs(page.prediction - page.base), 1e-6) && <p className="aiosw-ex-warn">{`⚠ The parts miss the prediction by ${signed(page.gap)}.`}</p>}
    </div>
  );
}

function Figures({ looked, page, both }: { looked: Looked; page: RowPage; both: boolean }): JSX.Element {
  return (
    <details className="aiosw-ex-details">
      <summary>{`${count(page.bars.length)} columns in figures`}</summary>
      <div className="aiosw-scroll aiosw-ex-figtable" tabIndex={0} role="region" aria-label={`Figures of row ${page.row}`}>
        <table className="aiosw-table">
          <thead><tr><th scope="col">Column</th><th scope="col">Value</th><th scope="col" data-number>SHAP</th>{both && <th scope="col" data-number>LIME</th>}{both && <th scope="col">Do they agree?</th>}</tr></thead>
          <tbody>
            {page.bars.map(b => (
              <tr key={b.at}>
                <th scope="row">{nameAt(looked.view.columns, b.at)}</th>
                <td title={b.value}>{b.value}</td>
                <td data-number>{withError(b.shap, b.error)}</td>
                {both && <td data-number>{b.lime === null ? '–' : withError(b.lime, b.lime_error)}</td>}
                {both && <td>{b.agrees === null ? '' : b.agrees ? 'yes' : '≠ no'}</td>}
              </tr>
            ))}
            {page.left > 0 && <tr><th scope="row">{`${count(page.left)} others`}</th><td /><td data-number>{signed(page.rest)}</td>{both && <td />}{both && <td />}</tr>}
          </tbody>
        </table>
      </div>
    </details>
  );
}
