// The fields of the promote dialog.
import { type ReactNode, useEffect, useId, useState } from 'react';
import { ApiError, sentence, type Finding } from '../api';
import { SchemaForm } from '../shared';
import { tick, until } from './format';
import { Failure, Skeleton } from './hooks';
import type { Draft, PromoteModel } from './promote';

const PRESETS: [string, string][] = [
  ['0 6 * * *', 'Every day at 06:00'],
  ['0 7 * * MON-FRI', 'Weekdays at 07:00'],
  ['0 8 * * MON', 'Mondays at 08:00'],
  ['0 6 1 * *', 'First of the month, 06:00'],
  ['0 * * * *', 'Every hour'],
  ['*/15 * * * *', 'Every 15 minutes'],
  ['', 'Only when triggered']
];

export function PromoteForm({ model }: { model: PromoteModel }): JSX.Element {
  const [, redraw] = useState(0);
  useEffect(() => {
    const onChange = () => redraw(n => n + 1);
    model.changed.connect(onChange);
    onChange();
    return () => {
      model.changed.disconnect(onChange);
    };
  }, [model]);
  const { draft, check, fields } = model;
  return (
    <div className="aios-promote-form" data-testid="aios-promote-form" aria-busy={model.busy}>
      <p className="aios-promote-lead">
        <span className="aios-mono" title={draft.notebook}>
          {draft.notebook}
        </span>
        {' is copied as it is now and runs in a fresh kernel.'}
      </p>
      {model.message && <Failure error={new ApiError(model.message, 0, model.hint)} />}
      {model.unreadable && <Failure error={new ApiError(model.unreadable)} retry={() => void model.load()} />}
      {check && <Findings findings={check.findings} />}
      <Field name="Name" error={fields.name} help="Promoting under a name that exists makes its next version.">
        {id => (
          <input id={id} className="aios-input" value={draft.name} maxLength={100} aria-invalid={!!fields.name} onChange={e => model.set('name', e.currentTarget.value)} />
        )}
      </Field>
      <Schedule model={model} />
      {!check && !model.unreadable && <Skeleton rows={2} label="Reading the notebook" />}
      {check && check.parameters.length > 0 && (
        <fieldset className="aios-group">
          <legend>Parameters</legend>
          <SchemaForm
            all={model.parameters}
            draft={model.values}
            problems={Object.fromEntries(Object.entries(fields).map(([name, text]) => [name.replace(/^parameters\./, ''), text]))}
            onChange={values => model.setValues(values)}
          />
        </fieldset>
      )}
      {check && check.parameters.length === 0 && (
        <p className="aios-dim">
          No parameters: tag one cell “parameters” to let a job set the names assigned in it.
        </p>
      )}
      {check && check.gates.length > 0 && <Gates model={model} gates={check.gates} />}
      <fieldset className="aios-group aios-grid">
        <legend>When things go wrong</legend>
        <Field name="Missed ticks" help="While no worker was running">
          {id => (
            <select id={id} className="aios-input" value={draft.missed} onChange={e => model.set('missed', e.currentTarget.value as Draft['missed'])}>
              <option value="latest">run the latest one</option>
              <option value="all">run all, in order</option>
              <option value="skip">skip them</option>
            </select>
          )}
        </Field>
        <Field name="Retries" error={fields.retries} help="After a failed run">
          {id => (
            <input
              id={id}
              className="aios-input"
              type="number"
              min={0}
              max={20}
              value={Number.isNaN(draft.retries) ? '' : draft.retries}
              aria-invalid={!!fields.retries}
              onChange={e => model.set('retries', e.currentTarget.valueAsNumber)}
            />
          )}
        </Field>
        <Field name="Timeout" error={fields.timeout} help="30m, 2h, 1d; empty: none">
          {id => (
            <input id={id} className="aios-input" value={draft.timeout ?? ''} maxLength={50} aria-invalid={!!fields.timeout} onChange={e => model.set('timeout', e.currentTarget.value)} />
          )}
        </Field>
      </fieldset>
      {model.busy && (
        <p role="status" className="aios-dim">
          Promoting…
        </p>
      )}
    </div>
  );
}

