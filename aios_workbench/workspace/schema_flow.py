"""The catalog's tables for what runs share and spend: limits with holders and waiters, and budgets."""

from __future__ import annotations

CREATE = """
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
"""
