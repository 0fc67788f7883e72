// Generated from aios_workbench/server/models*.py by `python -m aios_workbench.server.generate_ts`. Do not edit.
import type { Column, RunStatus, StepStatus } from './protocol';

export type { RunStatus, StepStatus };

export type JsonSchema = Record<string, unknown>;

export type JobRunStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'skipped' | 'cancelled' | 'timeout';

export type JobState = 'healthy' | 'late' | 'failing' | 'absent' | 'paused' | 'waiting' | 'new';

/** An error, however it was recorded. */
export interface StepError {
  type: string;
  message: string;
  traceback: string;
}

/** The job that started a run. */
export interface JobTag {
  job_id: string;
  name: string;
}

/** A run. Lists count its steps by status, the snapshot says how far it is. */
export interface Run {
  run_id: string;
  workflow: string;
  status: RunStatus;
  params: Record<string, unknown>;
  source: string;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  error: StepError | null;
  parent_run_id: string | null;
  rerun_from: string | null;
  leg: number;
  owner: string | null;
  user: string | null;
  job_run_id: string | null;
  adoptions: number;
  orphaned: boolean;
  counts?: Record<string, number>;
  steps_total?: number;
  steps_done?: number;
  current?: string | null;
  job?: JobTag | null;
}

/** A step of a run. */
export interface Step {
  run_id: string;
  step: string;
  position: number;
  kind: 'step' | 'gate';
  status: StepStatus;
  attempts: number;
  max_attempts: number;
  started_at: number | null;
  ended_at: number | null;
  cached: boolean;
  output: unknown;
  inputs: unknown;
  error: StepError | null;
  code_hash: string | null;
  cache_key: string | null;
  progress: number | null;
  message: string | null;
  answered_by: string | null;
  leg: number;
  kept: string | null;
}

/** A figure or text a step reported. */
export interface RunMetric {
  run_id: string;
  step: string;
  name: string;
  value: number | null;
  text: string | null;
  unit: string | null;
  at: number;
  kpi: number;
}

/** A gate of a run, as it is stored. */
export interface RunGate {
  run_id: string;
  step: string;
  status: string;
  form: Record<string, unknown> | null;
  data: unknown;
  requested_at: number;
  deadline_at: number | null;
  decided_at: number | null;
  decided_by: string | null;
  values: unknown;
  reason: string | null;
}

/** A run with its steps, gates and metrics. */
export interface RunDetail {
  run_id: string;
  workflow: string;
  status: RunStatus;
  params: Record<string, unknown>;
  source: string;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  error: StepError | null;
  parent_run_id: string | null;
  rerun_from: string | null;
  leg: number;
  owner: string | null;
  user: string | null;
  job_run_id: string | null;
  adoptions: number;
  orphaned: boolean;
  counts?: Record<string, number>;
  steps_total?: number;
  steps_done?: number;
  current?: string | null;
  job?: JobTag | null;
  param_refs: unknown;
  spec_hash: string;
  cwd: string | null;
  gate_policy: unknown;
  seed: unknown;
  environment: string | null;
  notebook: string | null;
  message: string | null;
  priority: number;
  budget: Record<string, number> | null;
  attempts_used: number;
  attempts_allowed: number | null;
  deaths: number;
  done_at_death: number;
  deadline_at: number | null;
  late: boolean;
  steps: Step[];
  gates: RunGate[];
  metrics: RunMetric[];
}

/** A window on a stored value; `hash` names the artifact. */
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
  hash: string;
}

/** One captured line of output of a run. */
export interface LogLine {
  seq: number;
  step: string;
  attempt: number;
  at: number;
  stream: string;
  level: string | null;
  text: string;
  run_id: string;
}

/** One try of a step. */
export interface StepAttempt {
  run_id: string;
  step: string;
  attempt: number;
  status: string;
  started_at: number;
  ended_at: number | null;
  error: StepError | null;
  executor: string | null;
  kind: string;
  name: string | null;
  message: string | null;
  peak_bytes: number | null;
}

