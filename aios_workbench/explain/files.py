"""Explanations as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.explain.arrays import Arrays
    from aios_workbench.explain.explanation import Explanation
    from aios_workbench.explain.models import ExplanationData


def to_dict(explanation: Explanation, *, raw: bool = False) -> dict[str, Any]:
    """Return a JSON-able dict."""
    raise NotImplementedError


def dumps(explanation: Explanation, *, raw: bool = False) -> str:
    """Return `to_dict` as text."""
    raise NotImplementedError


def without_raw(explanation: Explanation) -> Explanation:
    """Return it without rows and single values."""
    raise NotImplementedError


def save(explanation: Explanation, path: str | Path, *, raw: bool = False) -> Path:
    """Write it to a file."""
    raise NotImplementedError


def write_text(path: Path, text: str) -> None:
    """Write a file that is whole or not there."""
    raise NotImplementedError


def read(path: Path) -> bytes:
    """Read a file."""
    raise NotImplementedError


def loads(content: bytes, where: str) -> tuple[ExplanationData, Arrays, pd.DataFrame | None]:
    """Read what `save` wrote."""
    raise NotImplementedError
