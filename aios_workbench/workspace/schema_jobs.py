"""The catalog's tables for how jobs start, who agreed to a version and how it is rolled out."""

from __future__ import annotations

CREATE = """
create table job_cells (
  job_run_id text not null, attempt integer not null, position integer not null, cell integer,
  status text not null, started_at real, ended_at real, log_from integer, log_to integer,
  primary key (job_run_id, attempt, position)
);
create table job_alarms (
  job_id text not null, kind text not null, subject text not null, since real not null, told_at real,
  ended_at real, primary key (job_id, kind, subject)
);
create table job_sources (
  job_id text not null, source text not null, seen text not null, at real not null,
  primary key (job_id, source)
);
create table approvals (
  job_id text not null, version integer not null, actor text not null, decision text not null,
  reason text, at real not null, bundle_hash text not null default '', primary key (job_id, version, actor)
);
create table rollouts (
  rollout_id text primary key, job_id text not null, base_version integer not null,
  version integer not null, mode text not null, share real not null, rules text not null default '{}',
  status text not null, reason text, started_at real not null, started_by text not null,
  ended_at real, ended_by text
);
create index rollouts_by_job on rollouts (job_id, started_at);
create table backfills (
  backfill_id text primary key, job_id text not null, version integer not null, starts_at real not null,
  ends_at real not null, concurrency integer not null default 1, newest_first integer not null default 0,
  params text not null default '{}', total integer not null, status text not null,
  created_at real not null, created_by text not null, ended_at real
);
create table event_keys (
  name text not null, key text not null, seq integer not null, primary key (name, key)
);
create index events_that_start on events (seq)
  where kind in ('told', 'drift.alert', 'run.ended', 'job.ended');
create index backfills_by_job on backfills (job_id, created_at);
create index job_runs_by_status on job_runs (status);
create index job_runs_by_start on job_runs (job_id, started_at);
create index job_runs_by_end on job_runs (job_id, status, ended_at);
create table policies (
  seq integer primary key autoincrement, at real not null, actor text not null, digest text not null,
  policy text, people text not null default '{}'
);
"""
