"""Whether a model selects and errs alike in all groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aios_workbench.explain.quality_models import Fairness

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation


def fairness(
    explanation: Explanation,
    y: Any,
    group: Any,
    *,
    reference: str | None = None,
    output: int | str | None = None,
    threshold: float | None = None,
    favourable: str | None = None,
    least: int = 30,
    alpha: float = 0.05,
) -> Fairness:
    """Whether a model selects and errs alike in all groups."""
    raise NotImplementedError
