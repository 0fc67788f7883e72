// Two runs compared: what is the same is said plainly, what differs can be opened down to a column.
import { Fragment, useState } from 'react';

import type { RunDiff, RunSide, StepChange } from '../../protocol';
import { count, duration, moment } from '../format';
import { StateChip } from '../states';
import { StepDiffView } from './diff-step';
import { Await, Code, many, Nothing, Section } from './parts';
import type { Host } from './types';
import { useAnswer } from './use';
import { Values } from './values';

interface Props {
  host: Host;
  runId: string;
  /** When the run shown was made: the earlier of the two is A. */
  createdAt: number;
  workflow: string;
  other: string | null;
  compared: string | null;
  onOther: (runId: string | null) => void;
  onCompared: (step: string | null) => void;
}

const HOW_MANY = 100;

export function ComparePage({ host, runId, createdAt, workflow, other, compared, onOther, onCompared }: Props): JSX.Element {
  const overview = useAnswer(host, other === null ? { kind: 'overview', run_id: runId } : null);
  const history = useAnswer(host, { kind: 'history', run_id: runId, workflow, limit: HOW_MANY });
  const chosen = other ?? overview.data?.parent_run_id ?? overview.data?.previous_run_id ?? null;
  const others = history.data?.runs.filter(r => r.run_id !== runId) ?? [];
  const later = others.some(r => r.run_id === chosen && r.created_at > createdAt);
  const [a, b] = later ? [runId, chosen ?? ''] : [chosen ?? '', runId];
  const ready = chosen !== null && (history.data !== null || history.problem !== null);
  const answer = useAnswer(host, ready ? { kind: 'diff', run_id: a, other: b } : null, runId);
  const known = chosen === null || others.some(r => r.run_id === chosen);
  if (other === null && overview.data === null && overview.problem === null) {
    return <Await of={overview} what="the run before">{() => null}</Await>;
  }
  return (
    <div className="aiosw-compare">
      <div className="aiosw-tools">
        {(others.length > 0 || chosen !== null) && <label className="aiosw-choose">
          <span>Compare with</span>
          <select value={chosen ?? ''} onChange={e => onOther(e.target.value || null)}>
            {chosen === null && <option value="">choose a run…</option>}
            {!known && <option value={chosen ?? ''}>{chosen}</option>}
            {others.map(r => (
              <option key={r.run_id} value={r.run_id}>{[r.run_id, r.status, moment(r.created_at), r.params].filter(Boolean).join(' · ')}</option>
            ))}
          </select>
        </label>}
        {host.openRun && chosen !== null && <button type="button" onClick={() => host.openRun?.(chosen)}>Open that run</button>}
      </div>
      {chosen === null ? (
        history.data !== null || history.problem !== null ? (
          <Nothing title={others.length > 0 ? 'Which run shall it be compared with?' : 'There is nothing to compare with yet.'}>
            {others.length > 0 ? 'Choose one above: no run came before this one.' : 'This is the only run of this workflow. Run it again, with other parameters or after changing a step, and come back.'}
          </Nothing>
        ) : null
      ) : (
        <Await of={answer} what="the difference">
          {d => <Difference diff={d} host={host} a={a} b={b} compared={compared} onCompared={onCompared} />}
        </Await>
      )}
    </div>
  );
}

interface DifferenceProps {
  diff: RunDiff;
  host: Host;
  a: string;
  b: string;
  compared: string | null;
  onCompared: (step: string | null) => void;
}

function Difference({ diff: d, host, a, b, compared, onCompared }: DifferenceProps): JSX.Element {
  const changed = d.steps.filter(differs).length;
  return (
    <>
      <div className="aiosw-sides">
        <Side letter="A" side={d.a} />
        <Side letter="B" side={d.b} />
      </div>
      <p className="aiosw-verdict" data-same={d.identical || undefined} role="status">{verdict(d, changed)}</p>
      <Steps diff={d} host={host} a={a} b={b} compared={compared} onCompared={onCompared} />
      <Values title="Parameters" values={d.params} same="The parameters are identical." none="This workflow takes none." />
      <Values title="Metrics" values={d.metrics} same="The metrics are identical." />
      <Values title="Cost" values={d.cost} same="The cost is identical." />
      <Values title="Environment" values={d.environment} same="The environment is identical: same Python, machine and packages." none="It was not recorded." />
      <Code code={d.code} />
    </>
  );
}

function differs(s: StepChange): boolean {
  return s.change !== 'same' || s.code || s.policy || s.inputs || s.output;
}

