// Generated from aios_workbench/widgets/protocol.py by `python -m aios_workbench.widgets.generate_ts`. Do not edit.

export type RunStatus = 'queued' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'cancelled' | 'interrupted';
export type StepStatus = 'pending' | 'running' | 'retrying' | 'waiting' | 'succeeded' | 'failed' | 'skipped' | 'cancelled' | 'compensated';
/** What is left out of a `NodeChange`. */
export const STILL: NodeMoves = { status: 'pending', attempts: 0, started_at: null, duration: null, cached: false, stale: false, progress: null, message: null, error: null, rows: null, bytes: null };

export const TERMINAL: readonly RunStatus[] = ['cancelled', 'failed', 'succeeded'];

/** What a run changes of a step. Times are epoch seconds, durations seconds; `rows` and `bytes` are its output's. */
export interface NodeMoves {
  status: StepStatus;
  attempts: number;
  started_at: number | null;
  duration: number | null;
  cached: boolean;
  stale: boolean;
  progress: number | null;
  message: string | null;
  error: string | null;
  rows: number | null;
  bytes: number | null;
}

/** A step as the graph draws it. */
export interface StepNode {
  status: StepStatus;
  attempts: number;
  started_at: number | null;
  duration: number | null;
  cached: boolean;
  stale: boolean;
  progress: number | null;
  message: string | null;
  error: string | null;
  rows: number | null;
  bytes: number | null;
  name: string;
  kind: 'step' | 'gate';
  shape: 'step' | 'gate' | 'map' | 'loop' | 'stream';
  deps: string[];
  after: string[];
  tags: string[];
  max_attempts: number;
}

