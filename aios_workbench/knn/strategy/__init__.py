"""The search for the best index: which families are tried, in which order, how far, and why no further."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from aios_workbench.knn.models import Constraints, Point, Problem

if TYPE_CHECKING:
    from aios_workbench.knn.kmeans import F32
    from aios_workbench.knn.strategy.session import Control, Said

__all__ = ["run"]


def run(
    x: F32,
    queries: F32,
    problem: Problem,
    constraints: Constraints,
    emit: Callable[[Said], None],
    control: Control,
    known: Sequence[Point] = (),
) -> None:
    """Search for the fastest index that holds the constraints, and for the trade-offs around it.

    The order is that of answers per second of work: exact search; flat fast-scan codes with refinement (a first
    answer); inverted lists, whose every nprobe is known from nested k-means before one index is built; then graphs
    on growing parts, given up as soon as their prediction for all vectors cannot win. What wins is timed against
    its rivals in turn and verified on queries the search never used, and only then come smaller memory and curves.

    Parameters
    ----------
    x
        (n, inner) float32 compared by squared L2; may be a memory map.
    queries
        (q, inner); the first `problem.tuning_queries` are searched with, the others verify. None of them in `x`.
    problem, constraints
        What is asked. `k`, `threads` and `seed` are the problem's.
    emit
        Told every `Point` (again with the same id when it is measured better), `Pruned`, `Doing` and `Note`.
    control
        `check()` is called every few tenths of a second and may wait or raise; `left` are seconds. Its
        `constraints`, where they have changed, are looked for as soon as the answer to the last ones stands.
    known
        Points of an earlier search for the same problem: they are not measured again.

    Examples
    --------
    >>> import numpy as np
    >>> from aios_workbench.knn.strategy.session import Free
    >>> x = np.random.default_rng(0).standard_normal((300, 8)).astype(np.float32)
    >>> problem = Problem(fingerprint="f", source="numpy", rows=250, dimensions=8, k=5, metric="l2",
    ...     tuning_queries=30, held_out_queries=20, queries_given=False, budget_seconds=9, threads=1, seed=0,
    ...     machine="")
    >>> said = []
    >>> run(x[:250], x[250:], problem, Constraints(recall=0.9), said.append, Free(), [])
    >>> max(p.recall for p in said if isinstance(p, Point))
    1.0
    """
    from aios_workbench.knn.strategy import finish, flat, graphs, lists
    from aios_workbench.knn.strategy.session import Session

    session = Session(x, queries, problem, constraints, emit, control, known)
    flat.exact(session)
    flat.codes(session)
    found = lists.prepare(session)

    def answer(*, smaller: bool) -> None:
        if found is not None:
            lists.search(session, found, smaller=smaller)
        graphs.search(session, smaller=smaller)
        if smaller:
            flat.others(session)
        finish.settle(session, smaller=smaller)

    answer(smaller=False)
    # the asked-for answer stands; from here on it is the rest of the picture, as long as there is time
    while session.asked_anew():
        answer(smaller=False)
    answer(smaller=True)
    while session.asked_anew():
        answer(smaller=False)
    finish.curves(session)
    finish.settle(session, smaller=True)  # a point of a curve may have overtaken
    session.say("done", "everything worth a try was tried", 1.0)
