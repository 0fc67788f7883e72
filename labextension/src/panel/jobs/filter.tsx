// Which jobs are shown: by a part of the name, by how they do.
import type { Job, JobState } from '../../api';
import { plural } from '../format';
import { tally, TROUBLE, WORDS } from './health';

export interface JobFilter {
  search: string;
  state: JobState | '';
}

export const ALL: JobFilter = { search: '', state: '' };

export function fits(job: Job, state: JobState, filter: JobFilter): boolean {
  const wanted = filter.search.trim().toLowerCase();
  return (filter.state === '' || state === filter.state) && (wanted === '' || job.name.toLowerCase().includes(wanted));
}

export function JobFilterBar(props: { jobs: Job[]; shown: number; filter: JobFilter; onChange: (filter: JobFilter) => void }): JSX.Element {
  const { jobs, filter, onChange } = props;
  const states = tally(jobs);
  const troubled = states.filter(t => TROUBLE.has(t.state)).map(({ state, count }) => `${count} ${WORDS[state]}`).join(', ');
  const narrowed = filter.search !== '' || filter.state !== '';
  return (
    <>
      <div className="aios-filter" role="search" aria-label="Filter jobs">
        <input
          type="search"
          className="aios-input"
          placeholder="Filter jobs"
          aria-label="Filter jobs by name"
          value={filter.search}
          onChange={e => onChange({ ...filter, search: e.target.value })}
        />
        <select className="aios-input" aria-label="State" value={filter.state} onChange={e => onChange({ ...filter, state: e.target.value as JobState | '' })}>
          <option value="">{`All states (${jobs.length})`}</option>
          {states.map(({ state, count }) => (
            <option key={state} value={state}>{`${WORDS[state]} (${count})`}</option>
          ))}
          {filter.state !== '' && !states.some(t => t.state === filter.state) && <option value={filter.state}>{`${WORDS[filter.state]} (0)`}</option>}
        </select>
      </div>
      <div className="aios-list-head" role="status">
        <span>{narrowed ? `${props.shown} of ${plural(jobs.length, 'job')}` : plural(jobs.length, 'job')}</span>
        {narrowed ? (
          <button type="button" className="aios-link" onClick={() => onChange(ALL)}>
            Show all
          </button>
        ) : (
          <span>{troubled || 'none needs you'}</span>
        )}
      </div>
    </>
  );
}
