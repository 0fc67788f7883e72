"""What the journal keeps of a step, and how it is told to the catalog."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aios_workbench.workspace import Artifact, Catalog, Session, dumps, upsert

SUCCEEDED, FAILED, SKIPPED, CANCELLED = "succeeded", "failed", "skipped", "cancelled"
#: It had succeeded, and was undone when the run failed.
COMPENSATED = "compensated"
RUN_TERMINAL = frozenset((SUCCEEDED, FAILED, CANCELLED))


@dataclass
class Record:
    """The outcome of one step: everything needed to go on without doing it again."""

    step: str
    status: str
    output: dict[str, Any] | None = None
    attempts: int = 0
    started_at: float | None = None
    ended_at: float | None = None
    cached: bool = False
    cache_key: str | None = None
    answered_by: str | None = None
    message: str | None = None
    error: dict[str, Any] | None = None
    inputs: dict[str, str] = field(default_factory=dict)
    kept: dict[str, Any] | None = None  # what the step kept beside its output
    undo: dict[str, Any] | None = None  # what came of undoing it

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return dict(vars(self))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Record:
        """Read what `to_dict` wrote."""
        return cls(**data)

    @property
    def artifact(self) -> Artifact | None:
        """The stored output."""
        return None if self.output is None else Artifact.from_dict({**self.output, "meta": {}})

    @property
    def stored(self) -> list[Artifact]:
        """The stored output and what was kept, as far as there are any."""
        return [Artifact.from_dict({**a, "meta": {}}) for a in (self.output, self.kept) if a is not None]


def reference(artifact: Artifact) -> dict[str, Any]:
    """Return the part of an artifact's description that belongs into the journal."""
    return {k: v for k, v in artifact.to_dict().items() if k != "meta"}


def in_order(started_at: float | None, ended_at: float | None) -> float | None:
    """Return an end that is not before its start, whatever happened to the clock in between."""
    return ended_at if started_at is None or ended_at is None else max(started_at, ended_at)


def tell_step(catalog: Catalog, run_id: str, leg: int, record: Record) -> None:
    """Write a finished step to the catalog; safe to repeat."""
    record.ended_at = in_order(record.started_at, record.ended_at)
    row = {
        "run_id": run_id, "step": record.step, "status": record.status, "attempts": record.attempts,
        "started_at": record.started_at, "ended_at": record.ended_at, "cached": int(record.cached),
        "output": record.output["hash"] if record.output else None, "inputs": dumps(record.inputs),
        "error": dumps(record.error) if record.error else None, "cache_key": record.cache_key,
        "answered_by": record.answered_by, "message": record.message, "leg": leg,
        "progress": 1.0 if record.status == SUCCEEDED else None,
        "kept": record.kept["hash"] if record.kept else None,
    }  # fmt: skip
    catalog.defer(_FINISH, row, key=("step", run_id, record.step))
    catalog.event(
        "step", run_id, record.step, status=record.status, attempts=record.attempts, cached=record.cached,
        started_at=record.started_at, ended_at=record.ended_at, message=record.message,
    )  # fmt: skip


def tell_attempt(
    catalog: Catalog, run_id: str, step: str, attempt: int, status: str, started_at: float,
    *, executor: str, ended_at: float | None = None, error: dict[str, Any] | None = None, kind: str = "step",
    name: str | None = None, message: str | None = None,
) -> None:  # fmt: skip
    """Write the start or the end of an attempt to the catalog.

    Parameters
    ----------
    kind : {"step", "fallback", "hedge", "compensation"}
        Whose function it called: the step's own, that of a fallback (`name`), the step's a second time, the undo.
    message : str, optional
        What was decided about it, such as why it is not tried again.
    """
    ended_at = in_order(started_at, ended_at)
    row = {
        "run_id": run_id, "step": step, "attempt": attempt, "status": status, "started_at": started_at,
        "ended_at": ended_at, "error": dumps(error) if error else None, "executor": executor,
        "kind": kind, "name": name, "message": message,
    }  # fmt: skip
    catalog.defer(_ATTEMPT, row, key=("attempt", run_id, step, attempt))


def tell_peak(catalog: Catalog, run_id: str, step: str, attempt: int, peak: int, *, executor: str) -> None:
    """Write what memory an attempt held at most; its row may not be stored yet."""
    row = {"run_id": run_id, "step": step, "attempt": attempt, "status": "running", "started_at": time.time(),
           "executor": executor, "peak_bytes": peak}  # fmt: skip
    catalog.defer(_PEAK, row)


