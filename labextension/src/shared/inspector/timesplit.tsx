// Where a run's time went, as one bar and in words. Each part has a pattern of its own as well as a colour.
import type { Overview } from '../../protocol';
import { duration } from '../format';
import { Section } from './parts';

/** Adds up what the steps spent: with steps side by side it is more than the run took. */
export function TimeSplit({ overview: o }: { overview: Overview }): JSX.Element | null {
  const parts = [
    { kind: 'queue', word: 'queued', seconds: o.queue_seconds, says: 'before a step could begin' },
    { kind: 'run', word: 'at work', seconds: o.run_seconds, says: 'steps running' },
    { kind: 'retry', word: 'retries', seconds: o.retry_seconds, says: 'attempts that failed and the pauses after them' },
    { kind: 'wait', word: 'waiting', seconds: o.wait_seconds, says: 'for a person’s decision' }
  ].filter(p => p.seconds !== null && p.seconds > 0) as { kind: string; word: string; seconds: number; says: string }[];
  const all = parts.reduce((sum, p) => sum + p.seconds, 0);
  if (all === 0 && !o.saved_seconds) {
    return null;
  }
  return (
    <Section title="Where the time went" aside={o.duration !== null ? `${duration(o.duration)} from start to end` : undefined}>
      {all > 0 && (
        <div className="aiosw-split-bar" aria-hidden="true">
          {parts.map(p => <span key={p.kind} data-span={p.kind} style={{ flexGrow: p.seconds / all }} />)}
        </div>
      )}
      <ul className="aiosw-split-words">
        {parts.map(p => (
          <li key={p.kind} title={p.says}>
            <i data-span={p.kind} aria-hidden="true" />
            <span>{p.word}</span>
            <b>{duration(p.seconds)}</b>
            <small>{share(p.seconds / all)}</small>
          </li>
        ))}
        {o.saved_seconds !== null && o.saved_seconds > 0 && (
          <li title="What steps took when they were made that were taken from the cache this time">
            <i data-span="saved" aria-hidden="true" />
            <span>saved by cache</span>
            <b>{duration(o.saved_seconds)}</b>
          </li>
        )}
      </ul>
    </Section>
  );
}

function share(part: number): string {
  return part < 0.01 ? 'under 1 %' : `${Math.round(100 * part)} %`;
}
