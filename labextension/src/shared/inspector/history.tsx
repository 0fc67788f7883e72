// A workflow over time: how long, how often it worked, which steps are slow and which cannot be relied on.
import { useState } from 'react';

import type { History, HistoryRun, StepHistory } from '../../protocol';
import { duration, moment } from '../format';
import { StateChip } from '../states';
import { HistoryChart, Sparkline } from './history-chart';
import { Await, Code, many, Nothing, percent, RunLink, Section } from './parts';
import type { Host } from './types';
import { useAnswer } from './use';

interface Props {
  host: Host;
  workflow: string;
  /** The run looked at, marked in the list; also whose news makes the page ask again. */
  runId: string | null;
  onCompare: (a: string, b: string) => void;
}

const AT_ONCE = 60;
const MOST = 500;

export function HistoryPage({ host, workflow, runId, onCompare }: Props): JSX.Element {
  const [limit, setLimit] = useState(AT_ONCE);
  const answer = useAnswer(host, { kind: 'history', run_id: runId, workflow, limit }, runId);
  return (
    <Await of={answer} what="the history">
      {h =>
        h.runs.length === 0 ? (
          <Nothing title={`${workflow} has not run yet.`}>Its runs appear here, newest first.</Nothing>
        ) : (
          <Body history={h} host={host} runId={runId} onCompare={onCompare} onMore={h.more && limit < MOST ? () => setLimit(n => Math.min(MOST, n + 120)) : undefined} />
        )
      }
    </Await>
  );
}

