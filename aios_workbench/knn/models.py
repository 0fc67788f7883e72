"""What a tuning is made of, as data: shown, stored, sent and read back alike."""

from __future__ import annotations

from typing import Literal

from aios_workbench._wire import Message

Metric = Literal["l2", "ip", "cosine"]
Family = Literal["flat", "pq", "ivf", "hnsw", "nsg", "rabitq", "binary"]
TuningStatus = Literal["running", "paused", "finished", "stopped", "failed"]


class Params(Message):
    """How an index is built and searched: with the vectors and a seed this is all it takes.

    `codec` is how vectors are held inside: `flat` (float32), `fp16`, `sq8`, `pq<m>x4fs` (4-bit product quantizer,
    fast scan), `rabitq`, `bits`. `refine` is the factor of candidates re-ranked with exact vectors; 0: none.
    """

    family: Family
    codec: str = "flat"
    opq: bool = False
    nlist: int | None = None
    nprobe: int | None = None
    graph_degree: int | None = None
    ef_construction: int | None = None
    ef_search: int | None = None
    refine: float = 0.0


class Point(Message):
    """A measured operating point.

    Recall is a mean over `queries` queries; `recall_low` and `recall_high` bound it (95 %). Times of single queries
    are milliseconds; `qps` is queries a second on one core, in batches of `batch`; `build_seconds` is CPU time.
    `vectors` is how many vectors were in the index: fewer than all means a trial on a part.
    """

    id: str
    params: Params
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
    latencies_ms: list[float] = []
    bytes_per_vector: float
    build_seconds: float
    vectors: int
    at: float
    #: Recall on queries the search never used, and its bounds.
    verified: float | None = None
    verified_low: float | None = None
    verified_high: float | None = None


class Pruned(Message):
    """What was not tried further, and why. `qps_at_best` is the optimistic prediction it was judged by."""

    label: str
    family: Family
    reason: str
    qps_at_best: float | None = None
    at: float


class Doing(Message):
    """What a tuning is at: its phase, a sentence, and how far it is (0 to 1) where that is known."""

    phase: str
    text: str = ""
    fraction: float | None = None


class Note(Message):
    """A sentence for the reader of a tuning, such as that the sample is too small for the target."""

    text: str


class Constraints(Message):
    """What an index has to hold. `recall` is recall@k; None means: not asked for."""

    recall: float = 0.95
    latency_ms: float | None = None
    memory_bytes: int | None = None
    build_seconds: float | None = None


class Problem(Message):
    """The task: fixed for a tuning. `fingerprint` names the vectors, the queries, `k` and the metric."""

    fingerprint: str
    source: str
    rows: int
    dimensions: int
    k: int
    metric: Metric
    tuning_queries: int
    held_out_queries: int
    queries_given: bool
    budget_seconds: float
    threads: int
    seed: int
    machine: str
    #: What was mended in the input, in sentences.
    repairs: list[str] = []


class TuningState(Message):
    """A tuning as it stands. `chosen` is the id of the point that the constraints, or a person, picked."""

    id: str
    seq: int = 0
    problem: Problem
    constraints: Constraints
    status: TuningStatus = "running"
    phase: str = ""
    doing: str = ""
    elapsed: float = 0.0
    points: list[Point] = []
    pruned: list[Pruned] = []
    front: list[str] = []
    chosen: str | None = None
    picked_by_hand: bool = False
    notes: list[str] = []
    error: str | None = None


class Cost(Message):
    """What a recall costs among the points measured: the answer of the slider. None: no point reaches it."""

    recall: float
    point: str | None = None
    qps: float | None = None
    p95_ms: float | None = None
    bytes_per_vector: float | None = None
    #: Against the point now chosen: 2.0 is twice as slow.
    slower: float | None = None


class Neighbour(Message):
    """A row near a query. `distance`: smaller is nearer, whatever the metric."""

    id: str
    distance: float
    text: str = ""
    #: In an approximate answer: also among the exact ones. In an exact answer: also among the approximate ones.
    hit: bool = True


class Explored(Message):
    """A query's neighbours, exact beside approximate."""

    query: str
    exact: list[Neighbour] = []
    approximate: list[Neighbour] = []
    recall: float
    scanned: int | None = None
    milliseconds: float | None = None


class HardQuery(Message):
    """A query that the chosen point answers badly."""

    query: int
    label: str = ""
    recall: float
    missed: int
