"""What a model card holds, as data: its JSON twin."""

from __future__ import annotations

from typing import Literal

from aios_workbench._wire import Message
from aios_workbench.explain.models import Agreement, Check, Importance, MethodInfo, ModelInfo, Scale, Task

Section = Literal[
    "purpose", "data", "metrics", "slices", "fairness", "calibration", "explanation", "drift", "limits", "approvals",
    "lineage",
]  # fmt: skip
#: In the order of the card.
SECTIONS: dict[Section, str] = {
    "purpose": "Purpose",
    "data": "Data",
    "metrics": "Metrics",
    "slices": "Where it is worse",
    "fairness": "Groups of people",
    "calibration": "Calibration",
    "explanation": "What it leans on",
    "drift": "State of the data",
    "limits": "Limits",
    "approvals": "Approvals",
    "lineage": "Where it comes from",
}
#: What a card needs by itself. Approvals are given after it was read; groups and calibration do not fit every model.
REQUIRED: tuple[Section, ...] = (
    "purpose",
    "data",
    "metrics",
    "slices",
    "explanation",
    "drift",
    "limits",
    "lineage",
)


class Dataset(Message):
    """Data the model was made or judged with; `hash` is that of its content."""

    name: str
    rows: int | None = None
    columns: list[str] = []
    hash: str | None = None
    words: str = ""


class Metric(Message):
    """A figure with its 95 % interval; without one where nobody gave it."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    rows: int | None = None
    dataset: str | None = None


class Worse(Message):
    """Rows the model does worse on."""

    words: str
    rows: int
    loss: float
    difference: float
    low: float
    high: float


class Findings(Message):
    """What a question found, in words, with its rows where it is a table."""

    words: str
    notes: list[str] = []
    slices: list[Worse] = []


class Picture(Message):
    """A picture as SVG."""

    title: str
    name: str
    svg: str


class Explained(Message):
    """What of an explanation is on a card."""

    id: str
    words: str
    code: str
    rows: int
    output: str
    scale: Scale
    method: MethodInfo
    importance: list[Importance] = []
    agreement: Agreement | None = None
    checks: list[Check] = []
    notes: list[str] = []


class DriftState(Message):
    """What the last comparison of the data found; `drifted` is None where it could not tell."""

    words: str
    drifted: bool | None = None
    reasons: list[str] = []
    report: str | None = None
    reference: str = ""
    current: str = ""
    created_at: float | None = None


class Approval(Message):
    """Who decided what, and when."""

    by: str
    decision: str
    at: float | None = None
    what: str = ""
    reason: str = ""


class Lineage(Message):
    """What the model was made of: the run, the code, the data by their hashes."""

    run_id: str | None = None
    workflow: str | None = None
    code_hash: str | None = None
    model_uri: str | None = None
    model_hash: str | None = None
    data_hash: str | None = None
    background_hash: str | None = None
    versions: dict[str, str] = {}


class CardData(Message):
    """All of a model card."""

    name: str
    version: str | None = None
    created_at: float
    owner: str = ""
    license: str | None = None
    tags: list[str] = []
    task: Task | None = None
    model: ModelInfo | None = None
    purpose: str = ""
    data: list[Dataset] = []
    metrics: list[Metric] = []
    slices: Findings | None = None
    fairness: list[Findings] = []
    calibration: Findings | None = None
    explanation: Explained | None = None
    pictures: list[Picture] = []
    drift: DriftState | None = None
    limits: list[str] = []
    approvals: list[Approval] = []
    lineage: Lineage | None = None
    required: list[Section] = list(REQUIRED)
