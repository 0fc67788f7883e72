// One decision: the data to decide on, the form, the reason, approve or reject.
import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent } from 'react';
import type { Gate, GateDetail } from '../api';
import { check, draftOf, fields, PreviewView, SchemaForm, type Draft } from '../shared';
import { Button, Failure, Skeleton, useAction, useAsk } from './hooks';
import { asApiError, type PanelModel } from './model';

/** What the keyboard has asked for and not yet confirmed. */
export type Intent = 'approve' | 'reject' | null;

interface Props {
  model: PanelModel;
  gate: Gate;
  intent: Intent;
  setIntent: (intent: Intent) => void;
  /** Before a decision is sent, and (false) when it was not taken: news of it may be faster than the answer. */
  onSend: (sent: boolean) => void;
  onDone: (approved: boolean) => void;
  onLate: (detail: GateDetail) => void;
  onRun: () => void;
}

const REASON = 'reason for the decision'; // no form field can have this name

export function GateForm({ model, gate, intent, setIntent, onSend, onDone, onLate, onRun }: Props): JSX.Element {
  const size = model.settings.get('dataRows');
  const { data, error, again } = useAsk(() => model.api.gate(gate.run_id, gate.step, 0, size), [gate.run_id, gate.step, size]);
  const [all] = useState(() => fields(gate.form));
  const [draft, setDraft] = useState<Draft>(() => draftOf(all));
  const [problems, setProblems] = useState<Record<string, string>>({});
  const [reason, setReason] = useState('');
  const action = useAction();
  const form = useRef<HTMLFormElement>(null);
  const why = useRef<HTMLTextAreaElement>(null);
  const yes = useRef<HTMLButtonElement>(null);

  /** What is wrong with the form, shown beside its fields; null when nothing is. */
  const wrong = (approved: boolean): Record<string, unknown> | null => {
    const checked = approved ? check(all, draft) : { values: {}, problems: {} as Record<string, string> };
    const found = { ...checked.problems };
    if (!approved && !reason.trim()) {
      found[REASON] = 'Say why, so that the next person understands.'; // kept in the audit trail
    }
    setProblems(found);
    if (Object.keys(found).length) {
      // After the redraw, so that the field is marked when it is read out; unless the reader has left by Escape meanwhile.
      window.setTimeout(() => {
        if (!document.activeElement?.matches('.aios-fold-head')) {
          form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
        }
      });
      return null;
    }
    return checked.values;
  };
  const decide = (approved: boolean) => {
    const values = wrong(approved);
    if (values === null) {
      setIntent(approved ? null : 'reject');
      return;
    }
    action.go(async () => {
      onSend(true);
      try {
        await model.api.decide(gate.run_id, gate.step, { approved, values: approved && gate.form ? values : null, reason: reason.trim() || null });
      } catch (e) {
        const problem = asApiError(e);
        if (problem.status === 409) {
          onLate(await model.api.gate(gate.run_id, gate.step, 0, 0));
          return;
        }
        onSend(false);
        setIntent(null);
        setProblems(problem.fields);
        throw e;
      }
      onDone(approved);
      await model.refresh();
    });
  };
  // "a" and "r" never send: they lead to the button, or the field, that does.
  useEffect(() => {
    if (intent === 'approve') {
      setProblems(({ [REASON]: _, ...rest }) => rest); // no reason is needed for this
      yes.current?.focus();
      yes.current?.scrollIntoView({ block: 'nearest' });
    } else if (intent === 'reject') {
      why.current?.focus();
    }
  }, [intent]);
  const change = (next: Draft) => {
    setProblems(old => Object.fromEntries(Object.entries(old).filter(([name]) => next[name] === draft[name])));
    setDraft(next);
  };
  const onSubmit = (e: FormEvent) => {
    e.preventDefault();
    decide(intent !== 'reject');
  };
  const onKey = (e: KeyboardEvent<HTMLFormElement>) => {
    if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      e.stopPropagation();
      decide(intent !== 'reject');
    } else if (e.key === 'Escape') {
      e.preventDefault();
      e.stopPropagation();
      setIntent(null);
      form.current?.closest('.aios-fold')?.querySelector<HTMLElement>('.aios-fold-head')?.focus();
    }
  };
  const preview = data?.preview ?? null;
  const placed = action.error && Object.keys(action.error.fields).some(name => all.some(f => f.name === name));
  const name = `“${gate.step}” of ${gate.workflow}`;
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
      <button type="button" className="aios-link" onClick={onRun}>
        Open the run
      </button>
      <SchemaForm all={all} draft={draft} problems={problems} onChange={change} />
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
      <Failure error={placed ? null : action.error} />
      {intent && (
        <p className="aios-ask" role="status" data-testid="aios-ask">
          {intent === 'approve' ? `Approve ${name}? Enter sends it, Escape goes back.` : `Reject ${name}? Say why; Ctrl+Enter sends it, Escape goes back.`}
        </p>
      )}
      <div className="aios-actions">
        <button ref={yes} type="button" className="aios-button aios-mod-primary" disabled={action.busy} title="Approve (Ctrl+Enter)" onClick={() => decide(true)}>
          Approve
        </button>
        <Button kind="danger" disabled={action.busy} title={intent === 'reject' ? 'Reject (Ctrl+Enter)' : 'Reject'} onClick={() => decide(false)}>
          Reject
        </Button>
        <button type="submit" hidden />
      </div>
    </form>
  );
}
