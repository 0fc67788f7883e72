// What the server's `aios/` endpoints take and answer. tests/server/test_contract.py compares it with the server.
import type { LogLine, Preview, RunStatus, StepStatus } from './protocol';

export type { LogLine, Preview, RunStatus, StepStatus };

export type JobRunStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'skipped' | 'cancelled' | 'timeout';
export type JsonSchema = Record<string, unknown>;

export interface StepError {
  type: string;
  message: string;
  traceback: string;
}

export interface Run {
  run_id: string;
  workflow: string;
  status: RunStatus;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  error: StepError | null;
  parent_run_id: string | null;
  rerun_from: string | null;
  user: string | null;
  params: Record<string, unknown>;
  steps_total?: number;
  steps_done?: number;
  current?: string | null;
  job?: { job_id: string; name: string } | null;
}

export interface Step {
  step: string;
  position: number;
  kind: 'step' | 'gate';
  status: StepStatus;
  attempts: number;
  max_attempts: number;
  started_at: number | null;
  ended_at: number | null;
  cached: boolean;
  error: StepError | null;
  progress: number | null;
  message: string | null;
  output: unknown;
}

export interface RunDetail extends Run {
  steps: Step[];
  metrics: { step: string; name: string; value: number | null; text: string | null; unit: string | null }[];
}

export interface StepDetail extends Step {
  run_id: string;
  attempts_list: { attempt: number; status: string; started_at: number; ended_at: number | null; error: StepError | null }[];
  inputs: Record<string, unknown>;
  preview: Preview | null;
}

export interface Gate {
  run_id: string;
  step: string;
  status: string;
  requested_at: number;
  deadline_at: number | null;
  form: JsonSchema | null;
  workflow: string;
}

export interface GateDetail extends Gate {
  preview: Preview | null;
  decided_by: string | null;
  reason: string | null;
}

/** A gate that is over: who decided, when and why. */
export interface Decision {
  run_id: string;
  step: string;
  workflow: string;
  status: string;
  requested_at: number;
  decided_at: number;
  decided_by: string | null;
  reason: string | null;
}

export interface JobRun {
  job_run_id: string;
  job_id: string;
  version: number;
  tick_at: number | null;
  trigger: string;
  status: JobRunStatus;
  attempt: number;
  queued_at: number;
  started_at: number | null;
  ended_at: number | null;
  error: StepError | null;
  html: boolean;
  notebook: boolean;
  runs: string[];
}

export interface Job {
  job_id: string;
  name: string;
  version: number;
  status: 'active' | 'paused';
  notebook: string;
  schedule: string | null;
  schedule_words: string;
  timezone: string;
  next_tick_at: number | null;
  parameters: Record<string, unknown>;
  missed: string;
  last: JobRun | null;
  created_by: string | null;
  /** The last results, oldest first; only in lists. */
  recent?: { job_run_id: string; status: JobRunStatus; at: number }[];
}

export interface Snapshot {
  workspace: { path: string; shown: string; exists: boolean };
  now: number;
  actor: string;
  seq: number;
  runs: Run[];
  gates: Gate[];
  /** What was decided lately, newest first. */
  decided: Decision[];
  jobs: Job[];
  counts: Partial<Record<RunStatus, number>>;
  /** The newest run, whatever the filter shows. */
  newest: { run_id: string; workflow: string; status: RunStatus } | null;
  /** The last failed run that no later run of its workflow has made good. */
  failure: { run_id: string; workflow: string; status: RunStatus; ended_at: number | null } | null;
  /** Names to filter by. */
  workflows: string[];
  workers: number;
}

export interface NotebookParameter {
  name: string;
  type: string;
  default: unknown;
  required: boolean;
  computed: boolean;
  schema: JsonSchema;
}

export interface Finding {
  severity: 'error' | 'warning';
  code: string;
  message: string;
  fix: string;
  cell: number | null;
  line: number | null;
}

export interface PromoteCheck {
  parameters: NotebookParameter[];
  gates: string[];
  ticks: number[];
  schedule_words: string;
  schedule_error: string | null;
  timezone_error: string | null;
  findings: Finding[];
  name: string;
}

export interface PromoteRequest {
  notebook: string;
  name: string;
  schedule: string | null;
  timezone: string;
  parameters: Record<string, unknown>;
  missed: 'skip' | 'latest' | 'all';
  retries: number;
  timeout: string | null;
  gates: Record<string, unknown>;
}
