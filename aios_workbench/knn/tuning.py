"""What `tune` returns: asked at any time, it chooses, builds and explains from what is measured."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from aios_workbench import _hooks
from aios_workbench.errors import ConflictError, NotFoundError, TuningFailed, hint
from aios_workbench.knn import choice, exploring, journal, kept, summary, task
from aios_workbench.knn.gate import Verdict, check_recall
from aios_workbench.knn.kept import Asked
from aios_workbench.knn.models import Cost, Explored, HardQuery, Point, TuningState
from aios_workbench.knn.running import Running
from aios_workbench.workspace import Workspace, home

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from aios_workbench.knn.index import Index
    from aios_workbench.knn.vectors import Vectors

#: Indexes a tuning keeps at hand; each may be as large as the vectors.
_AT_HAND = 2


class Tuning(Running):
    """What `tune` returns: it measures in a process of its own and can be asked at any time.

    Printed it is a text, in a notebook a widget that grows while it runs.

    Attributes
    ----------
    vectors : Vectors
        What is tuned for.
    asked : Asked
        What recall is measured with: the queries of the search first, then the verifying ones.

    Examples
    --------
    >>> import numpy as np
    >>> from aios_workbench import knn
    >>> x = np.random.default_rng(0).standard_normal((1500, 16))
    >>> tuning = knn.tune(x, k=5, recall=0.9, budget="3s").wait(progress=False)
    >>> hits = tuning.best.search(x[:2], k=1)
    >>> [i for (i,) in hits.ids]
    [0, 1]
    """

    def __init__(
        self, ws: Workspace, vectors: Vectors, asked: Asked, state: TuningState,
        embed: Callable[[list[str]], Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(ws, state, {"path": str(vectors.path)})
        self.vectors, self.asked, self.embed = vectors, asked, embed
        self._indexes: OrderedDict[str, Index] = OrderedDict()
        self._building = threading.RLock()

    # -- choosing

    @property
    def points(self) -> pd.DataFrame:
        """Everything measured, one row a point."""
        return summary.frame(self._state)

    @property
    def best(self) -> Index:
        """The index of the chosen point; while nothing is chosen yet, waits for it.

        Raises
        ------
        TuningFailed
            When the tuning is over and nothing measured holds what was asked for.
        """
        self._wait(lambda: self.over or self._state.chosen is not None)
        return self.index(self._chosen())

    def pick(
        self, *, recall: float | None = None, latency_ms: float | None = None, memory: str | float | None = None,
        point: str | None = None,
    ) -> Index:  # fmt: skip
        """Choose by other constraints, or a point by its id, and return its index.

        What is not given stays as it was asked for. While the search runs this waits for a point that fits.

        Raises
        ------
        TuningFailed
            When nothing measured fits; the message says what would.
        NotFoundError
            When there is no such point.
        """
        if point is None:
            asked = self._state.constraints
            wanted = task.constraints_of(
                asked.recall if recall is None else recall,
                asked.latency_ms if latency_ms is None else latency_ms,
                asked.memory_bytes if memory is None else memory,
            ).model_copy(update={"build_seconds": asked.build_seconds})
            problem = self._state.problem
            self._wait(lambda: self.over or choice.choose(self._state.points, wanted, problem) is not None)
            found = choice.choose(self._state.points, wanted, problem)
            if found is None:
                raise TuningFailed(f"{choice.why_none(self._state.points, wanted, problem)}{self._ended()}")
            point = found.id
        self.choose(point)
        return self.index(self.point(point))

    def choose(self, point_id: str) -> None:
        """Choose a point by hand: later ones do not change that.

        Raises
        ------
        NotFoundError
            When there is no such point.
        ConflictError
            When it was measured on a part of the vectors.
        """
        point = self.point(point_id)
        if not choice.whole([point], self._state.problem):
            raise ConflictError(
                f"point {point.id} is a trial with {point.vectors:,} of {self._state.problem.rows:,} vectors; choose "
                "one that was measured with all"
            )
        self._change(chosen=point.id, picked_by_hand=True)

    def point(self, point_id: str | None = None) -> Point:
        """Return a measured point by its id; without one the chosen point.

        Raises
        ------
        NotFoundError
            When there is no such point.
        TuningFailed
            When none is chosen.
        """
        if point_id is None:
            return self._chosen()
        known = {p.id: p for p in self._state.points}
        if point_id not in known:
            raise NotFoundError(
                f"tuning {self.id} has no point {point_id!r}{hint(str(point_id), known)}; `tuning.points` lists them"
            )
        return known[point_id]

    def cost_of(self, recall: float) -> Cost:
        """Return what a recall costs among what is measured, at once: nothing is searched."""
        state = self._state
        return choice.cost_of(state.points, recall, state.constraints, state.problem, summary.chosen(state))

    def _chosen(self) -> Point:
        state = self._state
        found = summary.chosen(state)
        if found is None:
            raise TuningFailed(
                f"tuning {self.id} has no index to offer: "
                f"{choice.why_none(state.points, state.constraints, state.problem)}{self._ended()}"
            )
        return found

    def _ended(self) -> str:
        return f". It {self._state.status}: {self._state.error}" if self._state.error else ""

    def index(self, point: Point) -> Index:
        """Return the index of a measured point; built when it is first asked for, the search resting meanwhile."""
        from aios_workbench.knn.index import Index

        with self._building:
            made = self._indexes.get(point.id)
            if made is None:
                with self._quiet():
                    made = Index.build(
                        self.vectors, point.params, seed=self._state.problem.seed,
                        threads=self._state.problem.threads, k=self._state.problem.k,
                        recall=min(self._state.constraints.recall, max(0.01, choice.assured(point))),
                        folder=self._ws.root / "knn" / "vectors",
                    )  # fmt: skip
                self._indexes[point.id] = made
                while len(self._indexes) > _AT_HAND:
                    self._indexes.popitem(last=False)
            self._indexes.move_to_end(point.id)
            return made

    # -- looking closer

    def explore(
        self, query: int | str | ArrayLike, k: int | None = None, point: str | None = None
    ) -> Explored:
        """Return a query's neighbours, exact beside those a point's index finds; see `exploring.explore`."""
        return exploring.explore(self, query, k, self.point(point))

    def hard_queries(self, point: str | None = None, n: int = 20) -> list[HardQuery]:
        """Return the stored queries that a point's index answers worst, the worst first."""
        return exploring.hard_queries(self, self.point(point), n)

    def check(self, recall: float | None = None, *, by: Literal["mean", "low", "high"] = "mean") -> Verdict:
        """Refuse to go on when the best index finds less than `recall` (default: what was asked for).

        In a step of a workflow this makes a gate: it raises, the step fails, and so does the run. Measured anew with
        all stored queries; see `check_recall` for more.

        Raises
        ------
        RecallBelowTarget
            When it finds less.
        """
        asked, own = exploring.stored(self)
        target = self._state.constraints.recall if recall is None else recall
        return check_recall(self.best, target, asked, self._state.problem.k, by=by, own=own)

    def code(self, point: str | None = None) -> str:
        """Return Python that makes the index of a point, with plain faiss."""
        from aios_workbench.knn.build import factory_code

        problem = self._state.problem
        return factory_code(self.point(point).params, k=problem.k, metric=problem.metric)

    def export(self, system: str, point: str | None = None) -> dict[str, Any]:
        """Return the parameters that make the same index in another system, such as "milvus" or "pgvector".

        Raises
        ------
        ParameterError
            When the system is not known, or has no index of this family.
        """
        from aios_workbench.knn.export import export

        return export(self.point(point).params, system, self._state.problem)

    def html(self, path: str | Path) -> Path:
        """Write a report of this tuning as one HTML file, readable without a kernel; return its path."""
        target = Path(path)
        target.write_text(_hooks.html("tuning", self), encoding="utf-8")
        return target

    # -- leaving the process

    def __reduce__(self) -> tuple[Callable[..., Tuning], tuple[Any, ...]]:
        """Travel as a description: state and where the vectors lie. No index and no vector is in it."""
        about = kept.describe(self.vectors, journal.folder_of(self._ws, self.id))
        return _restore, (str(self._ws.root), self._state.model_dump_json(), about)


def _restore(root: str, state: str, vectors: dict[str, Any]) -> Tuning:
    ws = home.workspace(root)
    found = TuningState.model_validate_json(state)
    if found.status in ("running", "paused"):  # it went on, but not here
        found = found.model_copy(update={"status": "stopped"})
    return Tuning(ws, kept.reopen(vectors), Asked.reopen(journal.folder_of(ws, found.id)), found)
