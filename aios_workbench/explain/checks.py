"""What can be wrong with an explanation, measured: each check says its figure, its limit and what it means.

A limit is a convention; each is argued for beside it. ``fail`` means: do not show these numbers to anybody without
saying so. ``warn``: read with care. ``skipped``: nobody knows, and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from aios_workbench.explain.agreement import Z95
from aios_workbench.explain.models import Agreement, Check, CheckName, Column, Importance, Level, MethodInfo
from aios_workbench.explain.names import CHECKS, one_line

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Arrays
    from aios_workbench.explain.outside import Outside

    Floats = npt.NDArray[np.float64]

#: A float32 sum over hundreds of trees rounds at about 1e-5 of its spread: ten times that is no rounding any more. At
#: 1 % a bar in a picture visibly fails to end at the prediction.
ADDITIVITY = (1e-4, 1e-2)
#: Half a 95 % interval over the row's largest contribution: with a quarter its size is known, with one not its sign.
PRECISION = (0.25, 1.0)
#: R² of LIME's plane: half or a quarter of what the model does around the row.
LOCAL_FIT = (0.5, 0.25)
#: Mean Jaccard overlap of LIME's top columns between seeds: of five columns one differs at .67, two at .43.
STABILITY = (0.8, 0.6)
#: Median rank correlation, overlap and same signs, first where read with care, then where hardly better than chance.
AGREEMENT = {"rank": (0.5, 0.2), "overlap": (0.6, 0.3), "sign": (0.8, 0.6)}
#: What another background of the same size would move, over the sum of absolute contributions.
BACKGROUND = (0.1, 0.25)
#: Share of the explained rows that 99 % of the training rows lie nearer than.
OUTSIDE = (0.01, 0.25)
#: A row twice as far from the training data as 99 % of its rows is told however few there are.
FAR = 2.0
#: What the sum over a column's encoded parts may differ from the column's own value, over all contributions.
GROUPING = (0.05, 0.2)
#: Columns with a smaller share of all importance need no explaining.
COUNTS = 0.02
_LISTED = 50


def make(
    name: CheckName, level: Level, words: str, *, value: float | None = None, threshold: float | None = None,
    columns: Iterable[str] = (), rows: Iterable[int] = (),
) -> Check:  # fmt: skip
    """Return a check with its title; of rows and columns the first 50."""
    known = None if value is None or not np.isfinite(value) else float(value)
    return Check(
        name=name, title=CHECKS[name], level=level, words=words, value=known, threshold=threshold,
        columns=[str(c) for c in columns][:_LISTED], rows=[int(r) for r in rows][:_LISTED],
    )  # fmt: skip


def spread(predictions: Floats, base: Floats) -> Floats:
    """Return the unit that errors are measured in, (K,): how far predictions lie from the base, typically."""
    if not len(predictions):
        return np.ones(len(base))
    size = np.sqrt(((predictions - base) ** 2).mean(axis=0))
    return np.where(size > 0, size, np.maximum(np.abs(base), 1.0))


def additivity(arrays: Arrays, *, exact: bool) -> Check:
    """Base and contributions must add up to the prediction, as far as the sampling error allows (4 standard errors)."""
    if not len(arrays.values):
        return make("additivity", "skipped", "No row was explained.")
    gap = np.abs(arrays.predictions - arrays.base - arrays.values.sum(axis=1))
    if not exact and arrays.errors is not None:
        allowed = 4 * np.sqrt((np.nan_to_num(arrays.errors) ** 2).sum(axis=1))
        gap = np.maximum(gap - allowed, 0)
    relative = gap / spread(arrays.predictions, arrays.base)
    worst = float(relative.max())
    level = _above(worst, ADDITIVITY)
    rows = np.flatnonzero(relative.max(axis=1) > ADDITIVITY[0])
    if level == "ok":
        said = "Base and contributions add up to the prediction in every row" + (
            "." if exact else ", as far as sampling can tell."
        )
    else:
        said = (
            f"In {_rows(len(rows))} base and contributions miss the prediction by up to {_percent(worst)} of the "
            "predictions' spread: the explainer does not see the model as it predicts."
        )
    return make("additivity", level, said, value=worst, threshold=ADDITIVITY[0], rows=rows)


def precision(arrays: Arrays, method: MethodInfo, *, output: int = 0) -> Check:
    """How far the largest contribution of a row is told from chance."""
    if method.exact or arrays.errors is None or not np.isfinite(arrays.errors).any():
        said = "The contributions are exact: they have no sampling error."
        if not method.exact:
            return make(
                "precision", "skipped", "This explainer gives no errors, so nobody knows how precise it is."
            )
        return make("precision", "ok", said, value=0.0, threshold=PRECISION[0])
    values, errors = arrays.values[:, :, output], arrays.errors[:, :, output]
    if not len(values):
        return make("precision", "skipped", "No row was explained.")
    top = np.abs(values).argmax(axis=1)[:, None]
    size = np.abs(np.take_along_axis(values, top, axis=1))[:, 0]
    half = Z95 * np.nan_to_num(np.take_along_axis(errors, top, axis=1)[:, 0], nan=np.inf)
    # where a row is as average as can be, no contribution is large and none needs to be told from zero
    unit = float(spread(arrays.predictions, arrays.base)[output])
    relative = np.where(half == 0, 0.0, half / np.maximum(size, 0.01 * unit))
    typical = float(np.median(relative))
    unsure = np.flatnonzero(relative > 1)
    level = _above(typical, PRECISION)
    if level == "ok" and len(unsure) > 0.1 * len(values):
        level = "warn"
    said = f"In a typical row the largest contribution is known to {_within(typical)} of itself (95 %)."
    if len(unsure):
        said += f" In {_rows(len(unsure))} it could as well be zero."
    if level != "ok":
        said += {
            "budget": " The time ran out: give a larger budget=.",
            "cancelled": " It was stopped before it was done.",
        }.get(method.stopped, " A smaller tolerance= makes it surer.")
    return make("precision", level, said, value=typical, threshold=PRECISION[0], rows=unsure)


def local_fit(arrays: Arrays, *, output: int = 0) -> Check:
    """LIME's R²: how much of what the model does around a row its plane explains."""
    if arrays.lime_r2 is None or arrays.lime_rows is None or not len(arrays.lime_rows):
        return make("local_fit", "skipped", "LIME did not explain these rows.")
    r2 = arrays.lime_r2[:, output]
    typical = float(np.median(r2))
    poor = np.flatnonzero(r2 < LOCAL_FIT[1])
    level = _below(typical, LOCAL_FIT)
    if level == "ok" and len(poor) > 0.1 * len(r2):
        level = "warn"
    said = (
        f"LIME's plane explains {_percent(max(typical, 0))} of what the model does around a typical row (R²)."
    )
    if len(poor):
        said += f" In {_rows(len(poor))} less than a quarter: the model is bent there, so do not trust LIME's bars."
    rows = arrays.lime_rows[poor[np.argsort(r2[poor], kind="stable")]]
    return make("local_fit", level, said, value=typical, threshold=LOCAL_FIT[0], rows=rows)


