"""Whether predictions mean what they say, and where they are worst."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aios_workbench.explain.quality_models import Calibration, Slices

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation


def calibration(
    explanation: Explanation, y: Any, *, output: int | str | None = None, bins: int = 10, seed: int = 0
) -> Calibration:
    """Whether predictions mean what they say, and where they are worst."""
    raise NotImplementedError


def slices(
    explanation: Explanation,
    y: Any,
    *,
    columns: Sequence[str] | None = None,
    metric: str | None = None,
    depth: int = 2,
    least: int = 30,
    alpha: float = 0.05,
    most: int = 20,
) -> Slices:
    """Whether predictions mean what they say, and where they are worst."""
    raise NotImplementedError
