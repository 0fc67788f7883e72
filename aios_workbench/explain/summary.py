"""An explanation in words."""

from __future__ import annotations

from aios_workbench.explain.models import ExplanationData


def text(data: ExplanationData) -> str:
    """Return it as a few lines of text."""
    raise NotImplementedError
