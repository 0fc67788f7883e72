"""A column's contribution against its value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios_workbench.explain.beyond_models import Dependence

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation


def dependence(
    explanation: Explanation,
    column: str,
    *,
    color: str | None = "auto",
    output: int | str | None = None,
    most: int = 5000,
    seed: int = 0,
) -> Dependence:
    """A column's contribution against its value."""
    raise NotImplementedError
