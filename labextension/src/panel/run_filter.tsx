// What narrows the list of runs, and how it is divided.
import type { RunStatus, Snapshot } from '../api';
import type { Values } from '../lab/settings';
import { plural } from './format';
import type { PanelModel } from './model';

const STATUSES: RunStatus[] = ['running', 'waiting', 'queued', 'failed', 'interrupted', 'succeeded', 'cancelled'];

export function RunFilter({ model, shot }: { model: PanelModel; shot: Snapshot }): JSX.Element {
  const { filter } = model;
  return (
    <div className="aios-filter" role="search" aria-label="Runs">
      <input
        type="search"
        className="aios-input"
        placeholder="Search runs"
        title="Words that stand in the workflow, id, parameters, steps or errors of a run"
        aria-label="Search runs by workflow, id, parameters, steps or errors"
        value={filter.search}
        maxLength={200}
        onChange={e => model.setFilter({ search: e.currentTarget.value })}
      />
      <label className="aios-check" title={`Only runs that ${shot.actor} started`}>
        <input type="checkbox" checked={filter.mine} onChange={e => model.setFilter({ mine: e.currentTarget.checked })} />
        Mine
      </label>
      <select
        className="aios-input"
        aria-label="Filter runs by status"
        value={filter.status}
        onChange={e => model.setFilter({ status: e.currentTarget.value })}
      >
        <option value="">all states</option>
        {STATUSES.map(status => (
          <option key={status} value={status}>
            {`${status} (${shot.counts[status] ?? 0})`}
          </option>
        ))}
      </select>
      {(shot.workflows.length > 1 || filter.workflow !== '') && (
        <select
          className="aios-input"
          aria-label="Filter runs by workflow"
          value={filter.workflow}
          onChange={e => model.setFilter({ workflow: e.currentTarget.value })}
        >
          <option value="">all workflows</option>
          {shot.workflows.map(name => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      )}
    </div>
  );
}

/** How many there are, and how they are divided. */
export function ListHead({ model, shot }: { model: PanelModel; shot: Snapshot }): JSX.Element {
  return (
    <div className="aios-list-head">
      <span>{`${plural(shot.runs.length, 'run')}${shot.runs.length >= model.limit ? ', more below' : ''}`}</span>
      <select
        className="aios-quiet-select"
        aria-label="Group runs"
        value={model.settings.get('groupRuns')}
        onChange={e => void model.settings.set('groupRuns', e.currentTarget.value as Values['groupRuns'])}
      >
        <option value="none">no groups</option>
        <option value="workflow">by workflow</option>
        <option value="day">by day</option>
      </select>
    </div>
  );
}
