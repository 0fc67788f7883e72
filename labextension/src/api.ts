// The server's `aios/` endpoints, typed. Every failure becomes an ApiError with a sentence for a person.
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { JobsApi } from './api_jobs';
import type {
  CleanRunState, DraftRequest, FilesRequest, GateDetail, Job, LogLine, MendRequest, PromoteBadge, PromoteCheck, PromoteMend,
  PromoteOpening, PromotePreview, PromoteRequest, PromoteReview, RunDetail, Snapshot, StepDetail, TargetFiles
} from './api_types';

export type * from './api_types';

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

/** A body of which only the notebook must be said: what else is left out stays as it was. */
export type Asked<T extends { notebook: string }> = Partial<T> & { notebook: string };

type Query = Record<string, string | number | null | undefined>;

/** One client per panel; `path` is the document in focus, which decides the workspace. */
export class Api {
  path = '';

  readonly jobs: JobsApi;

  constructor(private readonly settings: ServerConnection.ISettings) {
    this.jobs = new JobsApi((method, path, query, body) => this.request(method, path, query, body));
  }

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
  /** A lesson as a notebook, without outputs. */
  tutorial(name: string): Promise<unknown> {
    return this.request('GET', `tutorials/${enc(name)}`);
  }
  openPromotion(notebook: string): Promise<PromoteOpening> {
    return this.request('POST', 'promote/open', {}, { notebook });
  }
  check(body: Asked<DraftRequest>): Promise<PromoteCheck> {
    return this.request('POST', 'promote/check', {}, body);
  }
  preview(body: Asked<DraftRequest>): Promise<PromotePreview> {
    return this.request('POST', 'promote/preview', {}, body);
  }
  review(body: Asked<DraftRequest>): Promise<PromoteReview> {
    return this.request('POST', 'promote/review', {}, body);
  }
  mend(body: Asked<MendRequest>): Promise<PromoteMend> {
    return this.request('POST', 'promote/mend', {}, body);
  }
  targetFiles(action: 'files' | 'write', body: Asked<FilesRequest>): Promise<TargetFiles> {
    return this.request('POST', `promote/${action}`, {}, body);
  }
  badge(notebook: string): Promise<PromoteBadge> {
    return this.request('GET', 'promote/badge', { notebook });
  }
  startCleanRun(body: Asked<DraftRequest>): Promise<CleanRunState> {
    return this.request('POST', 'promote/clean-run', {}, body);
  }
  cleanRun(id: string): Promise<CleanRunState> {
    return this.request('GET', `promote/clean-run/${enc(id)}`);
  }
  cancelCleanRun(id: string): Promise<CleanRunState> {
    return this.request('POST', `promote/clean-run/${enc(id)}/cancel`, {}, {});
  }
  promote(body: Asked<PromoteRequest>): Promise<Job> {
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
    if (!response.ok) {
      throw failure(response.status, await response.json().catch(() => null));
    }
    try {
      return (await response.json()) as T;
    } catch {
      throw new ApiError("The Jupyter server's answer was cut off.", response.status, 'This view tries again by itself.');
    }
  }
}

function failure(status: number, data: unknown): ApiError {
  const body = (typeof data === 'object' && data !== null ? data : {}) as {
    message?: string;
    hint?: string;
    fields?: Record<string, string>;
    denied?: boolean;
  };
  if (status === 403 && !body.denied) {
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
