// The server's `aios/` endpoints, typed. Every failure becomes an ApiError with a sentence for a person.
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
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
}

export interface Snapshot {
  workspace: { path: string; shown: string; exists: boolean };
  now: number;
  actor: string;
  seq: number;
  runs: Run[];
  gates: Gate[];
  jobs: Job[];
  counts: Partial<Record<RunStatus, number>>;
  /** The newest run, whatever the filter shows. */
  newest: { run_id: string; workflow: string; status: RunStatus } | null;
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

/** What went wrong, in words; `fields` names the inputs to correct. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number = 0,
    readonly hint: string = '',
    readonly fields: Record<string, string> = {}
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

type Query = Record<string, string | number | null | undefined>;

/** One client per panel; `path` is the document in focus, which decides the workspace. */
export class Api {
  path = '';

  constructor(private readonly settings: ServerConnection.ISettings) {}

  snapshot(query: Query = {}): Promise<Snapshot> {
    return this.request('GET', 'snapshot', query);
  }
  run(runId: string): Promise<RunDetail> {
    return this.request('GET', `runs/${enc(runId)}`);
  }
  step(runId: string, step: string, offset = 0, limit = 50): Promise<StepDetail> {
    return this.request('GET', `runs/${enc(runId)}/steps/${enc(step)}`, { offset, limit });
  }
  logs(runId: string, step: string, after = 0): Promise<{ logs: LogLine[]; after: number }> {
    return this.request('GET', `runs/${enc(runId)}/logs`, { step, after });
  }
  gate(runId: string, step: string, offset = 0, limit = 20): Promise<GateDetail> {
    return this.request('GET', `runs/${enc(runId)}/gates/${enc(step)}`, { offset, limit });
  }
  decide(runId: string, step: string, body: { approved: boolean; values: Record<string, unknown> | null; reason: string | null }) {
    return this.request<GateDetail>('POST', `runs/${enc(runId)}/gates/${enc(step)}`, {}, body);
  }
  cancel(runId: string): Promise<{ run_id: string }> {
    return this.request('POST', `runs/${enc(runId)}/cancel`, {}, {});
  }
  resume(runId: string): Promise<{ run_id: string }> {
    return this.request('POST', `runs/${enc(runId)}/resume`, {}, {});
  }
  rerun(runId: string, fromStep: string): Promise<{ run_id: string }> {
    return this.request('POST', `runs/${enc(runId)}/rerun`, {}, { from_step: fromStep });
  }
  history(jobId: string): Promise<{ runs: JobRun[] }> {
    return this.request('GET', `jobs/${enc(jobId)}/runs`);
  }
  job(jobId: string, action: 'pause' | 'resume'): Promise<Job> {
    return this.request('POST', `jobs/${enc(jobId)}/${action}`, {}, {});
  }
  trigger(jobId: string, params: Record<string, unknown> = {}): Promise<{ job_run_id: string }> {
    return this.request('POST', `jobs/${enc(jobId)}/trigger`, {}, { params });
  }
  cancelJobRun(jobId: string, jobRunId: string): Promise<JobRun> {
    return this.request('POST', `jobs/${enc(jobId)}/runs/${enc(jobRunId)}/cancel`, {}, {});
  }
  removeJob(jobId: string): Promise<unknown> {
    return this.request('DELETE', `jobs/${enc(jobId)}`);
  }
  check(notebook: string, schedule: string | null, timezone: string): Promise<PromoteCheck> {
    return this.request('POST', 'promote/check', {}, { notebook, schedule, timezone });
  }
  promote(body: PromoteRequest): Promise<Job> {
    return this.request('POST', 'promote', {}, body);
  }

  /** Address of an executed notebook or its page; the browser's cookie authenticates it. */
  fileUrl(jobId: string, jobRunId: string, kind: 'html' | 'notebook'): string {
    const url = URLExt.join(this.settings.baseUrl, 'aios', 'jobs', enc(jobId), 'runs', enc(jobRunId), kind);
    const query: Record<string, string> = this.path ? { path: this.path } : {};
    if (this.settings.token && this.settings.appendToken) {
      query.token = this.settings.token;
    }
    return url + URLExt.objectToQueryString(query);
  }

  private async request<T>(method: string, path: string, query: Query = {}, body?: unknown): Promise<T> {
    const given: Record<string, string> = this.path ? { path: this.path } : {};
    for (const [name, value] of Object.entries(query)) {
      if (value !== null && value !== undefined && value !== '') {
        given[name] = String(value);
      }
    }
    const url = URLExt.join(this.settings.baseUrl, 'aios', path) + URLExt.objectToQueryString(given);
    const init: RequestInit = { method };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { 'Content-Type': 'application/json' };
    }
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this.settings);
    } catch {
      throw new ApiError('The Jupyter server does not answer.', 0, 'Is it still running? This view tries again by itself.');
    }
    let data: unknown = null;
    try {
      data = await response.json();
    } catch {
      data = null;
    }
    if (!response.ok) {
      throw failure(response.status, data);
    }
    return data as T;
  }
}

function failure(status: number, data: unknown): ApiError {
  const body = (typeof data === 'object' && data !== null ? data : {}) as {
    message?: string;
    hint?: string;
    fields?: Record<string, string>;
  };
  if (status === 403) {
    return new ApiError('You are not signed in, or may not do this here.', status, 'Reload the page to sign in again.');
  }
  if (status === 404 && !body.message) {
    return new ApiError(
      'The AIOS server extension is not enabled.',
      status,
      'Run `jupyter server extension enable aios_workbench`, then restart JupyterLab.'
    );
  }
  return new ApiError(sentence(body.message ?? `The server answered ${status}.`), status, body.hint ?? '', body.fields ?? {});
}

/** A message as a sentence begins; the server's begin small, for the command line. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function enc(part: string): string {
  return encodeURIComponent(part);
}
