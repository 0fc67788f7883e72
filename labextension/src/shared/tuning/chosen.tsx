// The answer: the point that is chosen, or looked at, with its figures and what to do with it.
import { useState } from 'react';

import type { System, TuningPoint, TuningView } from '../../tuning_protocol';
import { CopyButton } from '../copy';
import { Python } from '../python';
import { FamilyMark } from './family';
import type { TuningHost } from './types';
import { useAsk } from './use-ask';
import { digits, memory, ms, recallText, seconds } from './words';
import { exactOf } from './picture';

const SYSTEMS: [System, string][] = [['milvus', 'Milvus'], ['pgvector', 'pgvector'], ['qdrant', 'Qdrant'], ['weaviate', 'Weaviate'], ['pinecone', 'Pinecone']];

interface Props {
  view: TuningView;
  /** The point shown; other than the chosen one where nobody can be asked to choose. */
  point: TuningPoint | null;
  host: TuningHost;
  onRelease: () => void;
}

export function Chosen({ view, point: p, host, onRelease }: Props): JSX.Element {
  if (p === null) {
    return (
      <section className="aiosw-tun-chosen" aria-label="The chosen index">
        <h4>{view.points.length === 0 ? 'No answer yet' : 'Nothing measured holds all of this'}</h4>
        <p className="aiosw-quiet">
          {view.points.length === 0
            ? 'As soon as a point is measured, the best one for your constraints stands here.'
            : view.status === 'running'
              ? 'The search goes on. Loosen a constraint to take what is there.'
              : 'Loosen a constraint, or give the tuning a larger budget and run it again: it goes on from what was measured.'}
        </p>
      </section>
    );
  }
  const exact = exactOf(view.points);
  const faster = exact && exact.id !== p.id && exact.qps > 0 ? p.qps / exact.qps : null;
  const misses = p.verified !== null && p.verified < view.constraints.recall;
  const by = p.id !== view.chosen ? 'looked at' : view.picked_by_hand ? 'picked by hand' : p.recall >= view.constraints.recall ? 'fastest that holds the constraints' : 'nearest to the constraints';
  return (
    <section className="aiosw-tun-chosen" aria-label="The chosen index">
      <p className="aiosw-tun-by">
        <span>{by}</span>
        {view.picked_by_hand && p.id === view.chosen && <button type="button" className="aiosw-link" disabled={!host.canAct} onClick={onRelease}>Let the constraints decide</button>}
      </p>
      <h4><FamilyMark family={p.family} size={16} /> {p.label}</h4>
      <dl className="aiosw-tun-figures">
        <div>
          <dt>recall</dt>
          <dd>{recallText(p.recall)}</dd>
          <dd className="aiosw-tun-more">{recallText(p.recall_low)} to {recallText(p.recall_high)} on {p.queries.toLocaleString('en')} queries</dd>
          {p.verified !== null && (
            <dd className="aiosw-tun-more" data-tone={misses ? 'warn' : undefined} title="On queries the search never used">
              {misses ? '⚠ ' : '✓ '}verified {recallText(p.verified)}
            </dd>
          )}
        </div>
        <div>
          <dt>throughput</dt>
          <dd>{digits(p.qps)}<small>/s</small></dd>
          {faster !== null && <dd className="aiosw-tun-more">{faster >= 1 ? `${digits(faster)} × exact` : `${digits(1 / faster)} × slower than exact`}</dd>}
        </div>
        <div>
          <dt>one query, p95</dt>
          <dd>{ms(p.p95_ms)}</dd>
          {p.p50_ms !== null && <dd className="aiosw-tun-more">p50 {ms(p.p50_ms)}, p99 {ms(p.p99_ms)}</dd>}
        </div>
        <div>
          <dt>memory</dt>
          <dd>{memory(p, view.problem.rows)}</dd>
          <dd className="aiosw-tun-more">{digits(p.bytes_per_vector)} B a vector</dd>
        </div>
        <div>
          <dt>build</dt>
          <dd>{seconds(p.build_seconds)}</dd>
          <dd className="aiosw-tun-more">of CPU</dd>
        </div>
      </dl>
      <Actions key={p.id} view={view} point={p} host={host} />
    </section>
  );
}

function Actions({ view, point, host }: { view: TuningView; point: TuningPoint; host: TuningHost }): JSX.Element {
  const use = useAsk(host, 'code');
  const choose = useAsk(host, 'choose');
  const exported = useAsk(host, 'export');
  const [used, setUsed] = useState('');
  const [wrote, setWrote] = useState('');
  const off = !host.canAct || point.part;
  const take = async (): Promise<void> => {
    exported.forget();
    setWrote('');
    if (point.id !== view.chosen && (await choose.ask({ kind: 'choose', point: point.id })) === null) {
      return;
    }
    const answer = await use.ask({ kind: 'code', what: 'use', point: point.id });
    setUsed(answer?.code ?? '');
  };
  const build = async (): Promise<string> => {
    const answer = await host.ask({ kind: 'code', what: 'build', point: point.id });
    return answer.code;
  };
  const insert = (): void => {
    const edit = { title: 'Use this index', before: null, after: used, cell: null, below: null, diff: '', note: '', writable: true };
    host.writeCell?.(edit, false).then(() => setWrote('Written to a new cell.'), (e: Error) => setWrote(e.message));
  };
  const problem = choose.problem ?? use.problem ?? exported.problem;
  return (
    <div className="aiosw-tun-actions">
      <span className="aiosw-buttons">
        <button type="button" className="aiosw-primary" disabled={off || use.busy} onClick={() => void take()}>Use this index</button>
        {!off && <CopyButton text={build} what="code that builds this index" label="Copy code" copy={host.copy} />}
        <select
          aria-label="Export parameters for"
          value=""
          disabled={off || exported.busy}
          onChange={e => {
            setUsed('');
            void exported.ask({ kind: 'export', system: e.target.value as System, point: point.id });
          }}
        >
          <option value="">Export for…</option>
          {SYSTEMS.map(([key, name]) => <option key={key} value={key}>{name}</option>)}
        </select>
      </span>
      {problem && <p className="aiosw-problem" role="alert">{problem.message}</p>}
      {used && (
        <div className="aiosw-tun-snippet" role="group" aria-label="Code that takes this index">
          <p role="status"><code>{view.name}.best</code> is this index now.</p>
          <pre tabIndex={0}><Python source={used} /></pre>
          <span className="aiosw-buttons">
            <CopyButton text={used} what="the line that takes this index" copy={host.copy} />
            {host.writeCell && <button type="button" className="aiosw-small" onClick={insert}>Write to a new cell</button>}
            <span className="aiosw-quiet" role="status">{wrote}</span>
          </span>
        </div>
      )}
      {exported.data && (
        <div className="aiosw-tun-snippet" role="group" aria-label="Parameters">
          <p className="aiosw-tun-by">
            <span role="status">For {SYSTEMS.find(s => s[0] === exported.data?.system)?.[1]}</span>
            <span className="aiosw-buttons">
              <CopyButton text={exported.data.text} what="these parameters" copy={host.copy} />
              <button type="button" className="aiosw-small" onClick={exported.forget}>Close</button>
            </span>
          </p>
          <pre tabIndex={0}>{exported.data.text}</pre>
          {exported.data.notes.map(n => <p key={n} className="aiosw-quiet">{n}</p>)}
        </div>
      )}
    </div>
  );
}
