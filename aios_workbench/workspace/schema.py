"""The catalog's tables: all state a person may ask about. Times are seconds since the epoch, UTC."""

from __future__ import annotations

from aios_workbench.workspace import schema_flow, schema_jobs, schema_life, schema_work

#: Raised by one with every change below; `MIGRATIONS[n]` takes a catalog from version n to n + 1.
VERSION = 7

#: What `aios.sql` offers, in reading order.
TABLES = (
    "runs", "steps", "attempts", "artifacts", "gates", "metrics", "logs", "events",
    "map_parts", "dead_letters", "loop_iterations",
    "jobs", "job_versions", "job_runs", "job_cells", "job_alarms", "approvals", "rollouts", "backfills",
    "policies",
    "executors", "environments", "audit",
    "tunings", "tuning_points",
    "drift_monitors", "drift_windows", "drift_batches", "drift_alerts",
    "breakers", "compensations",
    "effects", "hook_calls",
    "limits", "limit_holders", "limit_waiters", "spend", "spend_totals",
)  # fmt: skip

#: Columns holding epoch seconds, shown as timestamps by `aios.sql`.
TIME_COLUMNS = frozenset(
    ("at", "created_at", "started_at", "ended_at", "updated_at", "requested_at", "deadline_at",
     "decided_at", "tick_at", "queued_at", "next_tick_at", "starts_at", "ends_at", "latest_at",
     "seen_at", "told_at", "opened_at", "until_at", "probe_at", "since", "claimed_at",
     "logical_at")
)  # fmt: skip

