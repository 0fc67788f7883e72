"""Whether a model selects, and errs, alike in all groups."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.drift.metrics import difference, wilson
from aios_workbench.drift.models import Measured
from aios_workbench.drift.statistics.adjusted import benjamini_hochberg
from aios_workbench.errors import ExplainInputError, hint
from aios_workbench.explain import tabular
from aios_workbench.explain.names import MISSING, value_text
from aios_workbench.explain.outcomes import Outcomes, outcomes
from aios_workbench.explain.quality_models import Disparity, Fairness, Group
from aios_workbench.explain.rows import output_place

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation
    from aios_workbench.explain.tabular import Mask

#: How many really are positive: not the model's doing, so it is told and not judged.
_GIVEN = "base rate"
#: Below four fifths a ratio of selection rates is a warning sign (US Uniform Guidelines on Employee Selection, 1978).
FOUR_FIFTHS = 0.8


def fairness(
    explanation: Explanation,
    y: Any,
    group: Any,
    *,
    reference: str | None = None,
    output: int | str | None = None,
    threshold: float | None = None,
    favourable: str | None = None,
    least: int = 30,
    alpha: float = 0.05,
) -> Fairness:
    """Compare how often groups are selected, and how often the model is wrong about them.

    Rates have Wilson's interval. Their differences to the reference group have Newcombe's [1]_, their ratios that of
    Zou and Donner [2]_. A difference is said only where it is more than chance, with p-values corrected for all groups
    and rates (Benjamini-Hochberg), and where both rates are of `least` rows and more.

    Parameters
    ----------
    explanation : Explanation
        Of a classifier; of several classes that of `output` against the rest.
    y : array_like or None
        What really was, one for each explained row. Without it only selection rates are told.
    group : str or array_like
        A column, or one value for each explained row.
    reference : str, optional
        The group to compare with; the largest if None.
    output : int or str, optional
        The class that is selected; the one shown first if None.
    threshold : float, optional
        Selected are rows of this probability and more; without it, 0.5 (of several classes: the likeliest).
    favourable : str, optional
        What to call being selected; the class if None.
    least : int
    alpha : float

    Returns
    -------
    Fairness

    Raises
    ------
    ExplainInputError
        When there is no such column or group, only one group, or the model is no classifier.

    References
    ----------
    .. [1] R. G. Newcombe, "Interval estimation for the difference between independent proportions", Statistics in
       Medicine 17, 1998.
    .. [2] G. Y. Zou, A. Donner, "Construction of confidence limits about effect measures", Statistics in Medicine 27,
       2008.
    """
    if explanation.data.task not in ("binary", "multiclass"):
        raise ExplainInputError(
            f"fairness compares how often groups are selected, and this is a {explanation.data.task}; compare groups "
            "of rows with cohorts, or give slices their labels"
        )
    place = output_place(explanation.data, output)
    who, title = _groups(explanation, group)
    found = None if y is None else outcomes(explanation, y, "fairness")
    rows = np.arange(len(who)) if found is None else found.rows
    selected = _selected(explanation, place, threshold)[rows]
    known = np.array([who[i] is not None for i in rows], bool)
    names = np.array([str(who[i]) for i in rows], dtype=object)
    counted = [str(n) for n in dict.fromkeys(names[known].tolist())]
    sizes = {n: int(((names == n) & known).sum()) for n in counted}
    order = sorted(counted, key=lambda n: (-sizes[n], n))
    if len(order) < 2:
        raise ExplainInputError(
            f"{tabular.told(title)} has {len(order)} groups among the rows; two are needed to compare"
        )
    if reference is not None and reference not in order:
        raise ExplainInputError(
            f"there is no group {reference!r}{hint(reference, order)}; there are {', '.join(map(repr, order[:20]))}"
        )
    base = reference or order[0]
    label = (
        None
        if found is None
        else found.label == (1.0 if len(explanation.data.outputs) == 1 else float(place))
    )
    rates = {n: _rates(label, selected, (names == n) & known) for n in order}
    disparities = _compared(rates, base, [n for n in order if n != base], least, alpha)
    return Fairness(
        group=title, reference=base, favourable=favourable or explanation.data.outputs[place], threshold=threshold,
        rows=int(known.sum()), left_out=int(len(who) - known.sum()),
        groups=[Group(name=n, rows=sizes[n], rates={r: m for r, (m, _) in rates[n].items()}) for n in order],
        disparities=disparities, widest=_widest(rates, least), words=_words(disparities, title, base, least),
        notes=_notes(found, disparities),
    )  # fmt: skip


def _groups(explanation: Explanation, group: Any) -> tuple[list[str | None], str]:
    """Return each row's group, None where it is not known, and what they are groups of."""
    n = len(explanation.arrays.values)
    if isinstance(group, str):
        at = tabular.column_place(explanation, group)
        space, x = (
            tabular.space_of(explanation, "fairness"),
            tabular.matrix_of(explanation, "fairness")[:, at],
        )
        if tabular.is_amount(space, at) and len(np.unique(x[np.isfinite(x)])) > 10:
            raise ExplainInputError(
                f"{tabular.told(group)} has {len(np.unique(x[np.isfinite(x)])):,} different values; give groups of it, "
                "for example pandas.cut(frame[column], bins)"
            )
        return [None if np.isnan(v) else tabular.text_at(space, at, float(v)) for v in x], group
    values = list(group)
    if len(values) != n:
        raise ExplainInputError(
            f"group has {len(values):,} values, and {n:,} rows were explained; give one for each"
        )
    told = [value_text(v) for v in values]
    return [None if t == MISSING else t for t in told], str(getattr(group, "name", None) or "group")


