"""Tables of work that is much, repeated, broken or undone: maps, loops, dead letters, breakers, compensation."""

from __future__ import annotations

CREATE = """
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
"""
