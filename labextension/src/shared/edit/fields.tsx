// The single fields of the settings form.
import { useId } from 'react';

interface TextProps {
  label: string;
  help: string;
  value: string;
  placeholder?: string;
  choices?: readonly string[];
  problem?: string;
  disabled?: boolean;
  onChange: (value: string) => void;
}

export function TextField({ label, help, value, placeholder, choices, problem, disabled, onChange }: TextProps): JSX.Element {
  const id = useId();
  return (
    <div className="aiosw-field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="text"
        value={value}
        placeholder={placeholder}
        disabled={disabled}
        autoComplete="off"
        spellCheck={false}
        list={choices ? `${id}-choices` : undefined}
        aria-describedby={`${id}-help${problem ? ` ${id}-problem` : ''}`}
        aria-invalid={problem ? true : undefined}
        onChange={e => onChange(e.target.value)}
      />
      {choices && <datalist id={`${id}-choices`}>{choices.slice(0, 400).map(c => <option key={c} value={c} />)}</datalist>}
      <small id={`${id}-help`}>{help}</small>
      {problem && <p id={`${id}-problem`} className="aiosw-problem" role="alert">{problem}</p>}
    </div>
  );
}

interface CheckProps {
  label: string;
  help: string;
  value: boolean;
  problem?: string;
  disabled?: boolean;
  onChange: (value: boolean) => void;
}

export function CheckField({ label, help, value, problem, disabled, onChange }: CheckProps): JSX.Element {
  const id = useId();
  return (
    <div className="aiosw-field" data-kind="boolean">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="checkbox"
        checked={value}
        disabled={disabled}
        aria-describedby={`${id}-help`}
        onChange={e => onChange(e.target.checked)}
      />
      <small id={`${id}-help`}>{help}</small>
      {problem && <p className="aiosw-problem" role="alert">{problem}</p>}
    </div>
  );
}

interface ChoiceProps {
  label: string;
  help: string;
  value: string;
  options: readonly { value: string; label: string }[];
  problem?: string;
  disabled?: boolean;
  onChange: (value: string) => void;
}

export function ChoiceField({ label, help, value, options, problem, disabled, onChange }: ChoiceProps): JSX.Element {
  const id = useId();
  return (
    <div className="aiosw-field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} disabled={disabled} aria-describedby={`${id}-help`} onChange={e => onChange(e.target.value)}>
        {options.map(o => <option key={o.value} value={o.value}>{o.label}</option>)}
      </select>
      <small id={`${id}-help`}>{help}</small>
      {problem && <p className="aiosw-problem" role="alert">{problem}</p>}
    </div>
  );
}