/** A step with its attempts, its inputs' descriptions and a window on its output. */
export interface StepDetail {
  run_id: string;
  step: string;
  position: number;
  kind: 'step' | 'gate';
  status: StepStatus;
  attempts: number;
  max_attempts: number;
  started_at: number | null;
  ended_at: number | null;
  cached: boolean;
  output: unknown;
  inputs: Record<string, unknown>;
  error: StepError | null;
  code_hash: string | null;
  cache_key: string | null;
  progress: number | null;
  message: string | null;
  answered_by: string | null;
  leg: number;
  kept: string | null;
  attempts_list: StepAttempt[];
  preview: Preview | null;
}

/** A gate that waits. */
export interface Gate {
  run_id: string;
  step: string;
  status: string;
  requested_at: number;
  deadline_at: number | null;
  form: Record<string, unknown> | null;
  workflow: string;
}

/** A gate with a window on the data to decide on. */
export interface GateDetail {
  run_id: string;
  step: string;
  status: string;
  requested_at: number;
  deadline_at: number | null;
  form: Record<string, unknown> | null;
  workflow: string;
  decided_at: number | null;
  decided_by: string | null;
  values: unknown;
  reason: string | null;
  preview: Preview | null;
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

/** A run of a job; whether it left files, not where. */
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
  params: unknown;
  error: StepError | null;
  html: boolean;
  notebook: boolean;
  runs: string[];
  logical_at: number | null;
  peak_bytes: number | null;
  role: string | null;
  backfill_id: string | null;
  resumed_from: string | null;
}

/** How a run of a job went, when, how long it took, and in a line why it did not succeed. */
export interface JobResult {
  job_run_id: string;
  status: JobRunStatus;
  at: number;
  seconds: number | null;
  reason: string | null;
}

/** Something that is wrong with a job since a while. */
export interface JobAlarm {
  kind: string;
  subject: string;
  since: number;
}

/** How a job does, and why it is said to; figures are of its last runs. */
export interface JobHealth {
  state: JobState;
  why: string;
  success_share: number | null;
  median_seconds: number | null;
  last_success_at: number | null;
  alarms: JobAlarm[];
}

/** A job with its last run; lists tell its health and `recent`, oldest first, promoting tells `changed`. */
export interface Job {
  job_id: string;
  name: string;
  version: number;
  status: 'active' | 'paused' | 'waiting';
  notebook: string;
  schedule: string | null;
  schedule_words: string;
  triggers: string;
  timezone: string;
  next_tick_at: number | null;
  parameters: Record<string, unknown>;
  missed: string;
  retries: number;
  timeout: unknown;
  gates: Record<string, unknown>;
  options: Record<string, unknown>;
  created_at: number;
  created_by: string | null;
  last: JobRun | null;
  health?: JobHealth;
  recent?: JobResult[];
  changed?: boolean;
  promoted?: number | null;
}

/** The workspace: its folder, the same as a person reads it, whether it is there yet. */
export interface Place {
  path: string;
  shown: string;
  exists: boolean;
}

/** The newest run, whatever the filter shows. */
export interface NewestRun {
  run_id: string;
  workflow: string;
  status: RunStatus;
}

/** The last failed run that no later run of its workflow has made good. */
export interface FailedRun {
  run_id: string;
  workflow: string;
  status: RunStatus;
  ended_at: number | null;
}

/** The panel's whole picture. `decided` is newest first; `workflows` are names to filter by. */
export interface Snapshot {
  workspace: Place;
  now: number;
  actor: string;
  seq: number;
  runs: Run[];
  gates: Gate[];
  decided: Decision[];
  jobs: Job[];
  counts: Record<string, number>;
  newest: NewestRun | null;
  failure: FailedRun | null;
  workflows: string[];
  workers: number;
}

/** Something that happened. */
export interface Event {
  seq: number;
  run_id: string | null;
  step: string | null;
  kind: string;
  at: number;
  data: unknown;
}

/** What a client missed, and the number to ask from next. */
export interface Events {
  workspace: string;
  events: Event[];
  seq: number;
  more: boolean;
}

/** Runs, newest first. */
export interface Runs {
  runs: Run[];
}

/** The run that now stands for what was asked. */
export interface RunRef {
  run_id: string;
}

/** Log lines, and the number to ask from next. */
export interface Logs {
  logs: LogLine[];
  after: number;
}

/** Jobs by name. */
export interface Jobs {
  jobs: Job[];
}

/** The job that was removed. */
export interface JobRef {
  job_id: string;
}

