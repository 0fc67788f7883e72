"""Checks for which the model was asked again: another background, an accelerator, encoded columns taken together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from aios_workbench.explain.checks import ADDITIVITY, BACKGROUND, GROUPING, make
from aios_workbench.explain.models import Check, Level

if TYPE_CHECKING:
    Floats = npt.NDArray[np.float64]


def background(
    one: Floats | None, other: Floats | None, *, errors: tuple[Floats, Floats] | None = None, reason: str = ""
) -> Check:
    """Say what another background would have changed, from the same rows explained with either half of it.

    Two halves differ by twice the whole background's standard error; two backgrounds of the whole's size would differ
    by the square root of two times it. So half the difference's share, times that root, is the figure; the sampling
    error of the values is taken off first.

    Parameters
    ----------
    one, other : (r, M) or (r, M, K) float64 or None
        Contributions with either half; None where it was not tried, and `reason` says why.
    errors : pair of arrays, optional
        Standard errors of both.

    Examples
    --------
    >>> background(np.array([[1.0, -1.0]]), np.array([[1.1, -0.9]])).level
    'ok'
    """
    if one is None or other is None or not len(one):
        return make("background", "skipped", reason or "Another background was not tried.")
    apart = (one - other) ** 2
    if errors is not None:
        apart = np.maximum(apart - np.nan_to_num(errors[0]) ** 2 - np.nan_to_num(errors[1]) ** 2, 0)
    moved = np.sqrt(apart).reshape(len(one), -1).sum(axis=1)
    size = np.abs(one + other).reshape(len(one), -1).sum(axis=1) / 2
    value = float(np.median(_share(moved, size)) / np.sqrt(2))
    level: Level = "ok" if value <= BACKGROUND[0] else "warn" if value <= BACKGROUND[1] else "fail"
    said = f"Another background of the same size would move contributions by about {100 * value:.2g} %."
    if level != "ok":
        said += " Give more background rows (background=, background_rows=)."
    return make("background", level, said, value=value, threshold=BACKGROUND[0])


def accelerator(ours: Floats, shap: Floats, *, name: str, unit: float) -> Check:
    """Compare an accelerator's values with shap's on sampled rows; `unit` is the spread of the predictions.

    Examples
    --------
    >>> accelerator(np.ones((2, 3)), np.ones((2, 3)), name="woodelf", unit=1.0).words
    "woodelf gives shap's own values on 2 sampled rows."
    """
    worst = float(np.abs(ours - shap).max() / unit) if ours.size else 0.0
    n = len(ours)
    if worst <= ADDITIVITY[0]:
        said = f"{name} gives shap's own values on {n:,} sampled rows."
        return make("accelerator", "ok", said, value=worst, threshold=ADDITIVITY[0])
    said = f"{name} differs from shap by up to {100 * worst:.2g} % of the predictions' spread on {n:,} sampled rows."
    return make("accelerator", "fail", said, value=worst, threshold=ADDITIVITY[0])


def grouping(summed: Floats, own: Floats) -> Check:
    """Compare columns' values summed over their encoded parts with values of the columns themselves, on sampled rows.

    A sum over parts is the column's Shapley value only where the parts do not interact with other columns.

    Examples
    --------
    >>> grouping(np.array([[1.0, 2.0]]), np.array([[1.0, 2.0]])).level
    'ok'
    """
    moved = np.abs(summed - own).reshape(len(own), -1).sum(axis=1)
    value = (
        float(np.median(_share(moved, np.abs(own).reshape(len(own), -1).sum(axis=1)))) if len(own) else 0.0
    )
    level: Level = "ok" if value <= GROUPING[0] else "warn" if value <= GROUPING[1] else "fail"
    said = (
        f"Columns are explained as the sum of their encoded parts, {100 * value:.2g} % off what the columns themselves "
        f"have on {len(own):,} sampled rows."
    )
    if level != "ok":
        said += " Use method='sampling' to explain the columns themselves."
    return make("grouping", level, said, value=value, threshold=GROUPING[0])


def _share(moved: Floats, size: Floats) -> Floats:
    return np.divide(moved, size, out=np.where(moved > 0, np.inf, 0.0), where=size > 0)
