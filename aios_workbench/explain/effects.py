"""What predictions do when a column changes in all rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aios_workbench.explain.beyond_models import PartialDependence, PermutationImportance

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation


def partial_dependence(
    explanation: Explanation,
    column: str,
    *,
    output: int | str | None = None,
    grid: int | Sequence[Any] = 20,
    rows: int = 300,
    curves: int = 50,
    seconds: float | None = 30.0,
    seed: int = 0,
    cancelled: Callable[[], bool] | None = None,
) -> PartialDependence:
    """What predictions do when a column changes in all rows."""
    raise NotImplementedError


def permutation_importance(
    explanation: Explanation,
    y: Any = None,
    *,
    metric: str | None = None,
    output: int | str | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    repeats: int = 5,
    rows: int = 2000,
    seconds: float | None = 30.0,
    alpha: float = 0.05,
    seed: int = 0,
    cancelled: Callable[[], bool] | None = None,
) -> PermutationImportance:
    """What predictions do when a column changes in all rows."""
    raise NotImplementedError
