// A new step or gate from a template, into a cell of its own.
// To mount: <AddStep host={host} steps={names} selected={open} /> in a row that wraps: a button of that row until it is
// opened, then a form below the row.
import { useEffect, useId, useRef, useState } from 'react';

import type { Template } from '../../protocol';
import type { Host } from '../inspector/types';
import { TextField } from './fields';
import { ListField } from './list';
import { usePreview } from './use-edit';
import { WriteBar } from './write';

interface Props {
  host: Host;
  steps: readonly string[];
  selected: string | null;
}

export function AddStep({ host, steps, selected }: Props): JSX.Element {
  const [open, setOpen] = useState(false);
  const [said, setSaid] = useState('');
  const button = useRef<HTMLButtonElement>(null);
  const close = (text: string): void => {
    setOpen(false);
    setSaid(text);
    button.current?.focus();
  };
  return (
    <div className="aiosw-edit-new">
      <span className="aiosw-buttons">
        <button
          ref={button}
          type="button"
          className="aiosw-small"
          aria-label="Add step"
          title="Add step"
          aria-expanded={open}
          disabled={!host.canAct && !open}
          onClick={() => {
            setSaid('');
            setOpen(!open);
          }}
        >
          +<span className="aiosw-roomy"> Add step</span>
        </button>
        <span role="status" className="aiosw-quiet">{said}</span>
      </span>
      {open && <AddForm host={host} steps={steps} selected={selected} onClose={close} />}
    </div>
  );
}

function AddForm({ host, steps, selected, onClose }: Props & { onClose: (said: string) => void }): JSX.Element {
  const id = useId();
  const [templates, setTemplates] = useState<Template[]>([]);
  const [problem, setProblem] = useState('');
  const [template, setTemplate] = useState('step');
  const [name, setName] = useState('');
  const [inputs, setInputs] = useState<string[]>(selected !== null && steps.includes(selected) ? [selected] : []);
  const [after, setAfter] = useState<string[]>([]);
  const first = useRef<HTMLSelectElement>(null);
  const { ask } = host;
  useEffect(() => {
    ask({ kind: 'templates' }).then(t => setTemplates(t.templates), (e: Error) => setProblem(e.message));
  }, [ask]);
  useEffect(() => first.current?.focus({ preventScroll: true }), []);

  const chosen = templates.find(t => t.id === template);
  const takes = chosen?.takes_inputs ?? true;
  const asked = name.trim() ? { kind: 'new_step' as const, template, name: name.trim(), inputs: takes ? inputs : [], after } : null;
  const preview = usePreview(ask, asked);
  return (
    <form
      className="aiosw-edit"
      aria-label="Add a step"
      onSubmit={e => e.preventDefault()}
      onKeyDown={e => {
        if (e.key === 'Escape') {
          e.stopPropagation();
          onClose('');
        }
      }}
    >
      {problem && <p className="aiosw-problem" role="alert">{problem}</p>}
      <div className="aiosw-edit-grid">
        <div className="aiosw-field">
          <label htmlFor={id}>Template</label>
          <select ref={first} id={id} value={template} aria-describedby={`${id}-help`} onChange={e => setTemplate(e.target.value)}>
            {templates.map(t => <option key={t.id} value={t.id}>{t.title}</option>)}
          </select>
          <small id={`${id}-help`}>{chosen?.description ?? ''}</small>
        </div>
        <TextField label="Name" help="What the step is called in the graph." placeholder="clean_orders" value={name} problem={preview.fields.name} onChange={setName} />
        {takes && (
          <ListField label="Inputs" help="Steps whose outputs it gets, as parameters of the function." values={inputs} choices={steps} strict problem={preview.fields.inputs} onChange={setInputs} />
        )}
        <ListField label="Run after" help="Steps that must succeed first, without giving a value." values={after} choices={steps} strict problem={preview.fields.after} onChange={setAfter} />
      </div>
      <WriteBar host={host} preview={preview} verb="Write to a new cell" onDone={(_, text) => onClose(text)}>
        <button type="button" onClick={() => onClose('')}>Close</button>
      </WriteBar>
    </form>
  );
}