CREATE = """
create table runs (
  run_id text primary key, workflow text not null, status text not null,
  params text not null default '{}', param_refs text not null default '{}',
  spec_hash text not null, source text not null default 'kernel',
  created_at real not null, started_at real, ended_at real,
  error text, parent_run_id text, rerun_from text, leg integer not null default 0,
  owner text, user text, cwd text, job_run_id text, gate_policy text not null default '{}',
  deadline_at real, late integer not null default 0,
  adoptions integer not null default 0, seed text not null default '{}',
  environment text, notebook text, message text, attempts_used integer not null default 0,
  attempts_allowed integer, deaths integer not null default 0, done_at_death integer not null default 0,
  priority integer not null default 0, budget text
);
create index runs_by_workflow on runs (workflow, created_at);
create index runs_by_status on runs (status, created_at);
create index runs_by_job_run on runs (job_run_id);
create index runs_by_parent on runs (parent_run_id) where parent_run_id is not null;
create table environments (hash text primary key, data text not null, created_at real not null);
create table specs (spec_hash text primary key, spec text not null);
create table steps (
  run_id text not null, step text not null, position integer not null, kind text not null,
  status text not null, attempts integer not null default 0, max_attempts integer not null default 1,
  started_at real, ended_at real, cached integer not null default 0,
  output text, inputs text not null default '{}', error text, code_hash text, cache_key text,
  progress real, message text, answered_by text, leg integer not null default 0, kept text,
  primary key (run_id, step)
);
create index steps_by_cache_key on steps (cache_key) where cache_key is not null and output is not null;
create index steps_by_output on steps (output) where output is not null;
create table attempts (
  run_id text not null, step text not null, attempt integer not null, status text not null,
  started_at real not null, ended_at real, error text, executor text,
  kind text not null default 'step', name text, message text, peak_bytes integer,
  primary key (run_id, step, attempt)
);
create table artifacts (
  hash text primary key, kind text not null, type text not null, bytes integer not null,
  shape text, meta text not null default '{}', created_at real not null
);
create table gates (
  run_id text not null, step text not null, status text not null, form text, data text,
  requested_at real not null, deadline_at real, decided_at real, decided_by text,
  "values" text, reason text, primary key (run_id, step)
);
create table metrics (
  run_id text not null, step text not null, name text not null, value real, text text, unit text,
  at real not null, kpi integer not null default 0, primary key (run_id, step, name)
);
create table logs (
  seq integer primary key autoincrement, run_id text not null, step text not null,
  attempt integer not null, at real not null, stream text not null, level text, text text not null
);
create index logs_by_step on logs (run_id, step, seq);
create table events (
  seq integer primary key autoincrement, run_id text, step text, kind text not null,
  at real not null, data text not null default '{}'
);
create index events_by_run on events (run_id, seq);
create table signals (
  seq integer primary key autoincrement, run_id text not null, kind text not null, step text,
  at real not null, data text not null default '{}'
);
create table executors (
  executor_id text primary key, kind text not null, pid integer not null, host text not null,
  started_at real not null, ended_at real, seen_at real, fenced integer not null default 0, adopter text
);
create table jobs (
  job_id text primary key, name text not null unique, version integer not null,
  status text not null, spec text not null, created_at real not null, created_by text,
  updated_at real not null, next_tick_at real, rollout_id text
);
create table job_versions (
  job_id text not null, version integer not null, spec text not null, bundle_hash text not null,
  created_at real not null, created_by text, status text not null default 'approved', note text,
  environment text, provenance text, primary key (job_id, version)
);
create table job_runs (
  job_run_id text primary key, job_id text not null, version integer not null, tick_at real,
  trigger text not null, status text not null, attempt integer not null default 0, owner text,
  params text not null default '{}', queued_at real not null, started_at real, ended_at real,
  error text, folder text, cause text, logical_at real, peak_bytes integer, role text, rollout_id text,
  backfill_id text, resumed_from text, outputs text, forgotten_by text, environment text
);
create unique index job_runs_once_per_tick on job_runs (job_id, tick_at) where tick_at is not null;
create unique index job_runs_once_per_cause on job_runs (job_id, cause) where cause is not null;
create index job_runs_by_job on job_runs (job_id, queued_at);
create table audit (
  seq integer primary key autoincrement, at real not null, actor text not null, action text not null,
  subject text not null, detail text not null default '{}', prev text not null, hash text not null
);
create table tunings (
  tuning_id text primary key, task text not null, fingerprint text not null, source text not null,
  status text not null, problem text not null, constraints text not null, vectors text not null,
  pruned text not null default '[]', notes text not null default '[]', chosen text,
  picked_by_hand integer not null default 0, elapsed real not null default 0, error text,
  created_at real not null, updated_at real not null, ended_at real
);
create index tunings_by_task on tunings (task, created_at);
create table tuning_points (
  task text not null, point_id text not null, tuning_id text not null, family text not null,
  recall real not null, recall_low real not null, recall_high real not null, verified real, qps real not null,
  p95_ms real, bytes_per_vector real not null, build_seconds real not null, vectors integer not null,
  at real not null, point text not null, primary key (task, point_id)
);
create index tuning_points_by_tuning on tuning_points (tuning_id);
create table drift_monitors (
  monitor text primary key, spec text not null, rules text not null, reference text not null,
  state text not null default 'quiet', latest_at real, created_at real not null, updated_at real not null
);
create table drift_windows (
  monitor text not null, window_id text not null, starts_at real not null, ends_at real,
  status text not null, rows integer not null default 0, batches integer not null default 0,
  drifted integer, share real, summary text, drifted_columns text not null default '[]',
  effects text not null default '{}', compared_with text, profile text, report text,
  changepoint text, created_at real not null, updated_at real not null, primary key (monitor, window_id)
);
create index drift_windows_in_order on drift_windows (monitor, starts_at);
create table drift_batches (
  monitor text not null, batch text not null, windows text not null, rows integer not null, at real not null,
  primary key (monitor, batch)
);
create table drift_alerts (
  seq integer primary key autoincrement, monitor text not null, window_id text not null, kind text not null,
  at real not null, drifted_columns text not null default '[]', message text not null, told_at real
);
create index drift_alerts_by_monitor on drift_alerts (monitor, seq);
create table job_alerts (
  seq integer primary key autoincrement, source text not null unique, job_id text not null,
  job_run_id text not null, version integer not null, kind text not null, at real not null, subject text not null,
  body text not null, status text not null default 'waiting', attempts integer not null default 0,
  next_at real not null, told_at real, error text, told_to text
);
create index job_alerts_waiting on job_alerts (next_at) where status = 'waiting';
create index events_of_drift on events (seq) where kind = 'drift.alert';
create table settings (key text primary key, value text not null);
"""
CREATE += schema_flow.CREATE + schema_work.CREATE + schema_life.CREATE + schema_jobs.CREATE

