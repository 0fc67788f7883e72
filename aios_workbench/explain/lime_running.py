"""LIME beside the Shapley values: on which rows, in how much time, and what it makes of missing values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aios_workbench.explain import lime_tabular
from aios_workbench.explain.arrays import Arrays
from aios_workbench.explain.models import LimeInfo
from aios_workbench.explain.telling import Told

if TYPE_CHECKING:
    import numpy.typing as npt

    from aios_workbench.explain.live import Live

    Floats = npt.NDArray[np.float64]

#: Rows LIME explains if nobody says how many.
ROWS = 50
#: Background rows its samples follow at most.
_TRAINING = 5_000


def run(live: Live, matrix: Floats, arrays: Arrays, told: Told, seconds: float | None) -> LimeInfo | None:
    """Explain some of the rows with LIME and put its answers in `arrays`.

    LIME knows no missing values: of a number the background's median stands for them, of a category they are one more.
    """
    reached = np.flatnonzero(np.isfinite(arrays.values).all(axis=(1, 2)))
    wanted = min(live.options.lime_rows or ROWS, len(reached))
    if not wanted:
        return None
    places = reached[np.unique(np.linspace(0, len(reached) - 1, wanted).round().astype(int))]
    space = live.space
    training = space.encode(live.background.head(_TRAINING))
    x, categorical = matrix[places].copy(), space.categorical
    notes = []
    empty: dict[int, float] = {}
    for at in range(len(space)):
        gone = np.isnan(training[:, at]), np.isnan(x[:, at])
        if at in categorical:
            empty[at] = float(
                max(np.nanmax(training[:, at], initial=-1), np.nanmax(x[:, at], initial=-1)) + 1
            )
            fill = empty[at]
        else:
            fill = 0.0 if gone[0].all() else float(np.nanmedian(training[:, at]))
            if gone[1].any():
                notes.append(f"LIME took {space.names[at]!r} for {fill:g} where it is missing.")
        training[gone[0], at], x[gone[1], at] = fill, fill

    def f(z: Floats) -> Floats:
        z = z.copy()
        for at, code in empty.items():
            z[z[:, at] == code, at] = np.nan
        return live.f(z)

    seed = live.options.seed
    got = lime_tabular.lime(
        f, x, training, categorical, seeds=(seed, seed + 1, seed + 2), top=live.options.top, seconds=seconds,
        cancelled=told.cancelled, progress=told.part(0.65, 0.95),
    )  # fmt: skip
    whole = np.isfinite(got.contributions).all(axis=(1, 2))
    if not whole.any():
        return None
    arrays.lime_rows = places[whole].astype(np.int64)
    arrays.lime, arrays.lime_errors = got.contributions[whole], got.errors[whole]
    arrays.lime_r2, arrays.lime_intercept = got.r2[whole], got.intercept[whole]
    arrays.stability = got.stability[whole]
    return LimeInfo(
        rows=int(whole.sum()), samples=got.samples, seeds=list(got.seeds), discretized=False,
        kernel_width=got.kernel_width, top=live.options.top, evaluations=got.evaluations, calls=got.calls,
        seconds=got.seconds, stopped=got.stopped, notes=notes,
    )  # fmt: skip