def stability(arrays: Arrays, *, top: int = 5, seeds: int = 2) -> Check:
    """Whether LIME names the same top columns when it draws again."""
    known = arrays.stability
    if known is None or arrays.lime_rows is None or not np.isfinite(known).any():
        return make(
            "stability", "skipped", "LIME ran once only, so nobody knows whether it would say the same again."
        )
    told = np.nan_to_num(known, nan=1.0)
    mean = float(np.nanmean(known))
    level = _below(mean, STABILITY)
    shaky = np.flatnonzero(told < STABILITY[1])
    if level == "ok" and len(shaky) > 0.1 * len(known):
        level = "warn"
    said = f"Of LIME's top {top} columns {_percent(mean)} stay the same over {seeds} seeds (Jaccard overlap)."
    if level != "ok":
        said += f" In {_rows(len(shaky))} it names other columns each time: more samples are needed."
    rows = arrays.lime_rows[shaky[np.argsort(told[shaky], kind="stable")]]
    return make("stability", level, said, value=mean, threshold=STABILITY[0], rows=rows)


def agreement(found: Agreement | None) -> Check:
    """Whether SHAP and LIME tell the same story."""
    if found is None:
        return make("agreement", "skipped", "There is no second opinion: LIME was not asked.")
    given = {"rank": found.rank, "overlap": found.overlap, "sign": found.sign}
    known = {k: v for k, v in given.items() if v is not None}
    if not known:
        return make("agreement", "skipped", "All contributions are zero: there is nothing to compare.")
    levels = {k: _below(v, AGREEMENT[k]) for k, v in known.items()}
    level: Level = "fail" if "fail" in levels.values() else "warn" if "warn" in levels.values() else "ok"
    words = {
        "rank": "rank correlation {:.2f}", "overlap": f"{{:.0%}} of the top {found.k} columns in common",
        "sign": "{:.0%} of them with the same sign",
    }  # fmt: skip
    figures = ", ".join(words[k].format(v) for k, v in known.items())
    start = {
        "ok": "SHAP and LIME tell the same story",
        "warn": "SHAP and LIME differ",
        "fail": "SHAP and LIME contradict each other",
    }[level]
    said = f"{start} in a typical row: {figures}."
    if level != "ok":
        said += " Look at the rows where they disagree before you trust either."
    value = known.get("rank", next(iter(known.values())))
    threshold = AGREEMENT["rank"][0] if "rank" in known else None
    return make("agreement", level, said, value=value, threshold=threshold, rows=found.worst[:20])


