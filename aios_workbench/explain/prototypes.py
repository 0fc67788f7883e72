"""Rows like a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from aios_workbench.explain.beyond_models import Prototypes

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation


def prototypes(
    explanation: Explanation,
    row: int,
    n: int = 5,
    *,
    output: int | str | None = None,
    by: Literal["values", "contributions"] = "values",
) -> Prototypes:
    """Rows like a row."""
    raise NotImplementedError
