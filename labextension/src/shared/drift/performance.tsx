// How the model does: measured where there are labels, estimated (dashed) where there are none.
import { useState } from 'react';

import type { Measured, Performance } from '../../drift_protocol';
import { count } from '../format';
import { Nothing, Section } from '../inspector/parts';
import { useWidth } from '../inspector/use';
import { type Scale, scale } from '../scale';
import { VerdictChip, VerdictMark } from './verdict';
import { WindowAxes } from './window-axes';
import { interval, number, WORDS } from './words';

const [LEFT, RIGHT, TOP, BOTTOM] = [46, 12, 12, 24];
const HEIGHT = 240;

export function PerformanceView({ performance: p }: { performance: Performance | null }): JSX.Element {
  const [asked, setMetric] = useState('');
  if (p === null) {
    return <Nothing title="No model to look at">Say which columns are <code>target</code>, <code>prediction</code> and <code>score</code> to see how it does, window by window.</Nothing>;
  }
  const metric = p.metrics.includes(asked) ? asked : p.metrics[0];
  return (
    <>
      {p.caveat && <p className="aiosw-dr-caveat" role="note">{p.caveat}</p>}
      <div className="aiosw-tools">
        <VerdictChip verdict={p.verdict} />
        {p.metrics.length > 1 && (
          <span className="aiosw-segments" role="group" aria-label="Metric">
            {p.metrics.map(m => <button key={m} type="button" aria-pressed={m === metric} onClick={() => setMetric(m)}>{words(m)}</button>)}
          </span>
        )}
      </div>
      {p.reasons.length > 0 && <ul className="aiosw-dr-why">{p.reasons.map((r, i) => <li key={i}>{r}</li>)}</ul>}
      {p.alarms.length > 0 && <ul className="aiosw-dr-why">{p.alarms.map((a, i) => <li key={i}>{`${a.detector}: the errors change after ${count(a.row)} rows${a.window ? ` (${a.window})` : ''}`}</li>)}</ul>}
      {metric !== undefined && <Section title={`${words(metric)} by window`}><Chart p={p} metric={metric} /></Section>}
      <Section title="In figures">
        <div className="aiosw-scroll" tabIndex={0} role="region" aria-label="Performance by window">
          <table className="aiosw-table">
            <thead>
              <tr>
                <th scope="col">Window</th><th scope="col" data-number>Rows</th><th scope="col" data-number>Labelled</th>
                {p.metrics.map(m => <th key={m} scope="col" data-number>{words(m)}</th>)}
                <th scope="col">Verdict</th>
              </tr>
            </thead>
            <tbody>
              {[p.reference, ...p.windows].map((w, i) => (
                <tr key={i}>
                  <th scope="row">{i === 0 ? 'reference' : w.window}</th>
                  <td data-number>{count(w.rows)}</td>
                  <td data-number>{count(w.labelled)}</td>
                  {p.metrics.map(m => (
                    <td key={m} data-number>{w.measured[m] ? interval(w.measured[m]) : w.estimated[m] ? <i>{`est. ${interval(w.estimated[m])}`}</i> : '–'}</td>
                  ))}
                  <td title={w.reasons.join('; ') || undefined}>{i === 0 ? '' : <><VerdictMark verdict={w.verdict} size={12} /> {WORDS[w.verdict]}</>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Section>
    </>
  );
}

function Chart({ p, metric }: { p: Performance; metric: string }): JSX.Element {
  const [box, width] = useWidth<HTMLDivElement>();
  const measured = p.windows.map(w => w.measured[metric] ?? null);
  const estimated = p.windows.map(w => w.estimated[metric] ?? null);
  const reference = p.reference.measured[metric] ?? p.reference.estimated[metric] ?? null;
  const all = [...measured, ...estimated, reference].filter((m): m is Measured => m !== null);
  if (all.length === 0) {
    return <p className="aiosw-quiet">This was neither measured nor estimated.</p>;
  }
  const right = Math.max(LEFT + 60, width - RIGHT);
  const base = HEIGHT - BOTTOM;
  const x = scale([0, Math.max(1, p.windows.length - 1)], LEFT + 8, right - 8, 0, 1);
  const y = scale(all.flatMap(m => [m.low, m.value, m.high]), base, TOP, 0.06, 1e-6);
  const known = measured.filter(m => m !== null).length;
  const said = `${words(metric)} in ${p.windows.length} windows, measured in ${known}${reference ? `, ${number(reference.value)} in the reference` : ''}. The table below has the figures.`;
  const alarms = p.alarms.map(a => p.windows.findIndex(w => w.window === a.window)).filter(i => i >= 0);
  return (
    <>
      <div ref={box} style={{ height: HEIGHT }} className="aiosw-dr-chart">
        {width > 0 && (
          <svg width={width} height={HEIGHT} role="img" aria-label={said}>
            <WindowAxes windows={p.windows} x={x} y={y} left={LEFT} right={right} top={TOP} base={base} lines={5} />
            {reference && (
              <g className="aiosw-dr-reference">
                <rect x={LEFT} y={y(reference.high)} width={right - LEFT} height={Math.max(1, y(reference.low) - y(reference.high))} />
                <path d={`M${LEFT} ${y(reference.value).toFixed(1)}H${right}`} />
                <text x={right} y={y(reference.high) - 4} textAnchor="end">reference {number(reference.value)}</text>
              </g>
            )}
            {alarms.map((i, n) => <path key={n} className="aiosw-dr-alarm" d={`M${x(i).toFixed(1)} ${TOP}V${base}`} />)}
            <Line values={estimated} x={x} y={y} kind="estimated" />
            <Line values={measured} x={x} y={y} kind="measured" />
          </svg>
        )}
      </div>
      <p className="aiosw-dr-key">
        <span><i data-line="measured" /> measured</span>
        {estimated.some(Boolean) && <span><i data-line="estimated" /> estimated without labels</span>}
        <span><i data-line="reference" /> reference</span>
        {alarms.length > 0 && <span><i data-line="alarm" /> change in the errors</span>}
        <span className="aiosw-quiet">bands: 95 %</span>
      </p>
    </>
  );
}

function Line({ values, x, y, kind }: { values: (Measured | null)[]; x: Scale; y: Scale; kind: 'measured' | 'estimated' }): JSX.Element {
  const at = (i: number, v: number): string => `${x(i).toFixed(1)},${y(v).toFixed(1)}`;
  // A window without a figure breaks the line.
  const pieces: number[][] = [];
  values.forEach((m, i) => {
    if (m !== null) {
      if (i > 0 && values[i - 1] !== null) {
        pieces[pieces.length - 1].push(i);
      } else {
        pieces.push([i]);
      }
    }
  });
  const of = (i: number): Measured => values[i] as Measured;
  return (
    <g className="aiosw-dr-measure" data-line={kind}>
      {pieces.map(p => (
        <g key={p[0]}>
          {p.length > 1 && <polygon points={[...p.map(i => at(i, of(i).high)), ...[...p].reverse().map(i => at(i, of(i).low))].join(' ')} />}
          <polyline points={p.map(i => at(i, of(i).value)).join(' ')} />
          {p.map(i => <circle key={i} cx={x(i)} cy={y(of(i).value)} r={kind === 'measured' ? 3.2 : 2.4} />)}
        </g>
      ))}
    </g>
  );
}

function words(metric: string): string {
  const known: Record<string, string> = { roc_auc: 'ROC AUC', f1: 'F1', mae: 'MAE', rmse: 'RMSE', r2: 'R²', log_loss: 'log loss', brier: 'Brier score' };
  return known[metric] ?? metric.replaceAll('_', ' ');
}