def correlation(
    pairs: Sequence[tuple[str, str, float]], importance: Sequence[Importance], columns: Sequence[Column]
) -> Check:
    """Whether columns that matter stand in for each other. Never red: contributions are right, only ambiguous."""
    if len(columns) < 2:
        return make("correlation", "skipped", "There is one column only.")
    total = sum(i.value for i in importance)
    counts = {i.column for i in importance if total > 0 and i.value >= COUNTS * total}
    told = [p for p in pairs if p[0] in counts or p[1] in counts]
    strongest = max((p[2] for p in pairs), default=0.0)
    if not told:
        said = "No two columns carry the same information" if not pairs else (
            f"{_pairs(len(pairs))} carry the same information, but the model hardly uses them"
        )  # fmt: skip
        return make("correlation", "ok", said + ".", value=strongest, threshold=0.7)
    a, b, strength = told[0]
    said = (
        f"{_pairs(len(told))} carry the same information, {one_line(a)} and {one_line(b)} most ({strength:.2f}): how "
        "credit is split between them is arbitrary, so read them together."
    )
    names = list(dict.fromkeys(n for p in told for n in p[:2]))
    return make("correlation", "warn", said, value=strongest, threshold=0.7, columns=names)


def outside(found: Outside | None) -> Check:
    """Whether explained rows are unlike the training data: more than chance has, or far away."""
    if found is None or not len(found.share) or found.training < 3:
        return make("outside", "skipped", "There is no background to compare the rows with.")
    from scipy.stats import betabinom

    n, b = len(found.share), found.training
    rows = np.flatnonzero((found.share > 0.99) | (found.ratio > FAR))
    rows = rows[np.argsort(-found.ratio[rows], kind="stable")]
    share = len(rows) / n
    far = int((found.ratio > FAR).sum())
    # so many of n rows like the training data lie beyond all but `edge` of its b rows: exact, whatever distances are
    edge = int(np.ceil(0.01 * b)) - 1
    more = len(rows) > 0 and float(betabinom.sf(len(rows) - 1, n, edge + 1, b - edge)) < 0.01
    level: Level = "fail" if more and share > OUTSIDE[1] else "warn" if more or far else "ok"
    if level == "ok":
        said = "The rows are like the training data."
        if len(rows):
            said = f"{_rows(len(rows))} at the edge of the training data: no more than chance puts there."
    else:
        said = (
            f"{_rows(len(rows))} of {n:,} ({_percent(share)}) lie further from the training data than 99 % "
            "of it does"
            + (f", {far:,} of them more than twice as far" if far else "")
            + ": what the model says there is a guess, and so is its explanation."
        )
    return make("outside", level, said, value=share, threshold=OUTSIDE[0], rows=rows)


def _above(value: float, limits: tuple[float, float]) -> Level:
    return "ok" if value <= limits[0] else "warn" if value <= limits[1] else "fail"


def _below(value: float, limits: tuple[float, float]) -> Level:
    return "ok" if value >= limits[0] else "warn" if value >= limits[1] else "fail"


def _rows(n: int) -> str:
    return f"{n:,} row{'' if n == 1 else 's'}"


def _pairs(n: int) -> str:
    return "Two columns" if n == 1 else f"{n:,} pairs of columns"


def _percent(share: float) -> str:
    return f"{share:.2g}" if not np.isfinite(share) else f"{100 * share:.3g} %"


def _within(share: float) -> str:
    return "no share" if not np.isfinite(share) else f"± {100 * share:.2g} %"