def tell_running(
    catalog: Catalog, run_id: str, step: str, status: str, attempt: int, started_at: float
) -> None:
    """Say that a step is executing, waiting or between attempts."""
    catalog.defer(
        "update steps set status = :status, attempts = :n, started_at = :t, ended_at = null, progress = null, "
        "error = null, output = null, kept = null, cached = 0 where run_id = :r and step = :s",
        {"status": status, "n": attempt, "t": started_at, "r": run_id, "s": step}, key=("step", run_id, step),
    )  # fmt: skip
    catalog.event("step", run_id, step, status=status, attempts=attempt, started_at=started_at)


def tell_progress(catalog: Catalog, run_id: str, step: str, fraction: float, message: str | None) -> None:
    """Say how far a step is."""
    catalog.defer(
        "update steps set progress = :p, message = coalesce(:m, message) where run_id = :r and step = :s",
        {"p": fraction, "m": message, "r": run_id, "s": step}, key=("progress", run_id, step),
    )  # fmt: skip
    catalog.event("progress", run_id, step, progress=fraction, message=message)


def tell_run(
    catalog: Catalog, run_id: str, status: str, error: dict[str, Any] | None = None, **columns: Any
) -> None:
    """Write a run's status; stored on return, because other processes act on it."""
    told = []
    if status in RUN_TERMINAL:
        run = catalog.one(
            "select run_id, workflow, job_run_id, started_at from runs where run_id = :r", r=run_id
        )
        columns["ended_at"] = in_order((run or {}).get("started_at"), columns.get("ended_at", time.time()))
        told = [run_ended(run, status, error)] if run is not None and status != CANCELLED else []
        catalog.flush()  # nobody may see a finished run whose last step still reads running
    columns = {"status": status, "error": dumps(error) if error else None, **columns}
    sets = ", ".join(f"{c} = :{c}" for c in columns)
    update = f"update runs set {sets} where run_id = :run_id"  # noqa: S608
    catalog.write_all([*told, (update, {"run_id": run_id, **columns})])
    catalog.event("run", run_id, status=status, error=error)


def run_ended(
    run: Mapping[str, Any], status: str, error: Mapping[str, Any] | None
) -> tuple[str, dict[str, Any]]:
    """Return the statement that tells jobs of the end of a run; to be run before the run's own row is changed.

    In the transaction that ends the run, so that it is told once and never not at all. The event is of no run in the
    catalog's sense: it stays when the run is deleted.
    """
    about = {k: run[k] for k in ("run_id", "workflow", "job_run_id")} | {"status": status}
    if error:
        about["error"] = {k: error.get(k) for k in ("type", "message", "step")}
    data = {"run_id": run["run_id"], "status": status, "at": time.time(), "data": dumps(about)}
    return _RUN_ENDED, data


_RUN_ENDED = (
    "insert into events (kind, at, data) select 'run.ended', :at, :data from runs "
    "where run_id = :run_id and status <> :status"
)


def end_unfinished(con: Session, run_id: str) -> None:
    """Say of a run that nobody executes any more that what had not ended will not."""
    told = {"r": run_id, "now": time.time()}
    con.execute(
        "update steps set status = 'cancelled', ended_at = case when started_at > :now then started_at else :now end "
        "where run_id = :r "
        "and status not in ('succeeded', 'failed', 'skipped', 'compensated')", told,
    )  # fmt: skip
    con.execute(
        "update gates set status = 'cancelled', decided_at = :now where run_id = :r and status = 'waiting'",
        told,
    )


_ROW = ("run_id", "step", "status", "attempts", "started_at", "ended_at", "cached", "output", "inputs", "error",
        "cache_key", "answered_by", "message", "leg", "progress", "kept")  # fmt: skip
_FINISH = (
    "update steps set "  # noqa: S608 - column names of our own
    + ", ".join(f"{c} = :{c}" for c in _ROW if c not in ("run_id", "step"))
    # A thread of a cancelled leg may end late: it must not speak for the leg that followed.
    + " where run_id = :run_id and step = :step and leg <= :leg"
)
_ATTEMPT_ROW = ("run_id", "step", "attempt", "status", "started_at", "ended_at", "error", "executor", "kind", "name",
                "message")  # fmt: skip
_ATTEMPT = upsert("attempts", dict.fromkeys(_ATTEMPT_ROW), ("run_id", "step", "attempt"))
_PEAK = (
    "insert into attempts (run_id, step, attempt, status, started_at, executor, peak_bytes) "
    "values (:run_id, :step, :attempt, :status, :started_at, :executor, :peak_bytes) "
    "on conflict (run_id, step, attempt) do update set peak_bytes = excluded.peak_bytes"
)
