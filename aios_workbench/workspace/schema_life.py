"""Tables of what goes beyond one run's steps: effects that happen once, and the calls of hooks."""

from __future__ import annotations

CREATE = """
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
"""
