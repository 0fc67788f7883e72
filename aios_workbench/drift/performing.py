"""How the model does on both sides of a comparison: rows for `performance`, which measures it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aios_workbench.drift.models import Performance, Rules
from aios_workbench.drift.performance import performance
from aios_workbench.drift.sides import Sides
from aios_workbench.drift.sources import Source
from aios_workbench.drift.windows import labels, split

if TYPE_CHECKING:
    import pandas as pd

#: Rows of each side that are looked at: an accuracy is then told to a fifth of a percent.
MOST_ROWS = 200_000


def model(sides: Sides, rules: Rules, *, time: str | None = None, seed: int = 0) -> Performance | None:
    """Measure or estimate the model, window by window; None without labels or predictions, or without rows."""
    one, two = sides.sources
    targets, predictions, scores = (sides.plan.role(r) for r in ("target", "prediction", "score"))
    if one is None or two is None or not targets or not (predictions or scores):
        return None
    needed = [*targets, *predictions, *scores]
    if any(c not in two.columns for c in [*predictions, *scores]):
        return None  # the schema's changes say so
    of = split(two, sides.plan, sides.by, time) if sides.by is not None else None
    moment = time or sides.plan.time
    beside = [
        c for c in (of.column if of is not None else None, moment) if c is not None and c in two.columns
    ]
    a = _rows(one, needed, seed)
    b = _rows(two, [*(c for c in needed if c in two.columns), *beside], seed + 1)
    windows = None if of is None else labels(b[of.column], of, two.columns[of.column])
    return performance(
        a, b.drop(columns=[c for c in beside if c not in needed]), target=targets[0],
        prediction=predictions[0] if predictions else None,
        score=(scores[0] if len(scores) == 1 else scores) if scores else None, windows=windows,
        order=b[moment] if moment is not None and moment in b else None, rules=rules, seed=seed,
    )  # fmt: skip


def _rows(source: Source, columns: list[str], seed: int) -> pd.DataFrame:
    return source.sample(MOST_ROWS, seed, columns=list(dict.fromkeys(columns)))
