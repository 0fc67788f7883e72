"""What an explanation is made of, as data: shown, stored, sent and read back alike. Arrays are in `explanation`."""

from __future__ import annotations

from typing import Literal

from aios_workbench._wire import Message

#: What is explained: a table's rows, texts, or images.
Subject = Literal["tabular", "text", "image"]
Task = Literal["binary", "multiclass", "regression", "anomaly"]
#: The unit of every attribution: what the model's answer was turned into before it was taken apart.
Scale = Literal["probability", "log-odds", "value", "score"]
ColumnKind = Literal["numeric", "categorical", "boolean", "datetime", "text"]
#: How Shapley values were reached; `names.METHODS` has a title and a sentence for each.
MethodName = Literal[
    "tree_path_dependent",
    "tree_interventional",
    "linear",
    "exact",
    "sampling",
    "permutation",
    "kernel",
    "partition",
]
#: Why a computation ended: all of it done, precise enough, out of time, or told to stop.
Stopped = Literal["done", "tolerance", "budget", "cancelled"]
#: A check's answer; `skipped`: it could not be made, and `words` says why.
Level = Literal["ok", "warn", "fail", "skipped"]
#: What a check is about.
CheckName = Literal[
    "additivity",
    "precision",
    "local_fit",
    "stability",
    "agreement",
    "background",
    "correlation",
    "outside",
    "accelerator",
    "grouping",
]


class Column(Message):
    """A column as the user has it, before any encoding.

    Of a numeric one `low`, `high` are the background's smallest and largest value, `quantiles` those at 0.05, 0.25,
    0.5, 0.75, 0.95; a datetime in seconds since 1970. `values` are a categorical one's, the most frequent first;
    `more` counts those that are left out. `whole`: only whole numbers occur. `correlated` are columns that carry the
    same information (|rank correlation| or association of 0.7 and more), so that credit between them is arbitrary.
    """

    name: str
    kind: ColumnKind
    low: float | None = None
    high: float | None = None
    quantiles: list[float] | None = None
    values: list[str] = []
    more: int = 0
    whole: bool = False
    nulls: float = 0.0
    correlated: list[str] = []


class ModelInfo(Message):
    """Which model; `fingerprint` changes when the model does, None where that cannot be told."""

    type: str
    title: str
    uri: str | None = None
    fingerprint: str | None = None
    steps: list[str] = []


class MethodInfo(Message):
    """How Shapley values were computed and what it cost. `evaluations` are rows predicted, `calls` calls of the model.

    `why` is a sentence: why this explainer and not another. `background` rows were used; `summarised` says how they
    were chosen from more. `exact`: no sampling error.
    """

    name: MethodName
    title: str
    why: str
    exact: bool
    background: int = 0
    summarised: str = ""
    evaluations: int = 0
    calls: int = 0
    seconds: float = 0.0
    stopped: Stopped = "done"
    tolerance: float | None = None
    accelerator: str | None = None
    versions: dict[str, str] = {}
    notes: list[str] = []


class LimeInfo(Message):
    """How LIME was run: `samples` a row, over `seeds`; `stability`: mean Jaccard overlap of the top `top` columns."""

    rows: int
    samples: int
    seeds: list[int]
    discretized: bool
    kernel_width: float
    r2: float | None = None
    stability: float | None = None
    top: int = 5
    evaluations: int = 0
    calls: int = 0
    seconds: float = 0.0
    stopped: Stopped = "done"
    notes: list[str] = []


class Check(Message):
    """One thing that can be wrong with an explanation, measured. `rows` are positions in the explained rows."""

    name: CheckName
    title: str
    level: Level
    value: float | None = None
    threshold: float | None = None
    words: str
    columns: list[str] = []
    rows: list[int] = []


class Agreement(Message):
    """How far SHAP and LIME agree over the rows both explained: medians, and the rows that agree least, worst first.

    `rank` is Spearman's correlation of absolute contributions, `overlap` the share of the top `k` columns in common,
    `sign` the share of SHAP's top `k` columns whose LIME contribution has the same sign.
    """

    rows: int
    k: int
    rank: float | None = None
    overlap: float | None = None
    sign: float | None = None
    worst: list[int] = []


class Importance(Message):
    """A column over all explained rows: mean absolute contribution with standard error, and mean contribution."""

    column: str
    value: float
    error: float | None = None
    signed: float = 0.0
    rank: int = 0
    lime: float | None = None
    lime_error: float | None = None
    lime_rank: int | None = None


class Contribution(Message):
    """A column's part in one row's prediction. `value` as text, `number` where it is one; errors are standard errors.

    `agrees` is False where SHAP and LIME differ by more than their errors allow in sign or rank among the top columns.
    """

    column: str
    value: str
    number: float | None = None
    shap: float
    error: float | None = None
    lime: float | None = None
    lime_error: float | None = None
    agrees: bool | None = None


class RowExplanation(Message):
    """One row taken apart: `base` plus all contributions is `prediction` (up to `gap`); the largest first.

    `label` is the row's index label. `probabilities` are what the model says of each output where the explained scale
    is another. `outside` is the share of training rows that lie nearer to the training data than this row does.
    """

    row: int
    label: str
    output: str
    base: float
    prediction: float
    gap: float = 0.0
    probabilities: dict[str, float] = {}
    contributions: list[Contribution]
    lime_r2: float | None = None
    lime_intercept: float | None = None
    stability: float | None = None
    outside: float | None = None
    agreement: float | None = None
    notes: list[str] = []


class ExplanationData(Message):
    """All of an explanation that is not an array; small, without raw rows, as it is stored.

    `output` is the place of the explained output that is shown first: of a binary task the positive class (its only
    one), of several classes the most frequent among the predictions.
    """

    id: str
    name: str
    created_at: float
    subject: Subject = "tabular"
    task: Task
    scale: Scale
    outputs: list[str]
    output: int = 0
    rows: int
    columns: list[Column]
    model: ModelInfo
    method: MethodInfo
    lime: LimeInfo | None = None
    importance: list[Importance] = []
    agreement: Agreement | None = None
    checks: list[Check] = []
    notes: list[str] = []
    seconds: float = 0.0
    data_hash: str | None = None
    background_hash: str | None = None
    cached: bool = False
