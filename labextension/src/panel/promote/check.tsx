// What stands between the notebook and production.
import type { PromoteCheck } from '../../api';
import { plural } from '../format';
import { Button, Skeleton } from '../hooks';
import { mend, revert } from './acts';
import { CleanRun } from './clean_run';
import { FindingList, SEVERITIES } from './finding';
import type { PromoteModel } from './model';

const GROUPS = {
  error: ['Errors', 'keep it from being promoted'],
  warning: ['Warnings', 'go wrong some night'],
  note: ['Notes', 'good to know']
} as const;

export function CheckStep({ model }: { model: PromoteModel }): JSX.Element {
  const { check } = model;
  if (!check) {
    return model.failure ? <></> : <Skeleton rows={5} label="Checking the notebook" />;
  }
  // What only a run can find stays in sight after it.
  const ran = model.run?.findings.filter(f => f.rule.startsWith('AIOS14')) ?? [];
  const all = [...check.findings, ...ran.filter(f => !check.findings.some(g => g.rule === f.rule && g.cell === f.cell))];
  return (
    <>
      <Verdict model={model} check={check} />
      <CleanRun model={model} />
      {SEVERITIES.map(severity => {
        const group = all.filter(f => f.severity === severity);
        const [title, words] = GROUPS[severity];
        return (
          group.length > 0 && (
            <section key={severity} aria-label={title}>
              <h4 className="aios-label">{`${title} (${group.length}): ${words}`}</h4>
              <FindingList model={model} findings={group} />
            </section>
          )
        );
      })}
      {check.ignored.length > 0 && (
        <details className="aios-more-fold">
          <summary>{`${plural(check.ignored.length, 'finding')} ignored in the notebook, with a reason`}</summary>
          <ul className="aios-plain">
            {check.ignored.map((f, i) => (
              <li key={i}>
                {`${f.rule}${f.cell ? `, cell ${f.cell}` : ''}: ${f.message} `}
                <span className="aios-dim">{`— ${f.reason}`}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
      {(check.modules.length > 0 || check.data.length > 0) && (
        <details className="aios-more-fold">
          <summary>
            {[check.modules.length && plural(check.modules.length, 'module'), check.data.length && plural(check.data.length, 'data file')].filter(Boolean).join(' and ')} found
          </summary>
          <ul className="aios-plain aios-mono">
            {[...check.modules, ...check.data].map(name => (
              <li key={name}>{name}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function Verdict({ model, check }: { model: PromoteModel; check: PromoteCheck }): JSX.Element {
  const errors = check.findings.filter(f => f.severity === 'error').length;
  const fixable = check.findings.filter(f => f.quick_fix).length;
  const busy = model.busy === 'mend' || model.checking;
  const words = errors
    ? `✕ ${plural(errors, 'error')} to put right before it can be promoted`
    : check.findings.length
      ? `✓ It can be promoted; ${plural(check.findings.length, 'thing')} to look at`
      : '✓ Nothing found: it can be promoted';
  return (
    <div className={`aios-verdict ${errors ? 'aios-is-bad' : 'aios-is-ok'}`} data-testid="aios-verdict">
      <b>{words}</b>
      {model.saved && <span className="aios-dim">{`${model.stem} was saved first: what is promoted is the file.`}</span>}
      <div className="aios-actions">
        {fixable > 0 && (
          <Button disabled={busy} onClick={() => void mend(model, null, `${plural(fixable, 'safe fix', 'safe fixes')} made`)} title="Each can be undone">
            {`Fix all safe ones (${fixable})`}
          </Button>
        )}
        <Button disabled={busy} onClick={() => void model.recheck()}>
          {model.checking ? 'Checking…' : 'Check again'}
        </Button>
        {model.undo && (
          <span className="aios-undo">
            {`${model.undo.words}. `}
            <button type="button" className="aios-link" disabled={busy} onClick={() => void revert(model)}>
              Undo
            </button>
          </span>
        )}
      </div>
    </div>
  );
}
