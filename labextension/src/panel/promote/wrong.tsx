// What becomes of a run that fails, hangs, is missed or comes too early; who is told.
import { plural } from '../format';
import { ChoiceOption, Field, More, NumberOption, TextOption } from './fields';
import type { PromoteModel } from './model';
import { stepOf } from './steps';

const OWN = ['missed', 'catch_up', 'overlap', 'concurrency', 'retries', 'retry_delay', 'timeout', 'memory', 'late_after', 'absent_after', 'alerts', 'approvals', 'slo'];

export function Wrong({ model }: { model: PromoteModel }): JSX.Element {
  const { options } = model;
  const wrong = OWN.some(name => model.problem(name) && stepOf(name) === 'when');
  const said = [
    Number.isInteger(options.retries) && plural(options.retries, 'retry', 'retries'),
    options.timeout ? `at most ${options.timeout}` : 'no timeout',
    options.alerts.length ? plural(options.alerts.length, 'alert') : 'nobody is told'
  ].filter(Boolean);
  return (
    <More title="If something goes wrong" said={said.join(', ')} wrong={wrong} testId="aios-wrong">
      <div className="aios-grid">
        <NumberOption model={model} name="retries" label="Retries" help="After a failed run" min={0} max={20} />
        {options.retries > 0 && <TextOption model={model} name="retry_delay" label="Wait before a retry" help="30s, 5m" />}
        <TextOption model={model} name="timeout" label="Timeout" help="30m, 2h, 1d; empty: none" />
        <TextOption model={model} name="memory" label="Memory at most" help="2GB; empty: what there is" />
        <ChoiceOption
          model={model}
          name="missed"
          label="Missed ticks"
          help="While no worker was running"
          choices={[
            ['latest', 'run the latest one'],
            ['all', 'run all, in order'],
            ['skip', 'skip them']
          ]}
        />
        {options.missed === 'all' && <NumberOption model={model} name="catch_up" label="At most so many of them" min={1} max={1000} />}
        <ChoiceOption
          model={model}
          name="overlap"
          label="Still running when it is due"
          choices={[
            ['forbid', 'skip the new run'],
            ['queue', 'let it wait'],
            ['replace', 'cancel the old run']
          ]}
        />
        <NumberOption model={model} name="concurrency" label="Runs at once" min={1} max={100} />
        <TextOption model={model} name="late_after" label="Late after" help="Tell when a run has not ended by then" placeholder="2h" />
        <TextOption model={model} name="absent_after" label="Absent after" help="Tell when no run has succeeded for so long" placeholder="2d" />
        <NumberOption model={model} name="approvals" label="Approvals by others" help="Before a new version runs" min={0} max={10} />
      </div>
      <Field name="Who is told" error={model.problem('alerts')} help="A line each: slack://…, mailto://…, json://…, or $NAME of an environment variable that holds one; passwords belong there.">
        {(id, told) => (
          <textarea
            id={id}
            className="aios-input aios-mono"
            rows={2}
            spellCheck={false}
            value={options.alerts.join('\n')}
            placeholder="$OPS_CHANNEL"
            onChange={e => model.set('alerts', e.currentTarget.value ? e.currentTarget.value.split('\n') : [])}
            {...told}
          />
        )}
      </Field>
    </More>
  );
}
