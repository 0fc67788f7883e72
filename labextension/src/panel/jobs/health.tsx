// How a job does: a mark, a word and a colour, and which job to look at first.
import type { Job, JobHealth, JobState } from '../../api';
import { StateMark } from '../../shared';

/** From what needs somebody to what does not. */
const ORDER: JobState[] = ['failing', 'absent', 'late', 'waiting', 'healthy', 'new', 'paused'];

export const WORDS: Record<JobState, string> = {
  failing: 'failing',
  absent: 'absent',
  late: 'late',
  waiting: 'waiting for approval',
  healthy: 'healthy',
  new: 'new',
  paused: 'paused'
};

export const TROUBLE: ReadonlySet<JobState> = new Set<JobState>(['failing', 'absent', 'late', 'waiting']);

/** What a server that tells no health still says: the job's state and how its last run went. */
export function healthOf(job: Job): JobHealth {
  if (job.health) {
    return job.health;
  }
  const last = job.last?.status;
  const bad = last === 'failed' || last === 'timeout';
  const state: JobState = job.status !== 'active' ? job.status : bad ? 'failing' : last ? 'healthy' : 'new';
  return { state, why: '', success_share: null, median_seconds: null, last_success_at: null, alarms: [] };
}

export const needsYou = (job: Job): boolean => TROUBLE.has(healthOf(job).state);

export function byTrouble(jobs: readonly Job[]): Job[] {
  const rank = (job: Job): number => ORDER.indexOf(healthOf(job).state);
  return [...jobs].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

/** "2 failing, 1 late": the states that are there, the worst first. */
export function tally(jobs: readonly Job[]): { state: JobState; count: number }[] {
  return ORDER.map(state => ({ state, count: jobs.filter(j => healthOf(j).state === state).length })).filter(t => t.count > 0);
}

const MARKS: Partial<Record<JobState, string>> = {
  healthy: 'succeeded', failing: 'failed', late: 'queued', paused: 'paused', waiting: 'waiting'
};

export function HealthMark({ state }: { state: JobState }): JSX.Element {
  const known = MARKS[state];
  if (known) {
    return <StateMark status={known} />;
  }
  return (
    <svg className="aiosw-mark" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      {state === 'absent' ? (
        <path d="M8 2.2v7.4M8 13v.6" fill="none" stroke="currentColor" strokeWidth={2.6} strokeLinecap="round" />
      ) : (
        <circle cx="8" cy="8" r="5.8" fill="none" stroke="currentColor" strokeWidth={1.6} strokeDasharray="2.6 2" />
      )}
    </svg>
  );
}

export function HealthChip({ health }: { health: JobHealth }): JSX.Element {
  return (
    <span className="aiosw-chip aios-health" data-health={health.state} title={health.why || undefined}>
      <HealthMark state={health.state} />
      {WORDS[health.state]}
    </span>
  );
}
