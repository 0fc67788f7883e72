"""LIME for tables, many rows at once: what lime 0.2.0.1 answers with the same seed, with errors and stability."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aios_workbench.explain.models import Stopped

if TYPE_CHECKING:
    from aios_workbench.explain.asking import Ask, Floats


@dataclass(frozen=True)
class Limed:
    """LIME's answers: n rows, M columns, K outputs."""

    contributions: Floats
    coefficients: Floats
    errors: Floats
    intercept: Floats
    r2: Floats
    stability: Floats
    samples: int
    seeds: tuple[int, ...]
    kernel_width: float
    evaluations: int
    calls: int
    stopped: Stopped
    seconds: float


def lime(
    f: Ask,
    x: Floats,
    training: Floats,
    categorical: Sequence[int] = (),
    *,
    samples: int = 5_000,
    most: int = 20_000,
    seeds: Sequence[int] = (0, 1, 2),
    discretize: bool = False,
    kernel_width: float | None = None,
    top: int = 5,
    stable: float = 0.8,
    seconds: float | None = None,
    cancelled: Callable[[], bool] | None = None,
    progress: Callable[[float, str], None] | None = None,
    batch: int | None = None,
) -> Limed:
    """Explain rows with LIME."""
    raise NotImplementedError
