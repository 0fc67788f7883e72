// One column: both distributions, since when, what moved, and the figures behind the verdict.
import { useState } from 'react';

import type { ColumnDrift, DriftView } from '../../drift_protocol';
import { count } from '../format';
import { Loading, Nothing, Section, Trouble } from '../inspector/parts';
import { PreviewView } from '../table';
import { Bars } from './bars';
import { Distribution } from './distribution';
import { Sides, Statistics } from './figures';
import { Own } from './own';
import { Quantiles } from './qq';
import type { DriftHost, OnSlice } from './types';
import { type Rejudging, useAsk, useColumn } from './use-ask';
import { VerdictChip } from './verdict';
import { named } from './words';
import { WindowChart } from './windows';

interface Props {
  view: DriftView;
  host: DriftHost;
  name: string;
  onSlice: OnSlice;
  rejudging: Rejudging;
  onClose: () => void;
  /** Goes to a neighbour in the list; null where this column is not in it. */
  onStep: ((step: number) => void) | null;
  place: string;
}

export function ColumnPage({ view, host, name, onSlice, rejudging, onClose, onStep, place }: Props): JSX.Element {
  const row = view.rows.find(r => r.name === name);
  const { column, problem, busy, again } = useColumn(view, host, name);
  const can = onSlice !== null && row?.kind !== 'embedding' && row?.kind !== 'text';
  return (
    <section className="aiosw-dr-page" aria-label={`Column ${named(name)}`} aria-busy={busy} onKeyDown={e => e.key === 'Escape' && onClose()}>
      <div className="aiosw-dr-pagehead">
        <h3>{named(name)}</h3>
        {row && <VerdictChip verdict={row.verdict} />}
        <span className="aiosw-quiet">{row?.kind}{row && row.role !== 'feature' && `, ${row.role}`}</span>
        <span className="aiosw-buttons">
          <span className="aiosw-quiet">{place}</span>
          <button type="button" className="aiosw-small" aria-label="Previous column" disabled={onStep === null} onClick={() => onStep?.(-1)}>‹</button>
          <button type="button" className="aiosw-small" aria-label="Next column" disabled={onStep === null} onClick={() => onStep?.(1)}>›</button>
          <button type="button" className="aiosw-small" aria-label="Close the column" onClick={onClose}>✕</button>
        </span>
      </div>
      {row && row.reasons.length > 0 && <ul className="aiosw-dr-why">{row.reasons.map((r, i) => <li key={i}>{r}</li>)}</ul>}
      {problem && <Trouble problem={problem} again={again} stale={column !== null} />}
      {column !== null ? (
        <>
          <div className="aiosw-dr-flow">
            <Pictures column={column} view={view} onSlice={can ? onSlice : null} />
            <Section title="Statistics"><Statistics column={column} /></Section>
            <Own column={column} host={host} rejudging={rejudging} />
            <Section title="Both sides"><Sides column={column} /></Section>
          </div>
          {column.parts.map(p => (
            <Section key={p.name} title={named(p.name)} aside={<VerdictChip verdict={p.verdict} />}>
              <div className="aiosw-dr-flow"><Pictures column={p} view={view} onSlice={null} /></div>
            </Section>
          ))}
          <Moved key={`${view.id}/${name}`} view={view} host={host} name={name} />
        </>
      ) : (
        !problem && (host.canAct ? <Loading what={`column ${named(name)}`} rows={6} /> : <Nothing title="Nobody to ask">The page of this column was not saved with the report.</Nothing>)
      )}
    </section>
  );
}

function Pictures({ column: c, view, onSlice }: { column: ColumnDrift; view: DriftView; onSlice: OnSlice }): JSX.Element {
  const drawn = (c.histogram !== null && c.histogram.edges.length > 1) || (c.categories !== null && c.categories.values.length > 0);
  const hint = onSlice !== null ? 'Choose a bar to look at those rows alone.' : view.offers.slices ? '' : view.offers.why;
  return (
    <>
      {drawn ? (
        <Section title="Distribution" aside={<Legend />}>
          {c.histogram !== null && c.histogram.edges.length > 1 ? <Distribution column={c} of={c.histogram} onSlice={onSlice} /> : c.categories && <Bars column={c} of={c.categories} onSlice={onSlice} />}
          {hint && <p className="aiosw-dr-hint">{hint}</p>}
        </Section>
      ) : (
        c.parts.length === 0 && <Section title="Distribution"><p className="aiosw-quiet">{c.verdict === 'skipped' ? 'This column was not compared.' : c.kind === 'datetime' ? 'This column says when: its moments are not compared, they make the windows.' : 'There is nothing to draw.'}</p></Section>
      )}
      {c.windows.length > 0 && <Section title="Over time" aside={c.changepoint !== null ? `changed in ${c.changepoint}` : ''}><WindowChart column={c} /></Section>}
      {c.histogram !== null && c.histogram.edges.length > 2 && <Section title="Quantile against quantile"><Quantiles column={c} of={c.histogram} /></Section>}
    </>
  );
}

function Legend(): JSX.Element {
  return (
    <span className="aiosw-dr-legend">
      <i className="aiosw-key" data-side="A">reference</i> <i className="aiosw-key" data-side="B">current</i>
    </span>
  );
}

/** The rows that are the least usual for the reference: asked for, because it reads the data. */
function Moved({ view, host, name }: { view: DriftView; host: DriftHost; name: string }): JSX.Element {
  const moved = useAsk(host, 'moved');
  const [n, setN] = useState(20);
  return (
    <Section
      title="Rows that moved most"
      aside={view.offers.rows && (
        <span className="aiosw-buttons">
          <select className="aiosw-dr-select" aria-label="How many rows" value={n} onChange={e => setN(Number(e.target.value))}>{[20, 100, 500].map(k => <option key={k} value={k}>{k} rows</option>)}</select>
          <button type="button" className="aiosw-small" disabled={!host.canAct || moved.busy} onClick={() => void moved.ask({ kind: 'moved', column: name, n })}>{moved.data ? 'Show again' : 'Show them'}</button>
        </span>
      )}
    >
      {moved.problem && <Trouble problem={moved.problem} />}
      {moved.busy && !moved.data && <Loading what="rows" rows={3} />}
      {moved.data ? (
        moved.data.rows.length === 0 ? <p className="aiosw-quiet">No row is unusual.</p> : <PreviewView first={moved.data} label={`The ${count(moved.data.rows.length)} rows that moved most in ${named(name)}`} />
      ) : (
        !moved.busy && <p className="aiosw-quiet">{view.offers.rows ? 'Rows of the current side that the reference has the least like.' : view.offers.why}</p>
      )}
    </Section>
  );
}