/** The job run that was triggered. */
export interface JobRunRef {
  job_run_id: string;
}

/** What a run of a job may be given. */
export interface JobParameters {
  parameters: NotebookParameter[];
}

/** Runs of a job, newest first. */
export interface JobHistory {
  runs: JobRun[];
}

/** A coming tick on the clock of the job's zone; `note` says what the change of the clock does to it. */
export interface JobTick {
  at: number;
  local: string;
  note: string | null;
}

/** When a job runs: all its triggers in words, and its next ticks. */
export interface JobTimes {
  words: string;
  timezone: string;
  ticks: JobTick[];
}

/** Something people were told of a job, or will be. */
export interface JobAlert {
  kind: string;
  at: number;
  subject: string;
  body: string;
  status: string;
  attempts: number;
  told_at: number | null;
  error: string | null;
  job_run_id: string;
}

/** Alerts of a job, newest first. */
export interface JobAlerts {
  alerts: JobAlert[];
}

/** A version of a job; `current` is what its next run is made of. */
export interface JobVersion {
  version: number;
  status: string;
  created_at: number;
  created_by: string | null;
  note: string | null;
  bundle_hash: string;
  current: boolean;
  runs: number;
  files: Record<string, string>;
}

/** Versions of a job, newest first; `notebook` when there is a file to compare them with. */
export interface JobVersions {
  versions: JobVersion[];
  notebook: string | null;
}

/** An option of the job that differs. */
export interface OptionChange {
  option: string;
  old: unknown;
  new: unknown;
}

/** A cell that differs; `diff` is a unified diff of its source. */
export interface CellChange {
  kind: 'added' | 'removed' | 'changed' | 'moved';
  old: number | null;
  new: number | null;
  diff: string;
}

/** A module or a data file that differs: its hashes, and a unified diff or why there is none. */
export interface FileChange {
  path: string;
  kind: 'added' | 'removed' | 'changed';
  old: string | null;
  new: string | null;
  diff: string;
}

/** A package of the locked environment that differs, by its version. */
export interface PackageChange {
  package: string;
  old: string | null;
  new: string | null;
}

/** What differs between two versions, or between a version and the notebook as it is saved now. */
export interface JobDiff {
  spec: OptionChange[];
  cells: CellChange[];
  files: FileChange[];
  packages: PackageChange[];
  data: FileChange[];
  same: boolean;
}

/** What one person said of a version. */
export interface Approval {
  actor: string;
  decision: string;
  reason: string | null;
  at: number;
}

/** A version that waits: how many must agree, who did, and what the one who asks may; `why_not` if not agree. */
export interface JobApproval {
  version: number;
  bundle_hash: string;
  created_by: string | null;
  needed: number;
  given: Approval[];
  why: string;
  may_approve: boolean;
  may_reject: boolean;
  why_not: string;
}

/** Versions of a job that wait for somebody to agree, newest first. */
export interface JobApprovals {
  approvals: JobApproval[];
}

/** Runs of one version in a rollout; bad are those that failed or were too slow. */
export interface RolloutCount {
  runs: number;
  failed: number;
  slow: number;
  bad: number;
}

/** A run with its shadow, and how that differs; null while they are not compared. */
export interface RolloutPair {
  run: string;
  shadow: string;
  differences: string[] | null;
}

/** A version on trial, or one that was; `decision` and `because` are what its runs say so far. */
export interface Rollout {
  rollout_id: string;
  version: number;
  base_version: number;
  mode: 'canary' | 'shadow';
  share: number;
  status: string;
  reason: string | null;
  started_at: number;
  started_by: string;
  ended_at: number | null;
  ended_by: string | null;
  runs_wanted: number;
  by_itself: boolean;
  base: RolloutCount;
  new: RolloutCount;
  compared: number;
  differing: number;
  pairs: RolloutPair[];
  decision: 'roll_back' | 'promote' | null;
  because: string;
}

/** A version on trial, or the last one that was; null when there never was one. */
export interface JobRollout {
  rollout: Rollout | null;
}

/** A tick of the past; `done` when a run of it has succeeded already. */
export interface BackfillTick {
  at: number;
  local: string;
  done: boolean;
}

/** What a backfill would run; `limit` is the most it may. */
export interface BackfillPreview {
  ticks: BackfillTick[];
  total: number;
  limit: number;
}

