// All of it once more, what it changes against the version that runs, and who else must agree.
import type { PromoteReview } from '../../api';
import { brief, plural } from '../format';
import { Failure, Skeleton } from '../hooks';
import { Field, Radios } from './fields';
import { Diff, FileList } from './files';
import { FindingList } from './finding';
import type { PromoteModel } from './model';
import { EMBEDDED } from './steps';
import { worded } from './options';

export function Approve({ model }: { model: PromoteModel }): JSX.Element {
  const { review, files } = model;
  const here = model.target === EMBEDDED;
  if (model.busy === 'review' || model.checking) {
    return <Skeleton rows={5} label="Comparing with what runs" />;
  }
  return (
    <>
      <Facts model={model} />
      {model.errors.length > 0 && (
        <section aria-label="Errors">
          <h4 className="aios-label">To put right first</h4>
          <FindingList model={model} findings={model.errors} />
        </section>
      )}
      {here && review && <Changes review={review} />}
      {!here && files && (
        <section aria-label="What is written">
          <h4 className="aios-label">What is written</h4>
          <FileList files={files} />
        </section>
      )}
      {!here && !files && !model.failure && <Skeleton rows={2} label="Rendering the files" />}
      {here && review && <Agree model={model} review={review} />}
      {here && (
        <Field name="Note" help="What is new, for those who look at the versions later">
          {id => <textarea id={id} className="aios-input" rows={2} maxLength={2000} value={model.note} onChange={e => model.put({ note: e.currentTarget.value })} />}
        </Field>
      )}
    </>
  );
}

function Facts({ model }: { model: PromoteModel }): JSX.Element {
  const { review, options, preview } = model;
  const given = Object.entries(model.body().parameters);
  const gates = Object.entries(options.gates);
  const version = review ? (review.same ? `version ${review.version}, nothing changed` : review.version ? `version ${review.next_version}, after ${review.version}` : 'version 1, new') : '';
  const rows: [string, string][] = [
    ['Job', [options.name.trim(), version].filter(Boolean).join(', ')],
    ['Runs', preview?.words ?? ''],
    ['Where', model.target === EMBEDDED ? 'AIOS scheduler, in this workspace' : `${model.files?.title ?? model.target}, folder ${model.folder || '.'}`],
    ['Parameters', given.map(([name, value]) => `${name} = ${brief(value, 60)}`).join(', ') || 'as in the notebook'],
    ['Gates', gates.map(([name, value]) => `${name}: ${typeof value === 'string' ? value : 'decided'}`).join(', ')],
    ['If it fails', [plural(options.retries, 'retry', 'retries'), options.alerts.length ? `${plural(options.alerts.length, 'channel')} told` : 'nobody is told'].join(', ')]
  ];
  return (
    <dl className="aios-facts" data-testid="aios-facts">
      {rows
        .filter(([, value]) => value)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

function Changes({ review }: { review: PromoteReview }): JSX.Element | null {
  if (review.version === null) {
    return null;
  }
  const { options, cells, others } = review;
  return (
    <section aria-label="What changes" data-testid="aios-changes">
      <h4 className="aios-label">{review.same ? `Nothing differs from version ${review.version}` : `What changes against version ${review.version}`}</h4>
      {options.length > 0 && (
        <div className="aiosw-scroll">
          <table className="aiosw-table aios-options">
            <thead>
              <tr>
                <th scope="col">option</th>
                <th scope="col">now</th>
                <th scope="col">then</th>
              </tr>
            </thead>
            <tbody>
              {options.map(({ option, old, new: now }) => (
                <tr key={option}>
                  <td>{worded(option)}</td>
                  <td>{said(old)}</td>
                  <td>{said(now)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {cells.map((cell, i) => (
        <details key={i} className="aios-more-fold" open={cells.length <= 3}>
          <summary>{`Cell ${cell.new ?? cell.old} ${cell.kind}`}</summary>
          {cell.diff && <Diff text={cell.diff} label={`Cell ${cell.new ?? cell.old}`} />}
        </details>
      ))}
      {others.length > 0 && (
        <ul className="aios-plain">
          {others.map(what => (
            <li key={what}>{`± ${what}`}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

function said(value: unknown): string {
  const empty = value === null || value === undefined || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
  return empty ? '—' : brief(value, 80);
}

function Agree({ model, review }: { model: PromoteModel; review: PromoteReview }): JSX.Element {
  const needed = review.approvals_needed;
  return (
    <>
      {needed > 0 && !review.same && (
        <p className="aios-notice" data-testid="aios-approvals">
          {`${plural(needed, 'other person has', 'other people have')} to agree before ${review.version ? 'this version runs; until then the one before goes on' : 'it runs'}. ${review.approvals_why}`}
        </p>
      )}
      {review.version !== null && !review.same && (
        <Radios
          legend="The version that runs now"
          value={model.rollout}
          choices={[
            ['', 'is replaced at once'],
            ['canary', 'goes on; the new one gets a share of the runs (canary)'],
            ['shadow', 'goes on; the new one runs beside it and is compared (shadow)']
          ]}
          onChoose={rollout => model.put({ rollout })}
        />
      )}
      {model.fields.job && <Failure error={{ message: model.fields.job, hint: '' } as never} />}
    </>
  );
}