function Body({ history: h, host, runId, onCompare, onMore }: { history: History; host: Host; runId: string | null; onCompare: Props['onCompare']; onMore?: () => void }): JSX.Element {
  const [ticked, setTicked] = useState<string[]>([]);
  const open = host.openRun && ((id: string) => host.openRun?.(id));
  const tick = (id: string): void => setTicked(now => (now.includes(id) ? now.filter(x => x !== id) : [...now, id].slice(-2)));
  const compare = (): void => {
    // The later one is compared with the earlier one, whichever was ticked first.
    const [late, early] = h.runs.filter(r => ticked.includes(r.run_id)).map(r => r.run_id);
    onCompare(late, early);
  };
  return (
    <div className="aiosw-history">
      <ul className="aiosw-figures">
        <Figure name="runs" value={h.total.toLocaleString('en')} note={h.total > h.runs.length ? `the last ${h.runs.length} are counted below` : undefined} />
        <Figure name="success rate" value={percent(h.success_rate) || '–'} />
        <Figure name="typical (p50)" value={duration(h.p50) || '–'} />
        <Figure name="slow (p95)" value={duration(h.p95) || '–'} />
        <Figure name="trend" value={trend(h.trend, h.p50)} note={h.trend === null ? 'too few runs to tell' : 'from one run to the next'} />
      </ul>
      <Section title="Duration of each run">
        <HistoryChart runs={h.runs} p50={h.p50} current={runId} onOpen={open} />
      </Section>
      <Section
        title="Runs"
        aside={
          <span className="aiosw-inline">
            <span className="aiosw-quiet" role="status">{ticked.length === 2 ? '' : ticked.length === 1 ? 'Tick one more to compare.' : 'Tick two to compare.'}</span>
            <button type="button" className={ticked.length === 2 ? 'aiosw-primary' : ''} disabled={ticked.length !== 2} onClick={compare}>Compare</button>
          </span>
        }
      >
        <div className="aiosw-scroll aiosw-tall" tabIndex={0} role="region" aria-label="Runs, newest first">
          <table className="aiosw-table aiosw-runs">
            <thead>
              <tr>
                <th scope="col"><span className="aiosw-hidden">Compare</span></th>
                <th scope="col">Run</th>
                <th scope="col">State</th>
                <th scope="col">Started</th>
                <th scope="col" data-number>Took</th>
                <th scope="col" data-number>Steps</th>
                <th scope="col">By</th>
                <th scope="col">With</th>
              </tr>
            </thead>
            <tbody>
              {h.runs.map(r => (
                <tr key={r.run_id} data-current={r.run_id === runId || undefined}>
                  <td><label className="aiosw-target"><input type="checkbox" aria-label={`Compare ${r.run_id}`} checked={ticked.includes(r.run_id)} onChange={() => tick(r.run_id)} /></label></td>
                  <td>
                    {r.run_id === runId ? <><code>{r.run_id}</code> <em className="aiosw-badge">this run</em></> : <RunLink runId={r.run_id} open={open} />}
                  </td>
                  <td title={r.error ?? undefined}><StateChip status={r.status} />{r.failed_step && <small className="aiosw-quiet">{` at ${r.failed_step}`}</small>}</td>
                  <td>{moment(r.created_at)}</td>
                  <td data-number>{r.duration === null ? '' : duration(r.duration)}</td>
                  <td data-number>{stepsOf(r)}</td>
                  <td>{[r.user, r.job ? `job ${r.job}` : r.source].filter(Boolean).join(', ')}</td>
                  <td title={r.params}>{r.params}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {onMore && <button type="button" onClick={onMore}>Show older runs</button>}
      </Section>
      <Steps steps={h.steps} />
      <Code code={h.code} />
    </div>
  );
}

function Figure({ name, value, note }: { name: string; value: string; note?: string }): JSX.Element {
  return <li><span className="aiosw-figure-name">{name}</span><b>{value}</b>{note && <small className="aiosw-quiet">{note}</small>}</li>;
}

/** How much longer each run takes than the one before; less than a hundredth of a run is noise. */
function trend(seconds: number | null, p50: number | null): string {
  if (seconds === null) {
    return '–';
  }
  const steady = Math.abs(seconds) < 0.01 * (p50 ?? 0);
  return steady ? 'steady' : `${duration(Math.abs(seconds))} ${seconds > 0 ? 'slower ↗' : 'faster ↘'}`;
}

function stepsOf(r: HistoryRun): string {
  const notes = [r.cached > 0 ? `${r.cached} cached` : '', r.retries > 0 ? many(r.retries, 'retry', 'retries') : ''].filter(Boolean);
  return `${r.steps_done}/${r.steps_total}${notes.length ? ` (${notes.join(', ')})` : ''}`;
}

type Order = 'share' | 'flaky' | 'failures';

function Steps({ steps }: { steps: StepHistory[] }): JSX.Element | null {
  const [order, setOrder] = useState<Order>('share');
  if (steps.length === 0) {
    return null;
  }
  const by = (s: StepHistory): number => (order === 'share' ? (s.share ?? 0) : order === 'flaky' ? (s.flaky_rate ?? 0) : s.failures);
  const sorted = [...steps].sort((a, b) => by(b) - by(a));
  return (
    <Section
      title="Steps"
      aside={
        <label>
          <span className="aiosw-quiet">first: </span>
          <select value={order} onChange={e => setOrder(e.target.value as Order)}>
            <option value="share">slowest</option>
            <option value="flaky">most flaky</option>
            <option value="failures">most failures</option>
          </select>
        </label>
      }
    >
      <div className="aiosw-scroll aiosw-tall" tabIndex={0} role="region" aria-label="Steps over these runs">
        <table className="aiosw-table aiosw-stephistory">
          <thead>
            <tr>
              <th scope="col">Step</th>
              <th scope="col">Share of the time</th>
              <th scope="col" data-number>p50</th>
              <th scope="col" data-number>p95</th>
              <th scope="col">Over time</th>
              <th scope="col" data-number>Succeeded</th>
              <th scope="col" data-number>From cache</th>
              <th scope="col" data-number>Retries</th>
              <th scope="col">Flaky</th>
            </tr>
          </thead>
          <tbody>
            {sorted.map(s => (
              <tr key={s.step}>
                <th scope="row">{s.step}</th>
                <td>
                  <span className="aiosw-share">
                    <span aria-hidden="true"><i style={{ width: `${100 * Math.min(1, s.share ?? 0)}%` }} /></span>
                    <small>{percent(s.share) || '–'}</small>
                  </span>
                </td>
                <td data-number>{duration(s.p50) || '–'}</td>
                <td data-number>{duration(s.p95) || '–'}</td>
                <td><Sparkline values={[...s.durations].reverse()} label={`Duration of ${s.step} over these runs`} /></td>
                <td data-number>{percent(s.success_rate) || '–'}</td>
                <td data-number>{s.cache_rate ? percent(s.cache_rate) : '–'}</td>
                <td data-number>{s.retries || '–'}</td>
                <td>
                  {s.flaky_rate ? <em className="aiosw-badge" data-tone="stale">{`flaky in ${percent(s.flaky_rate)} of runs`}</em> : <span className="aiosw-quiet">no</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