function verdict(d: RunDiff, changed: number): string {
  if (d.identical) {
    return 'The two runs are identical: same code, parameters, inputs and outputs.';
  }
  const params = d.params.filter(p => p.change !== 'same');
  const environment = d.environment.filter(p => p.change !== 'same').length;
  const parts = [
    changed > 0 ? `${changed} of ${many(d.steps.length, 'step')} ${changed === 1 ? 'differs' : 'differ'}` : 'all steps gave the same',
    params.length > 0 ? `${many(params.length, 'parameter')} changed (${params.slice(0, 3).map(p => p.name).join(', ')}${params.length > 3 ? ', …' : ''})` : 'same parameters',
    environment > 0 ? `${many(environment, 'thing')} changed in the environment` : ''
  ].filter(Boolean);
  const text = parts.join('; ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function Side({ letter, side }: { letter: string; side: RunSide }): JSX.Element {
  return (
    <p className="aiosw-side" data-side={letter}>
      <b className="aiosw-letter">{letter}</b>
      <span className="aiosw-side-facts">
        <code>{side.run_id}</code>
        <span className="aiosw-quiet">
          {[moment(side.created_at), side.duration !== null ? duration(side.duration) : '', side.user ?? ''].filter(Boolean).join(' · ')}
        </span>
      </span>
      <StateChip status={side.status} />
    </p>
  );
}

function Steps({ diff: d, host, a, b, compared, onCompared }: DifferenceProps): JSX.Element {
  const [all, setAll] = useState(false);
  const changed = d.steps.filter(s => differs(s) || s.step === compared);
  const shown = all || changed.length === 0 ? d.steps : changed;
  const rest = d.steps.length - changed.length;
  return (
    <Section
      title="Steps"
      aside={rest > 0 && changed.length > 0 && (
        <button type="button" className="aiosw-link" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'Hide what is the same' : `Show ${rest} that gave the same`}
        </button>
      )}
    >
      {changed.length === 0 && <p className="aiosw-same">All steps have the same code, inputs and outputs.</p>}
      <div className="aiosw-scroll aiosw-tall" tabIndex={0} role="region" aria-label="Steps compared">
        <table className="aiosw-table aiosw-stepdiff">
          <thead>
            <tr>
              <th scope="col">Step</th>
              <th scope="col">What changed</th>
              <th scope="col" data-number>Rows A → B</th>
              <th scope="col">Time A, B</th>
              <th scope="col">Why it ran again in B</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(s => (
              <Fragment key={s.step}>
                <tr data-change={s.change} data-open={s.step === compared || undefined}>
                  <th scope="row">
                    <button
                      type="button"
                      className="aiosw-link aiosw-fold"
                      aria-expanded={s.step === compared}
                      onClick={() => onCompared(s.step === compared ? null : s.step)}
                    >
                      {s.step}
                    </button>
                  </th>
                  <td><Changes change={s} /></td>
                  <td data-number>{rows(s)}</td>
                  <td><Times change={s} /></td>
                  <td className="aiosw-why">{s.why.length > 0 ? s.why.join('; ') : s.cached_b ? <span className="aiosw-quiet">it did not: taken from the cache</span> : ''}</td>
                </tr>
                {s.step === compared && (
                  <tr className="aiosw-opened">
                    <td colSpan={5}><StepDiffView host={host} a={a} b={b} step={s.step} /></td>
                  </tr>
                )}
              </Fragment>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function Changes({ change: s }: { change: StepChange }): JSX.Element {
  const words = [s.code && 'code', s.policy && 'policy', s.inputs && 'inputs', s.output && 'output'].filter(Boolean) as string[];
  const status = s.status_a !== s.status_b && s.change !== 'added' && s.change !== 'removed' ? `${s.status_a ?? 'not run'} → ${s.status_b ?? 'not run'}` : '';
  if (s.change === 'added' || s.change === 'removed') {
    return <em className="aiosw-badge" data-change={s.change}>{s.change === 'added' ? '+ only in B' : '− only in A'}</em>;
  }
  if (words.length === 0 && !status) {
    return <span className="aiosw-quiet">the same</span>;
  }
  return (
    <span className="aiosw-inline">
      {words.map(w => <em key={w} className="aiosw-badge" data-change="changed">{w}</em>)}
      {status && <em className="aiosw-badge" data-change="status">{status}</em>}
    </span>
  );
}

function rows(s: StepChange): string {
  if (s.rows_a === null && s.rows_b === null) {
    return '';
  }
  const [a, b] = [s.rows_a === null ? '–' : count(s.rows_a), s.rows_b === null ? '–' : count(s.rows_b)];
  return a === b ? a : `${a} → ${b}`;
}

/** A against B; steps are not compared with each other here. */
function Times({ change: s }: { change: StepChange }): JSX.Element {
  const longest = Math.max(s.duration_a ?? 0, s.duration_b ?? 0, 1e-9);
  const line = (letter: string, seconds: number | null, cached: boolean): JSX.Element => (
    <span className="aiosw-time-line">
      <i data-side={letter} style={{ width: `${Math.max(seconds ? 2 : 0, (100 * (seconds ?? 0)) / longest)}%` }} aria-hidden="true" />
      <small><span className="aiosw-hidden">{`${letter}: `}</span>{cached ? 'cached' : seconds === null ? '–' : duration(seconds)}</small>
    </span>
  );
  return <span className="aiosw-times">{line('A', s.duration_a, s.cached_a)}{line('B', s.duration_b, s.cached_b)}</span>;
}
