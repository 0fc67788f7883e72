// What a collapsed group says about the steps inside.
import type { StepNode, StepStatus } from '../../protocol';

export interface Summary {
  total: number;
  counts: [StepStatus, number][];
  worst: StepStatus;
  /** Share of the steps that are over, running ones by how far they say they are. */
  progress: number;
  /** Seconds of all steps together. */
  seconds: number;
  stale: number;
}

/** What a person has to know first comes first. */
export const URGENT: readonly StepStatus[] = ['failed', 'waiting', 'retrying', 'running', 'compensated', 'cancelled', 'pending', 'skipped', 'succeeded'];
const OVER = new Set<StepStatus>(['succeeded', 'failed', 'skipped', 'cancelled', 'compensated']);

export function summarise(steps: readonly string[], byName: ReadonlyMap<string, StepNode>): Summary {
  const found = new Map<StepStatus, number>();
  let [total, done, seconds, stale] = [0, 0, 0, 0];
  for (const name of steps) {
    const n = byName.get(name);
    if (!n) {
      continue;
    }
    total += 1;
    found.set(n.status, (found.get(n.status) ?? 0) + 1);
    done += OVER.has(n.status) ? 1 : n.status === 'running' ? (n.progress ?? 0) : 0;
    seconds += n.duration ?? 0;
    stale += n.stale ? 1 : 0;
  }
  const counts = URGENT.filter(s => found.has(s)).map(s => [s, found.get(s) as number] as [StepStatus, number]);
  return { total, counts, worst: counts[0]?.[0] ?? 'pending', progress: total ? done / total : 0, seconds, stale };
}

export function sameSummary(a: Summary | undefined, b: Summary): a is Summary {
  return (
    a !== undefined && a.total === b.total && a.progress === b.progress && a.seconds === b.seconds && a.stale === b.stale &&
    a.counts.length === b.counts.length && a.counts.every(([s, n], i) => s === b.counts[i][0] && n === b.counts[i][1])
  );
}

/** In the order of urgency, as words. */
export function inWords(summary: Summary): string {
  return summary.counts.map(([s, n]) => `${n.toLocaleString('en')} ${s}`).join(', ');
}
