"""How much worse a model gets when a column is shuffled."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from aios_workbench.drift.models import Measured
from aios_workbench.drift.ranking import Z95
from aios_workbench.drift.statistics.adjusted import benjamini_hochberg
from aios_workbench.errors import ExplainInputError
from aios_workbench.explain import tabular
from aios_workbench.explain.asking import OutOfTime
from aios_workbench.explain.beyond_models import PermutationImportance, Permuted
from aios_workbench.explain.losses import loss_of, per_row
from aios_workbench.explain.means import mean
from aios_workbench.explain.names import signed
from aios_workbench.explain.outcomes import outcomes, with_predictions
from aios_workbench.explain.rows import output_place

if TYPE_CHECKING:
    from aios_workbench.explain.beyond_models import Finding
    from aios_workbench.explain.explanation import Explanation
    from aios_workbench.explain.tabular import Floats


def permutation_importance(
    explanation: Explanation,
    y: Any = None,
    *,
    metric: str | None = None,
    output: int | str | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    repeats: int = 5,
    rows: int = 2000,
    seconds: float | None = 30.0,
    alpha: float = 0.05,
    seed: int = 0,
    cancelled: Callable[[], bool] | None = None,
) -> PermutationImportance:
    """Shuffle a column and see how much worse the model gets [1]_.

    The interval counts both where a row gets its value from and where a value goes to, so it is about the model on rows
    like these, not about these shuffles.

    Parameters
    ----------
    explanation : Explanation
    y : array_like, optional
        What really was, one for each explained row. Without it, how far predictions move ("movement").
    metric : str, optional
        See `slices`; "log_loss" where there are probabilities, else "error"; of values "absolute".
    output : int or str, optional
        Without `y`: the output that moves; the one shown first if None.
    groups : dict of str to columns, optional
        Columns shuffled together, by what to call them; correlated ones stand in for each other when shuffled alone.
    repeats : int
    rows : int
        Rows that are used at most, a sample.
    seconds : float, optional
        When it is up, fewer shuffles were made.

    Returns
    -------
    PermutationImportance
        Increase of the mean loss.

    Raises
    ------
    ExplainInputError
        When labels do not fit, a column is not there, or the model is not at hand.

    References
    ----------
    .. [1] A. Fisher, C. Rudin, F. Dominici, "All models are wrong, but many are useful", JMLR 20, 2019.
    """
    what = "permutation_importance"
    if repeats < 1:
        raise ExplainInputError(f"repeats is {repeats}; shuffle at least once")
    place = output_place(explanation.data, output)
    parts = (
        {n: [n] for n in explanation.columns} if groups is None else {k: list(v) for k, v in groups.items()}
    )
    places = {name: [tabular.column_place(explanation, c) for c in cs] for name, cs in parts.items()}
    x = tabular.matrix_of(explanation, what)
    truth = None if y is None else outcomes(explanation, y, what)
    known = np.arange(len(x)) if truth is None else truth.rows
    kept = tabular.some(len(known), rows, seed)
    x = x[known[kept]]
    if len(x) < 2:
        raise ExplainInputError(f"{what} needs two rows, and there are {len(x)}")
    ask = tabular.asker(explanation, what, seconds=seconds, cancelled=cancelled)
    before = explanation.arrays.predictions[known[kept]]
    if truth is None:
        name, own = "movement", np.zeros(len(x))

        def loss(answer: Floats) -> Floats:
            moved: Floats = np.abs(answer[:, place] - before[:, place])
            return moved

    else:
        first = with_predictions(explanation, truth, before, kept)
        usual = "log_loss" if metric is None and truth.classes and first.probability is not None else metric
        name = loss_of(usual, first)
        own = per_row(name, first)

        def loss(answer: Floats) -> Floats:
            return per_row(name, with_predictions(explanation, truth, answer, kept))

    g = np.random.default_rng(seed)
    got, gave = np.zeros((len(places), len(x))), np.zeros((len(places), len(x)))
    done = 0
    stopped: Literal["done", "budget", "cancelled"] = "done"
    try:
        for _ in range(repeats):
            order = g.permutation(len(x))
            worse: list[Floats] = []
            for at in places.values():
                asked = x.copy()
                asked[:, at] = x[order][:, at]
                worse.append(loss(ask(asked, tabular.naming(known[kept]), must=not done and not worse)) - own)
            for k, w in enumerate(worse):
                got[k] += w
                gave[k][order] += w
            done += 1
    except OutOfTime as e:
        stopped = "cancelled" if e.why == "cancelled" else "budget"
    columns = _permuted(parts, got, gave, done, alpha)
    whole = mean(own)
    assert whole is not None
    return PermutationImportance(
        metric=name, loss=whole, columns=columns, rows=len(x), repeats=done, evaluations=ask.evaluations,
        stopped=stopped, words=_missed(columns, name, done), notes=_standing_in(explanation, groups),
    )  # fmt: skip


def _permuted(
    parts: dict[str, list[str]], got: Floats, gave: Floats, done: int, alpha: float
) -> list[Permuted]:
    if not done:
        return []
    n = got.shape[1]
    values = got.mean(axis=1) / done
    # both what a row does as a receiver and as a donor varies with the rows (a U-statistic of degree two)
    errors = np.sqrt(((got / done).var(axis=1, ddof=1) + (gave / done).var(axis=1, ddof=1)) / n)
    p = [
        math.erfc(abs(v) / e / math.sqrt(2)) if e > 0 else float(v == 0)
        for v, e in zip(values, errors, strict=True)
    ]
    found = []
    for (name, columns), v, e, single, q in zip(
        parts.items(), values, errors, p, benjamini_hochberg(p), strict=True
    ):
        finding: Finding = "few" if n < 20 else "differs" if q < alpha and v > 0 else "same"
        loss = Measured(value=float(v), low=float(v - Z95 * e), high=float(v + Z95 * e))
        found.append(Permuted(column=name, columns=columns, loss=loss, p_value=single, finding=finding))
    return sorted(found, key=lambda c: -c.loss.value)


def _missed(columns: list[Permuted], metric: str, done: int) -> str:
    if not done:
        return "Stopped before every column was shuffled once."
    missed = [c for c in columns if c.finding == "differs"]
    if not missed:
        return "No column is missed by more than chance when it is shuffled."
    told = ", ".join(f"{tabular.told(c.column)} ({signed(c.loss.value)})" for c in missed[:3])
    idle = len(columns) - len(missed)
    rest = f"; {idle} are not missed" if idle else ""
    return f"Shuffling costs most ({metric.replace('_', ' ')}): {told}{rest}."


def _standing_in(explanation: Explanation, groups: Mapping[str, Sequence[str]] | None) -> list[str]:
    tied = [c for c in explanation.data.columns if c.correlated]
    if groups is not None or not tied:
        return []
    pair = f"{tabular.told(tied[0].name)} and {tabular.told(tied[0].correlated[0])} stand in for each other"
    return [f"{pair}: shuffled alone each looks less needed than both; shuffle them together with groups."]
