"""Why one group of rows is predicted differently from another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aios_workbench.explain.beyond_models import Cohorts

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation


def cohorts(
    explanation: Explanation,
    a: Any,
    b: Any = None,
    *,
    output: int | str | None = None,
    names: Sequence[str] | None = None,
    least: int = 10,
    alpha: float = 0.05,
) -> Cohorts:
    """Why one group of rows is predicted differently from another."""
    raise NotImplementedError
