"""What reading a model's own parts gave, and why it sometimes gives nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aios_workbench.explain.models import Stopped

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


class Unreadable(Exception):
    """A model's parts cannot be read; the words say why, and the sampler is used instead."""


@dataclass
class Attributed:
    """Exact Shapley values of the first rows: all of them unless it was stopped.

    Attributes
    ----------
    values : (n, M, K) float64
        In the user's columns.
    base : (K,) float64
    background : int
        Rows they are measured against; 0 where the model's own training counts are used.
    grouped : bool
        Some of the user's columns became several encoded ones.
    own : (r, M, K) float64 or None
        Where their values were added up: what the columns themselves have, of the first r rows.
    whole : bool
        Each column was one player although it became several encoded ones: nothing was added up.
    checked : tuple of two arrays or None
        The accelerator's values and shap's on sampled rows.
    """

    values: Floats
    base: Floats
    background: int = 0
    grouped: bool = False
    own: Floats | None = None
    whole: bool = False
    accelerator: str | None = None
    checked: tuple[Floats, Floats] | None = None
    stopped: Stopped = "done"
    notes: list[str] = field(default_factory=list)
