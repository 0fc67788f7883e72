"""Declare and read limits: `aios.limit("gpu", concurrency=2)`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from aios_workbench.engine.flow import store
from aios_workbench.errors import NotFoundError, ParameterError, hint
from aios_workbench.govern import actor, audit_within
from aios_workbench.workflow.limits import RESERVED, parse_rate, resource_name
from aios_workbench.workspace import Workspace, workspace

_UNSET: Any = object()


@dataclass(frozen=True, repr=False)
class Limit:
    """A shared resource, as it was when it was asked for.

    Attributes
    ----------
    concurrency : int or None
        How many permits there are; 0 closes it, None is no bound.
    rate : (int, float) or None
        At most so many permits are given in any so many seconds.
    declared : bool
        False when a step only used the name: there is one permit then.
    holders, waiters : list of dict
        Who has permits and who waits, with `run_id`, `step` and `since`.
    """

    name: str
    concurrency: int | None
    rate: tuple[int, float] | None
    declared: bool
    holders: list[dict[str, Any]]
    waiters: list[dict[str, Any]]

    @property
    def in_use(self) -> int:
        """Permits given out."""
        return sum(h["amount"] for h in self.holders)

    def __repr__(self) -> str:
        of = "" if self.concurrency is None else f" of {self.concurrency}"
        rate = "" if self.rate is None else f", at most {self.rate[0]} per {self.rate[1]:g} s"
        waits = f", {len(self.waiters)} waiting" if self.waiters else ""
        return f"<Limit {self.name}: {self.in_use}{of} in use{rate}{waits}>"


def limit(
    name: str, *, concurrency: int | None = _UNSET, rate: str | None = _UNSET, by: str | None = None
) -> Limit:
    """Say how many steps may use a shared resource at once, or how often; return what holds now.

    For all processes of the workspace, until it is said otherwise; what is not given stays as it is. The change
    is in the audit trail.

    Parameters
    ----------
    name : str
        As in ``@wf.step(limits={"gpu": 1})``.
    concurrency : int or None, optional
        Permits there are. Fewer than are held now takes none away. 0 closes the resource: who wants it waits.
    rate : str or None, optional
        Such as ``"100/min"``: in no minute are more than 100 given.
    by : str, optional
        Who says so, for the audit trail; the one at work.

    Raises
    ------
    ParameterError
        For a name, number or rate that cannot be.

    Examples
    --------
    >>> import aios_workbench as aios
    >>> aios.limit("gpu", concurrency=2).concurrency
    2
    >>> aios.limit("gpu", rate="100/min")
    <Limit gpu: 0 of 2 in use, at most 100 per 60 s>
    """
    ws = workspace()
    return set_limit(ws, name, concurrency=concurrency, rate=rate, by=by)


def set_limit(
    ws: Workspace,
    name: str,
    *,
    concurrency: int | None = _UNSET,
    rate: str | None = _UNSET,
    by: str | None = None,
) -> Limit:
    """Do what `limit` does, in a given workspace."""
    resource_name(name)
    if (
        concurrency is not _UNSET
        and concurrency is not None
        and (type(concurrency) is not int or concurrency < 0)
    ):
        raise ParameterError(
            f"concurrency must be a whole number of at least 0, or None for no bound, not {concurrency!r}"
        )
    parsed = None if rate is _UNSET or rate is None else parse_rate(rate)
    if concurrency is _UNSET and rate is _UNSET:
        return find_limit(ws, name)
    with ws.catalog.transaction() as con:
        store.lock(con)
        row = con.execute("select * from limits where name = :n", {"n": name}).fetchone()
        before = None if row is None else dict(row)
        now = _changed(before, concurrency, parsed, keep_rate=rate is _UNSET)
        if before is None or any(before[c] != v for c, v in now.items()):
            _store(con, name, before, now, by or actor())
            audit_within(con, by or actor(), "limit.set", name, concurrency=now["concurrency"],
                         rate=None if now["rate"] is None else [now["rate"], now["per_seconds"]])  # fmt: skip
    store.settle(ws)
    return find_limit(ws, name)


def _changed(
    before: dict[str, Any] | None, concurrency: Any, parsed: tuple[int, float] | None, *, keep_rate: bool
) -> dict[str, Any]:
    declared = before is not None and before["declared"]
    kept = before if before is not None else {"rate": None, "per_seconds": None}
    if (
        concurrency is _UNSET
    ):  # one that is only declared with a rate has no bound; a mere use's 1 does not count
        concurrency = kept["concurrency"] if declared else None
    rate = (kept["rate"], kept["per_seconds"]) if keep_rate else parsed or (None, None)
    return {"concurrency": concurrency, "rate": rate[0], "per_seconds": rate[1], "declared": 1}


def _store(con: Any, name: str, before: dict[str, Any] | None, now: dict[str, Any], by: str) -> None:
    used = 0 if before is None else before["used"]
    if now["rate"] is not None and (before is None or before["rate"] != now["rate"]):
        used = store.keep_uses(con, name, now["rate"])
    con.execute(
        "insert into limits (name, concurrency, rate, per_seconds, declared, used, updated_at, updated_by) "
        "values (:name, :concurrency, :rate, :per_seconds, 1, :used, :now, :by) on conflict (name) do update set "
        "concurrency = excluded.concurrency, rate = excluded.rate, per_seconds = excluded.per_seconds, declared = 1, "
        "used = excluded.used, updated_at = excluded.updated_at, updated_by = excluded.updated_by",
        {**{k: v for k, v in now.items() if k != "declared"}, "name": name, "used": used, "now": time.time(), "by": by},
    )  # fmt: skip


def drop_limit(ws: Workspace, name: str, *, by: str | None = None) -> None:
    """Forget a limit; the next step that uses the name makes it anew, with one permit.

    Raises
    ------
    NotFoundError
        With the nearest name.
    """
    find_limit(ws, name)
    with ws.catalog.transaction() as con:
        store.lock(con)
        con.execute("update limits set concurrency = 1, rate = null, per_seconds = null, declared = 0 where name = :n",
                    {"n": name})  # fmt: skip
        con.execute("delete from limit_uses where name = :n", {"n": name})
        audit_within(con, by or actor(), "limit.drop", name)
    store.settle(ws)


def find_limit(ws: Workspace, name: str) -> Limit:
    """Return a limit with who holds and who waits.

    Raises
    ------
    NotFoundError
        With the nearest name.
    """
    found = {r.name: r for r in find_limits(ws)}
    if name not in found:
        raise NotFoundError(
            f"no limit '{name}' in {ws.root}{hint(name, found)}; aios.limit({name!r}, concurrency=2) declares it"
        )
    return found[name]


def limits() -> list[Limit]:
    """Return all limits of the workspace, with who holds and who waits.

    Examples
    --------
    >>> import aios_workbench as aios
    >>> _ = aios.limit("crm-api", rate="10/s")
    >>> [one.name for one in aios.limits() if one.name == "crm-api"]
    ['crm-api']
    """
    return find_limits(workspace())


def find_limits(ws: Workspace) -> list[Limit]:
    """Do what `limits` does, in a given workspace; permits of the dead are taken away first."""
    if store.sweep(ws):
        store.look(ws, "")
    holders: dict[str, list[dict[str, Any]]] = {}
    for row in ws.catalog.query("select * from limit_holders order by since, ticket"):
        holders.setdefault(row["name"], []).append(row)
    waiters: dict[str, list[dict[str, Any]]] = {}
    for row in ws.catalog.query("select * from limit_waiters order by seq"):
        for name in store.wants(row):
            waiters.setdefault(name, []).append(row)
    return [
        Limit(
            r["name"], r["concurrency"], None if r["rate"] is None else (r["rate"], r["per_seconds"]),
            bool(r["declared"]), holders.get(r["name"], []), waiters.get(r["name"], []),
        )
        for r in ws.catalog.query("select * from limits order by name")
        if not r["name"].startswith(RESERVED) or holders.get(r["name"]) or waiters.get(r["name"])
    ]  # fmt: skip
