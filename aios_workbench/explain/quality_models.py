"""What questions about a model and labels answer with: calibration, slices, fairness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from aios_workbench._wire import Message
from aios_workbench.drift.models import Measured
from aios_workbench.explain.beyond_models import Answer, Condition, Finding

if TYPE_CHECKING:
    import pandas as pd


class Reliability(Message):
    """Rows of about equal predictions: their mean, and what really was (a rate or a mean) with its interval."""

    low: float
    high: float
    rows: int
    predicted: float
    observed: Measured | None


class Calibration(Answer):
    """Whether predictions mean what they say.

    `error` (ECE) is the mean distance of predicted and observed over the bins, weighted by rows; `noise` is what a
    perfectly calibrated model would show with as many rows, `p_value` how often it would show as much. `brier` is the
    mean squared error of probabilities; of values (`kind` "value") it is the mean squared error.
    """

    kind: Literal["probability", "confidence", "value"]
    output: str
    rows: int
    left_out: int = 0
    bins: list[Reliability]
    error: float
    noise: float
    p_value: float | None
    brier: Measured
    slope: Measured | None = None
    finding: Finding

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each bin."""
        import pandas as pd

        rows = [
            b.model_dump(exclude={"observed"}) | {"observed": b.observed.value, "observed_low": b.observed.low,
            "observed_high": b.observed.high} if b.observed else b.model_dump(exclude={"observed"})
            for b in self.bins
        ]  # fmt: skip
        return pd.DataFrame(rows)


class Slice(Message):
    """Rows that fulfil all `conditions`, their loss, and how much larger it is than that of all other rows."""

    conditions: list[Condition]
    words: str
    rows: int
    share: float
    loss: Measured
    difference: Measured
    p_value: float
    p_adjusted: float


class Slices(Answer):
    """Where the model is worse than elsewhere; slices whose excess is chance are left out, `tested` says how many."""

    metric: str
    rows: int
    left_out: int = 0
    loss: Measured
    slices: list[Slice]
    tested: int
    small: int = 0
    least: int
    alpha: float

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each slice, the worst first."""
        import pandas as pd

        return pd.DataFrame(
            [
                {"slice": s.words, "rows": s.rows, "loss": s.loss.value, "difference": s.difference.value,
                 "low": s.difference.low, "high": s.difference.high, "p_adjusted": s.p_adjusted}
                for s in self.slices
            ]
        )  # fmt: skip


class Disparity(Message):
    """A rate of a group beside that of the reference: `value`, its `difference` and `ratio`, each with an interval.

    `rows` is what the rate is of: of a true positive rate, the group's positive rows.
    """

    group: str
    rate: str
    rows: int
    value: Measured | None
    difference: Measured | None = None
    ratio: Measured | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    finding: Finding


class Group(Message):
    """A group of rows and its rates: by name, None where there is nothing to count."""

    name: str
    rows: int
    rates: dict[str, Measured | None]


class Fairness(Answer):
    """Rates by group, compared with the `reference` group. `widest` are each rate's largest difference between groups.

    `group` is the column, `favourable` what is selected, `threshold` from which prediction on.
    """

    group: str
    reference: str
    favourable: str
    threshold: float | None
    rows: int
    left_out: int = 0
    groups: list[Group]
    disparities: list[Disparity]
    widest: dict[str, float]

    def to_frame(self) -> pd.DataFrame:
        """Return a row for each group and rate."""
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for d in self.disparities:
            row: dict[str, Any] = {"group": d.group, "rate": d.rate, "rows": d.rows, "finding": d.finding}
            for name, m in (("", d.value), ("difference", d.difference), ("ratio", d.ratio)):
                row[name or "value"] = m.value if m else None
                row[f"{name}_low".strip("_")] = m.low if m else None
                row[f"{name}_high".strip("_")] = m.high if m else None
            rows.append(row)
        return pd.DataFrame(rows)
