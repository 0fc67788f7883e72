// The inbox of decisions: what waits for a person, and what was decided lately, by whom.
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import type { Gate, GateDetail, Snapshot } from '../api';
import { StatusBadge } from './badge';
import { ago, moment, until } from './format';
import { GateForm, type Intent } from './gate_form';
import { Empty, Fold, useFocused, useNow } from './hooks';
import { itemOf, typing, walk } from './keys';
import type { PanelModel } from './model';
import type { PanelActions } from './panel';

interface Props {
  model: PanelModel;
  shot: Snapshot;
  actions: PanelActions;
}

interface Note {
  /** "late": somebody else was first. */
  kind: 'done' | 'late';
  text: string;
}

const keyOf = (gate: { run_id: string; step: string }): string => `${gate.run_id}/${gate.step}`;

export function GatesSection({ model, shot, actions }: Props): JSX.Element {
  const gates = shot.gates;
  const [open, setOpen] = useState<string | null>(() => (gates.length === 1 ? keyOf(gates[0]) : null));
  const [intent, setIntent] = useState<Intent>(null);
  const [note, setNote] = useState<Note | null>(null);
  const now = useNow(model, false);
  const show = (id: string | null, what: Intent = null) => {
    setOpen(id);
    setIntent(what);
  };
  const list = useFocused(model, gates.map(keyOf), show);
  const mine = useRef(new Set<string>()); // what was decided here is no news
  const next = useRef<string | null>(null); // where the focus goes once the list is drawn without the decided one

  // What one was about to decide may be decided elsewhere in the meantime: say so instead of taking it away silently.
  useEffect(() => {
    const over = open !== null && !gates.some(g => keyOf(g) === open) ? shot.decided.find(d => keyOf(d) === open) : undefined;
    if (open !== null && !gates.some(g => keyOf(g) === open)) {
      setOpen(null);
    }
    if (over && !mine.current.has(keyOf(over))) {
      setNote({ kind: 'late', text: first(over) });
    }
  }, [gates, open, shot.decided]);

  useEffect(() => {
    if (next.current && open === null) {
      list.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(next.current)}"] .aios-fold-head`)?.focus();
      next.current = null;
    }
  }, [gates, open, list]);

  const decided = (gate: Gate, approved: boolean) => {
    setNote({ kind: 'done', text: `${approved ? 'Approved' : 'Rejected'} “${gate.step}” of ${gate.workflow}.` });
    const at = gates.findIndex(g => keyOf(g) === keyOf(gate));
    // On to the next one, so that a queue can be worked off without the mouse.
    const follows = gates[at + 1] ?? gates[at - 1];
    next.current = follows ? keyOf(follows) : null;
    show(null);
  };
  const late = (detail: GateDetail) => {
    mine.current.add(keyOf(detail));
    setNote({ kind: 'late', text: first(detail) });
    show(null);
    void model.refresh();
  };
  const onKey = (e: KeyboardEvent<HTMLElement>) => {
    if (walk(e) || typing(e.target) || e.ctrlKey || e.metaKey || e.altKey) {
      return;
    }
    const id = itemOf(e);
    const what = { a: 'approve', r: 'reject' }[e.key] as Intent | undefined;
    if (id && what) {
      e.preventDefault();
      show(id, what);
    }
  };
  return (
    <>
      <div role={note?.kind === 'late' ? 'alert' : 'status'} className={note ? `aios-${note.kind}` : 'aios-hidden'} data-testid="aios-gate-note">
        {note?.text}
      </div>
      {gates.length === 0 ? (
        <Empty title="Nothing waits for you">
          <p>
            A step marked <code>@wf.gate</code> stops its run until a person approves or rejects. It shows up here with its
            data and its form.
          </p>
        </Empty>
      ) : (
        <div ref={list} onKeyDown={onKey}>
          <ul className="aios-list" aria-label="Decisions waiting">
            {gates.map(gate => (
              <Fold
                key={keyOf(gate)}
                id={keyOf(gate)}
                testId="aios-gate"
                open={open === keyOf(gate)}
                onToggle={() => show(open === keyOf(gate) ? null : keyOf(gate))}
                head={<GateHead gate={gate} now={now} />}
              >
                <GateForm
                  model={model}
                  gate={gate}
                  intent={intent}
                  setIntent={setIntent}
                  onSend={sent => (sent ? mine.current.add(keyOf(gate)) : mine.current.delete(keyOf(gate)))}
                  onDone={approved => decided(gate, approved)}
                  onLate={late}
                  onRun={() => actions.openRun(gate.run_id, gate.step, gate.workflow)}
                />
              </Fold>
            ))}
          </ul>
          <p className="aios-keys">
            <kbd>j</kbd> <kbd>k</kbd> move, <kbd>a</kbd> approve, <kbd>r</kbd> reject, <kbd>Ctrl</kbd> <kbd>Enter</kbd> send
          </p>
        </div>
      )}
      <Decided shot={shot} now={now} actions={actions} />
    </>
  );
}

