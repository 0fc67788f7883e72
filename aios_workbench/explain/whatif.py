"""A row as it would be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aios_workbench.explain.beyond_models import WhatIf

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation


def what_if(
    explanation: Explanation,
    row: int,
    changes: Mapping[str, Any],
    *,
    output: int | str | None = None,
    lime: bool = False,
    seconds: float | None = 5.0,
) -> WhatIf:
    """A row as it would be."""
    raise NotImplementedError
