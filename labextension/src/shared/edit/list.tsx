// A list one adds to and takes from: each entry with its own button, and a field that proposes what there is.
import { useId, useRef, useState } from 'react';

const PROPOSED = 400;

interface Props {
  label: string;
  help: string;
  values: string[];
  choices: readonly string[];
  /** Whether only `choices` can be added. */
  strict?: boolean;
  problem?: string;
  disabled?: boolean;
  onChange: (values: string[]) => void;
}

export function ListField({ label, help, values, choices, strict = false, problem, disabled, onChange }: Props): JSX.Element {
  const id = useId();
  const [text, setText] = useState('');
  const [said, setSaid] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const open = choices.filter(c => !values.includes(c));
  const add = (value: string): void => {
    const name = value.trim();
    if (!name) {
      return;
    }
    if (strict && !choices.includes(name)) {
      setSaid(`There is no “${name}” to choose.`);
      return;
    }
    setSaid('');
    setText('');
    if (!values.includes(name)) {
      onChange([...values, name]);
    }
  };
  return (
    <div className="aiosw-field aiosw-edit-list" role="group" aria-labelledby={`${id}-label`}>
      <label id={`${id}-label`} htmlFor={id}>{label}</label>
      {values.length > 0 && (
        <ul className="aiosw-chips">
          {values.map(v => (
            <li key={v}>
              <span className="aiosw-ellipsis" title={v}>{v}</span>
              <button
                type="button"
                disabled={disabled}
                aria-label={`Remove ${v} from ${label}`}
                onClick={() => {
                  onChange(values.filter(other => other !== v));
                  input.current?.focus();
                }}
              >
                ✕
              </button>
            </li>
          ))}
        </ul>
      )}
      <span className="aiosw-edit-add">
        <input
          ref={input}
          id={id}
          type="text"
          list={`${id}-choices`}
          value={text}
          disabled={disabled}
          autoComplete="off"
          spellCheck={false}
          placeholder={strict && open.length === 0 ? 'nothing to choose' : 'add…'}
          aria-describedby={`${id}-help`}
          aria-invalid={problem || said ? true : undefined}
          onChange={e => {
            setText(e.target.value);
            setSaid('');
            // Chosen with the mouse from what is proposed: no key follows.
            if ((e.nativeEvent as InputEvent).inputType === 'insertReplacementText' && open.includes(e.target.value)) {
              add(e.target.value);
            }
          }}
          onKeyDown={e => {
            if (e.key === 'Enter') {
              e.preventDefault();
              add(text);
            }
          }}
        />
        <button type="button" disabled={disabled || !text.trim()} aria-label={`Add to ${label}`} onClick={() => add(text)}>Add</button>
      </span>
      <datalist id={`${id}-choices`}>
        {open.slice(0, PROPOSED).map(c => <option key={c} value={c} />)}
      </datalist>
      <small id={`${id}-help`}>{help}</small>
      {(problem || said) && <p className="aiosw-problem" role="alert">{problem || said}</p>}
    </div>
  );
}
