// A step's settings as a form; what one changes is shown as code and written into the step's cell.
// To mount: <PolicyForm host={host} step={name} version={…} />. It asks the kernel for what it shows; `version` is
// anything that changes with the definition (the node's JSON, say): the form then asks again.
import { useCallback, useEffect, useMemo, useState } from 'react';

import type { SettingsForm, StepPolicy } from '../../protocol';
import type { Host } from '../inspector/types';
import { CheckField, ChoiceField, TextField } from './fields';
import { ListField } from './list';
import { usePreview } from './use-edit';
import { WriteBar } from './write';

interface Props {
  host: Host;
  step: string;
  version?: string;
}

interface Draft {
  retries: string;
  backoff: string;
  timeout: string;
  cache: boolean;
  after: string[];
  fallback: string[];
  tags: string[];
  when: string;
  on_reject: string;
  retry_on: string[];
  give_up_on: string[];
  hedge: string;
  on_error: string;
  executor: string;
  memory: string;
}

const WHOLE = /^\d{1,4}$/;

export function PolicyForm({ host, step, version = '' }: Props): JSX.Element {
  const [form, setForm] = useState<SettingsForm | null>(null);
  const [draft, setDraft] = useState<Draft | null>(null);
  const [problem, setProblem] = useState('');
  const [said, setSaid] = useState('');
  const { ask } = host;

  const load = useCallback(
    (fresh: boolean) => {
      let stopped = false;
      ask({ kind: 'settings', step }).then(
        answer => {
          if (stopped) {
            return;
          }
          setProblem('');
          setForm(before => {
            // What somebody is typing is not thrown away because a run moved.
            const same = before !== null && JSON.stringify(before.settings) === JSON.stringify(answer.settings);
            if (fresh || !same) {
              setDraft(draftOf(answer.settings));
            }
            return answer;
          });
        },
        (e: Error) => !stopped && setProblem(e.message)
      );
      return () => {
        stopped = true;
      };
    },
    [ask, step]
  );
  useEffect(() => load(false), [load, version]);

  const changed = form !== null && draft !== null && JSON.stringify(draft) !== JSON.stringify(draftOf(form.settings));
  const local = useMemo(() => (draft ? check(draft) : {}), [draft]);
  const valid = Object.keys(local).length === 0;
  const editable = form !== null && !form.problem;
  const asked = changed && valid && editable && draft ? { kind: 'edit_step' as const, step, settings: policyOf(draft) } : null;
  const preview = usePreview(ask, asked);

  if (problem && !form) {
    return <p className="aiosw-quiet">{problem}</p>;
  }
  if (!form || !draft) {
    return <p className="aiosw-quiet" role="status">Reading…</p>;
  }
  const problems = { ...preview.fields, ...local };
  const disabled = !editable;
  const set = <K extends keyof Draft>(key: K) => (value: Draft[K]): void => {
    setSaid('');
    setDraft(now => now && { ...now, [key]: value });
  };
  const has = (name: string): boolean => form.fields.includes(name);
  const { cell } = form;
  return (
    <form
      className="aiosw-edit"
      aria-label={`Settings of ${step}`}
      onSubmit={e => e.preventDefault()}
      // The cell may have been run again while the reader was elsewhere.
      onPointerEnter={() => void load(false)}
      onFocus={e => !e.currentTarget.contains(e.relatedTarget) && void load(false)}
    >
      {form.problem && <p className="aiosw-quiet">{form.problem}</p>}
      <div className="aiosw-edit-grid">
        {has('retries') && (
          <TextField label="Retries" help="Further attempts after a failed one. Default: 0." placeholder="0" value={draft.retries} problem={problems.retries} disabled={disabled} onChange={set('retries')} />
        )}
        {has('backoff') && (
          <TextField label="Backoff" help="Wait before the second attempt; doubles with each. Default: 0.5 s." placeholder="0.5s" value={draft.backoff} problem={problems.backoff} disabled={disabled} onChange={set('backoff')} />
        )}
        {has('retry_on') && (
          <ListField label="Retry only on" help="Error classes, such as ConnectionError or requests.exceptions.Timeout. Default: any error." values={draft.retry_on} choices={ERRORS} problem={problems.retry_on} disabled={disabled} onChange={set('retry_on')} />
        )}
        {has('give_up_on') && (
          <ListField label="Never retry on" help="Error classes that another attempt cannot help with. Default: none." values={draft.give_up_on} choices={ERRORS} problem={problems.give_up_on} disabled={disabled} onChange={set('give_up_on')} />
        )}
        {has('timeout') && (
          <TextField
            label="Timeout"
            help={form.kind === 'gate' ? 'After it the gate expires and the run fails. Default: none.' : 'For one attempt, such as 30s, 5m or 1h 30m. Default: none.'}
            placeholder="none"
            value={draft.timeout}
            problem={problems.timeout}
            disabled={disabled}
            onChange={set('timeout')}
          />
        )}
        {has('hedge') && (
          <TextField label="Second call after" help="Calls the function again when it has not answered by then; the first answer counts. Only where two calls at once do no harm. Default: never." placeholder="never" value={draft.hedge} problem={problems.hedge} disabled={disabled} onChange={set('hedge')} />
        )}
        {has('on_error') && (
          <ChoiceField
            label="When it fails"
            help="What the run does when all attempts and fallbacks have failed. Default: it fails."
            value={draft.on_error}
            options={[
              { value: 'fail', label: 'The run fails' },
              { value: 'skip', label: 'The run goes on without it' },
              { value: 'dead_letter', label: 'The run goes on, and what failed is kept' }
            ]}
            problem={problems.on_error}
            disabled={disabled}
            onChange={set('on_error')}
          />
        )}
        {has('on_reject') && (
          <ChoiceField
            label="When rejected"
            help="What the run does then. Default: it fails."
            value={draft.on_reject}
            options={[{ value: 'fail', label: 'The run fails' }, { value: 'continue', label: 'The run goes on' }]}
            problem={problems.on_reject}
            disabled={disabled}
            onChange={set('on_reject')}
          />
        )}
        {has('when') && (
          <TextField label="Only when" help="A function; when it returns false the step is skipped. Default: always." placeholder="always" choices={form.functions} value={draft.when} problem={problems.when} disabled={disabled} onChange={set('when')} />
        )}
        {has('executor') && (
          <ChoiceField
            label="Executed in"
            help="In a process of its own it is killed when its time or memory is up or the run is cancelled. Default: a thread."
            value={draft.executor}
            options={[{ value: 'thread', label: 'A thread' }, { value: 'process', label: 'A process of its own' }]}
            problem={problems.executor}
            disabled={disabled}
            onChange={set('executor')}
          />
        )}
        {has('memory') && (
          <TextField label="Memory" help="Most that its process may hold, such as 2GB. Default: no cap." placeholder="no cap" value={draft.memory} problem={problems.memory} disabled={disabled} onChange={set('memory')} />
        )}
        {has('cache') && (
          <CheckField label="Cache" help="Reuse the output of an earlier run with the same code and inputs. Default: off." value={draft.cache} problem={problems.cache} disabled={disabled} onChange={set('cache')} />
        )}
        {has('after') && (
          <ListField label="Run after" help="Steps that must succeed first, without giving a value." values={draft.after} choices={form.after_choices} strict problem={problems.after} disabled={disabled} onChange={set('after')} />
        )}
        {has('fallback') && (
          <ListField label="Fallback" help="Functions called in this order when all attempts failed." values={draft.fallback} choices={form.functions} problem={problems.fallback} disabled={disabled} onChange={set('fallback')} />
        )}
        {has('tags') && (
          <ListField label="Tags" help="Words to group and find steps by." values={draft.tags} choices={[]} problem={problems.tags} disabled={disabled} onChange={set('tags')} />
        )}
      </div>
      {editable && (
        <WriteBar
          key={changed ? 'changed' : 'same'}
          host={host}
          preview={preview}
          verb="Write to cell"
          onDone={(ran, text) => {
            setSaid(text);
            if (ran) {
              load(true);
            }
          }}
        >
          {changed && <button type="button" onClick={() => setDraft(draftOf(form.settings))}>Undo changes</button>}
          {host.revealCell && cell && form.writable && (
            <button type="button" onClick={() => void host.revealCell?.(cell).then(ok => setSaid(ok ? '' : 'No open notebook has this cell.'))}>
              Go to cell {cell.label}
            </button>
          )}
        </WriteBar>
      )}
      <p role="status" className="aiosw-quiet">{said || (editable && !changed ? 'Change a setting to see the code it makes.' : '')}</p>
    </form>
  );
}

