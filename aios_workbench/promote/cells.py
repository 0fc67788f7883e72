"""The cells of a job's run, as rows that change while it runs, and the part of the log that each has written."""

from __future__ import annotations

import codecs
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aios_workbench.errors import NotFoundError
from aios_workbench.promote.records import RUNNING, run_row
from aios_workbench.promote.report import Log
from aios_workbench.workspace import Workspace, upsert

#: The most bytes of a log that are handed out at once.
_CHUNK = 2**20
_KEYS = ("job_run_id", "attempt", "position")


class Recorder:
    """Writes down how far an attempt has come.

    Nothing here waits for the catalog: rows are queued, and stored as soon as it is neither locked nor full. A row's
    log is the bytes of `log.txt` from its cell's beginning to its end.

    Parameters
    ----------
    run : mapping
        The row of `job_runs`.
    """

    def __init__(self, ws: Workspace, run: Mapping[str, Any], log: Log) -> None:
        self._ws, self._log = ws, log
        self._id, self._attempt = run["job_run_id"], run["attempt"]
        self._rows: dict[int, dict[str, Any]] = {}

    def plan(self, cells: Sequence[int | None]) -> None:
        """Note the cells that will run, in order: their numbers in the author's notebook, None for the parameters."""
        self._end_earlier()
        for position, cell in enumerate(cells, start=1):
            self._put(
                position,
                cell=cell,
                status="queued",
                started_at=None,
                ended_at=None,
                log_from=None,
                log_to=None,
            )

    def begin(self, position: int) -> None:
        """A cell starts; what is written to the log from now on is its own."""
        self._put(position, status=RUNNING, started_at=time.time(), log_from=self._log.place())

    def end(self, position: int, *, ok: bool) -> None:
        """A cell has ended."""
        status = "succeeded" if ok else "failed"
        self._put(position, status=status, ended_at=time.time(), log_to=self._log.place())

    def close(self) -> None:
        """Nothing runs any more: what was going has not succeeded, what waited never runs."""
        for position, row in self._rows.items():
            if row["status"] == RUNNING:
                self.end(position, ok=False)
            elif row["status"] == "queued":
                self._put(position, status="skipped")
        self._ws.catalog.flush()

    def _put(self, position: int, **values: Any) -> None:
        key = {"job_run_id": self._id, "attempt": self._attempt, "position": position}
        row = self._rows[position] = {**self._rows.get(position, key), **values}
        self._ws.catalog.defer(upsert("job_cells", row, _KEYS), row, ("job_cells", *key.values()))

    def _end_earlier(self) -> None:
        """An attempt whose worker was killed could not say how it ended."""
        ended = {"id": self._id, "attempt": self._attempt, "place": self._log.place(), "now": time.time()}
        self._ws.catalog.defer(
            "update job_cells set log_to = coalesce(log_to, :place), ended_at = coalesce(ended_at, :now), "
            "status = 'failed' where job_run_id = :id and attempt < :attempt and status = 'running'", ended,
        )  # fmt: skip
        self._ws.catalog.defer(
            "update job_cells set status = 'skipped' where job_run_id = :id and attempt < :attempt "
            "and status = 'queued'",
            {"id": self._id, "attempt": self._attempt},
        )


def cells(ws: Workspace, job_run_id: str, attempt: int | None = None) -> list[dict[str, Any]]:
    """Return the code cells of a job's run in order.

    Parameters
    ----------
    attempt : int, optional
        Of which attempt; the newest one if not given.

    Returns
    -------
    list of dict
        `position` from 1, `cell` (the number in the author's notebook; None for the parameters), `label`, `status`
        (queued, running, succeeded, failed, skipped), `started_at`, `ended_at`, `seconds`, `attempt`, and `log`, the
        number of bytes it has written.

    Raises
    ------
    NotFoundError
        When there is no such run.

    Examples
    --------
    >>> [c["status"] for c in cells(ws, "jr-0a1b2c3d4e5f")]  # doctest: +SKIP
    ['succeeded', 'failed', 'skipped']
    """
    run = run_row(ws, job_run_id)
    return [_public(row, run) for row in _rows(ws, run, attempt)]


def _rows(ws: Workspace, run: Mapping[str, Any], attempt: int | None) -> list[dict[str, Any]]:
    ws.catalog.flush()
    return ws.catalog.query(
        "select * from job_cells where job_run_id = :id and attempt = coalesce(cast(:attempt as integer), "
        "(select max(attempt) from job_cells where job_run_id = :id)) order by position",
        id=run["job_run_id"], attempt=attempt,
    )  # fmt: skip


def _public(row: dict[str, Any], run: Mapping[str, Any]) -> dict[str, Any]:
    started, ended, status = row["started_at"], row["ended_at"], row["status"]
    if (
        run["status"] != RUNNING or row["attempt"] != run["attempt"]
    ):  # its worker was killed and could not say
        status = {"running": "failed", "queued": "skipped"}.get(status, status)
    begun, over = row["log_from"], row["log_to"]
    return {
        "position": row["position"], "cell": row["cell"],
        "label": "parameters" if row["cell"] is None else f"cell {row['cell']}",
        "status": status, "started_at": started, "ended_at": ended,
        "seconds": None if started is None or ended is None else max(0.0, ended - started),
        "attempt": row["attempt"], "log": None if begun is None or over is None else max(0, over - begun),
    }  # fmt: skip


def cell_log(
    ws: Workspace, job_run_id: str, position: int, after: int = 0, *, attempt: int | None = None
) -> dict[str, Any]:
    """Return what a cell has written to the log, also while it runs.

    Parameters
    ----------
    position : int
        Of the cell, as `cells` gives it.
    after : int
        What an earlier answer said in `next`; 0 begins at the beginning.

    Returns
    -------
    dict
        `text`, at most a megabyte of it; `next`; `over`, True when the cell has ended and all of it was told.

    Raises
    ------
    NotFoundError
        When there is no such run, or no such cell in it.
    """
    run = run_row(ws, job_run_id)
    rows = _rows(ws, run, attempt)
    row = next((r for r in rows if r["position"] == position), None)
    if row is None:
        has = f"it has 1 to {len(rows)}" if rows else "nothing is known of its cells"
        raise NotFoundError(
            f"job run {job_run_id} has no cell at position {position} ({has}); `aios jobs cells` lists them"
        )
    going = _public(row, run)["status"] in ("queued", RUNNING)
    if row["log_from"] is None or not run["folder"]:
        return {"text": "", "next": 0, "over": not going}
    begin, end = row["log_from"] + after, row["log_to"]
    text, read = _read(ws.root / run["folder"] / "log.txt", begin, end, going=going)
    told = after + read
    return {
        "text": text,
        "next": told,
        "over": not going and (not read or end is None or begin + read >= end),
    }


def _read(path: Path, begin: int, end: int | None, *, going: bool) -> tuple[str, int]:
    """Read part of a log; a letter of which only half is there yet is left for the next time."""
    try:
        with path.open("rb") as file:
            file.seek(begin)
            blob = file.read(_CHUNK if end is None else max(0, min(_CHUNK, end - begin)))
    except FileNotFoundError:
        return "", 0
    whole = not going and len(blob) < _CHUNK
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(blob, final=whole)
    return text, len(blob) - len(decoder.getstate()[0])
