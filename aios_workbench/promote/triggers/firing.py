"""Start jobs on events and after other jobs: each event once per job, over any number of workers and kills.

A job keeps the number of the last event it has heard of (`job_sources`), moved on in the transaction that records
what the events before it started. A run is also unique by its cause, so nothing that moves a number back starts it
twice.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable
from typing import Any

from aios_workbench.errors import AiosError
from aios_workbench.promote import endings
from aios_workbench.promote.admission import admit, tell_runs
from aios_workbench.promote.bundle import NOTEBOOK
from aios_workbench.promote.events import JOB_ENDED, Event, job_ended, last_number, since
from aios_workbench.promote.parameters import NotebookParameters
from aios_workbench.promote.records import bundle_folder, load_spec
from aios_workbench.promote.spec import JobSpec
from aios_workbench.promote.spec_parts import EventTrigger
from aios_workbench.promote.triggers import chains, upstream
from aios_workbench.promote.triggers.arming import ENDS, EVENTS, MOVE
from aios_workbench.promote.triggers.matching import Absent, choose, value_at
from aios_workbench.workspace import Session, Workspace, dumps

#: So many events are looked at in a transaction: others want to write, too.
_PAGE = 200
_LISTENING = "select * from jobs where status = 'active'"
_CURSORS = f"select job_id, source, seen from job_sources where source in ('{EVENTS}', '{ENDS}')"  # noqa: S608 - ours
_ENDLESS = dumps({
    "type": "Skipped", "why": "chain",
    "message": f"a chain of {chains.LONGEST} runs, each started by an event or the end of the one before, ends here: "
               "the jobs start each other; a run that somebody starts, or a tick, begins anew",
})  # fmt: skip

Row = dict[str, Any]
Cursors = dict[tuple[str, str], int]


def fire(ws: Workspace, now: float) -> list[str]:
    """Start every job that an event, or the end of another job, starts; returns the ids of the new job runs.

    Parameters
    ----------
    now : float
        Epoch seconds.

    Examples
    --------
    >>> from aios_workbench.workspace import workspace
    >>> fire(workspace(), 0.0)
    []
    """
    started: list[str] = []
    more = True
    while more:
        rows, more = _page(ws, now)
        tell_runs(ws, rows)
        started += [row["job_run_id"] for row in rows if row.get("new")]
    return started


def _page(ws: Workspace, now: float) -> tuple[list[Row], bool]:
    """Hear of the next events; returns new and changed rows of `job_runs`, and whether there may be more."""
    listening = _listening(ws.catalog.query(_LISTENING))
    if not listening:
        return [], False
    cursors = _cursors(ws.catalog.query(_CURSORS))
    wanted = [(job["job_id"], source) for job, spec in listening for source in _sources(spec)]
    known = [cursors[key] for key in wanted if key in cursors]
    events = since(ws, min(known), _PAGE) if known else []
    if not events and len(known) == len(wanted):
        return [], False
    _read_parameters(ws, listening, events, cursors)
    rows: list[Row] = []
    with ws.catalog.transaction() as con:
        jobs = _listening(dict(row) for row in con.execute(_LISTENING).fetchall())
        cursors = _cursors(con.execute(_CURSORS).fetchall())
        for job, spec in jobs:
            rows += _hear(ws, con, job, spec, events, cursors, now)
    return rows, len(events) == _PAGE


def _listening(rows: Iterable[Row]) -> list[tuple[Row, JobSpec]]:
    read = [(row, load_spec(row["spec"])) for row in rows]
    return [(row, spec) for row, spec in read if spec is not None and (spec.on_event or spec.after)]


def _sources(spec: JobSpec) -> list[str]:
    return [EVENTS] * bool(spec.on_event) + [ENDS] * bool(spec.after)


def _cursors(rows: Iterable[Any]) -> Cursors:
    return {(row["job_id"], row["source"]): int(row["seen"]) for row in rows}


def _hear(
    ws: Workspace, con: Session, job: Row, spec: JobSpec, events: list[Event], cursors: Cursors, now: float
) -> list[Row]:
    rows: list[Row] = []
    for source in _sources(spec):
        seen = cursors.get((job["job_id"], source))
        if seen is None:  # nobody has armed it: from now on
            newest = max(last_number(con), events[-1].seq if events else 0)
        else:
            newest = max(seen, events[-1].seq if events else 0)
            for event in events:
                if event.seq > seen and (event.kind == JOB_ENDED) == (source == ENDS):
                    rows += _start(ws, con, job, spec, event, now)
        if newest != seen:
            con.execute(
                MOVE,
                {"id": job["job_id"], "source": source, "seen": str(newest), "now": now},
            )
    return rows


def _start(ws: Workspace, con: Session, job: Row, spec: JobSpec, event: Event, now: float) -> list[Row]:
    if event.kind == JOB_ENDED:
        if not upstream.heard(con, job["job_id"], spec, event.data, now):
            return []
        row: Row = {"trigger": "after", "cause": f"after:{event.data['job_run_id']}"}
    else:
        trigger = choose(spec.on_event, event.name, event.data)
        if trigger is None or _is_own(con, job, event):
            return []
        row = {"trigger": "event", "cause": f"event:{event.seq}"}
        row |= _with_parameters(ws, job, spec, trigger, event, now)
    if chains.length(con, event.job_run_id) >= chains.LONGEST:
        row = {k: row[k] for k in ("trigger", "cause")} | {
            "status": "skipped",
            "ended_at": now,
            "error": _ENDLESS,
        }
    changed = admit(con, job, spec, row, now)
    if changed:
        changed[0] = {**changed[0], "new": True}
        if changed[0]["status"] == "failed":
            _failed(con, changed[0]["job_run_id"], row["why"], now)
    return changed


def _failed(con: Session, job_run_id: str, why: Row, now: float) -> None:
    """Tell of a run that failed before it began, as of any other."""
    run = dict(con.execute("select * from job_runs where job_run_id = :id", {"id": job_run_id}).fetchone())
    endings.queue(con, run, "failed", why, now)
    job_ended(con, run, now)


def _is_own(con: Session, job: Row, event: Event) -> bool:
    """Whether it happened in a run of this very job, which would start itself for ever."""
    if event.job_run_id is None:
        return False
    row = con.execute(
        "select job_id from job_runs where job_run_id = :id", {"id": event.job_run_id}
    ).fetchone()
    return row is not None and row[0] == job["job_id"]


def _with_parameters(
    ws: Workspace, job: Row, spec: JobSpec, trigger: EventTrigger, event: Event, now: float
) -> Row:
    """Return the columns of a run with the event's values; of one that has failed where they do not fit."""
    if not trigger.parameters:
        return {}
    try:
        given = _given(trigger, event)
        params = {**spec.parameters, **_parameters(ws, job["job_id"], job["version"]).coerce(given)}
    except AiosError as e:
        message = f"event {event.name} ({event.seq}): {e}"
    except OSError as e:
        message = (
            f"event {event.name} ({event.seq}): the notebook of version {job['version']} cannot be read: {e}"
        )
    else:
        return {"params": dumps(params)}
    why = {"type": "ParameterError", "message": message}
    return {"status": "failed", "ended_at": now, "error": dumps(why), "why": why}


