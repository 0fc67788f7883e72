"""The Python that makes an explanation."""

from __future__ import annotations

from aios_workbench.explain.models import ExplanationData


def explain_code(data: ExplanationData) -> str:
    """Return the Python that makes it."""
    raise NotImplementedError
