"""Losses of all slices of some rows at once, from counts and sums: no mask of a slice is made that is not listed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from aios_workbench.explain import conditions
from aios_workbench.explain.beyond_models import Condition

if TYPE_CHECKING:
    from aios_workbench.explain.space import Space
    from aios_workbench.explain.tabular import Floats, Ints, Mask


@dataclass(frozen=True)
class Cut:
    """A column's slices: `group` says which of `parts` each row is in, -1 of none."""

    parts: list[Condition]
    group: Ints


@dataclass(frozen=True)
class Candidate:
    """A slice: a part of one cut, or of two, with its rows, mean loss and the p-value of being like the others."""

    parts: tuple[tuple[int, int], ...]
    rows: int
    mean: float
    p_value: float


def cuts(space: Space, x: Floats, places: list[int]) -> list[Cut]:
    """Cut columns, given by their places, into slices; see `conditions.partition`."""
    found = []
    for at in places:
        group = np.full(len(x), -1, np.int64)
        parts: list[Condition] = []
        for condition, mask in conditions.partition(space, x, at):
            group[mask] = len(parts)
            parts.append(condition)
        found.append(Cut(parts, group))
    return found


def scan(made: list[Cut], loss: Floats, *, depth: int, least: int) -> tuple[list[Candidate], int]:
    """Compare every slice of `least` rows and more with all other rows; also how many slices are smaller.

    Examples
    --------
    >>> cut = Cut([Condition(column="x"), Condition(column="x")], np.array([0, 0, 0, 1, 1, 1]))
    >>> found, small = scan([cut], np.array([0.0, 0.1, 0.2, 5.0, 6.0, 7.0]), depth=1, least=2)
    >>> [(c.parts, c.rows, round(c.mean, 9), c.p_value < 0.05) for c in found], small
    ([(((0, 0),), 3, 0.1, True), (((0, 1),), 3, 6.0, True)], 0)
    """
    loss = (
        loss - loss.mean() if (shift := float(loss.mean())) else loss
    )  # squares of a shifted loss lose no digits
    found: list[Candidate] = []
    small = 0
    groups: list[tuple[tuple[int, ...], Ints, int]] = [
        ((i,), c.group, len(c.parts)) for i, c in enumerate(made)
    ]
    if depth == 2:
        for i, j in combinations(range(len(made)), 2):
            a, b = made[i], made[j]
            both = np.where((a.group < 0) | (b.group < 0), -1, a.group * len(b.parts) + b.group)
            groups.append(((i, j), both, len(a.parts) * len(b.parts)))
    whole = np.array([len(loss), loss.sum(), (loss**2).sum()])
    for places, group, count in groups:
        inside = group >= 0
        own = group[inside]
        weights = (np.ones(len(own)), loss[inside], loss[inside] ** 2)
        sums: Floats = np.stack([np.bincount(own, w, minlength=count) for w in weights])
        p = _p_values(sums, whole[:, None] - sums)
        for k in np.flatnonzero(sums[0] > 0):
            rows = int(sums[0, k])
            if rows < least:
                small += 1
            elif rows <= len(loss) - 2:  # all rows have nothing to be compared with
                parts: tuple[tuple[int, int], ...] = (
                    ((places[0], int(k)),)
                    if len(places) == 1
                    else tuple(
                        zip(places, (int(v) for v in divmod(k, len(made[places[1]].parts))), strict=True)
                    )
                )
                found.append(Candidate(parts, rows, float(sums[1, k] / rows + shift), float(p[k])))
    return found, small


def _p_values(a: Floats, b: Floats) -> Floats:
    """Return two-sided p-values of equal means (Welch) from counts, sums and sums of squares, (3, slices) each."""
    from scipy import special

    with np.errstate(invalid="ignore", divide="ignore"):
        means = [s[1] / s[0] for s in (a, b)]
        parts = [
            np.maximum(s[2] - s[0] * m**2, 0) / (s[0] - 1) / s[0] for s, m in zip((a, b), means, strict=True)
        ]
        error = np.sqrt(parts[0] + parts[1])
        freedom = (parts[0] + parts[1]) ** 2 / (parts[0] ** 2 / (a[0] - 1) + parts[1] ** 2 / (b[0] - 1))
        t = np.abs(means[0] - means[1]) / error
        p = 2 * special.stdtr(freedom, -t)
    same = np.abs(means[0] - means[1]) <= 1e-12
    found: Floats = np.where(np.isfinite(p), p, np.where(same, 1.0, 0.0))
    return found


def mask(candidate: Candidate, made: list[Cut]) -> Mask:
    """Return which rows a slice has."""
    out = np.ones(len(made[0].group), bool)
    for column, part in candidate.parts:
        out &= made[column].group == part
    return out
