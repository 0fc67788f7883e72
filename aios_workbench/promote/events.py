"""What happened, as far as it may start a job: told by people and notebooks, or by the workbench itself.

All of it lies in the table `events`, numbered in the order it was stored: a job remembers the last number it has
heard of, so that it hears of everything once.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aios_workbench.errors import ParameterError
from aios_workbench.govern import audit_within
from aios_workbench.promote.triggers.matching import fits_name
from aios_workbench.workspace import Session, Workspace, dumps

TOLD, DRIFT, RUN_ENDED, JOB_ENDED = "told", "drift.alert", "run.ended", "job.ended"
#: Names that only the workbench tells.
_OWN = ("run.", "drift.", "job.")
_NAME_LIMIT = 200
_DATA_LIMIT = 64 * 1024
_DEPTH = 50
_PAGE = 500


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Attributes
    ----------
    seq : int
        Its number.
    name : str
        Such as ``orders.ready``; `drift.alert`, `run.succeeded` and `run.failed` are the workbench's own.
    data : dict
        What is known of it.
    job_run_id : str or None
        The job run in which it happened.
    """

    seq: int
    kind: str
    name: str
    at: float
    data: dict[str, Any]
    by: str | None = None
    key: str | None = None
    job_run_id: str | None = None


def emit(ws: Workspace, name: str, data: Mapping[str, Any] | None, by: str, key: str | None = None) -> int:
    """Tell that something happened: every job that listens for it starts, once.

    Parameters
    ----------
    name : str
        What happened, such as ``orders.ready``: printable text.
    data : mapping or None
        JSON values about it, 64 KiB at most.
    by : str
        Who tells it, for the audit trail.
    key : str, optional
        An event of the same name and key is told once, however often this is called: a file's path, an order's
        number.

    Returns
    -------
    int
        The number of the event; of the one told before, where there is one with this key.

    Raises
    ------
    ParameterError
        When the name, the key or the data cannot be stored.

    Examples
    --------
    >>> from aios_workbench.workspace import workspace
    >>> first = emit(workspace(), "orders.ready", {"day": "2026-01-31"}, by="ada", key="2026-01-31")
    >>> first == emit(workspace(), "orders.ready", {"day": "2026-01-31"}, by="ada", key="2026-01-31")
    True
    """
    _check_name(name)
    if key is not None:
        _check_text("key", key)
    told = {"name": name, "data": _plain(name, data), "by": by, "key": key}
    told["job_run_id"] = os.environ.get("AIOS_JOB_RUN") or None
    with ws.catalog.transaction() as con:
        if key is not None and (known := _known(con, name, key)) is not None:
            return known
        row = {"kind": TOLD, "at": time.time(), "data": dumps(told)}
        number = con.execute(
            "insert into events (kind, at, data) values (:kind, :at, :data) returning seq", row
        ).fetchall()
        seq = int(number[0][0])
        if key is not None:
            values = {"name": name, "key": key, "seq": seq}
            con.execute("insert into event_keys (name, key, seq) values (:name, :key, :seq)", values)
        audit_within(con, by, "event.emit", name, seq=seq, key=key)
    return seq


def list_events(ws: Workspace, limit: int = 50, name: str | None = None) -> list[dict[str, Any]]:
    """Return what happened lately and may start jobs, newest first.

    Parameters
    ----------
    limit : int
        How many.
    name : str, optional
        Only events of this name; ``*`` stands for any characters.

    Returns
    -------
    list of dict
        `seq`, `name`, `data`, `by`, `key`, `at` (epoch seconds), the job run it happened in and, as `started`, the
        ids of the job runs it started.

    Examples
    --------
    >>> from aios_workbench.workspace import workspace
    >>> seq = emit(workspace(), "orders.late", {}, by="ada")
    >>> [event["seq"] == seq for event in list_events(workspace(), limit=1)]
    [True]
    """
    found: list[Event] = []
    before: int | None = None
    while len(found) < limit:
        rows = ws.catalog.query(
            f"select * from events where kind in {_KINDS} and kind <> '{JOB_ENDED}' and "  # noqa: S608 - our own
            "(:before is null or seq < :before) order by seq desc limit :n",
            before=before, n=_PAGE if name else limit,
        )  # fmt: skip
        if not rows:
            break
        before = rows[-1]["seq"]
        found += [e for e in read(ws, rows) if name is None or fits_name(name, e.name)]
    started = _started(ws, found[:limit])
    return [
        {"seq": e.seq, "name": e.name, "data": e.data, "by": e.by, "key": e.key, "at": e.at,
         "job_run_id": e.job_run_id, "started": started.get(f"event:{e.seq}", [])}
        for e in found[:limit]
    ]  # fmt: skip


