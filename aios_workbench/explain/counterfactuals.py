"""The least change of a row that leads to another prediction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from aios_workbench.explain.beyond_models import Counterfactuals

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation


def counterfactual(
    explanation: Explanation,
    row: int,
    *,
    target: Any = None,
    output: int | str | None = None,
    immutable: Sequence[str] = (),
    monotone: Mapping[str, Literal["up", "down"]] | None = None,
    ranges: Mapping[str, Any] | None = None,
    most: int = 3,
    count: int = 5,
    seconds: float | None = 10.0,
    seed: int = 0,
    cancelled: Callable[[], bool] | None = None,
) -> Counterfactuals:
    """The least change of a row that leads to another prediction."""
    raise NotImplementedError
