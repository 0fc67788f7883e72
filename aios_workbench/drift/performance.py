"""How a model does in each window against the reference: measured where labels are, estimated where they are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.drift import cbpe, metrics
from aios_workbench.drift.concept import LEAST, concept
from aios_workbench.drift.labelled import Labelled, Sides, Task, read
from aios_workbench.drift.models import Measured, Performance, PerformanceWindow, Rules, StreamAlarm
from aios_workbench.drift.ranking import Z95
from aios_workbench.drift.streams import find
from aios_workbench.errors import AiosError, DriftInputError

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.drift.models import Verdict
    from aios_workbench.drift.tables import Floats

#: Figures that are told in full of those that got worse in a window.
_NAMED = 2
#: What the one window is called where none are given.
WHOLE = "current"


def performance(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    target: str,
    prediction: str | None = None,
    score: str | Sequence[str] | Mapping[Any, str] | None = None,
    windows: pd.Series | None = None,
    order: pd.Series | None = None,
    task: Task | None = None,
    rules: Rules | None = None,
    seed: int = 0,
) -> Performance | None:
    """Measure or estimate a model in each window, and compare with the reference.

    A window is `drifted` when a figure is worse than the reference's by more than chance and by more than the least
    that matters (see `metrics.worse`; intervals are widened for the number of figures and windows), or when labels no
    longer follow the scores as they did: concept drift (see `concept.concept`). Where a window has no labels, CBPE's
    estimates are compared instead; they cannot see concept drift, which `caveat` says.

    Parameters
    ----------
    reference, current : DataFrame
        Samples, or all rows.
    target : str
        The column of labels; nulls, or no such column in `current`, where they are not known yet.
    prediction : str, optional
        What the model said. Of two classes it may be the score.
    score : str, sequence or mapping, optional
        The score of the positive class, or of each class its column.
    windows : Series, optional
        (rows of `current`,) in which window each row is; null: in none.
    order : Series, optional
        (rows of `current`,) what rows are to be ordered by (a time) for detectors on the stream of errors; without it
        the order of windows, and no detector where there are none either.
    task : {"classification", "regression"}, optional
        Inferred if None.

    Returns
    -------
    Performance or None
        None where the reference has no labels, or neither prediction nor score is named.

    Raises
    ------
    DriftInputError
        When a column is missing or does not fit the task, or windows are not one a row.

    Examples
    --------
    >>> import pandas as pd
    >>> g = np.random.default_rng(0)
    >>> p = g.uniform(size=4_000)
    >>> a = pd.DataFrame({"p": p, "y": g.uniform(size=4_000) < p})
    >>> b = pd.DataFrame({"p": p, "y": g.uniform(size=4_000) < 1 - p})  # the same rows mean the opposite
    >>> found = performance(a, b, target="y", score="p")
    >>> found.verdict, found.reasons[0]
    ('drifted', 'current: concept drift, labels no longer follow the scores: roc_auc 0.17, by the scores 0.83')
    """
    rules = rules or Rules()
    for given, what in ((windows, "windows"), (order, "order")):
        if given is not None and len(given) != len(current):
            raise DriftInputError(
                f"{len(given)} {what} were given for {len(current)} rows of the current data; give one a row"
            )
    sides = read(reference, current, target, prediction, score, task)
    if sides is None:
        return None
    before = sides.reference
    learnt = None
    if before.score is not None and before.known.sum() >= rules.min_rows:
        learnt = _learn(before)
    baseline = PerformanceWindow(
        window="reference", rows=len(before), labelled=int(before.known.sum()),
        measured=_measured(sides, before, seed), estimated=_estimated(learnt, before, seed),
        verdict="stable" if before.known.sum() >= rules.min_rows else "few",
    )  # fmt: skip
    names = _windows(windows, len(current))
    labels = (
        list(dict.fromkeys(sorted(n for n in names if n is not None))) if windows is not None else [WHOLE]
    )
    found = []
    tests = max(1, len(labels)) * (len(baseline.measured) + (learnt is not None))
    for name in labels:
        rows = sides.current.rows(np.flatnonzero([n == name for n in names]))
        found.append(_window(name, rows, sides, baseline, learnt, rules, tests, seed))
    alarms, missing = _alarms(sides, names, windows is not None, order)
    verdicts = [w.verdict for w in found]
    verdict: Verdict = next((v for v in ("drifted", "small", "stable") if v in verdicts), "few")
    if baseline.verdict == "few":
        verdict = "few"
    caveats = []
    if learnt is not None:
        caveats.append(cbpe.CAVEAT)
    elif any(w.labelled < w.rows for w in found):
        caveats.append("Rows without labels say nothing here: name the model's score to estimate from it.")
    if missing:
        caveats.append(missing)
    return Performance(
        task=sides.task, metrics=list(baseline.measured), reference=baseline, windows=found, verdict=verdict,
        reasons=[f"{w.window}: {r}" for w in found if w.verdict == "drifted" for r in w.reasons],
        alarms=alarms, caveat=" ".join(caveats),
    )  # fmt: skip


def _windows(windows: pd.Series | None, rows: int) -> list[str | None]:
    if windows is None:
        return [WHOLE] * rows
    return [str(w) if there else None for w, there in zip(windows, windows.notna(), strict=True)]


def _learn(side: Labelled) -> cbpe.Estimator:
    assert side.score is not None
    y = side.label[side.known]
    s = side.score[side.known]
    return cbpe.Estimator.learn(s, y == 1 if s.shape[1] == 1 else y)


def _measured(sides: Sides, side: Labelled, seed: int) -> dict[str, Measured]:
    label = side.label[side.known]
    guess = None if side.guess is None else side.guess[side.known]
    if sides.task == "regression":
        assert guess is not None
        return metrics.regression(label, guess)
    return metrics.classification(
        label.astype(np.int64), None if guess is None else guess.astype(np.int64),
        None if side.score is None else side.score[side.known], sides.classes, seed=seed,
    )  # fmt: skip


def _estimated(learnt: cbpe.Estimator | None, side: Labelled, seed: int) -> dict[str, Measured]:
    if learnt is None or side.score is None:
        return {}
    there = np.isfinite(side.score).all(axis=1)
    if side.guess is not None:
        there &= np.isfinite(side.guess)
    guess = None if side.guess is None else side.guess[there]
    if guess is not None:
        guess = guess == 1 if side.score.shape[1] == 1 else guess.astype(np.int64)
    return learnt.estimate(side.score[there], guess, seed=seed)


def _window(
    name: str,
    rows: Labelled,
    sides: Sides,
    baseline: PerformanceWindow,
    learnt: cbpe.Estimator | None,
    rules: Rules,
    tests: int,
    seed: int,
) -> PerformanceWindow:
    from scipy import special

    labelled = int(rows.known.sum())
    measured, estimated = _measured(sides, rows, seed), _estimated(learnt, rows, seed)
    # so that all comparisons together raise no more false alarms than alpha
    times = float(-special.ndtri(rules.alpha / (2 * tests))) / Z95
    reasons: list[str] = []
    verdict: Verdict = "stable"
    if max(labelled, len(rows) if learnt is not None else 0) < rules.min_rows or baseline.verdict == "few":
        verdict = "few"
    elif labelled >= rules.min_rows:
        if learnt is not None:
            reasons += _concept(rows, sides, measured, estimated, rules.alpha / tests)
        reasons += _changes(baseline.measured, measured, times)
    else:
        reasons += _changes(baseline.estimated, estimated, times, " as estimated")
    if reasons:
        verdict = "drifted"
    return PerformanceWindow(
        window=name, rows=len(rows), labelled=labelled, measured=measured, estimated=estimated,
        verdict=verdict, reasons=reasons,
    )  # fmt: skip


def _concept(
    rows: Labelled,
    sides: Sides,
    measured: Mapping[str, Measured],
    estimated: Mapping[str, Measured],
    alpha: float,
) -> list[str]:
    """Say that labels no longer follow the scores as they did, if so."""
    first = sides.reference
    assert first.score is not None
    assert rows.score is not None
    many = first.score.shape[1]
    for k in range(many):
        of = 1 if many == 1 else k
        before, now = (
            (s.score[s.known, k], s.label[s.known] == of) for s in (first, rows) if s.score is not None
        )
        p_value, gap = concept(before, now)
        if p_value < alpha / many and gap >= LEAST:
            metric = "roc_auc" if "roc_auc" in measured and "roc_auc" in estimated else "accuracy"
            said = (
                f"concept drift, labels no longer follow the scores: {metric} {measured[metric].value:.2f}, "
            )
            return [said + f"by the scores {estimated[metric].value:.2f}"]
    return []


def _changes(
    before: Mapping[str, Measured], now: Mapping[str, Measured], times: float, how: str = ""
) -> list[str]:
    """Say which figures got worse, the first few of them in full."""
    found = metrics.worse(before, now, times=times)
    said = [
        f"{name} {now[name].value:.3g}{how}, in the reference {before[name].value:.3g} "
        f"(difference {low:.2g} to {high:.2g})"
        for name, (low, high) in found.items()
    ]
    return [*said[:_NAMED], f"{', '.join(list(found)[_NAMED:])} too"] if len(said) > _NAMED else said


def _alarms(
    sides: Sides, names: Sequence[str | None], windowed: bool, order: pd.Series | None
) -> tuple[list[StreamAlarm], str]:
    """Return what ADWIN finds in the errors, in order, after those of the reference; and why it could not look."""
    before, now = _errors(sides.reference, sides.task), _errors(sides.current, sides.task)
    if (order is None and not windowed) or now is None or before is None:
        return [], ""
    before = before[sides.reference.known]
    if order is not None:
        at = np.argsort(order.to_numpy(), kind="stable")
        at = at[order.notna().to_numpy()[at]]
    else:
        at = np.array(
            sorted((i for i, n in enumerate(names) if n is not None), key=lambda i: str(names[i])), int
        )
    at = at[sides.current.known[at]]
    most = float(np.quantile(before, 0.99)) if len(before) else 1.0
    scale = most if sides.task == "regression" and most > 0 else 1.0
    try:
        found = find(
            np.minimum(now[at] / scale, 1.0),
            [str(names[i]) for i in at],
            before=np.minimum(before / scale, 1.0),
        )
    except AiosError as error:
        return [], f"The stream of errors was not watched: {error}."
    return found, ""


def _errors(side: Labelled, task: Task) -> Floats | None:
    """Return how wrong each row is: 0 or 1 of a class, the absolute error of an amount; 0 without a label."""
    if side.guess is None:
        return None
    off: Floats = np.where(side.known, np.abs(side.guess - side.label), 0.0)
    return off if task == "regression" else (off > 0).astype(np.float64)