def since(ws: Workspace, seq: int, limit: int) -> list[Event]:
    """Return what happened after event `seq`, oldest first; ends of jobs too."""
    rows = ws.catalog.query(
        f"select * from events where seq > :seq and kind in {_KINDS} order by seq limit :n",  # noqa: S608 - our own
        seq=seq, n=limit,
    )  # fmt: skip
    return read(ws, rows)


def last_number(con: Session) -> int:
    """Return the number of the newest event."""
    return int(con.execute("select coalesce(max(seq), 0) from events").fetchone()[0])


def job_ended(con: Session, run: dict[str, Any], now: float) -> None:
    """Write down that a job run has ended, in the transaction that ends it: other jobs may start after it.

    Not of a run of a backfill or in the shadow: they are no runs of the job as others know it.
    """
    if run.get("backfill_id") or run.get("role") == "shadow":
        return
    job = con.execute("select name from jobs where job_id = :job_id", run).fetchone()
    if job is None:
        return
    told = {name: run[name] for name in ("job_id", "job_run_id", "version", "status")}
    con.execute(
        "insert into events (kind, at, data) values (:kind, :at, :data)",
        {"kind": JOB_ENDED, "at": now, "data": dumps({"job": job[0], **told})},
    )


#: As in the index `events_that_start`: written out, so that both databases use it.
_KINDS = f"('{TOLD}', '{DRIFT}', '{RUN_ENDED}', '{JOB_ENDED}')"


def read(ws: Workspace, rows: Iterable[dict[str, Any]]) -> list[Event]:
    """Read rows of `events`."""
    return [_read(ws, row, json.loads(row["data"] or "{}")) for row in rows]


def _read(ws: Workspace, row: dict[str, Any], data: dict[str, Any]) -> Event:
    kind, job_run_id = row["kind"], data.get("job_run_id")
    if kind == TOLD:
        told = {"name": data["name"], "data": data["data"], "by": data.get("by"), "key": data.get("key")}
    elif kind == RUN_ENDED:
        told = {"name": f"run.{data.get('status')}", "data": data}
    else:
        told = {"name": kind, "data": data}
    if job_run_id is None and row["run_id"] is not None:
        run = ws.catalog.one("select job_run_id from runs where run_id = :r", r=row["run_id"])
        job_run_id = run["job_run_id"] if run else None
    return Event(seq=row["seq"], kind=kind, at=row["at"], job_run_id=job_run_id, **told)


def _started(ws: Workspace, events: list[Event]) -> dict[str, list[str]]:
    if not events:
        return {}
    causes = {f"c{n}": f"event:{e.seq}" for n, e in enumerate(events)}
    rows = ws.catalog.query(
        f"select cause, job_run_id from job_runs where cause in ({', '.join(f':{c}' for c in causes)}) "  # noqa: S608
        "order by queued_at, job_run_id",
        **causes,
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["cause"], []).append(row["job_run_id"])
    return found


def _known(con: Session, name: str, key: str) -> int | None:
    row = con.execute(
        "select seq from event_keys where name = :name and key = :key", {"name": name, "key": key}
    ).fetchone()
    return int(row[0]) if row else None


def _check_text(what: str, text: object) -> None:
    if not isinstance(text, str) or not text.isprintable() or text != text.strip() or not text:
        raise ParameterError(
            f"the {what} {text!r:.100} of an event must be printable text with no space at either end"
        )
    if len(text) > _NAME_LIMIT:
        raise ParameterError(f"the {what} {text[:40]!r}… has {len(text)} characters; at most {_NAME_LIMIT}")


def _check_name(name: str) -> None:
    _check_text("name", name)
    if name.startswith(_OWN):
        raise ParameterError(
            f"only the workbench itself tells {name!r}: names that begin with {', '.join(_OWN)} are its own; choose "
            "another, such as orders.ready"
        )


def _plain(name: str, data: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the data as what JSON gives back for it."""
    if not isinstance(data, Mapping | None):
        raise ParameterError(
            f"the data of event {name!r} must be named values, such as {{'day': '2026-01-31'}}, not "
            f"{type(data).__name__}"
        )
    try:
        text = json.dumps(dict(data or {}), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as e:
        raise ParameterError(
            f"the data of event {name!r} is not JSON: {e}; give text, numbers, lists and dicts"
        ) from None
    if len(text) > _DATA_LIMIT:
        raise ParameterError(
            f"the data of event {name!r} takes {len(text):,} bytes, and at most {_DATA_LIMIT:,} are kept; store them "
            "elsewhere and tell where"
        )
    plain: dict[str, Any] = json.loads(text)
    if _depth(plain) > _DEPTH:
        raise ParameterError(f"the data of event {name!r} is nested deeper than {_DEPTH} levels")
    return plain


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            child
            for v in level
            if isinstance(v, dict | list)
            for child in (v.values() if isinstance(v, dict) else v)
        ]
    return depth
