"""How a workflow runs: durable, parallel, resumable.

What needs the journal (DBOS) is imported when it is first asked for: a step's own process does without.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# At once: the module and the function share their name, and whoever imports the module must get the function here.
from aios_workbench.engine.context import Context, context, in_step

if TYPE_CHECKING:
    from aios_workbench.engine.inspection import history
    from aios_workbench.engine.runs import EngineRunner, Run, find_run, find_runs
    from aios_workbench.engine.steps import StepError, StepView

_HOMES = {
    "EngineRunner": "runs", "Run": "runs", "StepError": "steps", "StepView": "steps", "find_run": "runs",
    "find_runs": "runs", "history": "inspection",
}  # fmt: skip

__all__ = [
    "Context",
    "EngineRunner",
    "Run",
    "StepError",
    "StepView",
    "context",
    "find_run",
    "find_runs",
    "history",
    "in_step",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'aios_workbench.engine' has no attribute '{name}'")
    return getattr(importlib.import_module(f"aios_workbench.engine.{_HOMES[name]}"), name)
