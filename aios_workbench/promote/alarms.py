"""What is not as it should be with a job, as long as it is so: told once when it begins, once when it is over.

A row of `job_alarms` is one such state, open while `ended_at` is null. What is told goes through `job_alerts` in the
transaction that opens or ends the alarm: told exactly once by any number of workers, and not lost with one of them.
"""

from __future__ import annotations

from typing import Any

from aios_workbench.promote import alerts
from aios_workbench.workspace import Session

_OPEN = (
    "insert into job_alarms (job_id, kind, subject, since, told_at, ended_at) "
    "values (:job_id, :kind, :subject, :now, null, null) on conflict (job_id, kind, subject) do update set "
    "since = :now, told_at = null, ended_at = null where job_alarms.ended_at is not null"
)
_ONE = "job_id = :job_id and kind = :kind and subject = :subject"


def begin(con: Session, job_id: str, kind: str, now: float, subject: str = "") -> bool:
    """Open an alarm; False when it was open already."""
    values = {"job_id": job_id, "kind": kind, "subject": subject, "now": now}
    return bool(con.execute(_OPEN, values).rowcount)


def tell_once(
    con: Session, job: dict[str, Any], kind: str, now: float, words: str, body: str, *, subject: str = "",
    run_id: str = "",
) -> bool:  # fmt: skip
    """Open an alarm if need be, and write the alert about it unless that was done.

    Parameters
    ----------
    job : dict
        With `job_id`, `name` and `version`.
    words : str
        What follows the job's name in the alert's subject.
    run_id : str
        The run it is about, if it is about one.

    Returns
    -------
    bool
        True when the alert was written now.
    """
    begin(con, job["job_id"], kind, now, subject)
    if not mark_told(con, job["job_id"], kind, now, subject):
        return False
    source = f"alarm/{job['job_id']}/{kind}/{subject}/{now!r}"
    alerts.put(con, job, source, kind, f"{job['name']} {words}", body, now, run_id=run_id)
    return True


def mark_told(con: Session, job_id: str, kind: str, now: float, subject: str = "") -> bool:
    """Note that an open alarm is told; False when it was told before."""
    told = f"update job_alarms set told_at = :now where {_ONE} and told_at is null and ended_at is null"  # noqa: S608
    return bool(con.execute(told, {"job_id": job_id, "kind": kind, "subject": subject, "now": now}).rowcount)


def drop(con: Session, job_id: str, kind: str, subject: str = "") -> None:
    """Forget an alarm: it was about something that is over, or of a clock that was wrong."""
    con.execute(
        f"delete from job_alarms where {_ONE}",  # noqa: S608
        {"job_id": job_id, "kind": kind, "subject": subject},
    )


def end(con: Session, job_id: str, kind: str, now: float, subject: str = "") -> float | None:
    """End an alarm; returns since when it stood if it was told and is over only now."""
    values = {"job_id": job_id, "kind": kind, "subject": subject, "now": now}
    row = con.execute(
        f"select since, told_at from job_alarms where {_ONE} and ended_at is null",  # noqa: S608
        values,
    ).fetchone()
    if row is None:
        return None
    con.execute(f"update job_alarms set ended_at = :now where {_ONE}", values)  # noqa: S608
    return float(row["since"]) if row["told_at"] is not None else None
