"""An explanation's points as they are sent: no more of them, and no finer, than a screen can show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios_workbench.errors import ParameterError
from aios_workbench.widgets.explain_pack import Crate, codes, pack
from aios_workbench.widgets.explain_pages import Axis, Scatter, Swarm

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from aios_workbench.widgets.explain_state import Looked

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

#: Places along a line of the beeswarm that points share: a screen has about so many dots across.
_BINS = 300
#: Of each column the rows with the greatest and the least contribution are shown, however few are.
_ENDS = 5
#: How far from its line a lone point may lie, of a half line.
_FULL = 127


def swarm(
    looked: Looked,
    output: int,
    crate: Crate,
    *,
    top: int = 20,
    points: int = 100_000,
    columns: list[int] | None = None,
) -> Swarm:
    """Return a beeswarm of the most important columns, or of those given; see `Swarm`."""
    import numpy as np

    values = looked.arrays.values[:, :, output]
    shown = looked.order(output)[:top] if columns is None else [looked.column(c) for c in columns]
    chosen = some_rows(values[:, shown], max(1, points // max(len(shown), 1)))
    x = values[chosen][:, shown].T.ravel()
    low, high = (float(x.min()), float(x.max())) if len(x) else (0.0, 0.0)
    colour = [_colour(looked, c, chosen) for c in shown]
    offset = [_offsets(values[chosen, c], low, high) for c in shown]
    return Swarm(
        output=output, columns=shown, of=len(values), rows=codes(chosen, "u32", crate),
        x=pack(x, "u16", crate, low=low, high=high),
        colour=codes(np.concatenate(colour or [np.zeros(0)]), "u8", crate, missing=255),
        offset=codes(np.concatenate(offset or [np.zeros(0)]), "i8", crate),
    )  # fmt: skip


def scatter(
    looked: Looked,
    output: int,
    crate: Crate,
    x: Axis,
    y: Axis,
    colour: Axis | None = None,
    *,
    points: int = 20_000,
) -> Scatter:
    """Return a point for each row, or for as many as are wanted."""
    import numpy as np

    axes = [looked.axis(a.of, a.column, output) for a in (x, y, *([colour] if colour else []))]
    n = len(axes[0][0])
    # lone points are what a reader looks for
    chosen = (
        some_rows(np.stack([np.nan_to_num(a) for a, _ in axes[:2]], axis=1), points)
        if n
        else np.zeros(0, np.int64)
    )
    packed = [pack(a[chosen], "u16", crate) for a, _ in axes[:2]]
    shade = pack(axes[2][0][chosen], "u8", crate, **_inner(axes[2][0])) if colour else None
    return Scatter(
        output=output, of=n, x_axis=axes[0][1], y_axis=axes[1][1], colour_axis=axes[2][1] if colour else None,
        rows=codes(chosen, "u32", crate), x=packed[0], y=packed[1], colour=shade,
    )  # fmt: skip


def some_rows(values: Floats, most: int) -> Ints:
    """Return the positions of at most `most` rows: the ends of each column, and of the others evenly many.

    Examples
    --------
    >>> import numpy as np
    >>> some_rows(np.arange(10.0)[:, None], 4).tolist()
    [0, 3, 7, 9]
    """
    import numpy as np

    n = len(values)
    if n <= most:
        return np.arange(n)
    kept = np.zeros(n, bool)
    ends = min(_ENDS, most // (4 * max(values.shape[1], 1)))
    for column in values.T if ends else ():
        order = np.argpartition(column, (ends - 1, n - ends))
        kept[order[:ends]] = kept[order[n - ends :]] = True
    others = np.flatnonzero(~kept)
    room = most - int(kept.sum())
    step = len(others) / room
    kept[others[(np.arange(room) * step + step / 2).astype(int)]] = True
    return np.flatnonzero(kept)


def _colour(looked: Looked, column: int, rows: Ints) -> Floats:
    """Return codes of a column's values; see `Swarm`."""
    import numpy as np

    try:
        numbers = looked.numbers(column)
    except ParameterError:  # stored without rows
        return np.full(len(rows), 255.0)
    x = numbers[rows]
    known = looked.data.columns[column]
    if known.kind in ("categorical", "text"):
        out = np.where(x >= min(len(known.values), 254), 254.0, x)
    else:
        bounds = _inner(numbers)
        span = bounds["high"] - bounds["low"]
        share = (x - bounds["low"]) / span if span > 0 else np.where(np.isnan(x), np.nan, 0.5)
        out = np.rint(np.clip(share, 0, 1) * 254)
    made: Floats = np.where(np.isnan(out), 255.0, out)
    return made


def _inner(values: Floats) -> dict[str, float]:
    """Return bounds for a colour: an outlier must not leave one shade to all others."""
    import numpy as np

    there = values[np.isfinite(values)]
    if not len(there):
        return {"low": 0.0, "high": 0.0}
    low, high = np.quantile(there, [0.05, 0.95])
    if low == high:
        low, high = there.min(), there.max()
    return {"low": float(low), "high": float(high)}


def _offsets(x: Floats, low: float, high: float) -> Floats:
    """Return how far from the middle of its line each point lies, -127 to 127: the more points share a place, the more.

    Points of one place stand above and below the middle in turns; the densest place of the line fills it.
    """
    import numpy as np

    if not len(x):
        return np.zeros(0)
    place = (
        np.zeros(len(x), np.int64)
        if high <= low
        else ((x - low) / (high - low) * (_BINS - 1)).astype(np.int64)
    )
    order = np.argsort(place, kind="stable")
    first = np.searchsorted(place[order], place[order], side="left")
    rank = np.empty(len(x), np.int64)
    rank[order] = np.arange(len(x)) - first
    many = np.bincount(place, minlength=_BINS)[place]
    densest = max(int(many.max()), 2)
    side = np.where(rank % 2 == 0, 1.0, -1.0)
    away = (rank + 1) // 2
    # A few points keep close together, as beads do; a crowd fills the line.
    step = min(2 * _FULL / densest, 24.0)
    made: Floats = np.clip(np.rint(side * away * step), -_FULL, _FULL)
    return made
