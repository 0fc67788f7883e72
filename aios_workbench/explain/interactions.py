"""Which columns act together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from aios_workbench.explain.beyond_models import Interactions

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation


def interactions(
    explanation: Explanation,
    *,
    output: int | str | None = None,
    columns: Sequence[str] | None = None,
    top: int = 8,
    rows: int = 100,
    tolerance: float = 0.05,
    seconds: float | None = 30.0,
    seed: int = 0,
    cancelled: Callable[[], bool] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Interactions:
    """Which columns act together."""
    raise NotImplementedError
