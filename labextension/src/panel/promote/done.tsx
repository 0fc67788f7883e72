// What came of it, and what one does next.
import type { Job } from '../../api';
import { CopyButton } from '../../shared';
import { tick, until } from '../format';
import { Button } from '../hooks';
import { FileList } from './files';
import type { PromoteModel } from './model';
import { EMBEDDED } from './steps';

export function Done({ model, close }: { model: PromoteModel; close: (show: boolean) => void }): JSX.Element {
  return model.target === EMBEDDED ? <JobDone model={model} close={close} /> : <FilesDone model={model} close={close} />;
}

function JobDone({ model, close }: { model: PromoteModel; close: (show: boolean) => void }): JSX.Element | null {
  const { job } = model;
  if (!job) {
    return null;
  }
  const next = job.next_tick_at;
  const made = job.promoted ?? job.version;
  const waits = job.status === 'waiting';
  return (
    <>
      <p className="aios-done" data-testid="aios-done">
        <b>{outcome(model, job, made)}</b>
      </p>
      <dl className="aios-facts">
        <div>
          <dt>Runs</dt>
          <dd>{job.schedule_words}</dd>
        </div>
        <div>
          <dt>Next run</dt>
          <dd>{waits ? 'when it is approved' : next ? `${tick(next, job.timezone)} ${until(next, Date.now() / 1000)}` : 'when it is started'}</dd>
        </div>
      </dl>
      <div className="aios-actions">
        <Button kind="primary" onClick={() => close(true)}>
          Show job
        </Button>
        <Button disabled={!!model.busy || waits} onClick={() => void model.runNow()}>
          Run now
        </Button>
        <Button onClick={() => close(false)}>Close</Button>
        {model.said && <span className="aios-dim">{model.said}</span>}
      </div>
      <Commands commands={[`aios jobs run ${quoted(job.name)}`, `aios jobs history ${quoted(job.name)}`, 'aios worker']} />
    </>
  );
}

function outcome({ rollout }: PromoteModel, job: Job, made: number): string {
  const named = `“${job.name}”`;
  if (job.changed === false) {
    return `✓ ${named} is version ${job.version} as before: nothing was new.`;
  }
  if (job.status === 'waiting') {
    return `✓ Version ${made} of ${named} is made, and waits for others to agree before it runs.`;
  }
  if (made === job.version) {
    return `✓ ${named} is version ${made}.`;
  }
  return rollout
    ? `✓ Version ${made} of ${named} is made, and tried as ${rollout} beside version ${job.version}, which goes on.`
    : `✓ Version ${made} of ${named} is made, and waits for others to agree; version ${job.version} goes on until then.`;
}

function FilesDone({ model, close }: { model: PromoteModel; close: (show: boolean) => void }): JSX.Element | null {
  const { files } = model;
  if (!files) {
    return null;
  }
  return (
    <>
      <p className="aios-done" data-testid="aios-done">
        <b>{`✓ The files for ${files.title} are written.`}</b>
      </p>
      <FileList files={files} />
      <Commands commands={files.commands} />
      <div className="aios-actions">
        <Button kind="primary" onClick={() => close(false)}>
          Close
        </Button>
      </div>
    </>
  );
}

function Commands({ commands }: { commands: string[] }): JSX.Element {
  return (
    <section aria-label="Next, in a terminal">
      <h4 className="aios-label">Next, in a terminal</h4>
      <ul className="aios-plain aios-commands">
        {commands.map(command => (
          <li key={command}>
            <code className="aios-mono">{command}</code>
            <CopyButton text={command} what={command} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** As a shell reads it. */
function quoted(name: string): string {
  return /^[\w./-]+$/.test(name) ? name : `'${name.replaceAll("'", `'"'"'`)}'`;
}