/** A backfill and how far it is: how many of its runs are in which state, and the share that ended. */
export interface Backfill {
  backfill_id: string;
  job_id: string;
  version: number;
  starts_at: number;
  ends_at: number;
  concurrency: number;
  newest_first: boolean;
  total: number;
  status: string;
  created_at: number;
  created_by: string;
  ended_at: number | null;
  queued: number;
  running: number;
  succeeded: number;
  failed: number;
  cancelled: number;
  share: number;
}

/** Backfills of a job, newest first. */
export interface Backfills {
  backfills: Backfill[];
}

/** A cell of a job run; `cell` is its number in the notebook. */
export interface JobCell {
  position: number;
  cell: number | null;
  label: string;
  status: string;
  started_at: number | null;
  ended_at: number | null;
}

/** A workflow run that a job run started. */
export interface JobRunWorkflow {
  run_id: string;
  workflow: string;
  status: string;
}

/** A job run, opened. `cannot_resume` says why it cannot go on where it failed; null when it can. */
export interface JobRunDetail {
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
  params: unknown;
  error: StepError | null;
  html: boolean;
  notebook: boolean;
  runs: string[];
  logical_at: number | null;
  peak_bytes: number | null;
  role: string | null;
  backfill_id: string | null;
  resumed_from: string | null;
  name: string;
  cells: JobCell[];
  workflows: JobRunWorkflow[];
  cannot_resume: string | null;
}

/** What was printed from `after` on, and where to go on from; `more` when there is more already. */
export interface LogPart {
  text: string;
  next: number;
  more: boolean;
}

/** Whether a worker was started; none is when one lives. */
export interface Workers {
  started: boolean;
}

/** What a notebook may be given. */
export interface NotebookParameter {
  name: string;
  type: string;
  default: unknown;
  required: boolean;
  annotated: boolean;
  computed: boolean;
  cell: number;
  line: number;
  schema: Record<string, unknown>;
}

/** A piece of a cell's source and what to put in its place: lines from 1, columns from 0. */
export interface FindingEdit {
  cell: number;
  line: number;
  column: number;
  end_line: number;
  end_column: number;
  text: string;
}

/** A safe change of the notebook that mends a finding. */
export interface QuickFix {
  title: string;
  edits: FindingEdit[];
  clear_outputs: number | null;
}

/** What stands in the way of promoting a notebook; `why` says what happens in production. */
export interface Finding {
  severity: 'error' | 'warning' | 'note';
  code: string;
  message: string;
  fix: string;
  cell: number | null;
  line: number | null;
  rule: string;
  column: number | null;
  variable: string | null;
  cell_id: string | null;
  quick_fix: QuickFix | null;
  why: string;
  ignorable: boolean;
}

/** What the notebook's author has looked at, and the reason. */
export interface IgnoredFinding {
  severity: 'error' | 'warning' | 'note';
  code: string;
  message: string;
  fix: string;
  cell: number | null;
  line: number | null;
  rule: string;
  column: number | null;
  variable: string | null;
  cell_id: string | null;
  quick_fix: QuickFix | null;
  why: string;
  ignorable: boolean;
  reason: string;
}

/** What a notebook takes, and what stands in its way. `seen` is the SHA-256 of the file, `problems` what is wrong with the job's options, by option. */
export interface PromoteCheck {
  name: string;
  parameters: NotebookParameter[];
  gates: string[];
  findings: Finding[];
  ignored: IgnoredFinding[];
  modules: string[];
  data: string[];
  seen: string;
  problems: Record<string, string>;
}

/** A run to come, or runs that the clock leaves out. */
export interface PreviewLine {
  at: number;
  local: string;
  utc: string;
  runs: boolean;
  note: string | null;
}

/** When a job would run, in words and in instants, and what is wrong with its options, by option. */
export interface PromotePreview {
  words: string;
  lines: PreviewLine[];
  problems: Record<string, string>;
  message: string | null;
}

/** A cell before and after. */
export interface Mended {
  cell: number;
  cell_id: string | null;
  before: string;
  after: string;
  clear_outputs: boolean;
}

/** The changes that mend findings; they are made by whoever has the notebook open. Nothing is written. */
export interface PromoteMend {
  seen: string;
  cells: Mended[];
  metadata: Record<string, unknown> | null;
  made: Finding[];
}

