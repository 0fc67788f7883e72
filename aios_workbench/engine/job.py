"""All that is needed to execute one step of one run."""

from __future__ import annotations

import contextlib
import dis
import functools
import importlib
import pickle
import sys
import threading
import time
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aios_workbench.engine.failures import remember_source
from aios_workbench.engine.spending import Meter, Purse
from aios_workbench.errors import CorruptArtifactError, NotFoundError
from aios_workbench.workflow import StepSpec
from aios_workbench.workspace import Artifact, Workspace, importing

#: What a job does that calls a step's `compensate`.
UNDO = "undo"


@dataclass
class Job:
    """All that is needed to execute one step of one run."""

    ws: Workspace
    executor: str
    run_id: str
    leg: int
    workflow: str
    spec: StepSpec
    inputs: dict[str, Artifact]  # by function parameter: outputs of other steps, and workflow parameters
    job_run_id: str | None = None
    again: bool = False  # a process before this one may have tried
    cancelled: threading.Event = field(default_factory=threading.Event)
    capped: bool = False  # the run's attempts are counted against `max_attempts`
    purpose: str = ""  # empty, or UNDO
    until: dict[str, Artifact] = field(default_factory=dict)  # what a loop's condition takes beside the state
    part: int | None = None  # iteration of a loop
    stream: Any = None  # of a map: what it goes over is still being made
    spool: Any = None  # of a step that yields: where that goes
    kept: Artifact | None = None  # of the last attempt
    peak: int | None = None  # bytes of memory the last attempt held at most, where an executor knows it
    answered: str | None = None  # why the function was not called: what it does was done before
    inside: bool = False  # in the process that the executor has started for this attempt
    purse: Purse | None = None  # what it may spend
    meter: Meter | None = None  # counts its attempts and seconds, where a budget asks for it
    began: tuple[float, float] = field(default_factory=lambda: (time.time(), time.monotonic()))

    def now(self) -> float:
        """Return seconds since the epoch by a clock that nobody sets back: what took a second ends a second later."""
        wall, monotonic = self.began
        return wall + time.monotonic() - monotonic

    def load(self, artifact: dict[str, Any]) -> Callable[..., Any]:
        """Return a stored function; for a step that another process executes one that is loaded over there."""
        if self.spec.executor != "thread" and not self.inside:
            return Stored(artifact, self)
        return self.really_load(artifact)

    def really_load(self, artifact: dict[str, Any]) -> Callable[..., Any]:
        """Return a stored function, ready to be called in this process."""
        blob = self.ws.artifacts.read(Artifact.from_dict(artifact))
        with importing:
            function: Callable[..., Any] = pickle.loads(blob)  # noqa: S301 - own workspace, verified
            import_ahead(function)
        remember_source(function, self.spec)
        return function

    def values(self, names: dict[str, Artifact]) -> dict[str, Any]:
        """Return loaded values; every step gets copies of its own."""
        return {name: self._get(name, artifact) for name, artifact in names.items()}

    def _get(self, name: str, artifact: Artifact) -> Any:
        try:
            return self.ws.artifacts.get(artifact)
        except (CorruptArtifactError, NotFoundError) as e:
            made = self.ws.catalog.one(
                "select step from steps where run_id = :r and output = :h order by position",
                r=self.run_id, h=artifact.hash,
            )  # fmt: skip
            what = f"parameter '{name}': start a new run with it" if made is None else (
                f"what step '{made['step']}' made: `run.rerun(\"{made['step']}\")` makes it again"
            )  # fmt: skip
            kind = CorruptArtifactError if isinstance(e, CorruptArtifactError) else NotFoundError
            raise kind(f"{e}. It is {what}") from e


@dataclass
class Stored:
    """A function that is loaded where it is called: its code, and what that imports, stays out of this process."""

    artifact: dict[str, Any]
    job: Job | None = None
    #: In a process started for one attempt: what loads it there.
    here: ClassVar[Job | None] = None

    def load(self) -> Callable[..., Any]:
        """Return the function, loaded into this process."""
        job = self.job or Stored.here
        if job is None:
            raise RuntimeError("a stored function is only loaded by the job it belongs to")
        return job.really_load(self.artifact)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it in this process."""
        return self.load()(*args, **kwargs)

    def __reduce__(self) -> Any:
        return (Stored, (self.artifact,))


def import_ahead(function: Callable[..., Any]) -> None:
    """Import what a function imports, one function at a time; see `importing`.

    What cannot be imported is left to the function: it may be optional, and its error belongs into the step.
    """
    code = getattr(function, "__code__", None)
    for name in imported_modules(code) if code is not None else ():
        if name not in sys.modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)


@functools.lru_cache(maxsize=4096)
def imported_modules(code: types.CodeType) -> tuple[str, ...]:
    """Return the modules a function's import statements name, those of its inner functions too."""
    found = [i.argval for i in dis.get_instructions(code) if i.opname == "IMPORT_NAME" and i.argval]
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            found += imported_modules(const)
    return tuple(dict.fromkeys(found))
