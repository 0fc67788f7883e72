"""The protocol of executors, and those that are known."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from aios_workbench.errors import DefinitionError, hint
from aios_workbench.govern.secrets import Mask
from aios_workbench.workspace import Artifact

if TYPE_CHECKING:
    from aios_workbench.engine.capture import StepLog
    from aios_workbench.engine.context import Context
    from aios_workbench.engine.job import Job
    from aios_workbench.workflow import WorkflowSpec


class Cancelled(BaseException):
    """The run was cancelled while the function was executing."""


@dataclass
class Call:
    """One attempt at one function: what an executor is given.

    Attributes
    ----------
    function : callable
        The step's function, or a stored one that is loaded where it is called (`job.Stored`).
    inputs : dict
        Parameter -> stored value.
    secrets : dict
        Parameter -> value, resolved for this attempt only.
    timeout : float or None
        Seconds.
    context, log
        Where progress, metrics, what is kept and what is printed go. Secrets are masked behind them.
    """

    job: Job
    function: Callable[..., Any]
    inputs: dict[str, Artifact]
    attempt: int
    timeout: float | None
    context: Context
    log: StepLog
    secrets: dict[str, str]
    how: Callable[[Call], Artifact]

    def here(self) -> Artifact:
        """Call the function in this thread; return its stored result."""
        return self.how(self)

    def put(self, value: Any) -> Artifact:
        """Store a value the function returned or kept."""
        if not self.secrets:
            return self.job.ws.artifacts.put(value)
        wanted = self.job.spec.secrets
        return self.job.ws.artifacts.put(value, Mask({wanted[p]: v for p, v in self.secrets.items()}).refuse)


class Executor(Protocol):
    """What can call a step's function."""

    def run(self, call: Call) -> Artifact:
        """Call the function to its end; return its stored result and set `call.job.kept`.

        Raises
        ------
        StepTimeout, MemoryCapExceeded, StepKilled
            When it had to be given up, or ended without a word.
        Cancelled
            When the run was cancelled meanwhile.
        BaseException
            What the function raised. One raised elsewhere carries its description as `aios_described`.
        """


_known: dict[str, str | Executor] = {
    "thread": "aios_workbench.engine.executors.thread:Threads",
    "process": "aios_workbench.engine.executors.process:Processes",
}


def register(name: str, made: str | Executor) -> None:
    """Make an executor known: itself, or ``"module:Class"``, imported when the first step wants it."""
    _known[name] = made


def names() -> list[str]:
    """Return the names of the executors."""
    return list(_known)


def check(spec: WorkflowSpec) -> None:
    """Refuse a workflow that wants an executor nobody has registered.

    Raises
    ------
    DefinitionError
        Naming the step and its place.
    """
    for step in spec.steps:
        if step.executor not in _known:
            raise DefinitionError(
                f"step '{step.name}' ({step.cell}): no executor '{step.executor}'{hint(step.executor, _known)} "
                f"(there are: {', '.join(_known)})"
            )


def executor(name: str) -> Executor:
    """Return an executor by name.

    Raises
    ------
    DefinitionError
        When this process knows none of that name.
    """
    found = _known.get(name)
    if found is None:
        raise DefinitionError(f"no executor '{name}'{hint(name, _known)} (there are: {', '.join(_known)})")
    if isinstance(found, str):
        module, _, kind = found.partition(":")
        found = getattr(importlib.import_module(module), kind)()
        _known[name] = found
    return found
