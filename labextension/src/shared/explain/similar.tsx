// What would have to be otherwise, and which rows are like this one: computed when asked.
import { useState } from 'react';

import { Loading, Section, Trouble } from '../inspector/parts';
import { PreviewView } from '../table';
import type { Looked } from './types';
import { useAsk } from './use-ask';
import { nameAt } from './words';

export function Similar({ looked, row }: { looked: Looked; row: number }): JSX.Element {
  const { view, host, output } = looked;
  const [target, setTarget] = useState('');
  const [fixed, setFixed] = useState<number[]>([]);
  const counter = useAsk(host, 'counterfactual');
  const like = useAsk(host, 'prototypes');
  const goal = target.trim() === '' ? null : view.task === 'regression' || view.task === 'anomaly' ? Number(target) : target;
  const bad = typeof goal === 'number' && !Number.isFinite(goal);
  const off = !host.canAct || !view.offers.model;
  return (
    <div className="aiosw-ex-pair">
      <Section title="What would change the answer?">
        <p className="aiosw-ex-hint">{view.offers.model ? 'The nearest rows that are predicted otherwise; every change is checked with the model.' : view.offers.why}</p>
        <div className="aiosw-tools">
          {view.task === 'multiclass' ? (
            <label><span>to become</span><select value={target} disabled={off} onChange={e => setTarget(e.target.value)}><option value="">another class</option>{view.outputs.map(o => <option key={o} value={o}>{o}</option>)}</select></label>
          ) : view.task !== 'binary' && (
            <label><span>to become</span><input className="aiosw-ex-goto" inputMode="decimal" value={target} disabled={off} placeholder="otherwise" aria-invalid={bad} onChange={e => setTarget(e.target.value)} /></label>
          )}
          <label><span>keep</span>
            <select value="" disabled={off} onChange={e => setFixed([...fixed, Number(e.target.value)])}>
              <option value="">{fixed.length === 0 ? 'nothing fixed' : 'one more…'}</option>
              {view.page.importance.filter(b => !fixed.includes(b.at)).slice(0, 100).map(b => <option key={b.at} value={b.at}>{nameAt(view.columns, b.at)}</option>)}
            </select>
          </label>
          <button type="button" disabled={off || bad || counter.busy} onClick={() => void counter.ask({ kind: 'counterfactual', output, row, target: goal, immutable: fixed })}>Find it</button>
          {counter.busy && <button type="button" onClick={counter.forget}>Cancel</button>}
        </div>
        {fixed.length > 0 && <p className="aiosw-ex-marks">{fixed.map(at => <button key={at} type="button" className="aiosw-small" onClick={() => setFixed(fixed.filter(f => f !== at))}><span className="aiosw-hidden">Let change </span>{nameAt(view.columns, at)} <span aria-hidden="true">✕</span></button>)}</p>}
        {counter.problem && <Trouble problem={counter.problem} />}
        {counter.busy && <Loading what="what would change the answer" rows={3} />}
        {counter.data && !counter.busy && <PreviewView first={counter.data} label="Nearest rows that are predicted otherwise" />}
      </Section>
      <Section title="Rows like this one">
        <p className="aiosw-ex-hint">Near in their values, and explained alike.</p>
        <div className="aiosw-tools"><button type="button" disabled={!host.canAct || like.busy} onClick={() => void like.ask({ kind: 'prototypes', output, row, n: 5 })}>Show five</button></div>
        {like.problem && <Trouble problem={like.problem} />}
        {like.busy && <Loading what="rows like this one" rows={3} />}
        {like.data && !like.busy && <PreviewView first={like.data} label="Rows like this one" />}
      </Section>
    </div>
  );
}
