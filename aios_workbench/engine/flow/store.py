"""Permits in the catalog: who holds, who waits, what was used. Every change is one transaction over all resources.

Whoever asks, leaves or looks gives out all that can be given, to waiting steps of other processes too: they find
their permits in the table. So nothing depends on the process whose turn it is being awake, and a process that dies
with a permit leaves a row that names it: `sweep` takes that away.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aios_workbench.engine import leases
from aios_workbench.engine.flow.order import Decision, Resource, Turns, Waiter, Window, decide
from aios_workbench.errors import ParameterError
from aios_workbench.workflow.limits import RESERVED
from aios_workbench.workspace import Workspace, dumps


@dataclass(frozen=True)
class Request:
    """What a step, or a whole run, needs before it may go on."""

    ticket: str
    executor: str
    workflow: str
    run_id: str
    step: str
    priority: int
    wants: Mapping[str, int]
    capacity: int | None = None  # of a resource of the engine's own


@dataclass
class Outcome:
    """What came of a transaction."""

    granted: set[str] = field(default_factory=set)  # tickets, of any process
    opens: float = math.inf  # when a rate lets somebody in, seconds since the epoch


def ask(ws: Workspace, request: Request) -> Outcome:
    """Queue a request and give out what can be given; it may be among it.

    Raises
    ------
    ParameterError
        When it wants more than there is.
    """
    now = time.time()
    with ws.catalog.transaction() as con:
        lock(con)
        turns = {}
        for name in request.wants:
            con.execute(_DECLARE if request.capacity is None else _DECLARE_OWN, {
                "name": name, "n": 1 if request.capacity is None else request.capacity, "now": now,
            })  # fmt: skip
            row = con.execute("select * from limits where name = :name", {"name": name}).fetchone()
            _possible(dict(row), request)
            turns[name] = row["turn"]
        con.execute(_QUEUE, {
            "ticket": request.ticket, "executor": request.executor, "workflow": request.workflow, "now": now,
            "run": request.run_id, "step": request.step, "priority": request.priority,
            "wants": dumps(dict(sorted(request.wants.items()))), "turns": dumps(turns),
        })  # fmt: skip
        return _give(con, now)


def leave(ws: Workspace, ticket: str) -> Outcome:
    """Give back what a request got, or take it back when it still waits; safe to repeat."""
    with ws.catalog.transaction() as con:
        lock(con)
        con.execute("delete from limit_waiters where ticket = :t", {"t": ticket})
        con.execute("delete from limit_holders where ticket = :t", {"t": ticket})
        return _give(con, time.time())


def look(ws: Workspace, executor: str) -> Outcome:
    """Take permits from the dead, give out what can be given; `granted` is all that this process holds."""
    dead = sweep(ws)
    with ws.catalog.transaction() as con:
        lock(con)
        for gone in dead:
            for table in ("limit_waiters", "limit_holders"):
                con.execute(f"delete from {table} where executor = :e", {"e": gone})  # noqa: S608 - names of our own
        outcome = _give(con, time.time())
        held = con.execute("select distinct ticket from limit_holders where executor = :e", {"e": executor})
        outcome.granted = {r["ticket"] for r in held.fetchall()}
        return outcome


def held(ws: Workspace, executor: str) -> Outcome:
    """Return what this process holds; a mere reading."""
    rows = ws.catalog.query("select distinct ticket from limit_holders where executor = :e", e=executor)
    return Outcome({r["ticket"] for r in rows})


def sweep(ws: Workspace) -> list[str]:
    """Return the processes that hold or wait and are dead. An id is never used again, so that they stay so."""
    rows = ws.catalog.query("select executor from limit_holders union select executor from limit_waiters")
    return [r["executor"] for r in rows if not leases.alive(ws, r["executor"])]


def wants(row: Mapping[str, Any]) -> dict[str, int]:
    """Return what a row of `limit_waiters` wants."""
    found: dict[str, int] = json.loads(row["wants"])
    return found


def settle(ws: Workspace) -> None:
    """Give out what a changed limit allows."""
    with ws.catalog.transaction() as con:
        lock(con)
        _give(con, time.time())


_DECLARE = (
    "insert into limits (name, concurrency, declared, updated_at) values (:name, :n, 0, :now) "
    "on conflict (name) do nothing"
)
_DECLARE_OWN = (
    "insert into limits (name, concurrency, declared, updated_at) values (:name, :n, 1, :now) "
    "on conflict (name) do update set concurrency = excluded.concurrency"
)
_QUEUE = (
    "insert into limit_waiters (ticket, executor, workflow, run_id, step, priority, wants, turns, since) "
    "values (:ticket, :executor, :workflow, :run, :step, :priority, :wants, :turns, :now)"
)
_HOLD = (
    "insert into limit_holders (name, ticket, amount, executor, workflow, run_id, step, since) "
    "values (:name, :ticket, :amount, :executor, :workflow, :run_id, :step, :now)"
)
_TURN = (
    "insert into limit_turns (name, workflow, priority, turn) values (:name, :workflow, :priority, :turn) "
    "on conflict (name, workflow, priority) do update set turn = excluded.turn"
)
_USE = (
    "insert into limit_uses (name, slot, at) values (:name, :slot, :at) "
    "on conflict (name, slot) do update set at = excluded.at"
)
#: Of those that want the same for the same workflow and priority only the oldest can be next.
_HEADS = (
    "select * from limit_waiters where seq in "
    "(select min(seq) from limit_waiters group by workflow, priority, wants) order by seq"
)


def lock(con: Any) -> None:
    """Let one transaction at a time give out permits, on a database that would allow several, too."""
    con.execute(
        "insert into settings (key, value) values ('flow.lock', '') on conflict (key) do update set value = ''"
    )


def _possible(row: Mapping[str, Any], request: Request) -> None:
    name, amount = row["name"], request.wants[row["name"]]
    most = [n for n in (row["concurrency"], row["rate"]) if n is not None]
    if most and 0 < min(most) < amount:
        told = "" if row["declared"] else ", as it was never declared"
        raise ParameterError(
            f"step '{request.step}' wants {amount} of '{name}', of which there are {min(most)}{told}; want less, or "
            f"`aios limits set {name} {amount}`"
        )


def _give(con: Any, now: float) -> Outcome:
    outcome = Outcome()
    waiters = _heads(con)
    if not waiters:
        return outcome
    resources = _resources(con, now)
    turns = Turns()
    for row in con.execute("select * from limit_turns").fetchall():
        turns.note(row["name"], row["workflow"], row["priority"], row["turn"])
    while waiters:
        decision = decide(resources, waiters, turns)
        _write(con, decision, resources, now)
        outcome.granted.update(w.ticket for w in decision.granted)
        outcome.opens = decision.opens
        if not decision.granted:
            break
        waiters = _heads(con)
    return outcome


def _heads(con: Any) -> list[Waiter]:
    return [
        Waiter(
            r["ticket"], r["workflow"], r["priority"], wants(r), json.loads(r["turns"]), r["seq"],
            r["passed"],
        )
        for r in con.execute(_HEADS).fetchall()
    ]  # fmt: skip


def _resources(con: Any, now: float) -> dict[str, Resource]:
    # A use in the future: the clock was set back. It counts as one of now, so that no wait is longer than a window.
    con.execute("update limit_uses set at = :now where at > :now", {"now": now})
    held = {
        r["name"]: r["n"]
        for r in con.execute("select name, sum(amount) as n from limit_holders group by name").fetchall()
    }
    found = {}
    for r in con.execute("select * from limits").fetchall():
        window = None
        if r["rate"] is not None:
            window = Window(r["rate"], r["per_seconds"], r["used"], now, _uses(con, r["name"]))
        found[r["name"]] = Resource(
            r["name"], r["concurrency"], int(held.get(r["name"], 0)), r["turn"], window
        )
    return found


def _uses(con: Any, name: str) -> Callable[[int], float | None]:
    known: dict[int, float | None] = {}

    def at(slot: int) -> float | None:
        if slot not in known:
            row = con.execute(
                "select at from limit_uses where name = :n and slot = :s", {"n": name, "s": slot}
            ).fetchone()
            known[slot] = None if row is None else row["at"]
        return known[slot]

    return at


def _write(con: Any, decision: Decision, resources: Mapping[str, Resource], now: float) -> None:
    touched = set()
    for waiter in decision.granted:
        asked = con.execute(
            "select ticket, executor, workflow, run_id, step from limit_waiters where ticket = :t",
            {"t": waiter.ticket},
        ).fetchone()
        for name, amount in waiter.wants.items():
            touched.add(name)
            con.execute(_HOLD, {**dict(asked), "name": name, "amount": amount, "now": now})
            con.execute(_TURN, {
                "name": name, "workflow": waiter.workflow, "priority": waiter.priority,
                "turn": resources[name].turn,
            })  # fmt: skip
        con.execute("delete from limit_waiters where ticket = :t", {"t": waiter.ticket})
    for name in touched:
        resource = resources[name]
        used = 0 if resource.window is None else resource.window.used
        con.execute(
            "update limits set turn = :turn, used = :used where name = :n",
            {"n": name, "turn": resource.turn, "used": used},
        )
        if resource.window is not None:
            for slot, at in resource.window.taken.items():
                con.execute(_USE, {"name": name, "slot": slot, "at": at})
    for waiter in decision.passed:
        con.execute(
            "update limit_waiters set passed = :p where ticket = :t", {"p": waiter.passed, "t": waiter.ticket}
        )


def keep_uses(con: Any, name: str, rate: int) -> int:
    """Number the uses of a resource anew for another rate; return how many are kept. Not for use without `lock`."""
    rows = con.execute("select at from limit_uses where name = :n order by at", {"n": name}).fetchall()
    kept = [r["at"] for r in rows][-rate:]
    con.execute("delete from limit_uses where name = :n", {"n": name})
    for slot, at in enumerate(kept):
        con.execute(_USE, {"name": name, "slot": slot, "at": at})
    return len(kept)


def why(ws: Workspace, request: Request) -> str:
    """Return in a line what a waiting request waits for, and who has it."""
    parts = []
    for name, amount in request.wants.items():
        row = ws.catalog.one("select * from limits where name = :n", n=name)
        if row is None:
            continue
        holders = ws.catalog.query(
            "select run_id, step, amount from limit_holders where name = :n order by since, ticket", n=name
        )
        text = _short_of(row, holders, amount)
        if text:
            parts.append(text)
    names = " and ".join(n.removeprefix(RESERVED) for n in request.wants)
    return "waits for " + (" and ".join(parts) or f"{names}: others go first")


def _short_of(row: Mapping[str, Any], holders: list[dict[str, Any]], amount: int) -> str:
    name, there = row["name"], row["concurrency"]
    used = sum(h["amount"] for h in holders)
    if name.startswith(RESERVED):
        return f"its turn ({used} of {there} runs active)" if used + amount > there else ""
    if there == 0:
        return f"{name}, which is closed (`aios limits set {name} 1` opens it)"
    if there is not None and used + amount > there:
        who = ", ".join(f"run {h['run_id']} step {h['step']}" for h in holders[:2])
        more = f" and {len(holders) - 2} more" if len(holders) > 2 else ""
        note = "" if row["declared"] else f"; it was never declared: `aios limits set {name} N`"
        return f"{name} ({used} of {there} in use by {who}{more}{note})"
    if row["rate"] is not None:
        return f"{name} (at most {row['rate']} per {row['per_seconds']:g} s)"
    return ""