MIGRATIONS: dict[int, str] = {
    1: """
alter table runs add column environment text;
alter table runs add column notebook text;
alter table metrics add column kpi integer not null default 0;
create table environments (hash text primary key, data text not null, created_at real not null);
create index runs_by_parent on runs (parent_run_id) where parent_run_id is not null;
create index steps_by_output on steps (output) where output is not null;
""",
    2: """
create table tunings (
  tuning_id text primary key, task text not null, fingerprint text not null, source text not null,
  status text not null, problem text not null, constraints text not null, vectors text not null,
  pruned text not null default '[]', notes text not null default '[]', chosen text,
  picked_by_hand integer not null default 0, elapsed real not null default 0, error text,
  created_at real not null, updated_at real not null, ended_at real
);
create index tunings_by_task on tunings (task, created_at);
create table tuning_points (
  task text not null, point_id text not null, tuning_id text not null, family text not null,
  recall real not null, recall_low real not null, recall_high real not null, verified real, qps real not null,
  p95_ms real, bytes_per_vector real not null, build_seconds real not null, vectors integer not null,
  at real not null, point text not null, primary key (task, point_id)
);
create index tuning_points_by_tuning on tuning_points (tuning_id);
""",
    3: """
alter table steps add column kept text;
create table drift_monitors (
  monitor text primary key, spec text not null, rules text not null, reference text not null,
  state text not null default 'quiet', latest_at real, created_at real not null, updated_at real not null
);
create table drift_windows (
  monitor text not null, window_id text not null, starts_at real not null, ends_at real,
  status text not null, rows integer not null default 0, batches integer not null default 0,
  drifted integer, share real, summary text, drifted_columns text not null default '[]',
  effects text not null default '{}', compared_with text, profile text, report text,
  changepoint text, created_at real not null, updated_at real not null, primary key (monitor, window_id)
);
create index drift_windows_in_order on drift_windows (monitor, starts_at);
create table drift_batches (
  monitor text not null, batch text not null, windows text not null, rows integer not null, at real not null,
  primary key (monitor, batch)
);
create table drift_alerts (
  seq integer primary key autoincrement, monitor text not null, window_id text not null, kind text not null,
  at real not null, drifted_columns text not null default '[]', message text not null, told_at real
);
create index drift_alerts_by_monitor on drift_alerts (monitor, seq);
""",
    4: """
create table job_alerts (
  seq integer primary key autoincrement, source text not null unique, job_id text not null,
  job_run_id text not null, version integer not null, kind text not null, at real not null, subject text not null,
  body text not null, status text not null default 'waiting', attempts integer not null default 0,
  next_at real not null, told_at real, error text
);
create index job_alerts_waiting on job_alerts (next_at) where status = 'waiting';
create index events_of_drift on events (seq) where kind = 'drift.alert';
""",
    5: """
alter table runs add column priority integer not null default 0;
alter table runs add column budget text;
alter table executors add column seen_at real;
alter table executors add column fenced integer not null default 0;
alter table executors add column adopter text;
alter table runs add column message text;
alter table runs add column attempts_used integer not null default 0;
alter table runs add column attempts_allowed integer;
alter table attempts add column kind text not null default 'step';
alter table attempts add column name text;
alter table attempts add column message text;
alter table runs add column deaths integer not null default 0;
alter table runs add column done_at_death integer not null default 0;
alter table attempts add column peak_bytes integer;
alter table runs add column deadline_at real;
alter table runs add column late integer not null default 0;
"""
    + schema_flow.CREATE
    + schema_work.CREATE
    + schema_life.CREATE,
    6: """
alter table job_alerts add column told_to text;
alter table jobs add column rollout_id text;
alter table job_versions add column status text not null default 'approved';
alter table job_versions add column note text;
alter table job_versions add column environment text;
alter table job_versions add column provenance text;
alter table job_runs add column cause text;
alter table job_runs add column logical_at real;
alter table job_runs add column peak_bytes integer;
alter table job_runs add column role text;
alter table job_runs add column rollout_id text;
alter table job_runs add column backfill_id text;
alter table job_runs add column resumed_from text;
alter table job_runs add column outputs text;
alter table job_runs add column forgotten_by text;
alter table job_runs add column environment text;
create unique index job_runs_once_per_cause on job_runs (job_id, cause) where cause is not null;
"""
    + schema_jobs.CREATE,
}
