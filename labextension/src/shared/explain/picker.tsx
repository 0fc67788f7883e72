// Which row: by its place, its values, how surprising it is, how much the methods disagree, or marked in the picture.
import { useEffect, useMemo, useState } from 'react';

import type { AskRows, RowsPage, Scatter } from '../../explain_protocol';
import { cell, count } from '../format';
import { Loading, Nothing, Search, Section, Trouble } from '../inspector/parts';
import { ColourKey } from './key';
import type { WithBuffers } from './packed';
import { Plot } from './plot';
import type { Looked } from './types';
import { useFetch } from './use-ask';
import { cellOf, nameAt, number, share, valueOf } from './words';

const SIZE = 8;
type RowOrder = NonNullable<AskRows['order']>;
type Quick = 'all' | 'surprise' | 'agreement' | 'marked';

interface Props {
  looked: Looked;
}

export function Picker({ looked }: Props): JSX.Element {
  const { marked } = looked;
  const [how, setHow] = useState<'table' | 'scatter'>('table');
  return (
    <Section
      title="Choose a row"
      aside={
        <span className="aiosw-segments" role="group" aria-label="Choose in">
          <button type="button" aria-pressed={how === 'table'} onClick={() => setHow('table')}>Table</button>
          <button type="button" aria-pressed={how === 'scatter'} onClick={() => setHow('scatter')}>Scatter</button>
        </span>
      }
    >
      {how === 'scatter' && <Map looked={looked} onTable={() => setHow('table')} />}
      <div hidden={how !== 'table'}><Table key={marked === null ? 'all' : 'marked'} looked={looked} /></div>
    </Section>
  );
}

function Table({ looked }: Props): JSX.Element {
  const { view, host, output, row, onRow, marked, onMark } = looked;
  const [quick, setQuick] = useState<Quick>(marked !== null ? 'marked' : 'all');
  const [order, setOrder] = useState<{ by: RowOrder; column: number | null; descending: boolean }>({ by: 'row', column: null, descending: false });
  const [typed, setTyped] = useState('');
  const [search, setSearch] = useState('');
  const [offset, setOffset] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => { setSearch(typed); setOffset(0); }, 250);
    return () => clearTimeout(timer);
  }, [typed]);
  const request = useMemo((): Omit<AskRows, 'id'> => {
    const by = quick === 'surprise' || quick === 'agreement' ? { order: quick, column: null, descending: quick === 'surprise' } : { order: order.by, column: order.column, descending: order.descending };
    return { kind: 'rows', output, offset, limit: SIZE, search, among: quick === 'marked' ? (marked?.rows ?? null) : null, ...by };
  }, [output, offset, search, quick, marked, order]);
  const asked = useFetch(host, request);
  const page = asked.data;
  const to = (which: Quick): void => { setQuick(which); setOffset(0); };
  return (
    <>
      <div className="aiosw-tools aiosw-ex-pick" hidden={!host.canAct}>
        <span className="aiosw-segments" role="group" aria-label="Rows">
          <button type="button" aria-pressed={quick === 'all'} onClick={() => to('all')}>All</button>
          <button type="button" aria-pressed={quick === 'surprise'} title="The explanation is farthest from the usual one" onClick={() => to('surprise')}>Most surprising</button>
          {view.lime !== null && <button type="button" aria-pressed={quick === 'agreement'} title="SHAP and LIME agree least" onClick={() => to('agreement')}>Most disagreeing</button>}
          {marked !== null && <button type="button" aria-pressed={quick === 'marked'} onClick={() => to('marked')}>{`Marked ${count(marked.rows.length)}`}</button>}
        </span>
        <Search value={typed} onChange={setTyped} label="Search rows" />
        <GoTo rows={view.rows} onRow={onRow} />
        {marked !== null && <button type="button" className="aiosw-link" onClick={() => onMark(null)}>Take the marks off</button>}
      </div>
      {asked.problem && <Trouble problem={asked.problem} again={asked.again} stale={page !== null} />}
      {page === null ? (
        !asked.problem && (host.canAct ? <Loading what="rows" rows={6} /> : <Saved looked={looked} />)
      ) : page.lines.length === 0 ? (
        <Nothing title="No row fits">{search ? 'Nothing like that stands in a value or a label.' : ''}</Nothing>
      ) : (
        <>
          <Rows looked={looked} page={page} busy={asked.busy} order={quick === 'all' || quick === 'marked' ? order : null} onOrder={next => { setOrder(next); setOffset(0); }} row={row} onRow={onRow} />
          <div className="aiosw-pager">
            <span>{`${count(page.offset + 1)} to ${count(page.offset + page.lines.length)} of ${count(page.total)} rows`}</span>
            {page.total > SIZE && (
              <span className="aiosw-buttons">
                <button type="button" disabled={asked.busy || page.offset === 0} onClick={() => setOffset(Math.max(0, page.offset - SIZE))}>Previous</button>
                <button type="button" disabled={asked.busy || page.offset + page.lines.length >= page.total} onClick={() => setOffset(page.offset + SIZE)}>Next</button>
              </span>
            )}
          </div>
        </>
      )}
    </>
  );
}

