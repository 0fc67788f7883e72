"""One row taken apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios_workbench.explain.models import RowExplanation

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation


def row(explanation: Explanation, at: int, *, output: int | str | None = None) -> RowExplanation:
    """Take one row apart."""
    raise NotImplementedError
