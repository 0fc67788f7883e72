"""The instant a run stands for: its tick, however late it runs."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from typing import Any

from aios_workbench.promote.schedule import zone

VARIABLE = "AIOS_LOGICAL_TIME"


def logical_time() -> dt.datetime:
    """Return the instant this run of a job stands for, on the clock of the job's zone.

    For a run of the schedule that is its tick, also when it was missed and runs later; in a backfill the tick that is
    made up for; in a run that somebody or an event started, when that was. A retry, and a run that takes up a failed
    one, stand for the same instant. Airflow [1]_ calls it the logical date of a cron trigger: the end, not the
    beginning, of what has gathered since the tick before. Outside a job it is now, in UTC.

    References
    ----------
    .. [1] Apache Airflow, "Timetables", airflow.apache.org/docs.

    Examples
    --------
    >>> import os
    >>> os.environ["AIOS_LOGICAL_TIME"] = "2026-03-01T06:00:00+01:00"
    >>> str(logical_time().date())
    '2026-03-01'
    >>> del os.environ["AIOS_LOGICAL_TIME"]
    """
    said = os.environ.get(VARIABLE)
    return dt.datetime.now(dt.UTC) if not said else dt.datetime.fromisoformat(said)


def text(run: Mapping[str, Any], timezone: str) -> str:
    """Return what a run's kernel is told, from its row of `job_runs`."""
    at = next(run[name] for name in ("logical_at", "tick_at", "queued_at") if run.get(name) is not None)
    return dt.datetime.fromtimestamp(at, zone(timezone)).isoformat()
