// Decisions that wait for a person: what to decide on, the form, approve or reject.
import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent } from 'react';
import type { Gate, Snapshot } from '../api';
import { check, draftOf, fields, PreviewView, SchemaForm, type Draft } from '../shared';
import { ago, moment, until } from './format';
import { Button, Empty, Failure, Fold, Skeleton, useAction, useAsk, useNow } from './hooks';
import { asApiError, type PanelModel } from './model';

interface Props {
  model: PanelModel;
  shot: Snapshot;
}

const REASON = 'reason for the decision'; // no form field can have this name
const keyOf = (gate: Gate): string => `${gate.run_id}/${gate.step}`;

export function GatesSection({ model, shot }: Props): JSX.Element {
  const gates = shot.gates;
  const [open, setOpen] = useState<string | null>(() => (gates.length === 1 ? keyOf(gates[0]) : null));
  const [done, setDone] = useState('');
  const now = useNow(model, false);
  const list = useRef<HTMLUListElement>(null);
  const focused = model.focused;
  useEffect(() => {
    if (focused && gates.some(g => keyOf(g) === focused)) {
      model.focused = null;
      setOpen(focused);
      list.current?.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.scrollIntoView({ block: 'nearest' });
    }
  }, [focused, gates, model]);

  const decided = (gate: Gate, approved: boolean) => {
    setDone(`${approved ? 'Approved' : 'Rejected'} “${gate.step}” of ${gate.workflow}.`);
    setOpen(null);
  };
  return (
    <>
      <div role="status" aria-live="polite" className={done ? 'aios-done' : 'aios-hidden'}>
        {done}
      </div>
      {gates.length === 0 ? (
        <Empty title="Nothing waits for you">
          <p>
            A step marked <code>@wf.gate</code> stops its run until a person approves or rejects. It shows up here with its
            data and its form.
          </p>
        </Empty>
      ) : (
        <ul className="aios-list" ref={list} aria-label="Decisions waiting">
          {gates.map(gate => (
            <Fold
              key={keyOf(gate)}
              id={keyOf(gate)}
              testId="aios-gate"
              open={open === keyOf(gate)}
              onToggle={() => setOpen(open === keyOf(gate) ? null : keyOf(gate))}
              head={<GateHead gate={gate} now={now} />}
            >
              <GateBody model={model} gate={gate} onDone={approved => decided(gate, approved)} />
            </Fold>
          ))}
        </ul>
      )}
    </>
  );
}

function GateHead({ gate, now }: { gate: Gate; now: number }): JSX.Element {
  return (
    <>
      <span className="aios-row">
        <span className="aios-name" title={gate.step}>
          {gate.step}
        </span>
        <span className="aios-ago" title={moment(gate.requested_at)}>
          {ago(gate.requested_at, now)}
        </span>
      </span>
      <span className="aios-row aios-sub">
        <span className="aios-current" title={gate.workflow}>
          {gate.workflow}
        </span>
        {gate.deadline_at !== null && (
          <span className="aios-note" title={`Expires ${moment(gate.deadline_at)}`}>
            {`expires ${until(gate.deadline_at, now)}`}
          </span>
        )}
      </span>
    </>
  );
}

function GateBody({ model, gate, onDone }: { model: PanelModel; gate: Gate; onDone: (approved: boolean) => void }): JSX.Element {
  const { data, error, again } = useAsk(() => model.api.gate(gate.run_id, gate.step), [gate.run_id, gate.step]);
  const [all] = useState(() => fields(gate.form));
  const [draft, setDraft] = useState<Draft>(() => draftOf(all));
  const [problems, setProblems] = useState<Record<string, string>>({});
  const [reason, setReason] = useState('');
  const action = useAction();
  const why = useRef<HTMLTextAreaElement>(null);
  const form = useRef<HTMLFormElement>(null);

  const decide = (approved: boolean) => {
    const checked = approved ? check(all, draft) : { values: {}, problems: {} as Record<string, string> };
    const found = { ...checked.problems };
    if (!approved && !reason.trim()) {
      found[REASON] = 'Say why, so that the next person understands.'; // kept in the audit trail
    }
    setProblems(found);
    if (Object.keys(found).length) {
      // After the redraw, so that the field is marked when it is read out.
      window.setTimeout(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    action.go(async () => {
      try {
        await model.api.decide(gate.run_id, gate.step, {
          approved,
          values: approved && gate.form ? checked.values : null,
          reason: reason.trim() || null
        });
      } catch (e) {
        setProblems(asApiError(e).fields);
        throw e;
      }
      onDone(approved);
      await model.refresh();
    });
  };
  const onSubmit = (e: FormEvent) => {
    e.preventDefault();
    decide(true);
  };
  const onKey = (e: KeyboardEvent) => {
    if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      e.stopPropagation();
      decide(true);
    }
  };
  const preview = data?.preview ?? null;
  const unplaced = action.error && Object.keys(action.error.fields).some(name => all.some(f => f.name === name)) ? null : action.error;
  return (
    <form ref={form} className="aios-gate-form" onSubmit={onSubmit} onKeyDown={onKey} noValidate aria-label={`Decide on ${gate.step}`}>
      {error && <Failure error={error} retry={again} />}
      {!data && !error && <Skeleton rows={2} label="Loading the data to decide on" />}
      {preview && (
        <>
          <h3 className="aios-label">To decide on</h3>
          <PreviewView
            first={preview}
            label={`Data of ${gate.step}`}
            fetchPage={(offset, limit) => model.api.gate(gate.run_id, gate.step, offset, limit).then(g => g.preview!)}
          />
        </>
      )}
      <SchemaForm all={all} draft={draft} problems={problems} onChange={setDraft} />
      <label className="aios-field">
        <span className="aios-field-name">Reason</span>
        <textarea
          ref={why}
          className="aios-input"
          rows={2}
          value={reason}
          maxLength={10_000}
          aria-invalid={problems[REASON] ? true : undefined}
          placeholder="Needed to reject; kept in the audit trail"
          onChange={e => {
            setReason(e.currentTarget.value);
            setProblems(({ [REASON]: _, ...rest }) => rest);
          }}
        />
        {problems[REASON] && (
          <span className="aios-field-error" role="alert">
            {problems[REASON]}
          </span>
        )}
      </label>
      <Failure error={unplaced} />
      <div className="aios-actions">
        <Button kind="primary" submit disabled={action.busy} title="Approve (Ctrl+Enter)">
          Approve
        </Button>
        <Button kind="danger" disabled={action.busy} onClick={() => decide(false)}>
          Reject
        </Button>
      </div>
    </form>
  );
}
