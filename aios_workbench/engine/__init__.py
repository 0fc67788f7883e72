"""How a workflow runs: durable, parallel, resumable."""

from aios_workbench.engine.context import Context, context, in_step
from aios_workbench.engine.inspection import history
from aios_workbench.engine.runs import EngineRunner, Run, find_run, find_runs
from aios_workbench.engine.steps import StepError, StepView

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