function Schedule({ model }: { model: PromoteModel }): JSX.Element {
  const { draft, preview, fields } = model;
  const cron = draft.schedule ?? '';
  const error = fields.schedule ?? preview?.problems.schedule ?? '';
  const zoneError = fields.timezone ?? preview?.problems.timezone ?? '';
  const preset = PRESETS.some(([value]) => value === cron) ? cron : 'custom';
  const zones = useZones();
  const list = useId();
  return (
    <fieldset className="aios-group">
      <legend>Schedule</legend>
      <div className="aios-grid">
        <Field name="When">
          {id => (
            <select id={id} className="aios-input" value={preset} onChange={e => e.currentTarget.value !== 'custom' && model.set('schedule', e.currentTarget.value)}>
              {PRESETS.map(([value, words]) => (
                <option key={value} value={value}>
                  {words}
                </option>
              ))}
              <option value="custom" disabled>
                Own cron expression
              </option>
            </select>
          )}
        </Field>
        <Field name="Cron" error={error}>
          {id => (
            <input
              id={id}
              className="aios-input aios-mono"
              value={cron}
              maxLength={200}
              placeholder="minute hour day month weekday"
              spellCheck={false}
              aria-invalid={!!error}
              onChange={e => model.set('schedule', e.currentTarget.value)}
            />
          )}
        </Field>
        <Field name="Time zone" error={zoneError}>
          {id => (
            <>
              <input id={id} className="aios-input" list={list} value={draft.timezone} maxLength={100} spellCheck={false} aria-invalid={!!zoneError} onChange={e => model.set('timezone', e.currentTarget.value)} />
              <datalist id={list}>
                {zones.map(zone => (
                  <option key={zone} value={zone} />
                ))}
              </datalist>
            </>
          )}
        </Field>
      </div>
      <div className="aios-ticks" aria-live="polite" data-testid="aios-ticks">
        {preview && !error && preview.lines.length > 0 && (
          <>
            <div className="aios-label">{preview.words}</div>
            <ol>
              {preview.lines.slice(0, 5).map(({ at }, i) => (
                <li key={at}>
                  {tick(at, draft.timezone)}
                  {i === 0 && <span className="aios-dim">{` ${until(at, Date.now() / 1000)}`}</span>}
                </li>
              ))}
            </ol>
          </>
        )}
        {!cron && <span className="aios-dim">Runs only when somebody presses “Run now” or calls `aios jobs trigger`.</span>}
      </div>
    </fieldset>
  );
}

function Gates({ model, gates }: { model: PromoteModel; gates: string[] }): JSX.Element {
  const policy = model.draft.gates;
  return (
    <fieldset className="aios-group">
      <legend>Gates</legend>
      <p className="aios-dim">What answers when nobody sits in front of the notebook.</p>
      <div className="aios-grid">
        {gates.map(gate => (
          <Field key={gate} name={gate} error={model.fields[`gates.${gate}`]}>
            {id => (
              <select id={id} className="aios-input" value={String(policy[gate] ?? 'wait')} onChange={e => model.set('gates', { ...policy, [gate]: e.currentTarget.value })}>
                <option value="wait">wait for a person</option>
                <option value="approve">approve</option>
                <option value="reject">reject</option>
              </select>
            )}
          </Field>
        ))}
      </div>
    </fieldset>
  );
}

function Findings({ findings }: { findings: Finding[] }): JSX.Element | null {
  if (findings.length === 0) {
    return null;
  }
  return (
    <ul className="aios-findings" aria-label="Findings in the notebook">
      {findings.map((f, i) => (
        <li key={i} className={`aios-finding aios-is-${f.severity}`}>
          <b title={f.rule}>{f.severity === 'error' ? '✕ error' : f.severity === 'warning' ? '▲ warning' : '· note'}</b>
          {f.cell !== null && <span className="aios-dim">{` cell ${f.cell}${f.line ? `, line ${f.line}` : ''}`}</span>}
          <div>
            {`${sentence(f.message)}. `}
            <span className="aios-dim">{`${sentence(f.fix)}.`}</span>
          </div>
        </li>
      ))}
    </ul>
  );
}

export function Field(props: { name: string; error?: string; help?: string; children: (id: string) => ReactNode }): JSX.Element {
  const id = useId();
  return (
    <div className="aios-field">
      <label className="aios-field-name" htmlFor={id}>
        {props.name}
      </label>
      {props.children(id)}
      {props.error ? (
        <span className="aios-field-error" role="alert">
          {props.error}
        </span>
      ) : (
        props.help && <span className="aios-field-help">{props.help}</span>
      )}
    </div>
  );
}

function useZones(): string[] {
  const [zones] = useState<string[]>(() => {
    const known = (Intl as unknown as { supportedValuesOf?: (key: string) => string[] }).supportedValuesOf;
    return known ? ['UTC', ...known('timeZone')] : ['UTC'];
  });
  return zones;
}