/** Nobody answers: the rows that came with the notebook. */
function Saved({ looked }: Props): JSX.Element {
  const { pages } = looked.view;
  return pages.length === 0 ? <Nothing title="Nobody to ask">No row was saved with the notebook.</Nothing> : (
    <p className="aiosw-buttons">{pages.map(p => <button key={p.row} type="button" aria-pressed={p.row === looked.row} onClick={() => looked.onRow(p.row)}>{`Row ${count(p.row)}`}</button>)}</p>
  );
}

function GoTo({ rows, onRow }: { rows: number; onRow: (row: number) => void }): JSX.Element {
  const [typed, setTyped] = useState('');
  const wanted = Number(typed);
  const good = typed.trim() !== '' && Number.isInteger(wanted) && wanted >= 0 && wanted < rows;
  return (
    <form className="aiosw-inline" onSubmit={e => { e.preventDefault(); if (good) { onRow(wanted); } }}>
      <label><span>row</span><input className="aiosw-ex-goto" inputMode="numeric" value={typed} placeholder={`0–${count(Math.max(0, rows - 1))}`} aria-invalid={typed !== '' && !good} onChange={e => setTyped(e.target.value)} /></label>
      <button type="submit" className="aiosw-small" disabled={!good}>Open</button>
    </form>
  );
}

interface RowsProps {
  looked: Looked;
  page: RowsPage;
  busy: boolean;
  order: { by: RowOrder; column: number | null; descending: boolean } | null;
  onOrder: (order: { by: RowOrder; column: number | null; descending: boolean }) => void;
  row: number | null;
  onRow: (row: number) => void;
}

