// What else starts the job: other jobs that have ended, events that are told.
import { useId } from 'react';
import type { JobAfter, JobEvent } from '../../api';
import { plural } from '../format';
import { Button, IconButton } from '../hooks';
import { ChoiceOption, More } from './fields';
import type { PromoteModel } from './model';

const ENDS: [JobAfter['on'], string][] = [
  ['succeeded', 'succeeded'],
  ['failed', 'failed'],
  ['ended', 'ended, however']
];

export function Triggers({ model }: { model: PromoteModel }): JSX.Element {
  const { after, on_event: events } = model.options;
  const said = [after.length && `after ${plural(after.length, 'job')}`, events.length && `on ${plural(events.length, 'event')}`].filter(Boolean).join(', ');
  return (
    <More title="After other jobs, on events" said={said || 'none'} open={after.length + events.length > 0}>
      <After model={model} />
      <Events model={model} />
    </More>
  );
}

function After({ model }: { model: PromoteModel }): JSX.Element {
  const { after } = model.options;
  const others = (model.opening?.jobs ?? []).filter(name => name !== model.options.name.trim());
  const all = [...new Set([...others, ...after.map(a => a.job)])];
  const error = model.problem('after');
  const toggle = (job: string, on: boolean) => model.set('after', on ? [...after, { job, on: 'succeeded' }] : after.filter(a => a.job !== job));
  return (
    <fieldset className="aios-group">
      <legend>After other jobs</legend>
      {all.length === 0 && <p className="aios-dim">There is no other job in this workspace yet.</p>}
      <ul className="aios-plain">
        {all.map(job => {
          const chosen = after.find(a => a.job === job);
          return (
            <li key={job} className="aios-row aios-wrap">
              <label className="aios-radio">
                <input type="checkbox" checked={!!chosen} onChange={e => toggle(job, e.currentTarget.checked)} />
                <span>{job}</span>
              </label>
              {chosen && (
                <select
                  className="aios-input aios-inline"
                  aria-label={`When ${job} has`}
                  value={chosen.on}
                  onChange={e => model.set('after', after.map(a => (a.job === job ? { ...a, on: e.currentTarget.value as JobAfter['on'] } : a)))}
                >
                  {ENDS.map(([value, words]) => (
                    <option key={value} value={value}>
                      {words}
                    </option>
                  ))}
                </select>
              )}
            </li>
          );
        })}
      </ul>
      {after.length > 1 && <ChoiceOption model={model} name="after_mode" label="Of these" choices={[['all', 'all must have ended anew'], ['any', 'any one is enough']]} />}
      {error && (
        <span className="aios-field-error" role="alert">
          {error}
        </span>
      )}
    </fieldset>
  );
}

function Events({ model }: { model: PromoteModel }): JSX.Element {
  const events = model.options.on_event;
  const id = useId();
  const error = model.problem('on_event');
  const put = (at: number, value: JobEvent) => model.set('on_event', events.map((e, i) => (i === at ? value : e)));
  return (
    <fieldset className="aios-group">
      <legend>On an event</legend>
      <p className="aios-dim">
        Told by `aios events emit`, by a notebook or by another system; `*` stands for any characters. Each event starts it once.
      </p>
      {events.map((event, i) => (
        <div key={i} className="aios-row">
          <input
            id={`${id}-${i}`}
            className="aios-input aios-mono"
            aria-label={`Event ${i + 1}`}
            value={event.event}
            maxLength={200}
            placeholder="orders.ready"
            spellCheck={false}
            onChange={e => put(i, { ...event, event: e.currentTarget.value })}
          />
          {Object.keys(event.where).length > 0 && <span className="aios-tag">{`where ${JSON.stringify(event.where)}`}</span>}
          <IconButton label={`Remove event ${i + 1}`} onClick={() => model.set('on_event', events.filter((_, n) => n !== i))}>
            ✕
          </IconButton>
        </div>
      ))}
      {error && (
        <span className="aios-field-error" role="alert">
          {error}
        </span>
      )}
      <div className="aios-actions">
        <Button onClick={() => model.set('on_event', [...events, { event: '', where: {}, parameters: {} }])}>Add an event</Button>
      </div>
    </fieldset>
  );
}
