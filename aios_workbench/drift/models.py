"""What a comparison of two data sets is made of, as data: shown, stored, sent and read back alike."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import field_validator

from aios_workbench._wire import Message
from aios_workbench.drift import names
from aios_workbench.errors import DriftInputError

#: What a column holds. An `id` names its row: it is not compared.
Kind = Literal["numeric", "categorical", "boolean", "datetime", "text", "embedding", "id"]
#: What a column is to a model.
Role = Literal["feature", "target", "prediction", "score"]
#: `drifted`: significant and large enough to matter. `small`: significant, but small. `few`: not enough data to tell.
#: `skipped`: not compared.
Verdict = Literal["drifted", "small", "stable", "few", "skipped"]
#: How a figure was reached: from all rows; from all rows in bins, so that bounds hold it; from a sample of the rows.
Method = Literal["exact", "bounds", "sample"]
#: Names of statistics; `names` knows what else they are called.
StatisticName = names.StatisticName
RulesKind = Literal["honest", "evidently"]

#: Where quantiles are told.
LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


class Statistic(Message):
    """A figure of how two columns differ; `low` and `high` hold it for certain, or at 95 % where it is of a sample.

    `rows` is how many rows of both sides it was computed from. `effect` is the value without what the noise of two
    samples of these sizes would show; only of those statistics by which a column can be drifted.
    """

    value: float
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    method: Method = "exact"
    rows: int | None = None


class Side(Message):
    """One side of a column in figures; `quantiles` at `LEVELS`, `top` the most frequent values."""

    rows: int
    nulls: int = 0
    infinite: int = 0
    distinct: int | None = None
    distinct_exact: bool = True
    mean: float | None = None
    std: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    quantiles: list[float] | None = None


class Histogram(Message):
    """Both sides in the same bins: shares of the rows that are neither null nor infinite. `edges` has one more entry.

    `atoms` are single values that many rows have; their shares are not in the bins.
    """

    edges: list[float]
    reference: list[float]
    current: list[float]
    atoms: list[float] = []
    reference_atoms: list[float] = []
    current_atoms: list[float] = []


class Category(Message):
    """A value and how many rows have it; `rest` stands for all that are not shown."""

    label: str
    reference: int
    current: int
    rest: bool = False


class Categories(Message):
    """The values of a column, the most frequent first; `new` and `gone` count those one side has alone."""

    values: list[Category]
    new: int = 0
    gone: int = 0
    #: Shares of rows: of the current side with a new value, of the reference with a gone one.
    new_share: float = 0.0
    gone_share: float = 0.0


class WindowDrift(Message):
    """A column in one window of the current side, against the reference."""

    window: str
    rows: int
    verdict: Verdict
    effect: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    null_share: float | None = None
    median: float | None = None
    statistics: dict[StatisticName, Statistic] = {}


class ColumnDrift(Message):
    """How a column differs between reference and current.

    `effect` is the noise-corrected size that `rules` compare, `effect_of` the statistic it was made from, `threshold`
    what it is compared with. `parts` are what a text or an embedding is compared by (its length, its words …).
    """

    name: str
    kind: Kind
    role: Role = "feature"
    verdict: Verdict = "stable"
    reasons: list[str] = []
    test: StatisticName | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    effect: float | None = None
    effect_of: StatisticName | None = None
    threshold: float | None = None
    statistics: dict[StatisticName, Statistic] = {}
    reference: Side | None = None
    current: Side | None = None
    histogram: Histogram | None = None
    categories: Categories | None = None
    windows: list[WindowDrift] = []
    #: The window from which on it is another distribution.
    changepoint: str | None = None
    parts: list[ColumnDrift] = []

    def __getattr__(self, name: str) -> float | None:
        """Return a statistic's value by its name: `report.columns["income"].psi`; None where it was not computed."""
        if name in StatisticName.__args__:  # type: ignore[attr-defined]
            found = self.statistics.get(name)  # type: ignore[call-overload]
            return None if found is None else found.value
        value: float | None = super().__getattr__(name)  # type: ignore[misc]
        return value


class SchemaChange(Message):
    """A change of what the data looks like, before any distribution is compared. `grave`: it makes the data drifted."""

    column: str
    change: Literal[
        "missing", "new", "renamed", "type", "new_categories", "gone_categories", "nulls", "range",
        "duplicates", "cardinality", "constant", "empty",
    ]  # fmt: skip
    grave: bool
    words: str
    reference: str | None = None
    current: str | None = None


class Importance(Message):
    """How much a column tells the two sides apart."""

    column: str
    importance: float


class CorrelationChange(Message):
    """Spearman's correlation of two columns on both sides."""

    a: str
    b: str
    reference: float
    current: float
    p_value: float
    p_adjusted: float
    verdict: Verdict


