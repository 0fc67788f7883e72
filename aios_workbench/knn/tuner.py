"""Give vectors and a target, get the best index: `tune` starts the search."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.knn import journal, kept, task
from aios_workbench.knn.amounts import seconds
from aios_workbench.knn.kept import Asked
from aios_workbench.knn.models import Constraints, Metric, Problem, TuningState
from aios_workbench.knn.running import live
from aios_workbench.knn.tuning import Tuning
from aios_workbench.workspace import Workspace, home

if TYPE_CHECKING:
    import datetime as dt

    from aios_workbench.knn.vectors import Vectors

STRATEGY = "aios_workbench.knn.strategy:run"


def tune(
    vectors: Any, k: int = 10, metric: Metric = "l2", recall: float = 0.95, *, latency_ms: float | None = None,
    memory: str | float | None = None, budget: str | float | dt.timedelta = "60s", queries: Any = None,
    ids: Any = None,
    metadata: Any = None, embed: Callable[[list[str]], Any] | None = None, threads: int | None = None, seed: int = 0,
    wait: bool = False, workspace: str | Path | Workspace | None = None, build: str | float | None = None,
    worker_memory: str | float | None = None, column: str | None = None, limit: int | None = None,
) -> Tuning:  # fmt: skip
    """Find the fastest index for these vectors that holds a recall, and whatever else is asked for.

    Returns at once: the search runs in a process of its own, can be stopped, paused and asked at any time, and what
    it measures is kept in the workspace. The same vectors again go on from there, also after a crash.

    Parameters
    ----------
    vectors
        An array, a column, a table, SQL, a Parquet path, or texts with `embed`: see `open_vectors`; or its result.
    k : int
        Neighbours wanted for each query.
    metric : {"l2", "cosine", "ip"}
    recall : float
        Of the k true neighbours, the part that is to be found on average; 1 means an exact index.
    latency_ms : float, optional
        What 95 % of single queries may take at most.
    memory : str or float, optional
        What the index may take: bytes, or a text such as ``"2 GB"``.
    budget : str or float
        Time to search: seconds, or a text such as ``"2 min"``. Pauses do not count.
    queries : optional
        What will be asked, in any form of `vectors`; half of them verify. Without it some vectors are held out.
    ids, metadata, embed, column, limit : optional
        See `open_vectors`.
    threads : int, optional
        For measuring and building; all there are without it.
    seed : int
        The same seed makes the same decisions, up to the noise of measured times.
    wait : bool
        Return when the search is over.
    workspace : path or Workspace, optional
        Where it is kept; the workspace of this folder without it.
    build : str or float, optional
        CPU time that building the index may take.
    worker_memory : str or float, optional
        What the searching process may take, three quarters of the free memory without it.

    Raises
    ------
    KnnInputError
        When the vectors or queries are wrong.
    ParameterError
        When a setting makes no sense.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((1200, 16))
    >>> tuning = tune(x, k=5, recall=0.9, budget="2s")
    >>> tuning.wait(progress=False).state.status
    'finished'
    >>> tuning.cost_of(0.8).point in tuning.points["id"].tolist()
    True
    """
    constraints = task.constraints_of(recall, latency_ms, memory, build)
    ws = workspace if isinstance(workspace, Workspace) else home.workspace(workspace)
    time_given, used = seconds(budget), task.threads_of(threads)
    bound = task.memory_bound(worker_memory)
    given = kept.prepare(
        vectors,
        ws,
        metric=metric,
        queries=queries,
        ids=ids,
        metadata=metadata,
        embed=embed,
        seed=seed,
        column=column,
        limit=limit,
    )
    asked = kept.ask(given, k, seed, constraints.recall)
    problem = Problem(
        fingerprint=given.fingerprint, source=given.source, rows=given.n, dimensions=given.space.dimensions, k=int(k),
        metric=given.space.metric, tuning_queries=asked.tuning, held_out_queries=len(asked.queries) - asked.tuning,
        queries_given=given.queries is not None, budget_seconds=time_given, threads=used, seed=seed,
        machine=task.machine(), repairs=given.repairs,
    )  # fmt: skip
    tuning = begin(ws, given, asked, problem, constraints, embed=embed, worker_memory=bound)
    return tuning.wait() if wait else tuning


def begin(
    ws: Workspace, vectors: Vectors, asked: Asked, problem: Problem, constraints: Constraints, *,
    embed: Callable[[list[str]], Any] | None = None, worker_memory: int | None = None, strategy: str = STRATEGY,
    path: Sequence[str] = (),
    more: dict[str, Any] | None = None,
) -> Tuning:  # fmt: skip
    """Start a tuning of prepared vectors; `tune` is the way for people.

    Parameters
    ----------
    strategy : str
        ``"module:function"`` of what searches, with `path` to find it on and `more` to give it by name.
    """
    journal.sweep(ws)
    name = journal.task_of(problem)
    for other in live():
        # Two at once would spoil each other's times; the new one has the other's points.
        if journal.task_of(other.state.problem) == name:
            other.stop()
    state = TuningState(
        id=f"{time.strftime('%y%m%d-%H%M%S')}-{uuid.uuid4().hex[:6]}", problem=problem, constraints=constraints,
        points=journal.known(ws, problem),
    )  # fmt: skip
    if state.points:
        state.notes.append(f"goes on from {len(state.points)} points measured before")
    queries = asked.keep(journal.folder_of(ws, state.id))
    tuning = Tuning(ws, vectors, asked, state, embed)
    tuning._start({
        "vectors": str(asked.path), "queries": str(queries), "problem": problem.model_dump(),
        "constraints": constraints.model_dump(), "known": [p.model_dump() for p in state.points],
        "budget": problem.budget_seconds, "memory_limit": worker_memory, "strategy": strategy, "path": list(path),
        "more": more or {},
    })  # fmt: skip
    return tuning
