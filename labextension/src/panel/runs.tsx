// Runs, newest first: search and filter, in groups if wanted, details on demand.
import { type KeyboardEvent, useCallback, useState } from 'react';
import type { Run, RunStatus, Snapshot } from '../api';
import { day, plural } from './format';
import { Button, Empty, Fold, IconButton, useFocused, useNow } from './hooks';
import { itemOf, typing, walk } from './keys';
import type { PanelModel } from './model';
import type { PanelActions } from './panel';
import { RunBody } from './run';
import { ListHead, RunFilter } from './run_filter';
import { MOVING, RunHead } from './run_head';
import { FirstSteps } from './tour';



interface Props {
  model: PanelModel;
  shot: Snapshot;
  actions: PanelActions;
}

export function RunsSection({ model, shot, actions }: Props): JSX.Element {
  const [open, setOpen] = useState<string | null>(null);
  const now = useNow(model, shot.runs.some(r => MOVING.has(r.status)));
  const list = useFocused(model, shot.runs.map(r => r.run_id), setOpen);
  const onKey = useCallback(
    (e: KeyboardEvent<HTMLElement>) => {
      if (walk(e) || typing(e.target) || e.ctrlKey || e.metaKey || e.altKey) {
        return;
      }
      const id = itemOf(e);
      if (e.key === 'o' && id) {
        e.preventDefault();
        actions.openRun(id);
      } else if (e.key === '/') {
        e.preventDefault();
        list.current?.parentElement?.querySelector<HTMLElement>('input[type="search"]')?.focus();
      }
    },
    [actions, list]
  );

  if (shot.runs.length === 0 && !model.filtered) {
    return <FirstSteps model={model} exists={shot.workspace.exists} actions={actions} />;
  }
  const total = model.filter.status
    ? (shot.counts[model.filter.status as RunStatus] ?? 0)
    : Object.values(shot.counts).reduce((sum, n) => sum + n, 0);
  const counted = !model.filter.search && !model.filter.workflow && !model.filter.mine;
  const row = (run: Run) => (
    <Fold
      key={run.run_id}
      id={run.run_id}
      testId="aios-run"
      open={open === run.run_id}
      onToggle={() => setOpen(open === run.run_id ? null : run.run_id)}
      head={<RunHead run={run} now={now} />}
      aside={
        <IconButton label={`Open ${run.workflow} in a tab`} onClick={() => actions.openRun(run.run_id)}>
          <span aria-hidden="true">↗</span>
        </IconButton>
      }
    >
      <RunBody model={model} run={run} now={now} actions={actions} />
    </Fold>
  );
  return (
    <>
      <RunFilter model={model} shot={shot} />
      {shot.runs.length === 0 ? (
        <Empty title="No run matches">
          <Button onClick={() => model.setFilter(null)}>Show all runs</Button>
        </Empty>
      ) : (
        <div ref={list} onKeyDown={onKey}>
          <ListHead model={model} shot={shot} />
          {groups(shot.runs, model.settings.get('groupRuns'), now).map(([name, runs]) => (
            <section key={name} aria-label={name || undefined} className="aios-run-group">
              {name && (
                <h3 className="aios-group-head" data-testid="aios-run-group">
                  <span className="aios-name">{name}</span>
                  <span className="aios-dim">{plural(runs.length, 'run')}</span>
                </h3>
              )}
              <ul className="aios-list" aria-label={name ? `Runs: ${name}` : 'Runs'}>
                {runs.map(row)}
              </ul>
            </section>
          ))}
        </div>
      )}
      {shot.runs.length >= model.limit && model.limit < 500 && (
        <div className="aios-more">
          <Button onClick={() => model.more()}>Show older runs</Button>
          {counted && <span className="aios-dim">{`${shot.runs.length} of ${plural(total, 'run')}`}</span>}
        </div>
      )}
    </>
  );
}

/** Runs by workflow or by day, groups in the order of their newest run. */
function groups(runs: Run[], by: 'none' | 'workflow' | 'day', now: number): [string, Run[]][] {
  if (by === 'none') {
    return [['', runs]];
  }
  const found = new Map<string, Run[]>();
  for (const run of runs) {
    const name = by === 'workflow' ? run.workflow : day(run.started_at ?? run.created_at, now);
    found.set(name, [...(found.get(name) ?? []), run]);
  }
  return Array.from(found);
}
