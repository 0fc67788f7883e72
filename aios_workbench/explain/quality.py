"""Whether predictions mean what they say, and where the model is worse than elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.drift.metrics import wilson
from aios_workbench.drift.models import Measured
from aios_workbench.drift.statistics.adjusted import benjamini_hochberg
from aios_workbench.errors import ExplainInputError
from aios_workbench.explain import slicing, tabular
from aios_workbench.explain.losses import loss_of, per_row
from aios_workbench.explain.means import difference, mean
from aios_workbench.explain.outcomes import outcomes
from aios_workbench.explain.quality_models import Calibration, Reliability, Slice, Slices
from aios_workbench.explain.rows import output_place

if TYPE_CHECKING:
    from aios_workbench.explain.beyond_models import Condition, Finding
    from aios_workbench.explain.explanation import Explanation
    from aios_workbench.explain.outcomes import Outcomes
    from aios_workbench.explain.tabular import Floats, Ints, Mask

_DRAWS = 500
_LEAST_ROWS = 50


def calibration(
    explanation: Explanation, y: Any, *, output: int | str | None = None, bins: int = 10, seed: int = 0
) -> Calibration:
    """Compare what was predicted with what was, in bins of equally many rows.

    The expected calibration error is never 0, not even of a perfect model: rows are few. `noise` is its mean over
    outcomes drawn from the predictions themselves, and the p-value how often such outcomes show as much [1]_.

    Parameters
    ----------
    explanation : Explanation
    y : array_like
        What really was, one for each explained row; missing ones are left out.
    output : int or str, optional
        A class: one against the rest. Of several classes and without it, how sure the model is of what it predicts.
    bins : int

    Returns
    -------
    Calibration
        Of a regression: means of predicted and real values, and the slope of the real on the predicted, 1 where right.

    Raises
    ------
    ExplainInputError
        When labels do not fit the model, or it gives no probabilities.

    References
    ----------
    .. [1] J. Bröcker, L. A. Smith, "Increasing the reliability of reliability diagrams", Weather and Forecasting 22,
       2007.
    """
    if bins < 1:
        raise ExplainInputError(f"bins is {bins}; give at least one")
    found = outcomes(explanation, y, "calibration")
    kind, name, p, hit = _predicted(explanation, found, output)
    group = _equal_groups(p, bins)
    size = np.bincount(group)
    predicted, observed = (np.bincount(group, v) / size for v in (p, hit))
    error = float((size / len(p) * np.abs(predicted - observed)).sum())
    g = np.random.default_rng(seed)
    drawn = _drawn(p, hit, group, size, predicted, g, value=kind == "value")
    chance = (1 + float((drawn >= error - 1e-12).sum())) / (1 + len(drawn))
    told = [
        Reliability(
            low=float(p[group == k].min()), high=float(p[group == k].max()), rows=int(size[k]),
            predicted=float(predicted[k]),
            observed=mean(hit[group == k]) if kind == "value" else wilson(float(hit[group == k].sum()), float(size[k])),
        )
        for k in range(len(size))
    ]  # fmt: skip
    few = len(p) < _LEAST_ROWS
    finding: Finding = "few" if few else "differs" if chance < 0.05 else "same"
    noise, square = float(drawn.mean()), mean((p - hit) ** 2)
    return Calibration(
        kind=kind, output=name, rows=len(p), left_out=found.left_out, bins=told, error=error, noise=noise,
        p_value=chance, brier=square or Measured(value=float((p[0] - hit[0]) ** 2), low=0.0, high=1.0),
        slope=_slope(p, hit) if kind == "value" else None, finding=finding, notes=found.notes,
        words=_calibrated(finding, error, noise, float(p.mean()), float(hit.mean()), kind, len(p)),
    )  # fmt: skip


def _predicted(
    explanation: Explanation, found: Outcomes, output: int | str | None
) -> tuple[Any, str, Floats, Floats]:
    """Return what is calibrated: its kind and name, what was predicted and what was."""
    data = explanation.data
    if not found.classes:
        return "value", data.outputs[data.output], found.guess, found.label
    p = found.probability
    if p is None or p.min() < -1e-9 or p.max() > 1 + 1e-9:
        raise ExplainInputError(
            "calibration needs probabilities, and this model gives none; explain its predict_proba"
        )
    if len(data.outputs) == 1:
        return "probability", data.outputs[0], p[:, 1], found.label
    if output is None:
        best = p.argmax(axis=1)
        return "confidence", "the predicted class", p.max(axis=1), (best == found.label).astype(np.float64)
    place = output_place(data, output)
    return "probability", data.outputs[place], p[:, place], (found.label == place).astype(np.float64)


def _equal_groups(p: Floats, bins: int) -> Ints:
    """Return a bin for each row; rows of equal prediction are in the same one."""
    group = np.unique(tabular.groups_of(p, amount=True, parts=bins), return_inverse=True)[1]
    return np.asarray(group, np.int64)


def _drawn(
    p: Floats, hit: Floats, group: Ints, size: Ints, predicted: Floats, g: np.random.Generator, *, value: bool
) -> Floats:
    """Return calibration errors of outcomes that are as predicted."""
    out = np.empty(_DRAWS)
    rest = hit - p - (hit - p).mean()
    for k in range(_DRAWS):
        # of values: what was off, given to other rows, with either sign
        other = p + g.choice(rest, len(p)) * g.choice([-1.0, 1.0], len(p)) if value else g.random(len(p)) < p
        out[k] = (size / len(p) * np.abs(predicted - np.bincount(group, other) / size)).sum()
    return out


def _slope(p: Floats, y: Floats) -> Measured | None:
    from scipy import stats

    if len(p) < 3 or p.min() == p.max():
        return None
    line = stats.linregress(p, y)
    wide = float(stats.t.ppf(0.975, len(p) - 2)) * float(line.stderr)
    return Measured(value=float(line.slope), low=float(line.slope) - wide, high=float(line.slope) + wide)


def _calibrated(
    finding: Finding, error: float, noise: float, p: float, hit: float, kind: str, rows: int
) -> str:
    if finding == "few":
        return f"Not enough data: {rows} labelled rows; {_LEAST_ROWS} are needed to tell."
    size = f"{error:.3g} off on average; a perfect model would show {noise:.3g} with as many rows"
    if finding == "same":
        return f"Predictions mean what they say, as far as {rows:,} rows can tell ({size})."
    way = "too high" if p > hit else "too low"
    what = "The model's confidence is" if kind == "confidence" else "Predictions are"
    return f"{what} off by more than chance ({size}): {p:.3g} predicted, {hit:.3g} observed, so {way} on the whole."


# ------------------------------------------------------------ slices


def slices(
    explanation: Explanation,
    y: Any,
    *,
    columns: Sequence[str] | None = None,
    metric: str | None = None,
    depth: int = 2,
    least: int = 30,
    alpha: float = 0.05,
    most: int = 20,
) -> Slices:
    """Find rows of which the model is worse than of all others.

    Every column is cut into slices (quarters, categories, missing values), and with a `depth` of 2 every pair of them.
    A slice's mean loss is compared with that of all other rows (Welch's test), and p-values are corrected for all
    slices tested (Benjamini-Hochberg), so that at most `alpha` of what is listed is chance. A pair is listed only when
    it is worse than each of its two slices.

    Parameters
    ----------
    explanation : Explanation
    y : array_like
        What really was, one for each explained row; missing ones are left out.
    columns : sequence of str, optional
        Where to look; everywhere if None.
    metric : str, optional
        "error" (rate of wrong classes, the default of classes), "log_loss", "brier"; of values "absolute" (the default)
        or "squared".
    depth : int
        1 or 2 columns.
    least : int
        Slices of fewer rows are not tested; `small` counts them.
    alpha : float
    most : int
        Slices listed at most.

    Returns
    -------
    Slices
        The worst first; their `conditions` can be given to `cohorts`.

    Raises
    ------
    ExplainInputError
        When labels do not fit the model, or a column or metric is not there.
    """
    if depth not in (1, 2):
        raise ExplainInputError(f"depth is {depth}; slices are of 1 or 2 columns")
    found = outcomes(explanation, y, "slices")
    name = loss_of(metric, found)
    loss = per_row(name, found)
    space = tabular.space_of(explanation, "slices")
    x = tabular.matrix_of(explanation, "slices")[found.rows]
    names = explanation.columns if columns is None else list(columns)
    places = [tabular.column_place(explanation, column) for column in names]
    least = max(least, 2)
    made = slicing.cuts(space, x, places)
    tested, small = slicing.scan(made, loss, depth=depth, least=least)
    adjusted = benjamini_hochberg([c.p_value for c in tested])
    single = {c.parts[0]: c.mean for c in tested if len(c.parts) == 1}
    listed, masks = [], {}
    for c, q in zip(tested, adjusted, strict=True):
        if q >= alpha or c.mean <= loss.mean():
            continue
        if len(c.parts) == 2 and any(c.mean <= single.get(part, -np.inf) + 1e-12 for part in c.parts):
            continue
        parts = [made[column].parts[part] for column, part in c.parts]
        one = _slice(parts, slicing.mask(c, made), loss, name, q)
        masks[one.words] = slicing.mask(c, made)
        listed.append(one)
    # what surely is much worse comes first, not what happens to look so
    listed.sort(key=lambda s: -s.difference.low)
    listed = _distinct(listed, masks)
    whole = mean(loss) or Measured(value=float(loss.mean()), low=float(loss.mean()), high=float(loss.mean()))
    return Slices(
        metric=name, rows=len(loss), left_out=found.left_out, loss=whole, slices=listed[:most], tested=len(tested),
        small=small, least=least, alpha=alpha, words=_worst(listed, name, len(tested), len(loss), least),
        notes=found.notes,
    )  # fmt: skip


def _slice(parts: list[Condition], mask: Mask, loss: Floats, metric: str, adjusted: float) -> Slice:
    apart, p = difference(loss[mask], loss[~mask])
    rate = wilson(float(loss[mask].sum()), float(mask.sum())) if metric == "error" else mean(loss[mask])
    assert rate is not None
    return Slice(
        conditions=parts, words=" and ".join(c.words for c in parts), rows=int(mask.sum()), share=float(mask.mean()),
        loss=rate, difference=apart, p_value=p, p_adjusted=adjusted,
    )  # fmt: skip


def _distinct(listed: list[Slice], masks: dict[str, Mask]) -> list[Slice]:
    """Leave out slices of nearly the same rows as one before."""
    kept: list[Slice] = []
    for s in listed:
        mine = masks[s.words]
        same = ((mine & masks[k.words]).sum() / (mine | masks[k.words]).sum() for k in kept)
        if all(overlap < 0.9 for overlap in same):
            kept.append(s)
    return kept


def _worst(listed: list[Slice], metric: str, tested: int, rows: int, least: int) -> str:
    if not tested:
        return f"Not enough data: of {rows:,} labelled rows no slice has {least}."
    if not listed:
        return f"In none of {tested} slices is the model worse than elsewhere by more than chance."
    s = listed[0]
    return (
        f"Worst where {s.words}: the {metric.replace('_', ' ')} is {s.loss.value:.3g} of {s.rows:,} rows, "
        f"{s.difference.value:.3g} more than elsewhere (95 %: {s.difference.low:.3g} to {s.difference.high:.3g})."
    )
