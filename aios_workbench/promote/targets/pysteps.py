"""What the targets written in Python share for a workflow's steps."""

from __future__ import annotations

from collections.abc import Iterable

from aios_workbench.promote.targets.plan import Step
from aios_workbench.promote.targets.quoting import identifier

#: Names the generated modules use themselves.
_TAKEN = frozenset((
    "activity", "asyncio", "bundle", "compiler", "dag", "defs", "dg", "dsl", "flow", "job", "json", "notebook", "op",
    "os", "param", "parameters", "params", "pendulum", "pipeline", "ref", "run", "run_id", "run_step", "schedule",
    "subprocess", "task", "timedelta", "workflow",
))  # fmt: skip


def step_names(steps: Iterable[Step]) -> dict[str, str]:
    """Return a Python name for every step, unique, near to its own.

    Examples
    --------
    >>> step_names([Step("load"), Step("load", ("load",)), Step("json")])
    {'load': 'load', 'json': 'json_1'}
    """
    names: dict[str, str] = {}
    for step in steps:
        base = name = identifier(step.name)
        number = 1
        while name in _TAKEN or (name in names.values() and names.get(step.name) != name):
            name, number = f"{base}_{number}", number + 1
        names[step.name] = name
    return names
