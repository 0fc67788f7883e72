"""What a person should know about vectors that are no errors: copies, a far origin, lengths that differ wildly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aios_workbench.knn.space import Space

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

#: Of more vectors so many are looked at.
LOOKED_AT = 100_000
_FAR = 300.0  # from here on float32 loses more than a thousandth of a typical squared distance
_UNEVEN = 20.0


def of(x: npt.NDArray[np.float32], space: Space, lengths: npt.NDArray[Any]) -> list[str]:
    """Return sentences about vectors in the inner space.

    Parameters
    ----------
    lengths : ndarray
        Of the vectors as they were given.
    """
    said = (_narrow(space), _copies(x), _far(x, space), _uneven(space, lengths), _zeros(lengths))
    return [s for s in said if s]


def copies(x: npt.NDArray[np.float32]) -> int:
    """Return how many rows equal an earlier one.

    Examples
    --------
    >>> import numpy as np
    >>> copies(np.array([[1, 2], [1, 2], [2, 1], [1, 2]], np.float32))
    2
    """
    import numpy as np

    # -0.0 equals 0.0 but has other bits; a wrong sum of random odd factors has odds of 2^-64 a pair
    factors = np.random.default_rng(0).integers(0, 2**63, x.shape[1], dtype=np.uint64) * np.uint64(
        2
    ) + np.uint64(1)
    keys = np.empty(len(x), np.uint64)
    step = max(1, 2**21 // x.shape[1])
    for start in range(0, len(x), step):
        bits = np.ascontiguousarray(x[start : start + step] + np.float32(0)).view(np.uint32)
        mixed = bits.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
        keys[start : start + step] = (mixed * factors).sum(axis=1, dtype=np.uint64)
    keys.sort()
    return int((keys[1:] == keys[:-1]).sum())


def _narrow(space: Space) -> str:
    return "" if space.dimensions > 1 else "vectors of one dimension are searched, but sorting them is faster"


def _copies(x: npt.NDArray[np.float32]) -> str:
    looked = x[:LOOKED_AT]
    found = copies(looked)
    if not found:
        return ""
    among = "" if len(looked) == len(x) else f" among the first {len(looked):,}"
    rows = "1 vector is a copy" if found == 1 else f"{found:,} vectors{among} are copies"
    return f"{rows} of another; neighbours equally near count as hits alike"


def _far(x: npt.NDArray[np.float32], space: Space) -> str:
    import numpy as np

    if space.metric != "l2":
        return ""
    looked = np.asarray(x[:: max(1, len(x) // 2000)], np.float64)
    spread = float(np.sqrt(looked.var(axis=0).sum()))
    away = float(np.linalg.norm(looked.mean(axis=0)))
    if not spread or away < _FAR * spread:
        return ""
    return (
        f"the vectors lie {away / spread:,.0f} times farther from the origin than from one another, which costs "
        "float32 its precision; subtract their mean, x - x.mean(axis=0), from vectors and queries"
    )


def _uneven(space: Space, lengths: npt.NDArray[Any]) -> str:
    import numpy as np

    middle = float(np.median(lengths))
    if space.metric != "ip" or not middle or lengths.max() < _UNEVEN * middle:
        return ""
    return (
        f"the longest vector is {lengths.max() / middle:,.0f} times as long as the middle one: under inner product "
        "a few long vectors are everybody's neighbours, and the others hard to tell apart; is metric='cosine' meant?"
    )


def _zeros(lengths: npt.NDArray[Any]) -> str:
    found = int((lengths == 0).sum())
    if not found or len(lengths) == found:
        return ""
    return f"{found:,} {'vector is' if found == 1 else 'vectors are'} zero"
