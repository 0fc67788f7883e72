// The server's endpoints below `aios/jobs/`.
import type {
  ApproveRequest, BackfillPreview, BackfillRangeRequest, Backfills, FinishRolloutRequest, Job, JobAlerts, JobApprovals, JobDiff,
  JobHistory, JobRollout, JobRun, JobRunDetail, JobTimes, JobVersions, LogPart, NotebookParameter, RollbackRequest,
  StartBackfillRequest, StartRolloutRequest, Workers
} from './api_types';

export type Ask = <T>(method: string, path: string, query?: Record<string, string | number | null | undefined>, body?: unknown) => Promise<T>;

export class JobsApi {
  constructor(private readonly ask: Ask) {}

  history(job: string, before: number | null = null): Promise<JobHistory> {
    return this.ask('GET', of(job, 'runs'), { before });
  }
  change(job: string, action: 'pause' | 'resume'): Promise<Job> {
    return this.ask('POST', of(job, action), {}, {});
  }
  parameters(job: string): Promise<{ parameters: NotebookParameter[] }> {
    return this.ask('GET', of(job, 'parameters'));
  }
  trigger(job: string, params: Record<string, unknown> = {}): Promise<{ job_run_id: string }> {
    return this.ask('POST', of(job, 'trigger'), {}, { params });
  }
  remove(job: string): Promise<unknown> {
    return this.ask('DELETE', of(job));
  }
  run(job: string, run: string): Promise<JobRunDetail> {
    return this.ask('GET', of(job, 'runs', run));
  }
  cancel(job: string, run: string): Promise<JobRun> {
    return this.ask('POST', of(job, 'runs', run, 'cancel'), {}, {});
  }
  resumeRun(job: string, run: string): Promise<{ job_run_id: string }> {
    return this.ask('POST', of(job, 'runs', run, 'resume'), {}, {});
  }
  /** What a run printed, or one cell of it, after a number known. */
  log(job: string, run: string, cell: number | null, after: number): Promise<LogPart> {
    const where = cell === null ? of(job, 'runs', run, 'log') : of(job, 'runs', run, 'cells', String(cell), 'log');
    return this.ask('GET', where, { after });
  }
  times(job: string): Promise<JobTimes> {
    return this.ask('GET', of(job, 'next'));
  }
  alerts(job: string): Promise<JobAlerts> {
    return this.ask('GET', of(job, 'alerts'));
  }
  versions(job: string): Promise<JobVersions> {
    return this.ask('GET', of(job, 'versions'));
  }
  /** Without `to`: the notebook as it is saved now. */
  diff(job: string, from: number, to: number | null): Promise<JobDiff> {
    return this.ask('GET', of(job, 'diff'), { old: from, new: to });
  }
  rollback(job: string, body: RollbackRequest): Promise<JobVersions> {
    return this.ask('POST', of(job, 'rollback'), {}, body);
  }
  approvals(job: string): Promise<JobApprovals> {
    return this.ask('GET', of(job, 'approvals'));
  }
  approve(job: string, body: ApproveRequest): Promise<JobApprovals> {
    return this.ask('POST', of(job, 'approvals'), {}, body);
  }
  rollout(job: string): Promise<JobRollout> {
    return this.ask('GET', of(job, 'rollout'));
  }
  startRollout(job: string, body: StartRolloutRequest): Promise<JobRollout> {
    return this.ask('POST', of(job, 'rollout'), {}, body);
  }
  finishRollout(job: string, body: FinishRolloutRequest): Promise<JobRollout> {
    return this.ask('POST', of(job, 'rollout', 'finish'), {}, body);
  }
  backfills(job: string): Promise<Backfills> {
    return this.ask('GET', of(job, 'backfills'));
  }
  previewBackfill(job: string, body: BackfillRangeRequest): Promise<BackfillPreview> {
    return this.ask('POST', of(job, 'backfills', 'preview'), {}, body);
  }
  startBackfill(job: string, body: StartBackfillRequest): Promise<Backfills> {
    return this.ask('POST', of(job, 'backfills'), {}, body);
  }
  changeBackfill(job: string, backfill: string, action: 'cancel' | 'pause' | 'resume'): Promise<Backfills> {
    return this.ask('POST', of(job, 'backfills', backfill, action), {}, {});
  }
  startWorker(): Promise<Workers> {
    return this.ask('POST', 'workers', {}, {});
  }
}

function of(...parts: string[]): string {
  return ['jobs', ...parts.map(encodeURIComponent)].join('/');
}
