// A gate: what to decide on, the form, and two buttons.
import { useId, useMemo, useState } from 'react';

import type { GateOutcome, GateRequest, StepDetail } from '../../../protocol';
import { SchemaForm } from '../../form';
import { cell, moment } from '../../format';
import { check, draftOf, fields, type Schema } from '../../schema';
import { StateChip } from '../../states';
import { PreviewView } from '../../table';
import { type Host, Refused } from '../types';

interface Props {
  host: Host;
  runId: string | null;
  detail: StepDetail;
}

export function GateTab({ host, runId, detail }: Props): JSX.Element {
  const { shown, gate, outcome } = detail;
  return (
    <>
      {shown && (
        <div className="aiosw-shown">
          <h4>To decide on</h4>
          <PreviewView first={shown} label="What the decision is about" />
        </div>
      )}
      {gate && <Decide key={gate.requested_at} gate={gate} host={host} runId={runId} />}
      {outcome && <Outcome outcome={outcome} />}
    </>
  );
}

function Decide({ gate, host, runId }: { gate: GateRequest; host: Host; runId: string | null }): JSX.Element {
  const id = useId();
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
    host.ask({ kind: 'decide', run_id: runId, step: gate.step, approved, values: approved ? checked.values : {}, reason }).then(
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
      onKeyDown={e => {
        if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) {
          e.preventDefault();
          decide(true);
        }
      }}
    >
      <SchemaForm all={all} draft={draft} problems={problems} onChange={setDraft} />
      <div className="aiosw-field">
        <label htmlFor={`${id}-reason`}>Reason <span className="aiosw-required">optional, kept in the audit trail</span></label>
        <input id={`${id}-reason`} type="text" value={reason} onChange={e => setReason(e.target.value)} />
      </div>
      <div className="aiosw-buttons">
        <button type="submit" className="aiosw-primary" disabled={busy || !host.canAct} title="Ctrl+Enter">Approve</button>
        <button type="button" className="aiosw-danger" disabled={busy || !host.canAct} onClick={() => decide(false)}>Reject</button>
        {gate.deadline_at !== null && <span className="aiosw-quiet">expires {moment(gate.deadline_at)}</span>}
        {!host.canAct && <span className="aiosw-quiet">Nobody can decide from here: the kernel is gone or you may only look.</span>}
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