function Rows({ looked, page, busy, order, onOrder, row, onRow }: RowsProps): JSX.Element {
  const { view } = looked;
  const head = (by: RowOrder, words: string, column: number | null = null, wide = false): JSX.Element => {
    const now = order !== null && order.by === by && order.column === column;
    return (
      <th key={`${by} ${column}`} scope="col" data-number={!wide || undefined} aria-sort={now ? (order.descending ? 'descending' : 'ascending') : undefined}>
        {order === null ? words : <button type="button" className="aiosw-plain" onClick={() => onOrder({ by, column, descending: now ? !order.descending : by !== 'row' && by !== 'label' && by !== 'agreement' })}>{words} <span aria-hidden="true">{now ? (order.descending ? '↓' : '↑') : ''}</span></button>}
      </th>
    );
  };
  const both = page.lines.some(l => l.agreement !== null);
  const far = page.lines.some(l => l.outside !== null);
  const odd = page.lines.some(l => l.surprise !== null);
  const named = page.lines.some(l => l.label !== String(l.row));
  return (
    <div className="aiosw-scroll aiosw-ex-rowtable" tabIndex={0} role="region" aria-label="Rows" aria-busy={busy}>
      <table className="aiosw-table">
        <thead>
          <tr>
            {head('row', 'Row')}
            {named && head('label', 'Label', null, true)}
            {head('prediction', 'Prediction')}
            {odd && head('surprise', 'Surprise')}
            {both && head('agreement', 'Agreement')}
            {far && head('outside', 'Outside')}
            {page.columns.map(c => head('value', nameAt(view.columns, c), c, true))}
          </tr>
        </thead>
        <tbody>
          {page.lines.map(l => (
            <tr key={l.row} data-selected={l.row === row || undefined} onClick={() => onRow(l.row)}>
              <td data-number><button type="button" className="aiosw-link" aria-label={`Open row ${l.row}`} aria-current={l.row === row || undefined} onClick={e => { e.stopPropagation(); onRow(l.row); }}>{count(l.row)}</button></td>
              {named && <th scope="row" title={l.label}>{l.label}</th>}
              <td data-number>{number(l.prediction)}</td>
              {odd && <td data-number>{number(l.surprise)}</td>}
              {both && <td data-number>{l.agreement === null ? '–' : l.agreement.toFixed(2)}</td>}
              {far && <td data-number>{share(l.outside)}</td>}
              {page.columns.map((c, i) => { const v = l.cells[i]; return <td key={c} title={cell(v)}>{v === null || v === undefined ? <i className="aiosw-null">null</i> : typeof v === 'number' ? valueOf(view.columns[c]?.kind, v) : cellOf(cell(v))}</td>; })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** All rows at once; what is drawn around is marked everywhere. */
function Map({ looked, onTable }: { looked: Looked; onTable: () => void }): JSX.Element {
  const { view, host, output, row, onRow, marked, onMark } = looked;
  const [y, setY] = useState<'prediction' | 'surprise' | 'agreement' | 'outside' | 'second'>('prediction');
  const first = output === view.output && y === 'prediction' && view.scatter !== null && view.scatter.rows.length >= view.scatter.of ? view.scatter : null;
  const asked = useFetch(host, { kind: 'scatter', output, x: { of: 'first', column: null }, y: { of: y, column: null }, points: 50_000 } as const, first);
  const shown: (Scatter & WithBuffers) | null = asked.data ?? (output === view.output ? view.scatter : null);
  const colour = shown?.colour_axis ?? null;
  return (
    <>
      <div className="aiosw-tools">
        <label><span>upwards</span>
          <select value={y} disabled={!host.canAct} onChange={e => setY(e.target.value as typeof y)}>
            <option value="prediction">prediction</option>
            <option value="second">second direction of explanations</option>
            <option value="surprise">surprise</option>
            {view.lime !== null && <option value="agreement">agreement of SHAP and LIME</option>}
            <option value="outside">outside the training data</option>
          </select>
        </label>
        <ColourKey axis={colour} column={colour?.column === null || colour === null ? undefined : view.columns[colour.column]} />
      </div>
      {asked.problem && <Trouble problem={asked.problem} again={asked.again} stale={shown !== null} />}
      {shown === null ? !asked.problem && (host.canAct ? <Loading what="the scatter" rows={5} /> : <Nothing title="Nobody to ask" />) : <Plot scatter={shown} columns={view.columns} row={row} marked={marked} label="All rows" onRow={onRow} onMark={onMark} />}
      {marked !== null && (
        <p className="aiosw-ex-marks" role="status">
          {`${count(marked.rows.length)} rows marked.`}{' '}
          <button type="button" className="aiosw-link" onClick={onTable}>Show them in the table</button>{' '}
          <button type="button" className="aiosw-link" onClick={() => onMark(null)}>Take the marks off</button>
        </p>
      )}
    </>
  );
}
