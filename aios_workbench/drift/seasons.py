"""Windows over time: which belong to the same season, and from which one on a figure is another."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from aios_workbench.errors import DriftInputError, hint

Season = Literal["day", "week", "month", "year"]
DAY = 86_400.0
#: A Monday, so that windows of whole weeks begin on one.
ANCHOR = 4 * DAY
_PERIODS = {"day": DAY, "week": 7 * DAY, "month": 31 * DAY, "year": 366 * DAY}
#: Fewer windows show no changepoint, and a piece is at least so long.
_LEAST, _PIECE = 8, 3
_PERMUTATIONS = 999


def checked_season(season: str | None, seconds: float | None) -> Season | None:
    """Return a season that windows of a length can belong to.

    Raises
    ------
    DriftInputError
        For an unknown season, windows that are no stretches of time, or ones as long as the season.
    """
    if season is None:
        return None
    known = get_args(Season)
    if season not in known:
        raise DriftInputError(
            f"there is no season {season!r}{hint(str(season), known)}; use {', '.join(known)}"
        )
    if seconds is None:
        raise DriftInputError(
            f"season={season!r} needs windows of time; give window= a length such as '1d', or by='day'"
        )
    if seconds * 2 > _PERIODS[season]:
        raise DriftInputError(
            f"windows of {seconds / DAY:g} days are too long to come again every {season}; take shorter ones, or a "
            "longer season"
        )
    return season  # type: ignore[return-value]


def phase(starts_at: float, season: Season, seconds: float) -> int:
    """Return which window of its season one is: windows of one phase are compared with each other (UTC).

    Of a year it is the month, or with windows of up to a week the week; the 53rd counts as the 52nd.

    Parameters
    ----------
    starts_at : float
        Epoch seconds.
    seconds : float
        Length of a window.

    Examples
    --------
    >>> monday, next_monday = ANCHOR, ANCHOR + 7 * DAY
    >>> phase(monday, "week", DAY), phase(next_monday + DAY, "week", DAY)
    (0, 1)
    """
    if season in ("day", "week"):
        return int(((starts_at - ANCHOR) % _PERIODS[season]) // seconds)
    moment = dt.datetime.fromtimestamp(starts_at, dt.UTC)
    if season == "month":
        return int((moment.day - 1) * DAY // max(seconds, DAY))
    if seconds > 7 * DAY:
        return moment.month
    return min(moment.isocalendar().week, 52)


@dataclass(frozen=True)
class Change:
    """A changepoint: the figure is another from `index` on; `before` and `after` are its means."""

    index: int
    before: float
    after: float
    p_value: float


def changepoint(values: Sequence[float], *, seed: int = 0) -> Change | None:
    """Return the one place where a series changes its mean the most, with the odds that chance does as much.

    The largest of the cumulative sums of deviations from the mean, each in units of its standard deviation (the
    CUSUM likelihood-ratio statistic: Hinkley 1970; Csörgő and Horváth 1997), against the same of 999 permutations.
    None for fewer than 8 values, or where all are alike.

    Examples
    --------
    >>> found = changepoint([0.0, 0.1, 0.0, 0.1, 0.0, 0.1, 0.9, 1.0, 0.9, 1.0])
    >>> found.index, round(found.after, 2), found.p_value <= 0.05
    (6, 0.95, True)
    """
    x = np.asarray(values, np.float64)
    n = len(x)
    if n < _LEAST or not np.isfinite(x).all() or np.ptp(x) < 1e-12:
        return None
    cuts = np.arange(_PIECE, n - _PIECE + 1)
    scale = np.sqrt(cuts * (n - cuts) / n)

    def strength(rows: np.ndarray) -> np.ndarray:
        sums = np.cumsum(rows - rows.mean(axis=-1, keepdims=True), axis=-1)[..., cuts - 1]
        found: np.ndarray = np.abs(sums) / scale
        return found

    seen = strength(x)
    at = int(cuts[int(seen.argmax())])
    shuffled = np.random.default_rng(seed).permuted(np.tile(x, (_PERMUTATIONS, 1)), axis=1)
    as_much = int((strength(shuffled).max(axis=1) >= seen.max() - 1e-12).sum())
    return Change(at, float(x[:at].mean()), float(x[at:].mean()), (1 + as_much) / (1 + _PERMUTATIONS))


def changepoints(
    series: dict[str, Sequence[float]], *, alpha: float = 0.05, least: float = 0.05, seed: int = 0
) -> dict[str, Change]:
    """Return the changepoint of each series that has one: significant over all of them, and not small.

    Parameters
    ----------
    alpha : float
        After correction for several series (Benjamini and Hochberg 1995).
    least : float
        How far the means before and after are apart at least.
    """
    found = {name: change for name, values in series.items() if (change := changepoint(values, seed=seed))}
    order = sorted(found, key=lambda name: found[name].p_value)
    # the series with nothing to find were asked, too
    passed = [k for k, name in enumerate(order, 1) if found[name].p_value <= alpha * k / max(len(series), 1)]
    kept = order[: max(passed, default=0)]
    return {n: found[n] for n in kept if math.fabs(found[n].after - found[n].before) >= least}
