"""Where the layers above plug in. Set by `aios_workbench/__init__.py`; this package knows none of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from aios_workbench.errors import AiosError

if TYPE_CHECKING:
    from aios_workbench.workflow.definition import Workflow


class Runner(Protocol):
    """What runs workflows."""

    def start(
        self, workflow: Workflow, params: Mapping[str, Any], gates: Mapping[str, Any] | None, key: str | None,
        flow: Mapping[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        """Start a run and return its handle at once; `flow` is its priority, budget and patience with a full queue."""

    def runs(self, workflow: str, limit: int) -> Any:
        """Return earlier runs of a workflow, newest first."""

    def history(self, workflow: str, limit: int) -> Any:
        """Return what a workflow's runs say about it."""


class Cells(Protocol):
    """What knows a notebook's cells, by the file names Python has for them."""

    def identity(self, filename: str) -> str:
        """Return the front end's id of a cell, or an empty text."""

    def describe(self, filename: str) -> dict[str, str] | None:
        """Return `cell_id`, `label` and `source` of a cell; None when it is none of this process."""


_runner: Callable[[], Runner] | None = None


def set_runner(factory: Callable[[], Runner]) -> None:
    """Say where runs go; the factory is called when the first one starts."""
    global _runner  # noqa: PLW0603 - set once, by the composition root
    _runner = factory


def runner() -> Runner:
    """Return the runner.

    Raises
    ------
    AiosError
        When none was set.
    """
    if _runner is None:
        raise AiosError("no engine is set up to run workflows; import aios_workbench, not its inner packages")
    return _runner()


_cells: Cells | None = None


def set_cells(known: Cells) -> None:
    """Say what knows this notebook's cells."""
    global _cells  # noqa: PLW0603 - set once, when a kernel loads the package
    _cells = known


def cell_id(filename: str) -> str:
    """Return the front end's id of the cell a file name stands for, or an empty text."""
    return "" if _cells is None else _cells.identity(filename)


def cell(filename: str) -> dict[str, str] | None:
    """Return `cell_id`, `label` and `source` of the cell a file name stands for."""
    return None if _cells is None else _cells.describe(filename)