/** A step that moved, all of it that can move. What is left out has the value of `STILL`. Graphs of thousands of steps move hundreds of times a second: a change is a third of the node's size. */
export interface NodeChange {
  status?: StepStatus;
  attempts?: number;
  started_at?: number | null;
  duration?: number | null;
  cached?: boolean;
  stale?: boolean;
  progress?: number | null;
  message?: string | null;
  error?: string | null;
  rows?: number | null;
  bytes?: number | null;
  name: string;
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

/** The whole picture. `now` is the kernel's clock, so that the browser's may be wrong. `logs` is the number of the event that told of the newest lines printed. */
export interface GraphState {
  workflow: string;
  description: string;
  seq: number;
  now: number;
  logs: number;
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
  logs: number;
  run: RunInfo | null;
  nodes: NodeChange[];
  metrics: Metric[] | null;
  gates: GateRequest[] | null;
}

/** A column of a table. */
export interface Column {
  name: string;
  type: string;
}

/** Order by a column; nulls come last either way. */
export interface Sort {
  column: string;
  descending?: boolean;
}

/** A condition on a column. `value` is a list for `in` and `between`, where null leaves one side open. `contains` and `starts_with` take no notice of upper and lower case. Times are ISO texts, without an offset meant in the column's own zone, or epoch seconds. NaN counts as null; null meets no condition but `is_null`. */
export interface Filter {
  column: string;
  op: '=' | '!=' | '<' | '<=' | '>' | '>=' | 'contains' | 'starts_with' | 'in' | 'between' | 'is_null' | 'not_null';
  value?: unknown;
}

/** Which part of a table, in which order; conditions are joined by "and". */
export interface TableQuery {
  offset?: number;
  limit?: number;
  sort?: Sort[];
  filters?: Filter[];
  where?: string | null;
  columns?: string[] | null;
}

/** Rows of a table. `total` counts all rows, `matched` those the filters leave. */
export interface TablePage {
  columns: Column[];
  rows: unknown[][];
  offset: number;
  total: number | null;
  matched: number | null;
  truncated: boolean;
  sql: string;
  code: string;
  seconds: number;
}

/** Counts between edges, one edge more than counts; over times the edges are epoch seconds. */
export interface Histogram {
  edges: number[];
  counts: number[];
}

/** A value and how often it occurs. */
export interface Frequent {
  value: unknown;
  count: number;
}

/** One column summed up. Numbers and times have figures and a histogram, everything else has `top`. NaN counts as null. `infinite` values are in `min` and `max` only. */
export interface ColumnProfile {
  name: string;
  type: string;
  kind: 'number' | 'time' | 'boolean' | 'text' | 'other';
  rows: number;
  nulls: number;
  distinct: number | null;
  distinct_exact: boolean;
  min: unknown;
  max: unknown;
  mean: number | null;
  std: number | null;
  quantiles: Record<string, number>;
  quantiles_exact: boolean;
  infinite: number;
  zeros: number | null;
  histogram: Histogram | null;
  top: Frequent[];
}

/** Columns of a table summed up, of `total_columns`; `sampled` tells how many rows were looked at when not all. */
export interface TableProfile {
  rows: number;
  bytes: number;
  duplicates: number | null;
  sampled: number | null;
  total_columns: number;
  columns: ColumnProfile[];
  seconds: number;
  code: string;
}

/** A value as a picture or a document; `data` is base64 for PNG, JPEG, GIF and WebP, text for all others. SVG must only be shown as ``<img src="data:…">``. ``application/vnd.aios.model+json`` is a model: ``{class, parameters {name: text}, fitted [{name, type, shape, value}], features, feature_names, steps}``. Plotly and Vega-Lite figures come as their JSON. */
export interface Media {
  mime: string;
  data: string;
  width: number | null;
  height: number | null;
  note: string;
}

/** A window on a stored value: a table's rows, or text. `media` is what asking for a picture would answer with. */
export interface Preview {
  kind: string;
  type: string;
  shape: number[] | null;
  bytes: number;
  media: string | null;
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
  step: string;
  attempt: number;
  at: number;
  stream: string;
  level: string | null;
  text: string;
}

/** A notebook cell: by its id where the front end told it, and by its source; `line` counts from 1 inside it. */
export interface CellRef {
  cell_id: string | null;
  notebook: string | null;
  label: string;
  source: string;
  line: number | null;
}

/** One line of a traceback; `cell` when it lies in a notebook cell. */
export interface Frame {
  file: string;
  line: number;
  function: string;
  text: string;
  cell: CellRef | null;
}

/** An error as data: the process that raised it may be gone. */
export interface ErrorInfo {
  type: string;
  message: string;
  traceback: string;
  frames: Frame[];
}

/** One try of a step. `made_by` says whose function was called: the step's own, a "fallback" or the undo ("compensation") called `name`, the step's a second time ("hedge"). `message` is what was decided about it. */
export interface Attempt {
  attempt: number;
  status: string;
  started_at: number;
  duration: number | null;
  executor: string | null;
  error: ErrorInfo | null;
  made_by: string;
  name: string | null;
  message: string | null;
  peak_bytes: number | null;
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

/** How a step is run, as its decorator says it: what the form edits. None means: not said. */
export interface StepPolicy {
  retries: number | null;
  backoff: string | null;
  timeout: string | null;
  cache: boolean | null;
  after: string[];
  fallback: string[];
  tags: string[];
  when: string | null;
  on_reject: 'fail' | 'continue' | null;
  retry_on: string[];
  give_up_on: string[];
  hedge: string | null;
  on_error: 'fail' | 'skip' | 'dead_letter' | null;
  executor: 'thread' | 'process' | null;
  memory: string | null;
}

/** An item that failed for good; `status` is open, redriving, redriven (by run `redriven_by`) or dropped. */
export interface Letter {
  item: number;
  status: string;
  type: string;
  reason: string;
  traceback: string;
  attempts: number;
  value: string;
  at: number;
  redriven_by: string | null;
}

/** A page of a step's dead letters, open ones first. */
export interface Letters {
  total: number;
  open: number;
  offset: number;
  letters: Letter[];
}

/** Everything about one step. */
export interface StepDetail {
  run_id: string | null;
  step: string;
  kind: 'step' | 'gate';
  status: StepStatus;
  doc: string;
  code: string;
  cell: string;
  cell_ref: CellRef | null;
  policy: Value[];
  settings: StepPolicy | null;
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
  shape: 'step' | 'gate' | 'map' | 'loop' | 'stream';
  letters: Letters | null;
}

/** A named figure or text; `step` tells where it was reported. */
export interface Fact {
  name: string;
  value: number | null;
  text: string | null;
  unit: string | null;
  step: string | null;
}

/** One line of a section of rules: a name, how it stands, and the step it is about. */
export interface RuleLine {
  name: string;
  text: string;
  step: string | null;
  tone: '' | 'succeeded' | 'failed' | 'waiting';
}

/** What a run was held to, and how it stands: a cap, a budget, what was undone, which hooks were called. */
export interface Rules {
  title: string;
  lines: RuleLine[];
}

/** Where a run was started. `lock_hash` stands for all installed packages and their versions. */
export interface Environment {
  python: string;
  platform: string;
  host: string;
  cpus: number | null;
  memory_bytes: number | null;
  executable: string;
  git_commit: string | null;
  git_branch: string | null;
  git_dirty: boolean | null;
  packages: Record<string, string>;
  lock_hash: string | null;
}

/** A run on one page. */
export interface Overview {
  run_id: string;
  workflow: string;
  description: string;
  status: string;
  source: string;
  user: string | null;
  notebook: string | null;
  cwd: string | null;
  job: string | null;
  job_id: string | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  duration: number | null;
  queue_seconds: number | null;
  run_seconds: number | null;
  retry_seconds: number | null;
  wait_seconds: number | null;
  saved_seconds: number | null;
  error: string | null;
  message: string | null;
  params: Record<string, unknown>;
  code_version: string;
  environment: Environment | null;
  cost: Fact[];
  kpis: Fact[];
  metrics: Fact[];
  rules: Rules[];
  steps: Record<string, number>;
  bytes_written: number;
  parent_run_id: string | null;
  rerun_from: string | null;
  children: string[];
  adoptions: number;
  previous_run_id: string | null;
  code: string;
}

/** A stretch of time: `queue` not begun; `run` an attempt; `retry` a pause before it; `wait` for a person. */
export interface Span {
  kind: 'queue' | 'run' | 'retry' | 'wait';
  start: number;
  end: number | null;
  attempt: number | null;
  status: string;
  executor: string | null;
}

/** A step's line in the waterfall; `critical` when a shorter one would have made the run shorter. */
export interface TimelineStep {
  step: string;
  kind: 'step' | 'gate';
  status: string;
  cached: boolean;
  spans: Span[];
  ready_at: number | null;
  critical: boolean;
  slack: number | null;
}

/** Where a run's time went. `critical_path` names the steps that decided how long it took, first to last. */
export interface Timeline {
  start: number;
  end: number | null;
  now: number;
  steps: TimelineStep[];
  critical_path: string[];
  parallelism: number | null;
  code: string;
}

/** Something that happened to a run. */
export interface Event {
  seq: number;
  at: number;
  kind: string;
  step: string | null;
  text: string;
  data: Record<string, unknown>;
}

/** Events in their order; `more` when there are further ones. */
export interface EventPage {
  events: Event[];
  more: boolean;
}

/** A value and the step that made it; parameters have no step. */
export interface LineageNode {
  id: string;
  run_id: string;
  step: string | null;
  parameter: string | null;
  hash: string | null;
  type: string;
  shape: number[] | null;
  bytes: number | null;
  created_at: number | null;
  exists: boolean;
}

/** `source` went into `target` under the name `argument`. */
export interface LineageEdge {
  source: string;
  target: string;
  argument: string;
}

/** What a value came from (`up`) and what came from it (`down`), over runs where outputs were reused. */
export interface Lineage {
  focus: string;
  nodes: LineageNode[];
  edges: LineageEdge[];
  up: string[];
  down: string[];
  truncated: boolean;
  code: string;
}

/** A named value on both sides, as text. */
export interface ValueDiff {
  name: string;
  change: 'same' | 'changed' | 'added' | 'removed';
  a: string | null;
  b: string | null;
}

/** A column on both sides. `distance` is the Jensen-Shannon distance (base 2, 0 to 1) of the two distributions. */
export interface ColumnDiff {
  name: string;
  change: 'same' | 'changed' | 'added' | 'removed';
  a: ColumnProfile | null;
  b: ColumnProfile | null;
  distance: number | null;
}

/** A step's output on both sides; `same` when the content is identical. */
export interface OutputDiff {
  same: boolean;
  type_a: string | null;
  type_b: string | null;
  hash_a: string | null;
  hash_b: string | null;
  shape_a: number[] | null;
  shape_b: number[] | null;
  bytes_a: number | null;
  bytes_b: number | null;
  columns: ColumnDiff[];
  text_a: string | null;
  text_b: string | null;
  note: string;
}

/** How a step differs between two runs, in one line; `why` tells what made it run again. */
export interface StepChange {
  step: string;
  change: 'same' | 'changed' | 'added' | 'removed';
  code: boolean;
  policy: boolean;
  inputs: boolean;
  output: boolean;
  status_a: string | null;
  status_b: string | null;
  cached_a: boolean;
  cached_b: boolean;
  duration_a: number | null;
  duration_b: number | null;
  rows_a: number | null;
  rows_b: number | null;
  why: string[];
}

/** One of the two runs compared. */
export interface RunSide {
  run_id: string;
  status: string;
  created_at: number;
  duration: number | null;
  user: string | null;
}

/** Two runs compared; `a` is the earlier one by the caller's choice. */
export interface RunDiff {
  a: RunSide;
  b: RunSide;
  params: ValueDiff[];
  environment: ValueDiff[];
  metrics: ValueDiff[];
  cost: ValueDiff[];
  steps: StepChange[];
  identical: boolean;
  code: string;
}

/** One step in two runs. `code_diff` is a unified diff. */
export interface StepDiff {
  step: string;
  change: 'same' | 'changed' | 'added' | 'removed';
  code_diff: string;
  policy: ValueDiff[];
  inputs: ValueDiff[];
  output: OutputDiff | null;
  why: string[];
  code: string;
}

/** One run in a workflow's history. */
export interface HistoryRun {
  run_id: string;
  status: string;
  created_at: number;
  duration: number | null;
  user: string | null;
  source: string;
  job: string | null;
  steps_done: number;
  steps_total: number;
  cached: number;
  retries: number;
  error: string | null;
  failed_step: string | null;
  params: string;
  parent_run_id: string | null;
}

/** A step over many runs. Flaky: it failed and then succeeded with the same code and inputs, or needed retries. */
export interface StepHistory {
  step: string;
  runs: number;
  success_rate: number | null;
  cache_rate: number | null;
  p50: number | null;
  p95: number | null;
  share: number | null;
  retries: number;
  failures: number;
  flaky_rate: number | null;
  durations: (number | null)[];
}

/** A workflow's runs, newest first, and what they say about it. `durations` of a step follow `runs`. */
export interface History {
  workflow: string;
  runs: HistoryRun[];
  total: number;
  more: boolean;
  success_rate: number | null;
  p50: number | null;
  p95: number | null;
  trend: number | null;
  steps: StepHistory[];
  code: string;
}

/** Log lines; `more` when there are further ones. */
export interface LogPage {
  lines: LogLine[];
  more: boolean;
}

/** A run's graph: the whole `state`, or the `nodes` that moved since. `seq` is what to ask from next time. */
export interface GraphNews {
  seq: number;
  state: GraphState | null;
  patch: GraphPatch | null;
}

/** Source to be put into a notebook. With `before`, the cell that holds exactly that text is replaced; without, a new cell is added below the cell `below` (at the end, when that is not found). What is not `writable` stands in a file: it can only be copied. */
export interface CodeEdit {
  title: string;
  before: string | null;
  after: string;
  cell: CellRef | null;
  below: CellRef | null;
  diff: string;
  note: string;
  writable: boolean;
}

/** What the form of a step's settings shows: as the code has them now, not as a run was pinned to them. With a `problem` they can be read but not changed from a screen. */
export interface SettingsForm {
  step: string;
  kind: 'step' | 'gate';
  settings: StepPolicy;
  fields: string[];
  after_choices: string[];
  functions: string[];
  code: string;
  cell: CellRef | null;
  writable: boolean;
  problem: string;
}

/** A kind of step one can start from. */
export interface Template {
  id: string;
  title: string;
  description: string;
  kind: 'step' | 'gate';
  takes_inputs: boolean;
}

/** All templates. */
export interface Templates {
  templates: Template[];
}

/** It was done; `run_id` is the run now shown. */
export interface Done {
  run_id: string | null;
}

/** The question whether somebody is there. */
export interface Hello {
  id: number;
  run_id?: string | null;
  kind: 'hello';
}

/** Everything about a step; answered by a `StepDetail`. */
export interface OpenStep {
  id: number;
  run_id?: string | null;
  kind: 'open_step';
  step: string;
}

/** More rows of an artifact; answered by a `Preview`. */
export interface PreviewPage {
  id: number;
  run_id?: string | null;
  kind: 'preview';
  hash: string;
  offset?: number;
  limit?: number;
}

/** Sorted and filtered rows of a data frame; answered by a `TablePage`. */
export interface AskTable {
  id: number;
  run_id?: string | null;
  kind: 'table';
  hash: string;
  query?: TableQuery;
}

/** The columns of a data frame summed up; answered by a `TableProfile`. `columns` limits it to some. */
export interface AskProfile {
  id: number;
  run_id?: string | null;
  kind: 'profile';
  hash: string;
  columns?: string[] | null;
}

/** One SQL statement over a step's output (table `output`); answered by a `TablePage`. */
export interface AskSql {
  id: number;
  run_id?: string | null;
  kind: 'sql';
  hash: string;
  query: string;
  limit?: number;
}

/** A stored picture, figure or document; answered by a `Media`. */
export interface AskMedia {
  id: number;
  run_id?: string | null;
  kind: 'media';
  hash: string;
}

/** The graph of a run: whole, or what changed since event `since`; answered by a `GraphNews`. */
export interface AskGraph {
  id: number;
  run_id?: string | null;
  kind: 'graph';
  since?: number | null;
}

/** A run on one page; answered by an `Overview`. */
export interface AskOverview {
  id: number;
  run_id?: string | null;
  kind: 'overview';
}

/** Where a run's time went; answered by a `Timeline`. */
export interface AskTimeline {
  id: number;
  run_id?: string | null;
  kind: 'timeline';
}

/** What happened after an event; answered by an `EventPage`. */
export interface AskEvents {
  id: number;
  run_id?: string | null;
  kind: 'events';
  after?: number;
  limit?: number;
}

/** What a step's output came from and what came from it; answered by a `Lineage`. */
export interface AskLineage {
  id: number;
  run_id?: string | null;
  kind: 'lineage';
  step: string;
  depth?: number;
}

/** The run compared with another; answered by a `RunDiff`. */
export interface AskDiff {
  id: number;
  run_id?: string | null;
  kind: 'diff';
  other: string;
}

/** One step compared with the same in another run; answered by a `StepDiff`. */
export interface AskStepDiff {
  id: number;
  run_id?: string | null;
  kind: 'diff_step';
  other: string;
  step: string;
}

/** A workflow's runs, newest first; answered by a `History`. */
export interface AskHistory {
  id: number;
  run_id?: string | null;
  kind: 'history';
  workflow: string;
  limit?: number;
  before?: number | null;
}

/** Log lines of a step after a number, or the last ones before a number; answered by a `LogPage`. With neither, the very last ones. `more` of the answer tells of further lines in the direction asked. */
export interface Logs {
  id: number;
  run_id?: string | null;
  kind: 'logs';
  step?: string | null;
  after?: number;
  before?: number | null;
  search?: string | null;
  level?: 'debug' | 'info' | 'warning' | 'error' | null;
  attempt?: number | null;
}

/** More of a map's dead letters; answered by a page of `Letters`. */
export interface AskLetters {
  id: number;
  run_id?: string | null;
  kind: 'letters';
  step: string;
  offset?: number;
}

/** A new run that does a map's open dead letters again; the widget then shows that run. */
export interface Redrive {
  id: number;
  run_id?: string | null;
  kind: 'redrive';
  step: string;
}

/** A new run that redoes this step and what depends on it; the widget then shows that run. */
export interface RerunFrom {
  id: number;
  run_id?: string | null;
  kind: 'rerun_from';
  step: string;
}

/** Go on with a failed, cancelled or interrupted run. */
export interface Resume {
  id: number;
  run_id?: string | null;
  kind: 'resume';
}

/** Stop the run. */
export interface Cancel {
  id: number;
  run_id?: string | null;
  kind: 'cancel';
}

/** Approve or reject at a gate. */
export interface Decide {
  id: number;
  run_id?: string | null;
  kind: 'decide';
  step: string;
  approved: boolean;
  values?: Record<string, unknown>;
  reason?: string;
}

/** A step's settings as the code has them; answered by a `SettingsForm`. */
export interface AskSettings {
  id: number;
  run_id?: string | null;
  kind: 'settings';
  step: string;
}

/** The code that gives a step this policy; answered by a `CodeEdit`. Nothing is changed by asking. */
export interface EditStep {
  id: number;
  run_id?: string | null;
  kind: 'edit_step';
  step: string;
  settings: StepPolicy;
}

/** The code of a new step or gate from a template; answered by a `CodeEdit`. */
export interface NewStep {
  id: number;
  run_id?: string | null;
  kind: 'new_step';
  template: string;
  name: string;
  inputs?: string[];
  after?: string[];
}

/** What new steps can be made from; answered by `Templates`. */
export interface AskTemplates {
  id: number;
  run_id?: string | null;
  kind: 'templates';
}

/** Nobody waits any more for the answer to `target`; answered at once. */
export interface Abort {
  id: number;
  run_id?: string | null;
  kind: 'abort';
  target: number;
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

export type Request = Hello | OpenStep | PreviewPage | AskTable | AskProfile | AskSql | AskMedia | AskGraph | AskOverview | AskTimeline | AskEvents | AskLineage | AskDiff | AskStepDiff | AskHistory | Logs | AskLetters | Redrive | RerunFrom | Resume | Cancel | Decide | AskSettings | EditStep | NewStep | AskTemplates | Abort;

/** What each kind of request is answered with. */
export interface Answers {
  hello: Done;
  open_step: StepDetail;
  preview: Preview;
  table: TablePage;
  profile: TableProfile;
  sql: TablePage;
  media: Media;
  graph: GraphNews;
  overview: Overview;
  timeline: Timeline;
  events: EventPage;
  lineage: Lineage;
  diff: RunDiff;
  diff_step: StepDiff;
  history: History;
  logs: LogPage;
  letters: Letters;
  redrive: Done;
  rerun_from: Done;
  resume: Done;
  cancel: Done;
  decide: Done;
  settings: SettingsForm;
  edit_step: CodeEdit;
  new_step: CodeEdit;
  templates: Templates;
  abort: Done;
}
