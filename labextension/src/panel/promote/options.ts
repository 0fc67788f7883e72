// A job's options as the dialog's fields hold them, and what is sent of them.
import type { DraftRequest } from '../../api';
import { browserZone } from '../format';

export type Options = Omit<DraftRequest, 'notebook' | 'parameters'>;

/** What a job that nobody has set up yet begins with. */
export function fresh(name: string): Options {
  return {
    name: name.slice(0, 100),
    schedule: '0 6 * * *',
    every: null,
    starting: null,
    on_event: [],
    after: [],
    after_mode: 'all',
    timezone: browserZone(),
    missed: 'latest',
    catch_up: 24,
    retries: 1,
    retry_delay: '1m',
    timeout: '1h',
    memory: null,
    overlap: 'forbid',
    concurrency: 1,
    late_after: null,
    absent_after: null,
    slo: null,
    approvals: 0,
    gates: {},
    alerts: []
  };
}

/** The options of a job as its `job.yaml` has them; what the dialog does not ask for is left to the server. */
export function ofJob(spec: Record<string, unknown>): Options {
  const known = fresh('');
  const out = { ...known } as Record<string, unknown>;
  for (const name of Object.keys(known)) {
    if (name in spec) {
      out[name] = spec[name];
    }
  }
  for (const name of ['timeout', 'every', 'retry_delay', 'late_after', 'absent_after']) {
    out[name] = typeof out[name] === 'number' ? `${out[name]}s` : out[name];
  }
  out.memory = out.memory === null ? null : String(out.memory);
  return out as unknown as Options;
}

/** What is sent: an empty field is none. */
export function body(options: Options): Options {
  const out = { ...options } as Record<string, unknown>;
  for (const [name, value] of Object.entries(out)) {
    if (typeof value === 'string' && name !== 'name') {
      out[name] = value.trim() || (name === 'timezone' ? 'UTC' : name === 'retry_delay' ? '0' : null);
    }
  }
  out.name = options.name.trim();
  for (const [name, least] of [['retries', 0], ['catch_up', 1], ['concurrency', 1], ['approvals', 0]] as const) {
    out[name] = Number.isInteger(out[name]) ? out[name] : least;
  }
  out.alerts = options.alerts.map(a => a.trim()).filter(Boolean);
  out.on_event = options.on_event.filter(e => e.event.trim());
  return out as unknown as Options;
}

/** What is wrong with numbers, which cannot be sent as they are. */
export function numbers(options: Options): Record<string, string> {
  const limits: Record<string, [number, number]> = { retries: [0, 20], catch_up: [1, 1000], concurrency: [1, 100], approvals: [0, 10] };
  const out: Record<string, string> = {};
  for (const [name, [least, most]] of Object.entries(limits)) {
    const value = options[name as keyof Options] as number;
    if (!Number.isInteger(value) || value < least || value > most) {
      out[name] = `A whole number from ${least} to ${most}.`;
    }
  }
  return out;
}

const WORDS: Record<string, string> = {
  schedule: 'Schedule', every: 'Interval', starting: 'Starting', on_event: 'Events', after: 'After jobs', after_mode: 'After jobs, mode',
  timezone: 'Time zone', missed: 'Missed runs', catch_up: 'Caught up at most', retries: 'Retries', retry_delay: 'Wait before a retry',
  timeout: 'Timeout', memory: 'Memory', overlap: 'Overlap', concurrency: 'At once', late_after: 'Late after', absent_after: 'Absent after',
  slo: 'Promise', approvals: 'Approvals', gates: 'Gates', alerts: 'Alerts', parameters: 'Parameters', retention: 'Runs kept'
};

/** An option's name as the dialog calls it. */
export const worded = (option: string): string => WORDS[option] ?? option.replaceAll('_', ' ');