/** What most steps that call somebody else meet; any other name can be written. */
const ERRORS = ['ConnectionError', 'TimeoutError', 'OSError', 'ValueError', 'KeyError', 'PermissionError'];

function draftOf(s: StepPolicy): Draft {
  return {
    retries: s.retries === null ? '' : String(s.retries),
    backoff: s.backoff ?? '',
    timeout: s.timeout ?? '',
    cache: s.cache === true,
    after: s.after,
    fallback: s.fallback,
    tags: s.tags,
    when: s.when ?? '',
    on_reject: s.on_reject ?? 'fail',
    retry_on: s.retry_on,
    give_up_on: s.give_up_on,
    hedge: s.hedge ?? '',
    on_error: s.on_error ?? 'fail',
    executor: s.executor ?? 'thread',
    memory: s.memory ?? ''
  };
}

function policyOf(d: Draft): StepPolicy {
  return {
    retries: d.retries.trim() === '' ? null : Number(d.retries),
    backoff: d.backoff.trim() || null,
    timeout: d.timeout.trim() || null,
    cache: d.cache,
    after: d.after,
    fallback: d.fallback,
    tags: d.tags,
    when: d.when.trim() || null,
    on_reject: d.on_reject === 'continue' ? 'continue' : null,
    retry_on: d.retry_on,
    give_up_on: d.give_up_on,
    hedge: d.hedge.trim() || null,
    on_error: d.on_error === 'skip' || d.on_error === 'dead_letter' ? d.on_error : null,
    executor: d.executor === 'process' ? 'process' : null,
    memory: d.memory.trim() || null
  };
}

function check(d: Draft): Record<string, string> {
  const text = d.retries.trim();
  return text === '' || (WHOLE.test(text) && Number(text) <= 1000) ? {} : { retries: 'A whole number from 0 to 1000.' };
}
