// Generated from aios_workbench/widgets/protocol.py by `python -m aios_workbench.widgets.generate_ts`. Do not edit.

export type RunStatus = 'queued' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'cancelled' | 'interrupted';
export type StepStatus = 'pending' | 'running' | 'retrying' | 'waiting' | 'succeeded' | 'failed' | 'skipped' | 'cancelled';
export const TERMINAL: readonly RunStatus[] = ['cancelled', 'failed', 'succeeded'];

/** A step as the graph draws it. Times are epoch seconds, durations seconds. */
export interface StepNode {
  name: string;
  kind: 'step' | 'gate';
  deps: string[];
  after: string[];
  tags: string[];
  status: StepStatus;
  attempts: number;
  max_attempts: number;
  started_at: number | null;
  duration: number | null;
  cached: boolean;
  stale: boolean;
  progress: number | null;
  message: string | null;
  error: string | null;
}

/** A figure a step reported. */
export interface Metric {
  step: string;
  name: string;
  value: number | null;
  text: string | null;
  unit: string | null;
}

/** A gate that waits for a person; `form` is the JSON schema of what to fill in. */
export interface GateRequest {
  step: string;
  form: Record<string, unknown> | null;
  requested_at: number | null;
  deadline_at: number | null;
}

/** The run behind a graph. */
export interface RunInfo {
  run_id: string;
  status: RunStatus;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  error: string | null;
  params: string;
  parent_run_id: string | null;
  rerun_from: string | null;
}

/** The whole picture. `now` is the kernel's clock, so that the browser's may be wrong. */
export interface GraphState {
  workflow: string;
  description: string;
  seq: number;
  now: number;
  run: RunInfo | null;
  nodes: StepNode[];
  metrics: Metric[];
  gates: GateRequest[];
  problem: string | null;
}

/** All that changed since the state with `seq == base`. `metrics` and `gates` are null when they did not. */
export interface GraphPatch {
  base: number;
  seq: number;
  now: number;
  run: RunInfo | null;
  nodes: StepNode[];
  metrics: Metric[] | null;
  gates: GateRequest[] | null;
}

/** A column of a table. */
export interface Column {
  name: string;
  type: string;
}

/** A window on a stored value: a table's rows, or text. */
export interface Preview {
  kind: string;
  type: string;
  shape: number[] | null;
  bytes: number;
  columns: Column[];
  rows: unknown[][];
  offset: number;
  total: number | null;
  text: string | null;
  truncated: boolean;
}

/** A named value: a step's input, a parameter. `hash` names the artifact, where there is one. */
export interface Value {
  name: string;
  source: string;
  type: string;
  summary: string;
  hash: string | null;
}

/** One captured line of output. */
export interface LogLine {
  seq: number;
  attempt: number;
  at: number;
  stream: string;
  level: string | null;
  text: string;
}

/** An error as data: the process that raised it may be gone. */
export interface ErrorInfo {
  type: string;
  message: string;
  traceback: string;
}

/** One try of a step. */
export interface Attempt {
  attempt: number;
  status: string;
  started_at: number;
  duration: number | null;
  executor: string | null;
  error: ErrorInfo | null;
}

/** Where a value is stored and how large it is. */
export interface Artifact {
  hash: string;
  kind: string;
  type: string;
  bytes: number;
  shape: number[] | null;
}

/** What was decided at a gate. */
export interface GateOutcome {
  status: string;
  decided_by: string | null;
  decided_at: number | null;
  reason: string | null;
  values: Record<string, unknown>;
}

/** Everything about one step. */
export interface StepDetail {
  step: string;
  kind: 'step' | 'gate';
  status: StepStatus;
  doc: string;
  code: string;
  cell: string;
  policy: Value[];
  inputs: Value[];
  artifact: Artifact | null;
  output: Preview | null;
  logs: LogLine[];
  more_logs: boolean;
  attempts: Attempt[];
  error: ErrorInfo | null;
  answered_by: string | null;
  gate: GateRequest | null;
  shown: Preview | null;
  outcome: GateOutcome | null;
}

/** Log lines; `more` when there are further ones. */
export interface LogPage {
  lines: LogLine[];
  more: boolean;
}

/** It was done; `run_id` is the run now shown. */
export interface Done {
  run_id: string | null;
}

/** The question whether somebody is there. */
export interface Hello {
  id: number;
  kind: 'hello';
}

/** Everything about a step; answered by a `StepDetail`. */
export interface OpenStep {
  id: number;
  kind: 'open_step';
  step: string;
}

/** More rows of an artifact; answered by a `Preview`. */
export interface PreviewPage {
  id: number;
  kind: 'preview';
  hash: string;
  offset?: number;
  limit?: number;
}

/** Log lines of a step after a number; answered by a `LogPage`. */
export interface Logs {
  id: number;
  kind: 'logs';
  step: string;
  after?: number;
}

/** A new run that redoes this step and what depends on it; the widget then shows that run. */
export interface RerunFrom {
  id: number;
  kind: 'rerun_from';
  step: string;
}

/** Go on with a failed, cancelled or interrupted run. */
export interface Resume {
  id: number;
  kind: 'resume';
}

/** Stop the run. */
export interface Cancel {
  id: number;
  kind: 'cancel';
}

/** Approve or reject at a gate. */
export interface Decide {
  id: number;
  kind: 'decide';
  step: string;
  approved: boolean;
  values?: Record<string, unknown>;
  reason?: string;
}

/** The answer to a request; the type of `data` follows from the request's kind. */
export interface Answer {
  kind: 'answer';
  id: number;
  data: unknown;
}

/** A request that could not be answered. `fields` has messages for single fields of a form. */
export interface ErrorReply {
  kind: 'error';
  id: number;
  type: string;
  message: string;
  fields: Record<string, string>;
}

export type Request = Hello | OpenStep | PreviewPage | Logs | RerunFrom | Resume | Cancel | Decide;

/** What each kind of request is answered with. */
export interface Answers {
  hello: Done;
  open_step: StepDetail;
  preview: Preview;
  logs: LogPage;
  rerun_from: Done;
  resume: Done;
  cancel: Done;
  decide: Done;
}
