"""`aios.explain`."""

from __future__ import annotations

from typing import Any

from aios_workbench.explain.explanation import Explanation


def explain(model: Any, rows: Any, **options: Any) -> Explanation:
    """Explain a model."""
    raise NotImplementedError