/** A scheduler a job can be written for, and how far that is proven. */
export interface TargetInfo {
  name: string;
  title: string;
  evidence: 'real' | 'wire' | 'schema' | 'untested';
  evidence_words: string;
  proof: string;
  grains: ('notebook' | 'steps')[];
  folder: string;
}

/** What the dialog starts with: the job this notebook is already, the other jobs, the targets. */
export interface PromoteOpening {
  notebook: string;
  job_id: string | null;
  version: number | null;
  status: string | null;
  options: Record<string, unknown> | null;
  jobs: string[];
  targets: TargetInfo[];
  folder: string;
}

/** A file that would be written. `diff` is against what lies there; `problem` says why it cannot be. */
export interface TargetFile {
  path: string;
  status: 'new' | 'changed' | 'same' | 'blocked';
  text: string;
  diff: string;
  problem: string | null;
}

/** What a target's files are, before or after they are written. */
export interface TargetFiles {
  target: string;
  title: string;
  evidence: 'real' | 'wire' | 'schema' | 'untested';
  grain: 'notebook' | 'steps';
  folder: string;
  bundle: string;
  bundle_hash: string;
  bundle_status: 'new' | 'changed' | 'same' | 'blocked';
  limits: string[];
  files: TargetFile[];
  written: boolean;
  commands: string[];
}

/** An option of the job that promoting changes. */
export interface ReviewChange {
  option: string;
  old: unknown;
  new: unknown;
}

/** A cell that promoting changes. */
export interface ReviewCell {
  kind: 'added' | 'removed' | 'changed' | 'moved';
  old: number | null;
  new: number | null;
  diff: string;
}

/** What promoting changes against the version that runs. */
export interface PromoteReview {
  job_id: string | null;
  version: number | null;
  next_version: number;
  status: string | null;
  notebook: string | null;
  same: boolean;
  options: ReviewChange[];
  cells: ReviewCell[];
  others: string[];
  approvals_needed: number;
  approvals_why: string;
  seen: string;
}

/** How far a run in a clean kernel is: cells done of how many, in the first or the second run. */
export interface CleanRunCell {
  done: number;
  count: number;
  round: number;
}

/** A run in a clean kernel: going, over with what was found, cancelled, or broken. */
export interface CleanRunState {
  run_id: string;
  status: 'running' | 'done' | 'cancelled' | 'failed';
  started_at: number;
  seconds: number;
  progress: CleanRunCell | null;
  findings: Finding[];
  run_status: string | null;
  run_seconds: number | null;
  peak_bytes: number | null;
  compared: number | null;
  error: string | null;
}

/** Whether a notebook is a job, and whether it differs from what was promoted. */
export interface PromoteBadge {
  job: string | null;
  job_id: string | null;
  version: number | null;
  differs: boolean;
  what: string[];
}

/** `runs/{id}/rerun`. */
export interface RerunRequest {
  from_step: string;
}

/** `runs/{id}/gates/{step}`. */
export interface DecisionRequest {
  approved: boolean;
  values: Record<string, unknown> | null;
  reason: string | null;
}

/** `jobs/{id}/trigger`: parameters that differ from the job's own, this once. */
export interface TriggerRequest {
  params: Record<string, unknown>;
}

/** An event that starts the job; `parameters` by the path of a value in the event's data. */
export interface JobEvent {
  event: string;
  where: Record<string, unknown>;
  parameters: Record<string, string>;
}

/** Another job after whose runs this one starts. */
export interface JobAfter {
  job: string;
  on: 'succeeded' | 'failed' | 'ended';
}

/** What the job promises. */
export interface JobSlo {
  failures: number | null;
  within: string | null;
}

/** A notebook and the job it shall become: `promote/check`, `promote/preview`, `promote/review`. */
export interface DraftRequest {
  name: string;
  schedule: string | null;
  every: string | null;
  starting: string | null;
  on_event: JobEvent[];
  after: JobAfter[];
  after_mode: 'all' | 'any';
  timezone: string;
  parameters: Record<string, unknown>;
  missed: 'skip' | 'latest' | 'all';
  catch_up: number;
  retries: number;
  retry_delay: string;
  timeout: string | null;
  memory: string | null;
  overlap: 'forbid' | 'queue' | 'replace';
  concurrency: number;
  late_after: string | null;
  absent_after: string | null;
  slo: JobSlo | null;
  approvals: number;
  gates: Record<string, unknown>;
  alerts: string[];
  notebook: string;
}

