// What the notebook is given, and what answers its gates.
import { SchemaForm } from '../../shared';
import { Skeleton } from '../hooks';
import { Field } from './fields';
import { FindingList } from './finding';
import type { PromoteModel } from './model';
import { stepFor } from './steps';

export function Parameters({ model }: { model: PromoteModel }): JSX.Element {
  const { check, options } = model;
  if (!check) {
    return <Skeleton rows={3} label="Reading the notebook" />;
  }
  const problems = Object.fromEntries(Object.entries(model.fields).map(([name, text]) => [name.replace(/^parameters\./, ''), text]));
  const found = check.findings.filter(f => stepFor(f) === 'parameters' && f.severity !== 'note');
  return (
    <>
      <fieldset className="aios-group">
        <legend>Parameters</legend>
        {check.parameters.length === 0 ? (
          <p className="aios-dim">
            No parameters: tag one cell “parameters” to let a job set the names assigned in it.
          </p>
        ) : (
          <>
            <p className="aios-dim">As in the notebook, unless you change them here. A single run may still be given others.</p>
            <SchemaForm all={model.parameters} draft={model.values} problems={problems} onChange={values => model.setValues(values)} />
          </>
        )}
      </fieldset>
      <FindingList model={model} findings={found} />
      {check.gates.length > 0 && (
        <fieldset className="aios-group">
          <legend>Gates</legend>
          <p className="aios-dim">What answers when nobody sits in front of the notebook.</p>
          <div className="aios-grid">
            {check.gates.map(gate => (
              <Field key={gate} name={gate} error={model.fields[`gates.${gate}`]}>
                {(id, told) => <Gate id={id} told={told} value={options.gates[gate]} onChange={value => model.set('gates', { ...options.gates, [gate]: value })} />}
              </Field>
            ))}
          </div>
        </fieldset>
      )}
    </>
  );
}

function Gate(props: { id: string; told: object; value: unknown; onChange: (value: string) => void }): JSX.Element {
  const own = typeof props.value === 'object' && props.value !== null; // a decision with values, from job.yaml
  return (
    <select id={props.id} className="aios-input" value={own ? 'own' : String(props.value ?? 'wait')} onChange={e => props.onChange(e.currentTarget.value)} {...props.told}>
      {own && (
        <option value="own" disabled>
          as in job.yaml, with values
        </option>
      )}
      <option value="wait">wait for a person</option>
      <option value="approve">approve</option>
      <option value="reject">reject</option>
    </select>
  );
}
