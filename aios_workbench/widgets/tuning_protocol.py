"""What the kernel and the browser say to each other about a tuning; `tuning_protocol.ts` is generated from here.

The kernel shows a `TuningView` (a trait) and then `TuningPatch`es with all that came since; after a few points the
whole is sent anew and patches begin again, so a patch stays small and state plus newest patch are always enough.
The browser never chooses an index: it asks, and the choice comes back as state.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from aios_workbench._wire import Message
from aios_workbench.knn.models import (
    Constraints,
    Cost,
    Explored,
    Family,
    HardQuery,
    Neighbour,
    Problem,
    Pruned,
    TuningStatus,
)
from aios_workbench.widgets.protocol import Abort, Done, Hello

System = Literal["milvus", "pgvector", "qdrant", "weaviate", "pinecone"]


class Latency(Message):
    """Times of single queries as a histogram: `counts` in bins of equal width on a log scale, `low` to `high` ms."""

    low: float
    high: float
    counts: list[int]


class TuningPoint(Message):
    """A measured point as it is drawn.

    Points of one `curve` share everything but `knob`, what is turned between searches; `setting` is its value.
    `part` marks a trial on fewer than all vectors: shown, never chosen.
    """

    id: str
    label: str
    family: Family
    codec: str
    curve: str
    knob: str | None = None
    setting: float | None = None
    recall: float
    recall_low: float
    recall_high: float
    queries: int
    qps: float
    qps_low: float
    qps_high: float
    batch: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    latency: Latency | None = None
    bytes_per_vector: float
    build_seconds: float
    vectors: int
    part: bool = False
    at: float
    verified: float | None = None
    verified_low: float | None = None
    verified_high: float | None = None


class TuningView(Message):
    """The whole picture. `costs` are the slider's answers at round recalls, `name` the variable in the notebook."""

    id: str
    seq: int = 0
    now: float = 0.0
    name: str = "tuning"
    problem: Problem
    constraints: Constraints
    status: TuningStatus = "running"
    phase: str = ""
    doing: str = ""
    elapsed: float = 0.0
    points: list[TuningPoint] = []
    pruned: list[Pruned] = []
    front: list[str] = []
    chosen: str | None = None
    picked_by_hand: bool = False
    costs: list[Cost] = []
    notes: list[str] = []
    error: str | None = None


class TuningPatch(Message):
    """All that came or changed since the view with `seq == base`: points and what was pruned are appended.

    A point whose id is known takes the known one's place. `front`, `costs` and `notes` are null when they are the same.
    """

    base: int
    seq: int
    now: float = 0.0
    constraints: Constraints
    status: TuningStatus
    phase: str = ""
    doing: str = ""
    elapsed: float = 0.0
    points: list[TuningPoint] = []
    pruned: list[Pruned] = []
    front: list[str] | None = None
    chosen: str | None = None
    picked_by_hand: bool = False
    costs: list[Cost] | None = None
    notes: list[str] | None = None
    error: str | None = None


class TuningRequest(Message):
    """Base of what the browser asks about a tuning."""

    id: int


class Control(TuningRequest):
    """Stop, pause or go on."""

    kind: Literal["control"] = "control"
    action: Literal["stop", "pause", "resume"]


class Choose(TuningRequest):
    """Take this point, whatever the constraints say; without one the constraints decide again."""

    kind: Literal["choose"] = "choose"
    point: str | None = None


class Constrain(TuningRequest):
    """Other constraints: the choice follows from what was measured."""

    kind: Literal["constrain"] = "constrain"
    constraints: Constraints


class AskCost(TuningRequest):
    """What would this recall cost? Answered by a `Cost`, without a search."""

    kind: Literal["cost"] = "cost"
    recall: float = Field(ge=0, le=1)


class Explore(TuningRequest):
    """The neighbours of a query, exact beside approximate: a text to embed, or a row of the query set."""

    kind: Literal["explore"] = "explore"
    row: int | None = Field(default=None, ge=0, le=2**53)
    text: str | None = Field(default=None, max_length=20_000)
    k: int | None = Field(default=None, ge=1, le=200)
    point: str | None = None


class AskHard(TuningRequest):
    """The queries a point answers worst; answered by `HardQueries`."""

    kind: Literal["hard"] = "hard"
    point: str | None = None
    n: int = Field(default=20, ge=1, le=200)


class AskCode(TuningRequest):
    """Python for a point: to take it from this tuning (`use`), or to build it without us (`build`)."""

    kind: Literal["code"] = "code"
    what: Literal["use", "build"]
    point: str | None = None


class AskExport(TuningRequest):
    """A point's parameters as another system wants them; answered by `Exported`."""

    kind: Literal["export"] = "export"
    system: System
    point: str | None = None


class HardQueries(Message):
    """Queries that are answered badly, the worst first."""

    queries: list[HardQuery] = []


class Snippet(Message):
    """Source to copy."""

    code: str


class Exported(Message):
    """Parameters for another system, as text to copy, and what they leave out."""

    system: System
    text: str
    notes: list[str] = []


AnyTuningRequest = (
    Hello | Abort | Control | Choose | Constrain | AskCost | Explore | AskHard | AskCode | AskExport
)

#: Reads what the browser sent.
REQUEST: TypeAdapter[AnyTuningRequest] = TypeAdapter(Annotated[AnyTuningRequest, Field(discriminator="kind")])

#: What each kind of request is answered with, besides those of `protocol.py`.
ANSWERS: dict[type[TuningRequest], type[Message]] = {
    Control: Done,
    Choose: Done,
    Constrain: Done,
    AskCost: Cost,
    Explore: Explored,
    AskHard: HardQueries,
    AskCode: Snippet,
    AskExport: Exported,
}

#: In the order they are written to `tuning_protocol.ts`.
MODELS: tuple[type[Message], ...] = (
    Problem, Constraints, Latency, TuningPoint, Pruned, Cost, TuningView, TuningPatch, Neighbour, Explored,
    HardQuery, HardQueries, Snippet, Exported, *ANSWERS,
)  # fmt: skip
