"""Figures of a model on labelled rows, each with its 95 % interval, and the difference of two such figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from aios_workbench.drift.models import Measured
from aios_workbench.drift.ranking import Z95, area

if TYPE_CHECKING:
    from aios_workbench.drift.tables import Floats, Ints

#: Whether more of a figure is better (1) or worse (-1); 0: best is zero.
BETTER = {
    "accuracy": 1, "precision": 1, "recall": 1, "f1": 1, "roc_auc": 1, "r2": 1,
    "log_loss": -1, "brier": -1, "mae": -1, "rmse": -1, "bias": 0,
}  # fmt: skip
#: The least change that matters: of shares so much, of errors such a part of the reference's.
LEAST, LEAST_PART = 0.02, 0.05
DRAWS = 500
_TINY = float(np.finfo(np.float64).eps)


def wilson(hits: float, rows: float) -> Measured | None:
    """Return a share with Wilson's interval; None of no rows.

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.

    Examples
    --------
    >>> found = wilson(8, 10)
    >>> round(found.low, 3), round(found.high, 3)
    (0.49, 0.943)
    """
    if rows <= 0:
        return None
    p, z = hits / rows, Z95
    middle = (p + z * z / (2 * rows)) / (1 + z * z / rows)
    wide = z * math.sqrt(p * (1 - p) / rows + z * z / (4 * rows * rows)) / (1 + z * z / rows)
    return Measured(value=p, low=max(0.0, middle - wide), high=min(1.0, middle + wide))


def classification(
    label: Ints, guess: Ints | None, score: Floats | None, classes: int, *, seed: int = 0
) -> dict[str, Measured]:
    """Return the figures of a classifier.

    accuracy, precision and recall of two classes have Wilson's interval, the area under the ROC curve DeLong's, the
    losses that of a mean; f1, and precision and recall over several classes (means of the classes'), that of `DRAWS`
    draws of the confusion matrix.

    Parameters
    ----------
    label, guess : array of int
        (n,) classes from 0 on; of two, 1 is the positive one. Without `guess`, figures of the scores alone.
    score : array, optional
        (n, 1) of the positive class, or (n, classes). log_loss and brier only of scores from 0 to 1.

    Returns
    -------
    dict of str to Measured
        What is defined: no area where one class is missing.

    Examples
    --------
    >>> found = classification(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), None, 2)
    >>> found["accuracy"].value, found["recall"].value
    (0.75, 1.0)
    """
    out: dict[str, Measured | None] = {}
    if not len(label):
        return {}
    if guess is not None:
        table = np.zeros((classes, classes))
        np.add.at(table, (label, guess), 1)
        out["accuracy"] = wilson(float(np.trace(table)), len(label))
        g = np.random.default_rng(seed)
        drawn = g.multinomial(len(label), (table / len(label)).ravel(), DRAWS).reshape(
            DRAWS, classes, classes
        )
        once, many = _shares(table[None], classes), _shares(drawn.astype(np.float64), classes)
        for name in ("precision", "recall", "f1"):
            if not math.isnan(once[name][0]):
                low, high = np.nanquantile(many[name], [0.025, 0.975])
                out[name] = Measured(value=float(once[name][0]), low=float(low), high=float(high))
        if classes == 2:
            out["precision"] = wilson(table[1, 1], table[:, 1].sum())
            out["recall"] = wilson(table[1, 1], table[1].sum())
    if score is not None:
        out |= _of_scores(label, score)
    return {name: m for name, m in out.items() if m is not None}


def _shares(table: Floats, classes: int) -> dict[str, Floats]:
    """Return precision, recall and f1 of confusion matrices (draws, true, guessed); NaN where nothing is."""
    hits = np.diagonal(table, axis1=1, axis2=2)
    guessed, there = table.sum(axis=1), table.sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        each = {"precision": hits / guessed, "recall": hits / there, "f1": 2 * hits / (guessed + there)}
    if classes == 2:
        return {name: v[:, 1] for name, v in each.items()}
    out = {}
    for name, v in each.items():
        known = ~np.isnan(v)
        count = known.sum(axis=1)
        total = np.where(known, v, 0).sum(axis=1)
        out[name] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return out


def _of_scores(label: Ints, score: Floats) -> dict[str, Measured | None]:
    out: dict[str, Measured | None] = {}
    binary = score.shape[1] == 1
    areas = [area(label == (1 if binary else k), score[:, k]) for k in range(score.shape[1])]
    areas = [a for a in areas if not math.isnan(a.value)]
    if areas:
        value = math.fsum(a.value for a in areas) / len(areas)
        # of several classes: as if their areas went up and down together, which is never too narrow
        error = math.fsum(math.sqrt(a.variance) for a in areas) / len(areas)
        low, high = (
            areas[0].interval if binary else (max(0.0, value - Z95 * error), min(1.0, value + Z95 * error))
        )
        out["roc_auc"] = Measured(value=value, low=low, high=high)
    if score.min() >= 0 and score.max() <= 1:
        p = np.column_stack([1 - score[:, 0], score[:, 0]]) if binary else score
        own = p[np.arange(len(p)), label] / np.maximum(p.sum(axis=1), _TINY)
        out["log_loss"] = _mean(-np.log(np.clip(own, _TINY, 1)))
        squares = (p**2).sum(axis=1) + 1 - 2 * p[np.arange(len(p)), label]
        out["brier"] = _mean(squares / 2 if binary else squares)
    return out


def regression(label: Floats, guess: Floats) -> dict[str, Measured]:
    """Return the figures of a regression: mae, rmse, bias (the mean of guess - label) and r2.

    Intervals are those of means; of rmse through its square, of r2 by the delta method. r2 only where labels differ.

    Examples
    --------
    >>> regression(np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0]))["bias"].value
    1.0
    """
    if not len(label):
        return {}
    off = guess - label
    squared = _mean(off**2)
    out = {
        "mae": _mean(np.abs(off)),
        "rmse": Measured(
            value=math.sqrt(squared.value), low=math.sqrt(max(0, squared.low)), high=math.sqrt(squared.high)
        ),
        "bias": _mean(off),
    }
    around = (label - label.mean()) ** 2
    spread = float(around.mean())
    if spread > 0 and len(label) > 1:
        influence = -(off**2) / spread + squared.value / spread**2 * around
        r2 = 1 - squared.value / spread
        wide = Z95 * float(influence.std()) / math.sqrt(len(label))
        out["r2"] = Measured(value=r2, low=r2 - wide, high=min(1.0, r2 + wide))
    return out


def _mean(values: Floats) -> Measured:
    value = float(values.mean())
    wide = Z95 * float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.inf
    wide = min(wide, 1e300)
    return Measured(value=value, low=value - wide, high=value + wide)


def difference(before: Measured, now: Measured, *, times: float = 1.0) -> tuple[float, float]:
    """Return the interval of now - before, from the intervals of both.

    The method is MOVER (G. Y. Zou, A. Donner, "Construction of confidence limits about effect measures", Statistics in
    Medicine 27, 2008): intervals may lie unevenly about their values. `times` widens them to another level than 95 %.

    Examples
    --------
    >>> a, b = Measured(value=0.9, low=0.87, high=0.93), Measured(value=0.8, low=0.76, high=0.84)
    >>> low, high = difference(a, b)
    >>> round(low, 2), round(high, 2)
    (-0.15, -0.05)
    """
    d = now.value - before.value
    low = math.hypot(now.value - now.low, before.high - before.value)
    high = math.hypot(now.high - now.value, before.value - before.low)
    return d - times * low, d + times * high


def worse(
    before: Mapping[str, Measured], now: Mapping[str, Measured], *, times: float = 1.0
) -> dict[str, tuple[float, float]]:
    """Return which figures got worse by more than chance, each with the interval of its difference.

    The interval excludes 0, and the difference is at least `LEAST` (shares, areas, r2), `LEAST_PART` of the reference's
    value (errors) or twice that part of the reference's mean absolute error (bias).
    """
    out = {}
    for name, old in before.items():
        new = now.get(name)
        if new is None:
            continue
        low, high = difference(old, new, times=times)
        change = new.value - old.value
        way = BETTER[name]
        if way == 0:
            least = 2 * LEAST_PART * before["mae"].value if "mae" in before else 0.0
            bad = not low <= 0 <= high and abs(new.value) > abs(old.value)
        else:
            least = LEAST if way > 0 else LEAST_PART * abs(old.value)
            bad = high < 0 if way > 0 else low > 0
        if bad and abs(change) >= least:
            out[name] = (low, high)
    return out
