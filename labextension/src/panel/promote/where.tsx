// Where the job runs: here, or on the team's own scheduler, with what would be written for it.
import type { TargetInfo } from '../../api';
import { Skeleton } from '../hooks';
import { Field, Radios } from './fields';
import { FileList } from './files';
import type { PromoteModel } from './model';
import { EMBEDDED } from './steps';

const HERE: TargetInfo = {
  name: EMBEDDED,
  title: 'AIOS scheduler',
  evidence: 'real',
  evidence_words: 'executed in our tests: ticks, missed runs, two workers, kill -9',
  proof: 'Runs in this workspace with `aios worker`: history, logs, versions, roll back, approvals. Needs no other system.',
  grains: ['notebook'],
  folder: ''
};

export function Where({ model }: { model: PromoteModel }): JSX.Element {
  const targets = [HERE, ...(model.opening?.targets ?? [])];
  const chosen = targets.find(t => t.name === model.target) ?? HERE;
  return (
    <div className="aios-where">
      <fieldset className="aios-targets">
        <legend className="aios-hidden">Where it runs</legend>
        {targets.map(target => (
          <label key={target.name} className={`aios-target${target.name === model.target ? ' aios-mod-chosen' : ''}`} title={target.proof}>
            <input
              type="radio"
              name="aios-target"
              checked={target.name === model.target}
              onChange={() => model.put({ target: target.name, grain: 'notebook', folder: target.folder })}
            />
            <span className="aios-target-title">{target.title}</span>
            <span className="aios-tag" title={target.evidence_words}>
              {target.evidence}
            </span>
          </label>
        ))}
      </fieldset>
      <div className="aios-target-detail">
        <p>
          <b>{chosen.title}</b> {chosen.name === EMBEDDED ? chosen.proof : 'gets files: the bundle, and code or configuration that runs it. They are written when you confirm in the last step.'}
        </p>
        <p className="aios-dim">{`Evidence: ${chosen.evidence} — ${chosen.evidence_words}${chosen.name === EMBEDDED ? '' : ` (${chosen.proof})`}.`}</p>
        {chosen.name !== EMBEDDED && <Details model={model} target={chosen} />}
      </div>
    </div>
  );
}

function Details({ model, target }: { model: PromoteModel; target: TargetInfo }): JSX.Element {
  const { files } = model;
  const base = model.opening?.folder ?? '';
  return (
    <>
      {target.grains.length > 1 && (
        <Radios
          legend="As"
          value={model.grain}
          choices={[
            ['notebook', 'one task: the notebook'],
            ['steps', 'a task for each step of its workflow']
          ]}
          onChoose={grain => model.put({ grain })}
        />
      )}
      <Field name="Folder" error={model.fields.folder} help={`Below ${base === '.' || !base ? 'the project’s folder' : base}; nothing outside of it is written`}>
        {(id, told) => (
          <input id={id} className="aios-input aios-mono" value={model.folder} maxLength={500} spellCheck={false} placeholder="the project’s folder itself" onChange={e => model.put({ folder: e.currentTarget.value })} {...told} />
        )}
      </Field>
      {files ? (
        <>
          {files.limits.length > 0 && (
            <div className="aios-notice" data-testid="aios-limits">
              <b>{`What ${files.title} cannot express of this job`}</b>
              <ul>
                {files.limits.map(limit => (
                  <li key={limit}>{limit}</li>
                ))}
              </ul>
            </div>
          )}
          <FileList files={files} />
        </>
      ) : (
        model.busy === 'files' && <Skeleton rows={3} label="Rendering the files" />
      )}
    </>
  );
}
