// A gate: what to decide on, the form, and two buttons.
import { useMemo, useState } from 'react';

import type { GateOutcome, GateRequest, StepDetail } from '../src/protocol';
import { SchemaForm } from '../src/shared/form';
import { cell, moment } from '../src/shared/format';
import { check, draftOf, fields, type Schema } from '../src/shared/schema';
import { StateChip } from '../src/shared/states';
import { PreviewView } from '../src/shared/table';
import { type Ask, Refused } from '../src/shared/inspector/types';

export function GateTab({ detail, ask, lost }: { detail: StepDetail; ask: Ask; lost: boolean }): JSX.Element {
  const { shown, gate, outcome } = detail;
  return (
    <>
      {shown && (
        <div className="aiosw-shown">
          <h4>To decide on</h4>
          <PreviewView first={shown} label="What the decision is about" />
        </div>
      )}
      {gate && <Decide key={gate.requested_at} gate={gate} ask={ask} lost={lost} />}
      {outcome && <Outcome outcome={outcome} />}
    </>
  );
}

function Decide({ gate, ask, lost }: { gate: GateRequest; ask: Ask; lost: boolean }): JSX.Element {
  const all = useMemo(() => fields(gate.form as Schema | null), [gate.form]);
  const [draft, setDraft] = useState(() => draftOf(all));
  const [reason, setReason] = useState('');
  const [problems, setProblems] = useState<Record<string, string>>({});
  const [said, setSaid] = useState('');
  const [busy, setBusy] = useState(false);

  const decide = (approved: boolean): void => {
    const checked = check(all, draft);
    if (approved && Object.keys(checked.problems).length > 0) {
      setProblems(checked.problems);
      setSaid('');
      return;
    }
    setProblems({});
    setSaid('');
    setBusy(true);
    ask({ kind: 'decide', step: gate.step, approved, values: approved ? checked.values : {}, reason }).then(
      () => setSaid(approved ? 'Approved.' : 'Rejected.'),
      (e: Error) => {
        setBusy(false);
        setProblems(e instanceof Refused ? e.fields : {});
        setSaid(e.message);
      }
    );
  };
  return (
    <form
      className="aiosw-decide"
      noValidate
      onSubmit={e => {
        e.preventDefault();
        decide(true);
      }}
    >
      <SchemaForm all={all} draft={draft} problems={problems} onChange={setDraft} />
      <div className="aiosw-field">
        <label htmlFor={`reason-${gate.step}`}>Reason <span className="aiosw-required">optional, kept in the audit trail</span></label>
        <input id={`reason-${gate.step}`} type="text" value={reason} onChange={e => setReason(e.target.value)} />
      </div>
      <div className="aiosw-buttons">
        <button type="submit" className="aiosw-primary" disabled={busy || lost}>Approve</button>
        <button type="button" className="aiosw-danger" disabled={busy || lost} onClick={() => decide(false)}>Reject</button>
        {gate.deadline_at !== null && <span className="aiosw-quiet">expires {moment(gate.deadline_at)}</span>}
      </div>
      {said && <p role="status" className={busy ? 'aiosw-quiet' : 'aiosw-problem'}>{said}</p>}
    </form>
  );
}

function Outcome({ outcome }: { outcome: GateOutcome }): JSX.Element {
  const values = Object.entries(outcome.values);
  return (
    <>
      <p className="aiosw-facts-line">
        <StateChip status={outcome.status} />
        {outcome.decided_by && <span>by <b>{outcome.decided_by}</b></span>}
        {outcome.decided_at !== null && <span>{moment(outcome.decided_at)}</span>}
      </p>
      {outcome.reason && <p className="aiosw-doc">{outcome.reason}</p>}
      {values.length > 0 && (
        <dl className="aiosw-facts">
          {values.map(([name, value]) => (
            <div key={name}><dt>{name}</dt><dd>{cell(value)}</dd></div>
          ))}
        </dl>
      )}
    </>
  );
}