/** `promote`. With `seen`, the notebook must still be the file of that SHA-256. */
export interface PromoteRequest {
  name: string;
  schedule: string | null;
  every: string | null;
  starting: string | null;
  on_event: JobEvent[];
  after: JobAfter[];
  after_mode: 'all' | 'any';
  timezone: string;
  parameters: Record<string, unknown>;
  missed: 'skip' | 'latest' | 'all';
  catch_up: number;
  retries: number;
  retry_delay: string;
  timeout: string | null;
  memory: string | null;
  overlap: 'forbid' | 'queue' | 'replace';
  concurrency: number;
  late_after: string | null;
  absent_after: string | null;
  slo: JobSlo | null;
  approvals: number;
  gates: Record<string, unknown>;
  alerts: string[];
  notebook: string;
  note: string | null;
  seen: string | null;
  rollout: 'canary' | 'shadow' | null;
}

/** A finding, as far as needed to find it again. */
export interface FindingRef {
  rule: string;
  cell: number | null;
  line: number | null;
}

/** `promote/mend`: make quick fixes (of all findings that have one, when none is named), or ignore one. */
export interface MendRequest {
  name: string;
  schedule: string | null;
  every: string | null;
  starting: string | null;
  on_event: JobEvent[];
  after: JobAfter[];
  after_mode: 'all' | 'any';
  timezone: string;
  parameters: Record<string, unknown>;
  missed: 'skip' | 'latest' | 'all';
  catch_up: number;
  retries: number;
  retry_delay: string;
  timeout: string | null;
  memory: string | null;
  overlap: 'forbid' | 'queue' | 'replace';
  concurrency: number;
  late_after: string | null;
  absent_after: string | null;
  slo: JobSlo | null;
  approvals: number;
  gates: Record<string, unknown>;
  alerts: string[];
  notebook: string;
  findings: FindingRef[] | null;
  ignore: FindingRef | null;
  reason: string;
}

/** `promote/files` and `promote/write`: a target's files in a folder below the project's. */
export interface FilesRequest {
  name: string;
  schedule: string | null;
  every: string | null;
  starting: string | null;
  on_event: JobEvent[];
  after: JobAfter[];
  after_mode: 'all' | 'any';
  timezone: string;
  parameters: Record<string, unknown>;
  missed: 'skip' | 'latest' | 'all';
  catch_up: number;
  retries: number;
  retry_delay: string;
  timeout: string | null;
  memory: string | null;
  overlap: 'forbid' | 'queue' | 'replace';
  concurrency: number;
  late_after: string | null;
  absent_after: string | null;
  slo: JobSlo | null;
  approvals: number;
  gates: Record<string, unknown>;
  alerts: string[];
  notebook: string;
  target: string;
  grain: 'notebook' | 'steps';
  folder: string;
  seen: string | null;
}

/** `jobs/{id}/rollback`. */
export interface RollbackRequest {
  version: number;
  reason: string | null;
}

/** `jobs/{id}/approvals`: `bundle_hash` is what was looked at. */
export interface ApproveRequest {
  version: number;
  bundle_hash: string | null;
  decision: 'approve' | 'reject';
  reason: string | null;
}

/** `jobs/{id}/rollout`: a version on a share of the runs, or beside all of them. */
export interface StartRolloutRequest {
  version: number;
  mode: 'canary' | 'shadow';
  share: number;
}

/** `jobs/{id}/rollout/finish`. */
export interface FinishRolloutRequest {
  decision: 'promote' | 'roll_back';
  reason: string | null;
}

/** `jobs/{id}/backfills/preview`: from one time to another, on the clock of the job's zone. */
export interface BackfillRangeRequest {
  start: string;
  end: string;
  again: boolean;
}

/** `jobs/{id}/backfills`. */
export interface StartBackfillRequest {
  start: string;
  end: string;
  again: boolean;
  concurrency: number;
  newest_first: boolean;
  parameters: Record<string, unknown> | null;
}