class _NoValue(AiosError):
    """The event lacks a value that a parameter is taken from."""


def _given(trigger: EventTrigger, event: Event) -> Row:
    given = {}
    for name, path in trigger.parameters.items():
        try:
            given[name] = value_at(event.data, path)
        except Absent:
            raise _NoValue(
                f"it has no value at {path!r} for the parameter {name!r}; it has: "
                f"{', '.join(sorted(event.data)[:10]) or 'nothing'}"
            ) from None
    return given


@functools.lru_cache(maxsize=256)
def _read(path: str) -> NotebookParameters:
    from pathlib import Path

    return NotebookParameters.of(Path(path))


def _parameters(ws: Workspace, job_id: str, version: int) -> NotebookParameters:
    return _read(str(bundle_folder(ws, job_id, version) / NOTEBOOK))  # a version never changes


def _read_parameters(
    ws: Workspace, listening: list[tuple[Row, JobSpec]], events: list[Event], cursors: Cursors
) -> None:
    """Read the notebooks that will be asked, while nobody waits for the write lock."""
    for job, spec in listening:
        seen = cursors.get((job["job_id"], EVENTS))
        for event in events:
            if seen is None or event.seq <= seen or event.kind == JOB_ENDED:
                continue
            trigger = choose(spec.on_event, event.name, event.data)
            if trigger is not None and trigger.parameters:
                with contextlib.suppress(AiosError, OSError):  # said in the run's row
                    _parameters(ws, job["job_id"], job["version"])
                break
