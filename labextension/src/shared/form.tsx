// A form drawn from a JSON schema, with what is wrong said beside each field.
import { useId } from 'react';

import type { Draft, Field } from './schema';

interface Props {
  all: Field[];
  draft: Draft;
  problems: Record<string, string>;
  onChange: (draft: Draft) => void;
}

export function SchemaForm({ all, draft, problems, onChange }: Props): JSX.Element {
  const prefix = useId();
  return (
    <div className="aiosw-form">
      {all.map((f, i) => (
        <FormField
          key={f.name}
          id={`${prefix}-${i}`}
          field={f}
          value={draft[f.name]}
          problem={problems[f.name]}
          onChange={value => onChange({ ...draft, [f.name]: value })}
        />
      ))}
    </div>
  );
}

interface FieldProps {
  id: string;
  field: Field;
  value: string | boolean;
  problem?: string;
  onChange: (value: string | boolean) => void;
}

function FormField({ id, field: f, value, problem, onChange }: FieldProps): JSX.Element {
  const hint = f.description ? `${id}-hint` : '';
  const told = problem ? `${id}-problem` : '';
  const common = {
    id,
    'aria-describedby': [hint, told].filter(Boolean).join(' ') || undefined,
    'aria-invalid': problem ? true : undefined,
    'aria-required': f.required || undefined
  };
  return (
    <div className="aiosw-field" data-kind={f.kind}>
      <label htmlFor={id}>
        {f.label}
        {f.required && f.kind !== 'boolean' && <span className="aiosw-required"> required</span>}
      </label>
      {input()}
      {f.description && <small id={hint}>{f.description}</small>}
      {problem && <p id={told} className="aiosw-problem" role="alert">{problem}</p>}
    </div>
  );

  function input(): JSX.Element {
    const text = String(value ?? '');
    const onText = (e: { target: { value: string } }): void => onChange(e.target.value);
    switch (f.kind) {
      case 'boolean':
        return <input {...common} type="checkbox" checked={value === true} onChange={e => onChange(e.target.checked)} />;
      case 'enum':
        return (
          <select {...common} value={text} onChange={onText}>
            {(text === '' || f.nullable) && <option value="">{f.nullable ? '(none)' : 'choose…'}</option>}
            {f.options.map(o => (
              <option key={JSON.stringify(o)} value={JSON.stringify(o)}>{String(o)}</option>
            ))}
          </select>
        );
      case 'long':
      case 'json':
        return <textarea {...common} rows={3} value={text} onChange={onText} spellCheck={f.kind === 'long'} />;
      case 'number':
      case 'integer':
        // Not type=number: it swallows what it does not understand, so nothing could be said about it.
        return <input {...common} type="text" inputMode="decimal" value={text} onChange={onText} />;
      default:
        return <input {...common} type={f.kind === 'date' ? 'date' : 'text'} value={text} onChange={onText} />;
    }
  }
}
