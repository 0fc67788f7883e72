"""Rows of numbers as people give them: made an array of two axes, or refused with the rows that are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aios_workbench.errors import KnnInputError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

#: A squared distance of larger values is beyond float32.
LARGEST = 1e18
_SHOWN = 5


def as_rows(x: npt.ArrayLike, what: str = "vectors") -> npt.NDArray[Any]:
    """Return an array of one row a vector, without copying where that is possible; one vector is one row.

    Raises
    ------
    KnnInputError
        When it is ragged, not numeric, or has the wrong number of axes.
    """
    import numpy as np

    if hasattr(x, "toarray") and hasattr(x, "nnz"):
        raise KnnInputError(
            f"the {what} are a sparse matrix; make them dense first, "
            "sklearn.decomposition.TruncatedSVD(256).fit_transform(x)"
        )
    try:
        values = np.asarray(x)
        if values.dtype == object and values.ndim == 1 and len(values):
            values = _stacked(values, what)
    except ValueError as e:  # numpy refuses ragged lists
        values = _stacked(x, what, e)
    if values.ndim == 1 and values.dtype.kind in "fiub":
        values = values[None, :] if values.size else values.reshape(0, 0)
    if values.dtype.kind not in "fiub":
        raise KnnInputError(
            f"{what} are {values.dtype} but must be real numbers; convert them, as in np.asarray(x, 'float32'); for "
            "texts give embed=, a function that makes vectors of them"
        )
    if values.ndim != 2:
        raise KnnInputError(
            f"{what} have the shape {values.shape}; give two axes, one row for each vector, as in x.reshape(len(x), -1)"
        )
    return values


def _stacked(x: Any, what: str, cause: Exception | None = None) -> npt.NDArray[Any]:
    """Return rows given as a sequence of sequences, all of the length that most of them have."""
    import numpy as np

    rows = list(x)
    sizes = np.array([np.size(r) if r is not None and np.ndim(r) == 1 else -1 for r in rows])
    usual = int(np.bincount(sizes[sizes >= 0]).argmax()) if (sizes >= 0).any() else -1
    if usual < 0:
        raise KnnInputError(f"{what} are not lists of numbers, but {type(rows[0]).__name__}") from cause
    refuse(sizes < 0, "missing or no list of numbers; leave them out, or fill them", 0, what)
    refuse(sizes != usual, f"not of {usual} numbers like most; all must be equally long", 0, what)
    try:
        return np.array([np.asarray(r, np.float64) for r in rows])
    except (TypeError, ValueError) as e:
        raise KnnInputError(f"{what} hold something that is no number: {e}") from e


def check_numbers(rows: npt.NDArray[Any], first: int = 0, what: str = "vectors") -> None:
    """Refuse rows that float32 distances cannot be taken of.

    Raises
    ------
    KnnInputError
        For NaN, infinite or huge values; the message names the rows.
    """
    import numpy as np

    if rows.dtype.kind in "iub" or not rows.size:
        return
    # one pass when all is well: a sum is finite only if its parts are
    with np.errstate(invalid="ignore"):
        total = rows.sum(dtype=np.float64)
    if np.isfinite(total) and max(float(rows.max()), -float(rows.min())) < LARGEST:
        return
    refuse(
        ~np.isfinite(rows).all(axis=1),
        "NaN or infinite; leave them out, x[np.isfinite(x).all(axis=1)], or fill them",
        first,
        what,
    )
    refuse(
        np.abs(rows.astype(np.float64)).max(axis=1) >= LARGEST,
        f"larger than {LARGEST:g}, the square of which is beyond float32; scale all by one factor",
        first,
        what,
    )


def refuse(bad: npt.NDArray[Any], why: str, first: int, what: str) -> None:
    """Raise KnnInputError when any of the rows is bad, naming the first few."""
    if not bad.any():
        return
    found = bad.nonzero()[0]
    names = ", ".join(f"{int(i) + first:,}" for i in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    plural = "rows" if len(found) > 1 else "row"
    raise KnnInputError(
        f"{what}: {plural} {names}{more} (counted from 0) {'are' if plural == 'rows' else 'is'} {why}"
    )


def norms(rows: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the Euclidean length of each row, without overflow."""
    import numpy as np

    step = max(1, 2**22 // max(1, rows.shape[1]))  # 32 MB of float64 at a time
    out = np.empty(len(rows))
    for start in range(0, len(rows), step):
        part = rows[start : start + step].astype(np.float64)
        out[start : start + step] = np.sqrt(np.einsum("ij,ij->i", part, part))
    return out
