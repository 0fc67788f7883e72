// How one column acts: its contribution over its value, coloured by what it works together with; and PDP with ICE.
import { useEffect, useMemo, useRef, useState } from 'react';

import type { DependencePage } from '../../explain_protocol';
import { count } from '../format';
import { Loading, Nothing, Section, Trouble } from '../inspector/parts';
import { EffectChart } from './effect';
import { ColourKey } from './key';
import type { WithBuffers } from './packed';
import { Plot } from './plot';
import { Take } from './take';
import type { Looked } from './types';
import { useFetch } from './use-ask';
import { nameAt, share, valueOf } from './words';

interface Props {
  looked: Looked;
  column: number;
  onClose: () => void;
}

type Shown = 'dependence' | 'effect';

export function DependenceView({ looked, column, onClose }: Props): JSX.Element {
  const { view, host, output, row, onRow, marked, onMark } = looked;
  const [colour, setColour] = useState<number | null>(null);
  const [shown, setShown] = useState<Shown>('dependence');
  const box = useRef<HTMLDivElement>(null);
  const name = nameAt(view.columns, column);
  const of = view.columns[column];
  const asked = useFetch(host, { kind: 'dependence', output, column, colour, points: 20_000 } as const);
  const page: (DependencePage & WithBuffers) | null = asked.data;
  // The bytes lie beside the whole answer.
  const scatter = useMemo(() => (page === null ? null : { ...page.scatter, buffers: page.buffers }), [page]);
  // It opens below what was chosen, perhaps out of sight.
  useEffect(() => {
    box.current?.scrollIntoView?.({ block: 'nearest' });
  }, []);
  const coloured = page?.scatter.colour_axis ?? null;
  return (
    <div ref={box} className="aiosw-ex-open-column" onKeyDown={e => e.key === 'Escape' && !e.defaultPrevented && onClose()}>
      <Section
        title={`How ${name} acts`}
        aside={<span className="aiosw-buttons"><Take looked={looked} picture={['dependence']} column={column} /><button type="button" className="aiosw-small" aria-label={`Close ${name}`} onClick={onClose}>✕</button></span>}
      >
        <p className="aiosw-ex-facts">
          <span>{of.kind}{of.low !== null && of.high !== null && `, ${valueOf(of.kind, of.low)} to ${valueOf(of.kind, of.high)}`}{of.values.length > 0 && `, ${count(of.values.length + of.more)} values`}{of.nulls > 0 && `, ${share(of.nulls)} null`}</span>
          {of.correlated.length > 0 && <span className="aiosw-ex-warn">⚠ carries the same information as {of.correlated.join(', ')}: credit between them is arbitrary</span>}
        </p>
        <div className="aiosw-tools">
          <span className="aiosw-segments" role="group" aria-label="Picture of the column">
            <button type="button" aria-pressed={shown === 'dependence'} onClick={() => setShown('dependence')}>Contribution</button>
            <button type="button" aria-pressed={shown === 'effect'} disabled={!view.offers.model} title={view.offers.model ? 'Partial dependence, with single rows' : view.offers.why} onClick={() => setShown('effect')}>What the model says</button>
          </span>
          {shown === 'dependence' && page !== null && (page.candidates.length > 0 || coloured !== null) && (
            <label>
              <span>coloured by</span>
              <select value={coloured?.column ?? ''} disabled={!host.canAct} onChange={e => setColour(Number(e.target.value))}>
                {coloured === null && <option value="">nothing</option>}
                {coloured !== null && coloured.column !== null && !page.candidates.includes(coloured.column) && <option value={coloured.column}>{nameAt(view.columns, coloured.column)}</option>}
                {page.candidates.map(c => <option key={c} value={c}>{nameAt(view.columns, c)}</option>)}
              </select>
            </label>
          )}
          {shown === 'dependence' && page !== null && <ColourKey axis={coloured} column={coloured?.column === null || coloured === null ? undefined : view.columns[coloured.column]} />}
        </div>
        {shown === 'effect' ? (
          <EffectChart looked={looked} column={column} />
        ) : (
          <>
            {asked.problem && <Trouble problem={asked.problem} again={asked.again} stale={page !== null} />}
            {page !== null && scatter !== null ? (
              <div aria-busy={asked.busy}>
                <Plot scatter={scatter} columns={view.columns} curve={page.curve} row={row} marked={marked} zero label={`Contribution of ${name} over its value`} onRow={onRow} onMark={onMark} />
                <p className="aiosw-ex-hint">{page.curve.length > 0 && (page.scatter.x_axis.values.length > 0 ? 'The marks are means with 95 % intervals. ' : 'The line is the mean with a 95 % band. ')}{page.why}</p>
                {page.notes.map((t, i) => <p key={i} className="aiosw-ex-hint">{t}</p>)}
              </div>
            ) : (
              !asked.problem && (host.canAct ? <Loading what={`how ${name} acts`} rows={5} /> : <Nothing title="Nobody to ask">This picture was not saved with the notebook.</Nothing>)
            )}
          </>
        )}
      </Section>
    </div>
  );
}
