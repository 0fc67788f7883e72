// The notebook run twice in a clean kernel: asked for, because what it does to other systems it does.
import { duration, plural } from '../format';
import { Button } from '../hooks';
import { cancelRun, startRun } from './acts';
import type { PromoteModel } from './model';

export function CleanRun({ model }: { model: PromoteModel }): JSX.Element {
  const { run } = model;
  const going = run?.status === 'running';
  return (
    <section className="aios-clean" aria-label="Clean run" data-testid="aios-clean-run" data-status={run?.status ?? 'none'}>
      <div className="aios-clean-row">
        <div className="aios-clean-text">
          <b>Run it in a clean kernel</b>
          <div className="aios-dim">{words(model)}</div>
        </div>
        {going ? (
          <Button onClick={() => void cancelRun(model)}>Cancel the run</Button>
        ) : (
          <Button onClick={() => void startRun(model)}>{run ? 'Run again' : 'Run it'}</Button>
        )}
      </div>
      {going && (
        <span className="aios-bar" role="progressbar" aria-label="Cells run" aria-valuemin={0} aria-valuemax={100} aria-valuenow={share(model)}>
          <span style={{ width: `${share(model)}%` }} />
        </span>
      )}
      {run?.status === 'failed' && run.error && <pre className="aios-code">{run.error}</pre>}
    </section>
  );
}

function share({ run }: PromoteModel): number {
  const p = run?.progress;
  return p ? Math.round((100 * ((p.round - 1) * p.count + p.done)) / (2 * Math.max(p.count, 1))) : 0;
}

function words({ run }: PromoteModel): string {
  if (!run) {
    return 'Top to bottom, twice, and the outputs compared. What it writes elsewhere it does write.';
  }
  const p = run.progress;
  switch (run.status) {
    case 'running':
      return p ? `${p.round === 1 ? 'First' : 'Second'} run: ${p.done} of ${plural(p.count, 'cell')}, ${duration(run.seconds)}` : `Starting a kernel, ${duration(run.seconds)}`;
    case 'cancelled':
      return `Cancelled after ${duration(run.seconds)}; its kernel is shut down.`;
    case 'failed':
      return 'It could not be run:';
    default: {
      if (run.run_status === null) {
        return 'It was not run: first put the errors right.';
      }
      const took = run.run_seconds === null ? '' : ` in ${duration(run.run_seconds)}`;
      const held = run.peak_bytes ? `, ${Math.round(run.peak_bytes / 1e6)} MB at most` : '';
      const found = run.findings.filter(f => f.rule.startsWith('AIOS14')).length;
      const said = run.run_status === 'succeeded' ? 'It ran to the end' : 'It did not run to the end';
      return `${said}${took}${held}; ${plural(run.compared ?? 0, 'output')} compared, ${found ? `${plural(found, 'finding')} below` : 'nothing found'}.`;
    }
  }
}
