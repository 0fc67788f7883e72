// Findings: how grave, where, what, why it matters, and what can be done about it from here.
import { useId, useState } from 'react';
import { sentence, type Finding } from '../../api';
import { Button } from '../hooks';
import { ignore, mend } from './acts';
import type { PromoteModel } from './model';
import { stepFor } from './steps';

export const SEVERITIES = ['error', 'warning', 'note'] as const;
export const MARKS = { error: '✕ error', warning: '▲ warning', note: '· note' };

export function FindingList({ model, findings }: { model: PromoteModel; findings: Finding[] }): JSX.Element | null {
  if (findings.length === 0) {
    return null;
  }
  return (
    <ul className="aios-findings">
      {findings.map(f => (
        <FindingRow key={`${f.rule} ${f.cell} ${f.line} ${f.column} ${f.message}`} model={model} finding={f} />
      ))}
    </ul>
  );
}

function FindingRow({ model, finding: f }: { model: PromoteModel; finding: Finding }): JSX.Element {
  const [asking, setAsking] = useState(false);
  const step = stepFor(f);
  const busy = model.busy === 'mend' || model.checking;
  const place = f.cell === null ? 'the notebook' : `cell ${f.cell}${f.line ? `, line ${f.line}` : ''}`;
  return (
    <li className={`aios-finding aios-is-${f.severity}`} data-testid="aios-finding" data-rule={f.rule}>
      <div className="aios-finding-head">
        <b>{MARKS[f.severity]}</b>
        {f.cell !== null ? (
          <button type="button" className="aios-link" title="Show it in the notebook; the dialog steps aside" onClick={() => setAside(model, f)}>
            {place}
          </button>
        ) : (
          <span className="aios-dim">{place}</span>
        )}
        <span className="aios-finding-rule aios-dim">{`${f.rule} ${f.code}`}</span>
      </div>
      <div className="aios-finding-text">{`${said(f.message)}.`}</div>
      {f.why && <div className="aios-dim">{f.why}</div>}
      <div className="aios-finding-fix">{`→ ${said(f.fix)}.`}</div>
      <div className="aios-finding-acts">
        {f.quick_fix && (
          <Button disabled={busy} label={`Fix it: ${f.quick_fix.title}, ${place}`} onClick={() => void mend(model, [ref(f)], said(f.quick_fix!.title))}>
            {`Fix: ${f.quick_fix.title}`}
          </Button>
        )}
        {step && model.step !== step && <Button onClick={() => void model.go(step)}>{step === 'when' ? 'Set it in When' : 'Set it in Parameters'}</Button>}
        {f.ignorable && !step && (
          <button type="button" className="aios-link" aria-expanded={asking} aria-label={`Ignore ${f.rule} in ${place}`} onClick={() => setAsking(!asking)}>
            Ignore…
          </button>
        )}
      </div>
      {asking && <Ignore model={model} finding={f} done={() => setAsking(false)} />}
    </li>
  );
}

function Ignore({ model, finding, done }: { model: PromoteModel; finding: Finding; done: () => void }): JSX.Element {
  const [reason, setReason] = useState('');
  const id = useId();
  const go = async () => {
    if (await ignore(model, finding, reason)) {
      done();
    }
  };
  return (
    <form
      className="aios-ignore"
      onSubmit={e => {
        e.preventDefault();
        void go();
      }}
    >
      <label htmlFor={id} className="aios-field-name">
        Why is this right as it is? It is written into the notebook, for the next reader.
      </label>
      <div className="aios-row">
        <input id={id} className="aios-input" value={reason} maxLength={300} placeholder="the share is mounted everywhere" onChange={e => setReason(e.currentTarget.value)} />
        <Button submit disabled={!reason.trim() || model.busy === 'mend'}>
          Ignore it
        </Button>
      </div>
    </form>
  );
}

export function setAside(model: PromoteModel, finding: Finding): void {
  model.aside = finding;
  model.changed.emit();
}

export function ref({ rule, cell, line }: Finding): { rule: string; cell: number | null; line: number | null } {
  return { rule, cell, line };
}

/** A sentence as it begins, unless it begins with code. */
export function said(text: string): string {
  return /^[\w.]*[(_=.[]/.test(text) ? text : sentence(text);
}
