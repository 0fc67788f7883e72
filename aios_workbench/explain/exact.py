"""Shapley values of few columns: every subset of them is asked, so that nothing is left to chance."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain.asking import Asker, ended, matrix, span
from aios_workbench.explain.sampling_run import Sampled

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from aios_workbench.explain.asking import Ask, Floats
    from aios_workbench.explain.models import Stopped

#: More columns than this are not enumerated: twice the work for each.
COLUMNS = 15
#: Up to so many rows to be predicted, in all, sampling is not worth its error.
AFFORDABLE = 500_000


def affordable(rows: int, columns: int, background: int) -> bool:
    """True when asking for every subset costs no more than sampling would.

    Examples
    --------
    >>> affordable(20, 4, 100), affordable(20, 12, 100)
    (True, False)
    """
    return columns <= COLUMNS and rows * 2**columns * background <= AFFORDABLE


def exact(
    f: Ask,
    x: Floats,
    background: Floats,
    *,
    seconds: float | None = None,
    cancelled: Callable[[], bool] | None = None,
    progress: Callable[[float, str], None] | None = None,
    seed: int = 0,  # noqa: ARG001 - nothing is drawn; every explainer is called alike
    batch: int | None = None,
) -> Sampled:
    """Compute Shapley values by their definition (Shapley, "A value for n-person games", 1953), without sampling.

    A subset's worth is the mean answer over the background rows with the subset's columns taken from the explained row.
    Rows that are not reached before the end stay NaN.

    Parameters
    ----------
    f, x, background, seconds, cancelled, progress, batch
        As for `aios_workbench.explain.sampling.shapley`.

    Raises
    ------
    ExplainInputError
        With more columns than can be enumerated.
    ModelFailed
        When the model raises or answers something that is no prediction.

    Examples
    --------
    >>> import numpy as np
    >>> found = exact(lambda z: z[:, 0] * z[:, 1], np.ones((1, 2)), np.zeros((1, 2)))
    >>> found.values[0, :, 0].tolist()
    [0.5, 0.5]
    """
    import numpy as np

    x = matrix("the rows to explain", x)
    background = matrix("the background", background, x.shape[1])
    n, columns = x.shape
    if columns > COLUMNS:
        raise ExplainInputError(
            f"{columns} columns have {2**columns:,} subsets; method='exact' takes {COLUMNS} columns at most, "
            "use method='sampling'"
        )
    ask = Asker(f, seconds=seconds, cancelled=cancelled, batch=batch)
    subsets = np.arange(2**columns)[:, None] >> np.arange(columns) & 1 == 1
    shares = _shares(subsets)
    predictions: list[Floats] = []
    base: list[Floats] = []
    found: list[Floats] = []

    def go() -> Stopped:
        predictions.append(ask(x, span))
        base.append(ask(background, lambda *_: "rows of the background").mean(axis=0))
        for i in range(n):
            worth = np.empty((len(subsets), base[0].shape[0]))
            worth[0], worth[-1] = base[0], predictions[0][i]
            at, some = 1, max(1, ask.rows(columns) // len(background))
            while at < len(subsets) - 1:
                part = subsets[at : min(at + some, len(subsets) - 1)]
                mixed = np.where(part[:, None, :], x[i], background).reshape(-1, columns)
                answers = ask(mixed, lambda *_, i=i: f"mixtures of row {i} with the background")
                worth[at : at + len(part)] = answers.reshape(len(part), len(background), -1).mean(axis=1)
                at, some = at + len(part), max(1, ask.rows(columns) // len(background))
            found.append(shares @ worth)
            if progress is not None:
                progress((i + 1) / n, f"row {i + 1} of {n}")
        return "done"

    stopped = ended(go)
    outputs = ask.outputs or 1
    values = np.full((n, columns, outputs), np.nan)
    values[: len(found)] = np.asarray(found).reshape(-1, columns, outputs)
    return Sampled(
        values=values,
        errors=np.where(np.isnan(values), np.nan, 0.0),
        base=base[0] if base else np.full(outputs, np.nan),
        predictions=predictions[0] if predictions else np.full((n, outputs), np.nan),
        permutations=np.zeros(n, dtype=np.int64),
        evaluations=ask.evaluations,
        calls=ask.calls,
        stopped=stopped,
        background=len(background),
        seconds=time.monotonic() - ask.began,
    )


def _shares(subsets: npt.NDArray[np.bool_]) -> Floats:
    """Return what each subset's worth counts for each column, (M, 2^M): for it with the column, against without."""
    import numpy as np

    columns = subsets.shape[1]
    size = subsets.sum(axis=1)
    # of the orders of M columns, the share in which the s others of a subset come before the column
    before = np.array([1 / (columns * math.comb(columns - 1, s)) for s in range(columns)])
    shares: Floats = np.where(
        subsets.T, before[np.maximum(size - 1, 0)], -before[np.minimum(size, columns - 1)]
    )
    return shares
