// What was explained, how, and what to take away.
import { useState } from 'react';

import type { ExplainView } from '../../explain_protocol';
import { CopyButton } from '../copy';
import { count, duration, moment } from '../format';
import { LevelChip } from './marks';
import { save } from './take';
import type { ExplainHost, Looked } from './types';
import { useAsk } from './use-ask';
import { named, scaleWords, worst } from './words';

const TASKS: Record<ExplainView['task'], string> = { binary: 'two classes', multiclass: 'several classes', regression: 'regression', anomaly: 'anomaly scores' };
const STOPS: Record<string, string> = { budget: 'stopped at its budget', cancelled: 'stopped early: what was there is shown', tolerance: 'precise enough', done: '' };

interface Props {
  looked: Looked;
  onOutput: (output: number) => void;
  busy: boolean;
}

export function Head({ looked, onOutput, busy }: Props): JSX.Element {
  const { view, host, output, marked, onMark } = looked;
  const { method: m, lime } = view;
  const level = worst(view.checks);
  const at = view.checks.filter(c => c.level === level).length;
  return (
    <header className="aiosw-ex-header">
      <div className="aiosw-title">
        <strong>{named(view.title || view.model.title)}</strong>
        {view.checks.length > 0 && <LevelChip level={level} words={level === 'ok' || level === 'skipped' ? 'checks fine' : `${at} ${at === 1 ? 'check' : 'checks'} ${level === 'fail' ? 'failed' : 'to look at'}`} />}
        {view.cached && <span className="aiosw-badge" title="Read from the workspace: the same model and data were explained before">cached</span>}
        {view.outputs.length > 1 && (
          <label className="aiosw-ex-output"><span>explained output</span>
            <select value={output} disabled={!host.canAct} aria-busy={busy} onChange={e => onOutput(Number(e.target.value))}>{view.outputs.map((o, i) => <option key={i} value={i}>{o === '' ? '(empty)' : o}</option>)}</select>
          </label>
        )}
      </div>
      {view.summary && <p className="aiosw-ex-summary">{view.summary}</p>}
      <p className="aiosw-ex-facts">
        <span>{view.model.title}, {TASKS[view.task]}, {view.unit || scaleWords(view.scale)}</span>
        <span>{`${count(view.rows)} ${view.rows === 1 ? 'row' : 'rows'}, ${count(view.columns.length)} ${view.columns.length === 1 ? 'column' : 'columns'}`}</span>
        <span title={m.why}>SHAP: {m.title}, {m.exact ? 'exact' : 'estimated'}{m.background > 0 && `, ${count(m.background)} background rows`}{STOPS[m.stopped] && `, ${STOPS[m.stopped]}`}</span>
        {lime !== null && <span>{`LIME: ${count(lime.rows)} rows, ${count(lime.samples)} samples, ${lime.seeds.length} ${lime.seeds.length === 1 ? 'seed' : 'seeds'}${STOPS[lime.stopped] ? `, ${STOPS[lime.stopped]}` : ''}`}</span>}
        <span className="aiosw-quiet" title={view.created_at > 0 ? moment(view.created_at) : undefined}>{duration(view.seconds)}</span>
      </p>
      {marked !== null && (
        <p className="aiosw-ex-marks" role="status">
          <span>{marked.words}</span>
          <button type="button" className="aiosw-small" onClick={() => onMark(null)}>Take the marks off <span aria-hidden="true">✕</span></button>
        </p>
      )}
      <Actions view={view} host={host} output={output} />
    </header>
  );
}

function Actions({ view, host, output }: { view: ExplainView; host: ExplainHost; output: number }): JSX.Element {
  const taking = useAsk(host, 'text');
  const [raw, setRaw] = useState(false);
  const off = !host.canAct || taking.busy;
  const take = async (what: 'html' | 'json' | 'card'): Promise<void> => {
    const found = await taking.ask({ kind: 'text', what, output, raw });
    if (found !== null) {
      save(found);
    }
  };
  return (
    <div className="aiosw-ex-actions">
      <span className="aiosw-buttons">
        {host.canAct && <CopyButton text={async () => (await host.ask({ kind: 'text', what: 'code', output })).text} what="code that makes this explanation" label="Copy code" copy={host.copy} />}
        <button type="button" disabled={off} onClick={() => void take('html')}>Export HTML</button>
        <button type="button" disabled={off} onClick={() => void take('json')}>Export JSON</button>
        <button type="button" disabled={off} title={view.pinned.length > 0 ? view.pinned.map(p => p.title).join('\n') : 'Add pictures with “Add to model card” beside them'} onClick={() => void take('card')}>{`Model card${view.pinned.length > 0 ? ` (${view.pinned.length} ${view.pinned.length === 1 ? 'picture' : 'pictures'})` : ''}`}</button>
        {view.offers.values && <label className="aiosw-inline" title="Files leave out the values of single rows unless this is on"><input type="checkbox" checked={raw} onChange={e => setRaw(e.target.checked)} /> with single rows</label>}
        {taking.data && <span className="aiosw-quiet" role="status">{`Saved ${taking.data.file}`}</span>}
      </span>
      {taking.problem && <p className="aiosw-problem" role="alert">{taking.problem.message}</p>}
    </div>
  );
}