class DomainClassifier(Message):
    """How well a model tells current from reference rows: an area under the ROC curve of .5 means not at all."""

    auc: float
    low: float
    high: float
    p_value: float
    rows: int
    verdict: Verdict
    importances: list[Importance] = []


class Reconstruction(Message):
    """Error of rows rebuilt from the reference's principal components, in the reference's standard deviations.

    From `low` to `high`: where the mean errors of chunks of the reference lie.
    """

    components: int
    reference: float
    current: float
    low: float | None = None
    high: float | None = None
    p_value: float
    rows: int
    verdict: Verdict


class Discrepancy(Message):
    """Maximum mean discrepancy of an embedding column, with a permutation test."""

    column: str
    mmd: float
    p_value: float
    rows: int
    verdict: Verdict
    mean_shift: float | None = None


class Multivariate(Message):
    """What no column shows alone."""

    verdict: Verdict
    reasons: list[str] = []
    classifier: DomainClassifier | None = None
    reconstruction: Reconstruction | None = None
    embeddings: list[Discrepancy] = []
    correlations: list[CorrelationChange] = []


class Measured(Message):
    """A figure of a model on some rows, with its 95 % interval."""

    value: float
    low: float
    high: float


class ImportanceChange(Message):
    """A column's share of a model's importance on both sides; `low` to `high`: its change, 95 %. Ranks from 1."""

    column: str
    reference: Measured
    current: Measured
    low: float
    high: float
    rank_reference: int
    rank_current: int
    p_value: float
    p_adjusted: float
    verdict: Verdict


class PerformanceWindow(Message):
    """A model in one window: `measured` where labels are there, `estimated` (CBPE) where they are not."""

    window: str
    rows: int
    labelled: int
    measured: dict[str, Measured] = {}
    estimated: dict[str, Measured] = {}
    verdict: Verdict = "stable"
    reasons: list[str] = []


class StreamAlarm(Message):
    """A change point that a stream detector found in a model's errors: after `row` rows."""

    detector: str
    row: int
    window: str | None = None


class Performance(Message):
    """How a model does: on the reference, and window by window on the current side. `caveat` is always to be shown."""

    task: Literal["classification", "regression"]
    metrics: list[str]
    reference: PerformanceWindow
    windows: list[PerformanceWindow]
    verdict: Verdict
    reasons: list[str] = []
    alarms: list[StreamAlarm] = []
    caveat: str = ""


class Rules(Message):
    """What makes a column drifted.

    `honest`: p-value below `alpha` after correction for many columns (Benjamini-Hochberg), and a noise-corrected
    effect of at least `effect`. `evidently`: that library's own choice of test and threshold. Either way `columns`
    holds a person's own thresholds: ``{"income": {"psi": 0.2}}`` is drifted at a PSI of .2 or more, whatever else.
    The data is drifted when more than `max_share` of the compared columns are; None: when any is.
    """

    kind: RulesKind = "honest"
    alpha: float = 0.05
    effect: float = 0.1
    min_rows: int = 30
    max_share: float | None = None
    #: Windows in a row that must be drifted before it counts.
    in_a_row: int = 1
    columns: dict[str, dict[StatisticName, float]] = {}

    @field_validator("columns", mode="before")
    @classmethod
    def _called_by_any_name(cls, columns: Any) -> Any:
        if not isinstance(columns, dict):
            raise DriftInputError(
                f"thresholds are given by column, as {{'income': {{'psi': 0.2}}}}, not as {columns!r}"
            )
        return {column: _thresholds(column, given) for column, given in columns.items()}


def _thresholds(column: str, given: Any) -> dict[StatisticName, float]:
    if not isinstance(given, dict):
        raise DriftInputError(
            f"thresholds of column {column!r} are given by statistic, as {{'psi': 0.2}}, not as {given!r}"
        )
    found: dict[StatisticName, float] = {}
    for name, value in given.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or value < 0:
            raise DriftInputError(
                f"the threshold of {name!r} for column {column!r} is {value!r}; give a number of 0 or more"
            )
        found[names.statistic_name(name)] = float(value)
    return found


class SourceInfo(Message):
    """Where one side came from; never a value of it."""

    name: str
    rows: int
    columns: int
    stored: bool = False  # a saved profile: the data was not read
    first: str | None = None  # of the time column
    last: str | None = None


class ReportData(Message):
    """A whole comparison. `drifted` is None when nothing could be compared."""

    id: str
    name: str
    created_at: float
    engine: Literal["duckdb", "evidently"] = "duckdb"
    reference: SourceInfo
    current: SourceInfo
    rules: Rules
    drifted: bool | None
    summary: str
    reasons: list[str] = []
    columns: list[ColumnDrift]
    schema_changes: list[SchemaChange] = []
    windows: list[str] = []
    by: str | None = None
    multivariate: Multivariate | None = None
    performance: Performance | None = None
    notes: list[str] = []
    seconds: float = 0.0
    #: True where labels of rare values and single extreme values are in it.
    raw: bool = True
