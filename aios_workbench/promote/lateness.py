"""Runs that are late, jobs from which nothing comes: noticed by every worker that lives, told once.

An alarm opens when something is noticed, and is told when it is still so a little later: a clock that was wrong for a
moment tells nobody. What a clock that was ahead has opened is dropped when it is set back. All that is noticed of a
job at one look is one message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from aios_workbench.promote import alarms, alerts
from aios_workbench.promote.admission import COUNTED
from aios_workbench.promote.endings import clock
from aios_workbench.promote.records import load_spec
from aios_workbench.promote.spec import JobSpec
from aios_workbench.promote.spec_parts import readable
from aios_workbench.promote.taking import retry_at
from aios_workbench.workflow.durations import format_duration
from aios_workbench.workspace import Workspace

#: What is noticed is told this much later, or after half of the time given if that is less.
_CONFIRM = 30.0

Row = dict[str, Any]
Ask = Callable[..., list[Row]]


@dataclass(frozen=True)
class Late:
    """Something that is later than it may be.

    Attributes
    ----------
    subject : str
        The run, "" for the job as a whole.
    after : float
        The seconds given.
    """

    job: Row
    kind: str
    subject: str
    after: float
    words: str
    body: str

    @property
    def key(self) -> tuple[str, str, str]:
        """Its row of `job_alarms`."""
        return self.job["job_id"], self.kind, self.subject


def watch(ws: Workspace, now: float) -> None:
    """Open, tell and end the alarms of all jobs that say `late_after` or `absent_after`.

    A run is late when it has not ended `late_after` its tick, or after it was queued, whatever keeps it: a slow
    notebook, a retry, no free slot. Ticks that passed while no worker lived are late when one starts. A job is absent
    when none of its runs has succeeded for `absent_after`, counted from the last success or, where that is later, from
    when it was promoted or resumed; not while it is paused.

    Examples
    --------
    >>> watch(ws, time.time())  # doctest: +SKIP
    """
    if not any(_steps(ws.catalog.query, now)):
        return  # most of the time, without taking the write lock
    with ws.catalog.transaction() as con:

        def ask(sql: str, **values: Any) -> list[Row]:
            return [dict(row) for row in con.execute(sql, values).fetchall()]

        tell: dict[str, list[Late]] = {}
        for step, late, alarm in list(_steps(ask, now)):
            if step == "begin" and late is not None:
                alarms.begin(con, *late.key[:2], now, late.subject)
            elif step == "tell" and late is not None:
                if alarms.mark_told(con, *late.key[:2], now, late.subject):
                    tell.setdefault(late.job["job_id"] + late.kind, []).append(late)
            elif step == "drop" and alarm is not None:
                alarms.drop(con, alarm["job_id"], alarm["kind"], alarm["subject"])
            elif alarm is not None:
                alarms.end(con, alarm["job_id"], alarm["kind"], now, alarm["subject"])
        for found in tell.values():
            _tell(con, found, now)


def _tell(con: Any, found: list[Late], now: float) -> None:
    first = found[0]
    words = first.words if len(found) == 1 else f"is late: {len(found)} runs"
    body = "\n".join(late.body for late in found)
    run_id = first.subject if first.subject.startswith("jr-") else ""
    source = f"alarm/{'/'.join(first.key)}/{now!r}"
    alerts.put(con, first.job, source, first.kind, f"{first.job['name']} {words}", body, now, run_id=run_id)
    for late in found:
        if late.subject.startswith("missed:"):  # over as soon as it is told
            alarms.drop(con, *late.key)


def _steps(ask: Ask, now: float) -> Iterator[tuple[str, Late | None, Row | None]]:
    """Yield what is to be done to which alarm: begin, tell, drop, end."""
    jobs = {row["job_id"]: row for row in ask(_JOBS)}
    specs = {job_id: spec for job_id, row in jobs.items() if (spec := load_spec(row["spec"])) is not None}
    given = {name: spec for name, spec in specs.items() if spec.late_after or spec.absent_after}
    alarmed = {
        (r["job_id"], r["kind"], r["subject"]): r for r in ask(_ALARMS) if r["since"] <= now + _CONFIRM
    }
    yield from (("drop", None, r) for r in ask(_ALARMS) if r["since"] > now + _CONFIRM)
    if not given and not alarmed:
        return
    late = {found.key: found for found in _late(ask, jobs, given, alarmed, now)}
    for key, found in late.items():
        alarm = alarmed.get(key)
        if alarm is None:
            yield "begin", found, None
        elif alarm["told_at"] is None and now - alarm["since"] >= min(_CONFIRM, found.after / 2):
            yield "tell", found, alarm
    for key, alarm in alarmed.items():
        if key in late:
            continue
        spec = given.get(alarm["job_id"])
        if alarm["kind"] == "late" or alarm["told_at"] is None:
            yield "drop", None, alarm
        elif spec is None or spec.absent_after is None or jobs[alarm["job_id"]]["status"] != "active":
            yield "end", None, alarm  # otherwise its next success says that it is over


_JOBS = "select job_id, name, version, status, spec, created_at, updated_at from jobs"
_ALARMS = "select * from job_alarms where ended_at is null and kind in ('late', 'absent')"
_OPEN = f"select * from job_runs where status in ('queued', 'running') and {COUNTED}"  # noqa: S608
_SUCCESS = (
    "select j.job_id, (select r.ended_at from job_runs r where r.job_id = j.job_id and r.status = 'succeeded' and "  # noqa: S608
    f"r.ended_at <= :now and {COUNTED} order by r.ended_at desc limit 1) as at from jobs j"
)


def _late(
    ask: Ask, jobs: dict[str, Row], given: dict[str, JobSpec], alarmed: dict[Any, Row], now: float
) -> Iterator[Late]:
    for row in ask(_OPEN) if any(spec.late_after for spec in given.values()) else ():
        spec = given.get(row["job_id"])
        if spec is not None and spec.late_after is not None and now - due_at(row) > spec.late_after:
            yield Late(
                jobs[row["job_id"]], "late", row["job_run_id"], spec.late_after, "is late", _of_run(row, spec, now)
            )  # fmt: skip
    for alarm in alarmed.values():
        spec = given.get(alarm["job_id"])
        if alarm["subject"].startswith("missed:") and spec is not None and spec.late_after is not None:
            body = _of_missed(alarm["subject"], spec)
            yield Late(jobs[alarm["job_id"]], "late", alarm["subject"], spec.late_after, "is late", body)
    success = {}
    if any(spec.absent_after for spec in given.values()):
        success = {row["job_id"]: row["at"] for row in ask(_SUCCESS, now=now)}
    for job_id, spec in given.items():
        job = jobs[job_id]
        since = absent_since(job, success.get(job_id), now)
        if spec.absent_after is not None and job["status"] == "active" and now - since > spec.absent_after:
            seen = success.get(job_id) is not None and since == success[job_id]
            body = (
                f"No run has succeeded since {clock(since)}, {'the last success' if seen else 'its promotion'}: "
                f"{format_duration(now - since)} ago, more than the {readable(spec.absent_after)} given."
                f"\n\n`aios jobs history {job['name']}` shows what became of its runs."
            )
            yield Late(job, "absent", "", spec.absent_after, "has not succeeded for too long", body)


def due_at(row: Row) -> float:
    """Return from when on the lateness of a run counts.

    A tick that is made up for counts from when it was queued: that its time had passed is told by itself.
    """
    if row["tick_at"] is None or row["trigger"] == "missed":
        return float(row["queued_at"])
    return float(row["tick_at"])


def absent_since(job: Row, success: float | None, now: float) -> float:
    """Return since when a success is awaited; times to come, of a clock that was ahead, do not count."""
    known = [at for at in (success, job["created_at"], job["updated_at"]) if at is not None and at <= now]
    return float(max(known, default=now))


def _of_run(row: Row, spec: JobSpec, now: float) -> str:
    if row["status"] == "running":
        state = f"it runs since {clock(row['started_at'])}, attempt {row['attempt']}, on {row['owner']}"
    elif (again := retry_at(row, now)) is not None:
        state = f"it failed and is tried again at {clock(again)}"
    elif row["attempt"]:
        state = "it waits to be taken up again"
    else:
        state = "it waits: for a free slot of a worker, for the job's other runs, or because no worker lives"
    return (
        f"Run {row['job_run_id']}, due {clock(row['tick_at'] or row['queued_at'])}, has not ended after "
        f"{format_duration(now - due_at(row))}, more than the {readable(spec.late_after)} given: {state}."
    )


def _of_missed(subject: str, spec: JobSpec) -> str:
    _, first, last, count = subject.split(":")
    if count == "1":
        ticks = f"A tick, {clock(float(first))}, has"
    else:
        many = f"{count[:-1]} ticks or more" if count.endswith("+") else f"{count} ticks"
        ticks = f"{many}, {clock(float(first))} to {clock(float(last))}, have"
    what = {
        "latest": "the newest due one runs now",
        "all": f"the newest {spec.catch_up} run now, one after another",
        "skip": "none of them runs any more",
    }
    return f"{ticks} passed while no worker lived; {what[spec.missed]} (missed: {spec.missed})."
