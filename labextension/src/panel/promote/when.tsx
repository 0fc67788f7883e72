// When the job runs: clicked together, in plain words, with the next runs and what the clock does to them.
import { useId, useState } from 'react';
import { until } from '../format';
import { type Clicked, DAYS, type Mode, month, read, span, week, WEEK } from './cron';
import { Field, Radios, TextOption, Toggles } from './fields';
import { FindingList } from './finding';
import type { PromoteModel } from './model';
import { stepFor } from './steps';
import { Triggers } from './triggers';
import { Wrong } from './wrong';

const MODES: [Mode, string][] = [
  ['manual', 'Only when started'],
  ['interval', 'Every so often'],
  ['week', 'Days of the week'],
  ['month', 'Days of the month'],
  ['cron', 'Cron']
];
const START: Clicked = { hour: 6, minute: 0, days: [...WEEK], dates: [1] };
const DATES: (number | 'L')[] = [...Array.from({ length: 31 }, (_, i) => i + 1), 'L'];

export function When({ model }: { model: PromoteModel }): JSX.Element {
  const { options, mode, check } = model;
  const [clicked, setClicked] = useState<Clicked>(() => ({ ...START, ...read(options.schedule ?? '')?.clicked }));
  const found = check?.findings.filter(f => stepFor(f) === 'when' && f.severity !== 'note') ?? [];
  const choose = (next: Mode) => {
    model.setMode(next);
    const now = next === 'week' ? { schedule: week(clicked), every: null } : next === 'month' ? { schedule: month(clicked), every: null } : null;
    model.change(now ?? (next === 'interval' ? { schedule: null, every: options.every ?? '15m' } : { schedule: next === 'cron' ? (options.schedule ?? week(clicked)) : null, every: null }));
  };
  const click = (values: Partial<Clicked>) => {
    const next = { ...clicked, ...values };
    setClicked(next);
    model.set('schedule', mode === 'month' ? month(next) : week(next));
  };
  return (
    <>
      <fieldset className="aios-group">
        <legend>Schedule</legend>
        <Radios legend="How often" hidden value={mode} choices={MODES} onChoose={choose} />
        <div className="aios-when">
          {mode === 'interval' && <Interval model={model} />}
          {mode === 'week' && (
            <div className="aios-field">
              <span className="aios-field-name">On</span>
              <Toggles label="Days of the week" all={WEEK} on={clicked.days} words={d => DAYS[d].slice(0, 3)} title={d => DAYS[d]} onChange={days => click({ days: days.length ? days : clicked.days })} />
            </div>
          )}
          {mode === 'month' && (
            <div className="aios-field">
              <span className="aios-field-name">On the</span>
              <Toggles
                label="Days of the month"
                all={DATES}
                on={clicked.dates}
                words={d => (d === 'L' ? 'last' : String(d))}
                title={d => (d === 'L' ? 'The last day of the month' : `Day ${d}`)}
                onChange={dates => click({ dates: dates.length ? dates : clicked.dates })}
              />
              {clicked.dates.some(d => d !== 'L' && d > 28) && <span className="aios-field-help">A month without that day has no run; “last” is in every month.</span>}
            </div>
          )}
          {(mode === 'week' || mode === 'month') && <Time clicked={clicked} onChange={click} />}
          {mode === 'cron' && <TextOption model={model} name="schedule" label="Cron" mono most={200} placeholder="minute hour day month weekday" help="Five fields: minute, hour, day of month, month, weekday" />}
          {mode !== 'manual' && <Zone model={model} />}
        </div>
        <Preview model={model} />
      </fieldset>
      <FindingList model={model} findings={found} />
      <Triggers model={model} />
      <Wrong model={model} />
    </>
  );
}

function Time({ clicked, onChange }: { clicked: Clicked; onChange: (values: Partial<Clicked>) => void }): JSX.Element {
  const pad = (n: number): string => String(n).padStart(2, '0');
  return (
    <Field name="At" className="aios-short">
      {id => (
        <input
          id={id}
          type="time"
          className="aios-input"
          value={`${pad(clicked.hour)}:${pad(clicked.minute)}`}
          onChange={e => {
            const [hour, minute] = e.currentTarget.value.split(':').map(Number);
            if (Number.isInteger(hour) && Number.isInteger(minute)) {
              onChange({ hour, minute });
            }
          }}
        />
      )}
    </Field>
  );
}

function Interval({ model }: { model: PromoteModel }): JSX.Element {
  const { every } = model.options;
  const given = span(every);
  const [count, setCount] = useState(String(given?.count ?? 15));
  const [unit, setUnit] = useState(given?.unit ?? 'm');
  const put = (n: string, u: string) => model.set('every', n.trim() ? `${n.trim()}${u}` : '');
  return (
    <>
      <Field name="Every" className="aios-short" error={model.problem('every') ?? (count.trim() ? undefined : 'How many?')}>
        {(id, told) => (
          <span className="aios-row">
            <input
              id={id}
              className="aios-input"
              inputMode="numeric"
              size={4}
              value={count}
              maxLength={8}
              onChange={e => {
                setCount(e.currentTarget.value);
                put(e.currentTarget.value, unit);
              }}
              {...told}
            />
            <select
              aria-label="Unit"
              className="aios-input"
              value={unit}
              onChange={e => {
                setUnit(e.currentTarget.value as 'm');
                put(count, e.currentTarget.value);
              }}
            >
              <option value="s">seconds</option>
              <option value="m">minutes</option>
              <option value="h">hours</option>
              <option value="d">days</option>
            </select>
          </span>
        )}
      </Field>
      <TextOption model={model} name="starting" label="Starting" placeholder="2026-01-31T06:00" help="Empty: at full hours and days, UTC" />
    </>
  );
}

function Zone({ model }: { model: PromoteModel }): JSX.Element {
  const list = useId();
  const [zones] = useState<string[]>(() => {
    const known = (Intl as unknown as { supportedValuesOf?: (key: string) => string[] }).supportedValuesOf;
    return known ? ['UTC', ...known('timeZone')] : ['UTC'];
  });
  return (
    <>
      <TextOption model={model} name="timezone" label="Time zone" list={list} most={100} />
      <datalist id={list}>
        {zones.map(zone => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
    </>
  );
}

function Preview({ model }: { model: PromoteModel }): JSX.Element {
  const { preview } = model;
  const now = Date.now() / 1000;
  if (!preview) {
    return <div className="aios-ticks" data-testid="aios-ticks" />;
  }
  return (
    <div className="aios-ticks" aria-live="polite" data-testid="aios-ticks">
      {preview.message && (
        <span className="aios-field-error" role="alert">
          {preview.message}
        </span>
      )}
      {preview.words && <div className="aios-ticks-words">{preview.words}</div>}
      {preview.lines.length > 0 && (
        <ol aria-label="The next runs">
          {preview.lines.map((line, i) => (
            <li key={`${line.at} ${line.runs}`} className={line.runs ? '' : 'aios-is-left-out'} title={`${line.utc} UTC`}>
              <span>{line.runs ? line.local : `no run ${line.local}`}</span>
              {i === 0 && line.runs && <span className="aios-dim">{` ${until(line.at, now)}`}</span>}
              {line.note && <span className="aios-tick-note">{`△ ${line.note}`}</span>}
            </li>
          ))}
        </ol>
      )}
      {model.mode === 'manual' && !model.options.after.length && !model.options.on_event.length && (
        <span className="aios-dim">It runs when somebody presses “Run now” or calls `aios jobs run`.</span>
      )}
    </div>
  );
}
