// The critical path: the chain of steps that set how long the run took. Shortening any other step gains nothing.
import type { StepNode } from '../../protocol';
import { upstream } from './scene';

/** What a step took or has taken so far, in seconds. */
function weight(node: StepNode, now: number): number {
  if (node.duration !== null) {
    return node.cached ? 0 : node.duration;
  }
  const moving = node.status === 'running' || node.status === 'retrying' || node.status === 'waiting';
  return moving && node.started_at !== null ? Math.max(0, now - node.started_at) : 0;
}

/** The longest chain by duration, from its first step to its last; empty when nothing has taken any time. */
export function criticalPath(nodes: readonly StepNode[], now: number): string[] {
  const best = new Map<string, { seconds: number; from: string | null }>();
  let last: string | null = null;
  for (const n of nodes) {
    let from: string | null = null;
    let before = 0;
    for (const up of upstream(n)) {
      const found = best.get(up);
      if (found && (from === null || found.seconds > before)) {
        from = up;
        before = found.seconds;
      }
    }
    const seconds = before + weight(n, now);
    best.set(n.name, { seconds, from });
    if (seconds > 0 && (last === null || seconds > (best.get(last)?.seconds ?? 0))) {
      last = n.name;
    }
  }
  const path: string[] = [];
  for (let at = last; at !== null; at = best.get(at)?.from ?? null) {
    path.push(at);
  }
  return path.reverse();
}
