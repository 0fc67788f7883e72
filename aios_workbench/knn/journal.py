"""What a tuning measured, kept in the workspace's catalog: a crash or a restart loses nothing of it.

Points belong to a task (the same vectors, queries, k and metric on the same machine with as many threads), not to
one tuning: the next on the same task begins with all of them, and two at once add to one table. Who is at work on a
tuning holds a lock on its file, which the operating system drops however it dies; a row that says "running"
while nobody holds the lock is set right by whoever reads it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

from aios_workbench.errors import NotFoundError
from aios_workbench.knn.models import Constraints, Point, Problem, Pruned, TuningState
from aios_workbench.workspace import Workspace, dumps, upsert

#: Raised when a point means something else than before: older ones are not continued from.
POINTS = 1
GONE = (
    "the process that ran this tuning has ended without a word (restarted, killed, or out of memory); what it "
    "measured is kept: call tune() with the same vectors to go on from there"
)


def task_of(problem: Problem) -> str:
    """Return the name of what makes points comparable."""
    parts = [
        POINTS, problem.fingerprint, problem.rows, problem.dimensions, problem.k, problem.metric,
        problem.tuning_queries, problem.held_out_queries, problem.threads, problem.seed, problem.machine,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def folder_of(ws: Workspace, tuning_id: str) -> Path:
    """Return where a tuning's own files lie; made when it is not there."""
    folder = ws.root / "knn" / tuning_id
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def lock(ws: Workspace, tuning_id: str) -> int:
    """Say that somebody is at work on a tuning; return the file descriptor that says so while it is open."""
    file = os.open(folder_of(ws, tuning_id) / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def at_work(ws: Workspace, tuning_id: str) -> bool:
    """True while a process holds the tuning's lock."""
    try:
        with (ws.root / "knn" / tuning_id / "lock").open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


_ELSEWHERE_SECONDS = 3600.0


class Journal:
    """Writes one tuning's rows: deferred, so that a slow or full disk holds up no measurement."""

    def __init__(self, ws: Workspace, state: TuningState, vectors: dict[str, Any]) -> None:
        self._ws, self._id, self._task = ws, state.id, task_of(state.problem)
        self._vectors, self._created = dumps(vectors), time.time()
        self._last: dict[str, Any] = {}

    def state(self, state: TuningState) -> None:
        """Store how the tuning stands, without its points."""
        row: dict[str, Any] = {
            "status": state.status, "constraints": state.constraints.model_dump_json(),
            "pruned": dumps([p.model_dump() for p in state.pruned]), "notes": dumps(state.notes),
            "chosen": state.chosen, "picked_by_hand": int(state.picked_by_hand), "error": state.error,
        }  # fmt: skip
        if row == self._last:
            return
        self._last = row
        now = time.time()
        over = state.status not in ("running", "paused")
        row = {
            **row, "tuning_id": self._id, "task": self._task, "fingerprint": state.problem.fingerprint,
            "source": state.problem.source, "problem": state.problem.model_dump_json(), "vectors": self._vectors,
            "elapsed": state.elapsed, "created_at": self._created, "updated_at": now,
            "ended_at": now if over else None,
        }  # fmt: skip
        self._ws.catalog.defer(upsert("tunings", row, ("tuning_id",)), row, key=("tuning", self._id))

    def point(self, point: Point) -> None:
        """Store a point; one of the same id is replaced: it was measured again."""
        row = {
            "task": self._task, "point_id": point.id, "tuning_id": self._id, "family": point.params.family,
            "recall": point.recall, "recall_low": point.recall_low, "recall_high": point.recall_high,
            "verified": point.verified, "qps": point.qps, "p95_ms": point.p95_ms,
            "bytes_per_vector": point.bytes_per_vector, "build_seconds": point.build_seconds,
            "vectors": point.vectors, "at": point.at, "point": point.model_dump_json(),
        }  # fmt: skip
        self._ws.catalog.defer(upsert("tuning_points", row, ("task", "point_id")), row)

    def flush(self) -> str | None:
        """Store what is queued; return why that could not be done, and it is tried again with the next."""
        self._ws.catalog.flush()
        error = self._ws.catalog.deferred_error
        return None if error is None else str(error)


def known(ws: Workspace, problem: Problem) -> list[Point]:
    """Return what earlier tunings measured for the same task, oldest first."""
    ws.catalog.flush()
    rows = ws.catalog.query(
        "select point from tuning_points where task = :t order by at, point_id", t=task_of(problem)
    )
    points = []
    for row in rows:
        with contextlib.suppress(ValueError):  # of a version that wrote other fields
            points.append(Point.model_validate_json(row["point"]))
    return points


def sweep(ws: Workspace) -> None:
    """Set right what says it is running while nobody is at work on it."""
    ws.catalog.flush()
    for row in ws.catalog.query(
        "select tuning_id, updated_at from tunings where status in ('running', 'paused')"
    ):
        if ws.shared and row["updated_at"] > time.time() - _ELSEWHERE_SECONDS:
            continue  # perhaps at work on another machine, whose lock cannot be seen from here
        if not at_work(ws, row["tuning_id"]):
            ws.catalog.write(
                "update tunings set status = 'failed', error = :e, updated_at = :now, ended_at = updated_at "
                "where tuning_id = :id and status in ('running', 'paused')",
                e=GONE, now=time.time(), id=row["tuning_id"],
            )  # fmt: skip


def load(ws: Workspace, tuning_id: str) -> tuple[TuningState, dict[str, Any]]:
    """Return a stored tuning and what its vectors are.

    Raises
    ------
    NotFoundError
        When there is none of this id.
    """
    sweep(ws)
    row = ws.catalog.one("select * from tunings where tuning_id = :id", id=tuning_id)
    if row is None:
        raise NotFoundError(f"no tuning {tuning_id!r} in {ws.root}; aios.sql('from tunings') lists them")
    problem = Problem.model_validate_json(row["problem"])
    state = TuningState(
        id=tuning_id, problem=problem, constraints=Constraints.model_validate_json(row["constraints"]),
        status=row["status"], elapsed=row["elapsed"], points=known(ws, problem),
        pruned=[Pruned.model_validate(p) for p in json.loads(row["pruned"])], notes=json.loads(row["notes"]),
        chosen=row["chosen"], picked_by_hand=bool(row["picked_by_hand"]), error=row["error"],
    )  # fmt: skip
    return state, json.loads(row["vectors"])
