// A fitted model: its parameters, what fitting gave, its parts.
import { count } from '../../format';
import type { Host } from '../types';

export const MODEL = 'application/vnd.aios.model+json';

export interface Model {
  class: string;
  parameters: Record<string, string>;
  fitted: { name: string; type: string; shape: number[] | null; value: string | null }[];
  features: number | null;
  feature_names: string[] | null;
  steps: (Model & { name: string })[];
}

export function ModelView({ host, model, label }: { host: Host; model: Model; label: string }): JSX.Element {
  const parameters = Object.entries(model.parameters ?? {});
  const fitted = model.fitted ?? [];
  const name = model.class.split('.').pop() ?? model.class;
  return (
    <section className="aiosw-record" aria-label={label}>
      <p className="aiosw-facts-line">
        <b>{name}</b>
        <code className="aiosw-quiet">{model.class}</code>
        {model.features !== null && <span>{`${count(model.features)} ${model.features === 1 ? 'feature' : 'features'}`}</span>}
      </p>
      <div className="aiosw-record-pair">
        {parameters.length > 0 && (
          <table className="aiosw-table">
            <caption>Parameters</caption>
            <tbody>{parameters.map(([k, v]) => <tr key={k}><th scope="row">{k}</th><td><code>{String(v)}</code></td></tr>)}</tbody>
          </table>
        )}
        {fitted.length > 0 && (
          <table className="aiosw-table">
            <caption>Fitted</caption>
            <tbody>
              {fitted.map(f => (
                <tr key={f.name}>
                  <th scope="row">{f.name}</th>
                  <td><code>{f.value ?? [f.type, f.shape?.join(' × ')].filter(Boolean).join(' ')}</code></td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      {model.feature_names && model.feature_names.length > 0 && (
        <details>
          <summary>{`Names of the features (${count(model.feature_names.length)})`}</summary>
          <p className="aiosw-anywhere">{model.feature_names.join(', ')}</p>
        </details>
      )}
      {(model.steps ?? []).map(s => (
        <div key={s.name} className="aiosw-inside">
          <h4>{s.name}</h4>
          <ModelView host={host} model={s} label={`Part ${s.name}`} />
        </div>
      ))}
    </section>
  );
}
