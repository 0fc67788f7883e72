
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
  updated_at real not null, next_tick_at real
);
create table job_versions (
  job_id text not null, version integer not null, spec text not null, bundle_hash text not null,
  created_at real not null, created_by text, primary key (job_id, version)
);
create table job_runs (
  job_run_id text primary key, job_id text not null, version integer not null, tick_at real,
  trigger text not null, status text not null, attempt integer not null default 0, owner text,
  params text not null default '{}', queued_at real not null, started_at real, ended_at real,
  error text, folder text
);
create unique index job_runs_once_per_tick on job_runs (job_id, tick_at) where tick_at is not null;
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
  next_at real not null, told_at real, error text
);
create index job_alerts_waiting on job_alerts (next_at) where status = 'waiting';
create index events_of_drift on events (seq) where kind = 'drift.alert';
create table settings (key text primary key, value text not null);

create table limits (
  name text primary key, concurrency integer, rate integer, per_seconds real,
  declared integer not null default 1, turn integer not null default 0, used integer not null default 0,
  updated_at real not null, updated_by text
);
create table limit_holders (
  name text not null, ticket text not null, amount integer not null, executor text not null,
  workflow text not null, run_id text not null, step text not null, since real not null,
  primary key (name, ticket)
);
create index limit_holders_by_ticket on limit_holders (ticket);
create table limit_waiters (
  seq integer primary key autoincrement, ticket text not null unique, executor text not null,
  workflow text not null, run_id text not null, step text not null, priority integer not null,
  wants text not null, turns text not null, passed integer not null default 0, since real not null
);
create index limit_waiters_alike on limit_waiters (workflow, priority, wants, seq);
create table limit_turns (
  name text not null, workflow text not null, priority integer not null, turn integer not null,
  primary key (name, workflow, priority)
);
create table limit_uses (
  name text not null, slot integer not null, at real not null, primary key (name, slot)
);
create table spend (
  run_id text not null, step text not null, day text not null, unit text not null, workflow text not null,
  amount real not null, forgiven real not null default 0, reported real not null default 0,
  updated_at real not null, primary key (run_id, step, day, unit)
);
create table spend_totals (
  workflow text not null, day text not null, unit text not null, amount real not null,
  forgiven real not null default 0, updated_at real not null, primary key (workflow, day, unit)
);
create table spend_reserved (
  reservation text not null, unit text not null, amount real not null, executor text not null,
  workflow text not null, day text not null, run_id text not null, step text not null, since real not null,
  primary key (reservation, unit)
);

create table breakers (
  breaker text primary key, state text not null default 'closed', failures integer not null default 0,
  recent text not null default '[]', opened_at real, until_at real, probe_by text, probe_at real, probe_until real,
  error text, settings text not null default '{}', updated_at real not null, version integer not null default 0
);
create table compensations (
  run_id text not null, leg integer not null, step text not null, position integer not null,
  function text not null, status text not null, because text not null, attempts integer not null default 0,
  started_at real, ended_at real, error text, primary key (run_id, leg, step)
);
create table log_tails (
  run_id text not null, step text not null, attempt integer not null, stream text not null, at real not null,
  text text not null, primary key (run_id, step, attempt, stream)
);
create table loop_iterations (
  run_id text not null, step text not null, iteration integer not null, key text not null, output text not null,
  met integer not null, attempts integer not null, started_at real not null, ended_at real not null,
  primary key (run_id, step, iteration)
);
create table map_parts (
  run_id text not null, step text not null, first integer not null, items integer not null, key text not null,
  source text not null, status text not null, output text not null, results integer not null,
  attempts integer not null, failed integer not null default 0, skipped integer not null default 0,
  started_at real not null, ended_at real not null, executor text,
  primary key (run_id, step, first)
);
create table dead_letters (
  run_id text not null, step text not null, item integer not null, status text not null, type text not null,
  reason text not null, traceback text not null, attempts integer not null, value text not null,
  artifact text not null, at real not null, redriven_by text, primary key (run_id, step, item)
);
create index dead_letters_by_status on dead_letters (status, run_id);

create table effects (
  workflow text not null, step text not null, key text not null, status text not null, claim text not null,
  run_id text not null, leg integer not null, attempt integer not null, owner text not null, output text,
  because text, claimed_at real not null, ended_at real, settled_by text, primary key (workflow, step, key)
);
create index effects_by_run on effects (run_id);
create table hook_calls (
  run_id text not null, leg integer not null, hook text not null, position integer not null, name text not null,
  status text not null, owner text not null, started_at real not null, ended_at real, error text,
  primary key (run_id, leg, hook, position)
);
create index runs_by_deadline on runs (deadline_at) where deadline_at is not null and late = 0;
