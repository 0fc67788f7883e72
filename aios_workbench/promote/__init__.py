"""From notebook to scheduled job: check, bundle, schedule, run.

Names are handed on lazily: the kernel of a job imports `promote.inject` and nothing else of it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aios_workbench.promote.checks import Finding, check, inspect
    from aios_workbench.promote.events import emit, list_events
    from aios_workbench.promote.interval import Interval
    from aios_workbench.promote.jobs import get, list_jobs, pause, promote, remove, resume
    from aios_workbench.promote.parameters import NotebookParameters, parse_assignments
    from aios_workbench.promote.records import Job
    from aios_workbench.promote.runs import cancel, get_run, history, trigger
    from aios_workbench.promote.schedule import Schedule
    from aios_workbench.promote.scheduler import Scheduler
    from aios_workbench.promote.spec import JobSpec

__all__ = [
    "Finding", "Interval", "Job", "JobSpec", "NotebookParameters", "Schedule", "Scheduler", "cancel", "check",
    "emit", "get", "get_run", "history", "inspect", "list_events", "list_jobs", "parse_assignments", "pause",
    "promote", "remove", "resume", "trigger",
]  # fmt: skip

_HOME = {
    "Finding": "checks", "Job": "records", "JobSpec": "spec", "NotebookParameters": "parameters",
    "Interval": "interval", "emit": "events", "list_events": "events",
    "cancel": "runs", "get_run": "runs", "history": "runs", "trigger": "runs",
    "Schedule": "schedule", "Scheduler": "scheduler", "check": "checks", "inspect": "checks",
    "parse_assignments": "parameters",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME.get(name, 'jobs')}"), name)
