"""shap's own model-agnostic explainers, with their traps taken out.

shap cuts a background to 100 rows in silence, lets its kernel explainer keep 10 columns, and draws from numpy's global
generator. Here the background is used as it is given, all columns are kept, and the global generator is put back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aios_workbench.explain.asking import Asker, OutOfTime, matrix, span
from aios_workbench.explain.models import Stopped
from aios_workbench.explain.sampling_run import Sampled

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from aios_workbench.explain.asking import Ask, Floats

    Row = Callable[[Callable[[Floats], Floats], Floats, Floats], tuple[Floats, Floats, int]]


def permutation(
    f: Ask, x: Floats, background: Floats, *, permutations: int = 10, seed: int = 0, **limits: Any
) -> Sampled:
    """Estimate Shapley values with shap's permutation explainer.

    Errors are those of independent paths; as each order is walked from both ends, they are rather too wide.

    Parameters
    ----------
    permutations : int
        Orders a row.
    f, x, background, limits
        As for `aios_workbench.explain.exact.exact`.
    """

    def row(ask: Callable[[Floats], Floats], one: Floats, rows: Floats) -> tuple[Floats, Floats, int]:
        import numpy as np

        evaluations = permutations * (2 * len(one) + 1)
        with _quiet(seed) as shap:
            explainer = shap.explainers.Permutation(
                ask, shap.maskers.Independent(rows, max_samples=len(rows)), seed=seed
            )
            found = explainer(one[None, :], max_evals=evaluations, error_bounds=True, silent=True)
        # columns that agree with the whole background are not turned: the same evaluations then hold more orders
        values = _columns_outputs(found.values[0])
        spread = _columns_outputs(np.asarray(found.error_std)[0])
        return values, spread / np.sqrt(2 * permutations), permutations

    return _each(f, x, background, row, **limits)


def kernel(
    f: Ask,
    x: Floats,
    background: Floats,
    *,
    samples: int | None = None,
    kmeans: int | None = None,
    seed: int = 0,
    **limits: Any,
) -> Sampled:
    """Estimate Shapley values with shap's kernel explainer, without its choice of 10 columns.

    It gives no errors: `Sampled.errors` is NaN.

    Parameters
    ----------
    samples : int, optional
        Subsets of columns a row; shap's own choice by default, 2 M + 2,048.
    kmeans : int, optional
        Put so many weighted means in the background's place: faster, and another background (`base` is theirs, too).
    f, x, background, limits
        As for `aios_workbench.explain.exact.exact`.
    """
    means = None
    if kmeans is not None and kmeans < len(background):
        with _quiet(seed) as shap:
            means = shap.kmeans(matrix("the background", background), kmeans)

    def row(ask: Callable[[Floats], Floats], one: Floats, rows: Floats) -> tuple[Floats, Floats, int]:
        import numpy as np

        with _quiet(seed) as shap:
            found = shap.KernelExplainer(ask, rows if means is None else means).shap_values(
                one[None, :], nsamples="auto" if samples is None else samples, l1_reg=False, silent=True
            )
        values = _columns_outputs(np.asarray(found)[0])
        return values, np.full_like(values, np.nan), 0

    if means is None:
        return _each(f, x, background, row, **limits)
    return _each(f, x, means.data, row, weights=means.weights, **limits)


def partition(
    f: Ask, x: Floats, background: Floats, *, evaluations: int = 2_000, seed: int = 0, **limits: Any
) -> Sampled:
    """Compute Owen values over a tree of correlated columns with shap's partition explainer.

    These are no Shapley values: columns share credit within their branch of the tree. Far from them on tables
    (0.9 of their size on 30 columns); no errors, `Sampled.errors` is NaN.

    Parameters
    ----------
    evaluations : int
        Subsets of columns a row.
    f, x, background, limits
        As for `aios_workbench.explain.exact.exact`.
    """
    import numpy as np

    with _quiet(seed) as shap:
        rows = matrix("the background", background)
        # correlation knows no NaN and no constant column; those are apart from all others
        filled = np.where(np.isnan(rows), 0.0, rows) + 1e-12 * np.random.RandomState(seed).normal(
            size=rows.shape
        )
        tree = shap.utils.hclust(filled, metric="correlation") if rows.shape[1] > 1 else None

    def row(ask: Callable[[Floats], Floats], one: Floats, rows: Floats) -> tuple[Floats, Floats, int]:
        if tree is None:
            whole = (ask(one[None, :]) - ask(rows).mean(axis=0)).reshape(1, -1)
            return whole, np.zeros_like(whole), 0
        with _quiet(seed) as shap:
            masker = shap.maskers.Partition(rows, max_samples=len(rows), clustering=tree)
            found = shap.explainers.Partition(ask, masker)(one[None, :], max_evals=evaluations, silent=True)
        values = _columns_outputs(found.values[0])
        return values, np.full_like(values, np.nan), 0

    return _each(f, x, background, row, **limits)


def _each(
    f: Ask,
    x: Floats,
    background: Floats,
    row: Row,
    *,
    weights: Floats | None = None,
    seconds: float | None = None,
    cancelled: Callable[[], bool] | None = None,
    progress: Callable[[float, str], None] | None = None,
    batch: int | None = None,
) -> Sampled:
    """Explain row by row; rows that are not reached stay NaN."""
    import numpy as np

    x = matrix("the rows to explain", x)
    background = matrix("the background", background, x.shape[1])
    ask = Asker(f, seconds=seconds, cancelled=cancelled, batch=batch)
    n, columns = x.shape
    orders = np.zeros(n, dtype=np.int64)
    stopped: Stopped = "done"
    found: list[tuple[Floats, Floats]] = []
    predictions = base = None
    try:
        predictions = ask(x, span)
        base = np.average(ask(background, lambda *_: "rows of the background"), axis=0, weights=weights)
        for i in range(n):

            def asked(rows: Floats, i: int = i) -> Floats:
                return ask(
                    np.asarray(rows, dtype=np.float64), lambda *_: f"mixtures of row {i} with the background"
                )

            values, errors, orders[i] = row(asked, x[i], background)
            found.append((values, errors))
            if progress is not None:
                progress((i + 1) / n, f"row {i + 1} of {n}")
    except OutOfTime as e:
        stopped = e.why
    except KeyboardInterrupt:
        stopped = "cancelled"
    outputs = ask.outputs or 1
    both = np.full((2, n, columns, outputs), np.nan)
    for i, (values, errors) in enumerate(found):
        both[0, i], both[1, i] = values, errors
    return Sampled(
        values=both[0],
        errors=both[1],
        base=np.full(outputs, np.nan) if base is None else base,
        predictions=np.full((n, outputs), np.nan) if predictions is None else predictions,
        permutations=orders,
        evaluations=ask.evaluations,
        calls=ask.calls,
        stopped=stopped,
        background=len(background),
        seconds=time.monotonic() - ask.began,
    )


def _columns_outputs(values: npt.NDArray[np.float64]) -> Floats:
    """Return (M, K); shap leaves one output's axis away."""
    return values[:, None] if values.ndim == 1 else values


@contextmanager
def _quiet(seed: int) -> Iterator[Any]:
    """Yield shap: it draws from numpy's global generator, which is seeded and put back; its warnings are its own."""
    import logging
    import warnings

    import numpy as np

    state, level = np.random.get_state(), logging.getLogger("shap").level  # noqa: NPY002 - shap's generator
    try:
        np.random.seed(seed)  # noqa: NPY002 - shap's generator
        logging.getLogger("shap").setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import shap

            yield shap
    finally:
        np.random.set_state(state)  # noqa: NPY002 - shap's generator
        logging.getLogger("shap").setLevel(level)