function first(gate: { step: string; workflow: string; status: string; decided_by: string | null }): string {
  const who = gate.decided_by ? `${gate.decided_by} was first` : 'It is decided already';
  return `${who}: “${gate.step}” of ${gate.workflow} is ${gate.status}. Nothing was sent.`;
}

function GateHead({ gate, now }: { gate: Gate; now: number }): JSX.Element {
  const late = gate.deadline_at !== null && gate.deadline_at - now < 3600;
  return (
    <>
      <span className="aios-row">
        <span className="aios-name" title={gate.step}>
          {gate.step}
        </span>
        <span className="aios-ago" title={`Asked ${moment(gate.requested_at)}`}>
          {ago(gate.requested_at, now)}
        </span>
      </span>
      <span className="aios-row aios-sub aios-wrap">
        <span className="aios-current" title={gate.workflow}>
          {gate.workflow}
        </span>
        {gate.deadline_at !== null && (
          <span className={`aios-note${late ? ' aios-mod-late' : ''}`} title={`Expires ${moment(gate.deadline_at)}`}>
            {`expires ${until(gate.deadline_at, now)}`}
          </span>
        )}
      </span>
    </>
  );
}

/** How many decisions are shown before one asks for more. */
const FEW = 5;

function Decided({ shot, now, actions }: { shot: Snapshot; now: number; actions: PanelActions }): JSX.Element | null {
  const [all, setAll] = useState(false);
  if (shot.decided.length === 0) {
    return null;
  }
  const shown = all ? shot.decided : shot.decided.slice(0, FEW);
  return (
    <section className="aios-decided" aria-label="Decided lately">
      <h3 className="aios-group-head">Decided lately</h3>
      <ul className="aios-list">
        {shown.map(d => (
          <li key={keyOf(d)} className="aios-decided-row" data-testid="aios-decided">
            <span className="aios-row">
              <button
                type="button"
                className="aios-step-name"
                title={`Open ${d.step} of ${d.workflow}`}
                onClick={() => actions.openRun(d.run_id, d.step, d.workflow)}
              >
                {d.step}
              </button>
              <span className="aios-ago" title={moment(d.decided_at)}>
                {ago(d.decided_at, now)}
              </span>
            </span>
            <span className="aios-row aios-sub aios-wrap">
              <StatusBadge status={d.status} />
              <span>{`by ${d.decided_by ?? 'nobody: its time was up'}`}</span>
              <span className="aios-current" title={d.workflow}>
                {d.workflow}
              </span>
            </span>
            {d.reason && <q className="aios-sub aios-reason">{d.reason}</q>}
          </li>
        ))}
      </ul>
      {shot.decided.length > FEW && (
        <div className="aios-more">
          <button type="button" className="aios-link" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? 'Show fewer' : `Show ${shot.decided.length - FEW} more`}
          </button>
        </div>
      )}
    </section>
  );
}
