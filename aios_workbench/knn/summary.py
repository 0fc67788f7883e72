"""A tuning in words: a line while it runs, a text to print, a table of its points."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from aios_workbench.knn import choice
from aios_workbench.knn.models import Params, Point, Problem, TuningState

if TYPE_CHECKING:
    import pandas as pd

#: Rows of the front in a printed tuning.
_SHOWN = 12


def label(point: Point) -> str:
    """Return what a point is, as people write it."""
    from aios_workbench.knn.build import label as of

    return of(point.params)


def figures(point: Point, problem: Problem) -> str:
    """Return a point's figures."""
    recall, error = choice.estimate(point)
    said = [f"recall {recall:.3f} ± {1.96 * error:.3f}", f"{point.qps:,.0f} queries/s"]
    if point.p95_ms is not None:
        said.append(f"p95 {point.p95_ms:.2g} ms")
    return ", ".join([*said, choice.size(point.bytes_per_vector * problem.rows)])


def chosen(state: TuningState) -> Point | None:
    """Return the chosen point."""
    return next((p for p in state.points if p.id == state.chosen), None)


def line(state: TuningState) -> str:
    """Return how a tuning stands in one line."""
    point = chosen(state)
    found = f"{label(point)}: {figures(point, state.problem)}" if point else "no answer yet"
    doing = f" | {state.doing}" if state.doing else ""
    return f"{state.elapsed:6.1f} s  {found}{doing}"


def text(state: TuningState) -> str:
    """Return a tuning as a text of a few lines."""
    problem = state.problem
    point = chosen(state)
    of = f"{problem.rows:,} x {problem.dimensions} vectors, k = {problem.k}, {problem.metric}"
    lines = [
        f"<Tuning {state.id}: {state.status} after {state.elapsed:.1f} s; {of}>",
        f"asked for: {choice.describe(state.constraints)}",
    ]
    if point is not None:
        lines.append(f"chosen: {label(point)}: {figures(point, problem)}")
    else:
        lines.append(f"chosen: none, {choice.why_none(state.points, state.constraints, problem)}")
    if state.error:
        lines.append(f"error: {state.error}")
    lines += [f"note: {note}" for note in (*problem.repairs, *state.notes)]
    by_id = {p.id: p for p in state.points}
    front = [by_id[i] for i in state.front if i in by_id]
    if front:
        every = max(1, -(-len(front) // _SHOWN))
        lines.append(f"front, {len(front)} of {len(state.points)} points:")
        lines += [f"  {label(p)}: {figures(p, problem)}" for p in front[::-1][::every]]
    return "\n".join(lines)


def frame(state: TuningState) -> pd.DataFrame:
    """Return all points as a table."""
    import pandas as pd

    whole = {p.id for p in choice.whole(state.points, state.problem)}
    rows = [
        {
            "id": p.id, "label": label(p), **p.model_dump(exclude={"id", "params", "latencies_ms"}),
            "whole": p.id in whole, "front": p.id in state.front, "chosen": p.id == state.chosen,
            **p.params.model_dump(),
        }
        for p in state.points
    ]  # fmt: skip
    measured = [name for name in Point.model_fields if name not in ("id", "params", "latencies_ms")]
    names = ["id", "label", *measured, "whole", "front", "chosen", *Params.model_fields]
    return pd.DataFrame(rows, columns=names)


class Progress:
    """Writes how a tuning stands: over one line of a terminal, elsewhere a line for each better answer."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._terminal = bool(getattr(self._stream, "isatty", lambda: False)())
        self._last: str | None = None
        self._width = 0

    def show(self, state: TuningState) -> None:
        """Write the state, if that says something new."""
        if not self._terminal:
            if state.chosen is not None and state.chosen != self._last:
                self._last = state.chosen
                self._write(line(state.model_copy(update={"doing": ""})) + "\n")
            return
        said = line(state)[:110]
        if said != self._last:
            self._last = said
            self._write("\r" + said.ljust(self._width))
            self._width = len(said)

    def close(self, state: TuningState) -> None:
        """Write the end."""
        if self._terminal and self._last is not None:
            self._write("\n")
        if state.error:
            self._write(f"{state.error}\n")

    def _write(self, said: str) -> None:
        self._stream.write(said)
        self._stream.flush()