def _selected(explanation: Explanation, place: int, threshold: float | None) -> Mask:
    data, arrays = explanation.data, explanation.arrays
    p = arrays.predictions[:, place]
    if arrays.probabilities is not None:
        p = arrays.probabilities[:, -1 if len(data.outputs) == 1 else place]
    elif data.scale == "log-odds" and len(data.outputs) == 1:
        from scipy import special

        p = special.expit(p)
    if threshold is not None:
        if arrays.probabilities is None and data.scale not in ("probability", "log-odds"):
            raise ExplainInputError("threshold is a probability, and this model gives none; leave it out")
        return np.asarray(p >= threshold)
    if len(data.outputs) > 1:
        return np.asarray(arrays.predictions.argmax(axis=1) == place)
    on_scale = arrays.probabilities is None and data.scale == "score"
    return np.asarray(p > (0.0 if on_scale else 0.5))


def _rates(label: Mask | None, selected: Mask, mine: Mask) -> dict[str, tuple[Measured | None, int]]:
    """Return a group's rates and of how many rows each is."""
    s = selected[mine]
    every = np.ones(len(s), bool)
    counts = {"selection rate": (every, s)}  # rate -> which rows it is of, and which of these count
    if label is not None:
        y = label[mine]
        counts |= {
            "true positive rate": (y, s), "false positive rate": (~y, s), "precision": (s, y),
            "accuracy": (every, s == y), _GIVEN: (every, y),
        }  # fmt: skip
    return {
        name: (wilson(float((among & hit).sum()), float(among.sum())), int(among.sum()))
        for name, (among, hit) in counts.items()
    }


def _compared(
    rates: dict[str, dict[str, tuple[Measured | None, int]]],
    base: str,
    others: list[str],
    least: int,
    alpha: float,
) -> list[Disparity]:
    rows: list[Disparity] = []
    for name, (own, count) in rates[base].items():
        rows.append(Disparity(group=base, rate=name, rows=count, value=own, finding="reference"))
        for other in others:
            value, size = rates[other][name]
            one = Disparity(group=other, rate=name, rows=size, value=value, finding="few")
            if own is not None and value is not None:
                low, high = difference(own, value)
                one.difference = Measured(value=value.value - own.value, low=low, high=high)
                one.ratio = _ratio(value, own)
                one.p_value = _p(value.value, size, own.value, count)
                if min(size, count) >= least:
                    one.finding = "same"
            rows.append(one)
    judged = [d for d in rows if d.finding == "same" and d.rate != _GIVEN]
    for d, q in zip(judged, benjamini_hochberg([d.p_value or 0.0 for d in judged]), strict=True):
        d.p_adjusted = q
        if q < alpha:
            d.finding = "differs"
    return rows


def _p(a: float, n: int, b: float, m: int) -> float:
    """Return the two-sided p-value of equal shares (the score test, pooled)."""
    pooled = (a * n + b * m) / (n + m)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return 1.0 if error == 0 else math.erfc(abs(a - b) / error / math.sqrt(2))


def _ratio(a: Measured, b: Measured) -> Measured | None:
    """Return a / b with its interval (MOVER-R); None where b may be 0."""
    if b.low <= 0 or b.value <= 0:
        return None
    product = a.value * b.value

    def bound(own: float, other: float, sign: int) -> float:
        rest = own * other * (2 * a.value - own) * (2 * b.value - other)
        under = max(product**2 - rest, 0.0)
        return (product + sign * math.sqrt(under)) / (other * (2 * b.value - other))

    try:
        low, high = bound(a.low, b.high, -1), bound(a.high, b.low, 1)
    except ZeroDivisionError:
        return None
    value = a.value / b.value
    # where the upper bound of b reaches twice b, the formula has no lower one
    return Measured(value=value, low=max(0.0, low) if 0 <= low <= value else 0.0, high=max(high, value))


def _widest(rates: dict[str, dict[str, tuple[Measured | None, int]]], least: int) -> dict[str, float]:
    out = {}
    for name in next(iter(rates.values())):
        told = [m.value for m, rows in (r[name] for r in rates.values()) if m is not None and rows >= least]
        if len(told) > 1:
            out[name] = max(told) - min(told)
    return out


def _words(found: list[Disparity], title: str, base: str, least: int) -> str:
    judged = [d for d in found if d.finding in ("same", "differs") and d.rate != _GIVEN]
    apart = [d for d in judged if d.finding == "differs" and d.difference]
    if not judged:
        return f"Not enough data: no two groups of {tabular.told(title)} have {least} rows each."
    if not apart:
        return f"No difference between the groups of {tabular.told(title)} is more than chance."
    d = max(
        apart, key=lambda d: (d.rate == "selection rate", abs(d.difference.value) if d.difference else 0.0)
    )
    assert d.difference is not None
    more = f" (and {len(apart) - 1} more differences)" if len(apart) > 1 else ""
    return (
        f"The {d.rate} of {d.group!r} differs from that of {base!r} by {d.difference.value:+.1%} "
        f"(95 %: {d.difference.low:+.1%} to {d.difference.high:+.1%}){more}."
    )


def _notes(found: Outcomes | None, disparities: list[Disparity]) -> list[str]:
    notes = list(found.notes) if found else ["Without labels only selection rates are compared, not errors."]
    low = [
        d.group
        for d in disparities
        if d.rate == "selection rate" and d.finding == "differs" and d.ratio and d.ratio.value < FOUR_FIFTHS
    ]
    if low:
        notes.append(
            f"Selected less than four fifths as often as the reference: {', '.join(map(repr, low[:5]))}."
        )
    few = sorted({d.group for d in disparities if d.finding == "few"})
    if few:
        notes.append(f"Not enough data to judge some rates of {', '.join(map(repr, few[:5]))}.")
    return notes
