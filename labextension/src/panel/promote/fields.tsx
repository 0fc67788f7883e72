// A labelled field with what is wrong beside it, and the kinds of fields the dialog is made of.
import { type ReactNode, useId, useState } from 'react';
import type { PromoteModel } from './model';
import type { Options } from './options';

interface FieldProps {
  name: string;
  error?: string;
  help?: string;
  className?: string;
  children: (id: string, described: { 'aria-describedby'?: string; 'aria-invalid'?: true }) => ReactNode;
}

export function Field({ name, error, help, className = '', children }: FieldProps): JSX.Element {
  const id = useId();
  const told = `${id}-told`;
  return (
    <div className={`aios-field ${className}`}>
      <label className="aios-field-name" htmlFor={id}>
        {name}
      </label>
      {children(id, { 'aria-describedby': error || help ? told : undefined, 'aria-invalid': error ? true : undefined })}
      {error ? (
        <span id={told} className="aios-field-error" role="alert">
          {error}
        </span>
      ) : (
        help && (
          <span id={told} className="aios-field-help">
            {help}
          </span>
        )
      )}
    </div>
  );
}

type Key<T> = { [K in keyof Options]: Options[K] extends T ? K : never }[keyof Options];

/** A line of text that is an option. */
export function TextOption(props: { model: PromoteModel; name: Key<string | null>; label: string; help?: string; mono?: boolean; placeholder?: string; list?: string; most?: number }): JSX.Element {
  const { model, name } = props;
  return (
    <Field name={props.label} help={props.help} error={model.problem(name)}>
      {(id, told) => (
        <input
          id={id}
          className={`aios-input${props.mono ? ' aios-mono' : ''}`}
          value={(model.options[name] as string | null) ?? ''}
          maxLength={props.most ?? 50}
          list={props.list}
          placeholder={props.placeholder}
          spellCheck={false}
          autoComplete="off"
          onChange={e => model.set(name, e.currentTarget.value as never)}
          {...told}
        />
      )}
    </Field>
  );
}

/** A whole number that is an option. */
export function NumberOption(props: { model: PromoteModel; name: Key<number>; label: string; help?: string; min: number; max: number }): JSX.Element {
  const { model, name } = props;
  const value = model.options[name] as number;
  return (
    <Field name={props.label} help={props.help} error={model.problem(name)}>
      {(id, told) => (
        <input
          id={id}
          className="aios-input"
          type="number"
          min={props.min}
          max={props.max}
          value={Number.isNaN(value) ? '' : value}
          onChange={e => model.set(name, e.currentTarget.valueAsNumber as never)}
          {...told}
        />
      )}
    </Field>
  );
}

/** One of a few words that is an option. */
export function ChoiceOption(props: { model: PromoteModel; name: keyof Options; label: string; help?: string; choices: [string, string][] }): JSX.Element {
  const { model, name } = props;
  return (
    <Field name={props.label} help={props.help} error={model.problem(name)}>
      {(id, told) => (
        <select id={id} className="aios-input" value={String(model.options[name])} onChange={e => model.set(name, e.currentTarget.value as never)} {...told}>
          {props.choices.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** One of several, all in sight. */
export function Radios<T extends string>(props: { legend: string; value: T; choices: [T, string][]; onChoose: (value: T) => void; hidden?: boolean }): JSX.Element {
  const name = useId();
  return (
    <fieldset className="aios-radios">
      <legend className={props.hidden ? 'aios-hidden' : 'aios-field-name'}>{props.legend}</legend>
      {props.choices.map(([value, words]) => (
        <label key={value} className="aios-radio">
          <input type="radio" name={name} checked={props.value === value} onChange={() => props.onChoose(value)} />
          <span>{words}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** Days and dates: buttons that stay pressed. */
export function Toggles<T extends string | number>(props: { label: string; all: readonly T[]; on: readonly T[]; words: (value: T) => string; title?: (value: T) => string; onChange: (on: T[]) => void }): JSX.Element {
  return (
    <div className="aios-toggles" role="group" aria-label={props.label}>
      {props.all.map(value => {
        const pressed = props.on.includes(value);
        return (
          <button
            key={value}
            type="button"
            className="aios-toggle"
            aria-pressed={pressed}
            aria-label={props.title?.(value)}
            title={props.title?.(value)}
            onClick={() => props.onChange(pressed ? props.on.filter(v => v !== value) : [...props.on, value])}
          >
            {props.words(value)}
          </button>
        );
      })}
    </div>
  );
}

/** What most people leave as it is; its heading says what that is. Stays open while something in it is wrong. */
export function More(props: { title: string; said: string; open?: boolean; wrong?: boolean; testId?: string; children: ReactNode }): JSX.Element {
  const [open, setOpen] = useState(!!props.open || !!props.wrong);
  return (
    <details className="aios-more-fold" open={open || props.wrong} onToggle={e => setOpen(e.currentTarget.open)} data-testid={props.testId}>
      <summary>
        {props.title} <span className="aios-dim">{props.said}</span>
      </summary>
      {props.children}
    </details>
  );
}
