"""What a monitor remembers: rows in the catalog, profiles and reports as files of its own folder.

Files get new names and are written whole before one transaction makes the rows refer to them. So whoever looks finds
the state before or the state after, also when the process is killed in between; a file nobody refers to is deleted
later. A lock on a file in the folder lets one process at a time change a monitor; the operating system drops it when
the process dies, however it dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aios_workbench.drift.profiles import Profile, load_profile
from aios_workbench.drift.report import DriftReport, load_report
from aios_workbench.errors import NotFoundError
from aios_workbench.workspace import Workspace, dumps, upsert

#: A file that no row refers to is deleted by the next who holds the lock when it is so old: a reader may be at it.
_YOUNG = 60.0


class Store:
    """One monitor's rows and files."""

    def __init__(self, ws: Workspace, monitor: str, *, in_order: str = "starts_at") -> None:
        self.ws, self.monitor, self.in_order = ws, monitor, in_order
        slug = re.sub(r"[^a-z0-9]+", "-", monitor.lower()).strip("-")[:40] or "monitor"
        digest = hashlib.sha256(monitor.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        self.folder = ws.root / "drift" / f"{slug}-{digest}"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the monitor: everybody else who wants to change it waits, in this process and in others."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    # -- reading

    def row(self) -> dict[str, Any] | None:
        """Return the monitor's row, its JSON read."""
        row = self.ws.catalog.one("select * from drift_monitors where monitor = :m", m=self.monitor)
        return (
            None
            if row is None
            else {**row, **{k: json.loads(row[k]) for k in ("spec", "rules", "reference")}}
        )

    def windows(self) -> list[dict[str, Any]]:
        """Return all windows in their order."""
        order = "starts_at, window_id" if self.in_order == "starts_at" else "rowid"
        rows = self.ws.catalog.query(
            f"select * from drift_windows where monitor = :m order by {order}",  # noqa: S608 - one of two texts
            m=self.monitor,
        )
        return [_read(row) for row in rows]

    def window(self, name: str) -> dict[str, Any] | None:
        """Return one window."""
        row = self.ws.catalog.one(
            "select * from drift_windows where monitor = :m and window_id = :w", m=self.monitor, w=name
        )
        return None if row is None else _read(row)

    def batch(self, batch: str) -> list[str] | None:
        """Return the windows a batch went to; None when it never came."""
        row = self.ws.catalog.one(
            "select windows from drift_batches where monitor = :m and batch = :b", m=self.monitor, b=batch
        )
        return None if row is None else list(json.loads(row["windows"]))

    def alerts(self) -> list[dict[str, Any]]:
        """Return all alerts, the oldest first."""
        rows = self.ws.catalog.query(
            "select * from drift_alerts where monitor = :m order by seq", m=self.monitor
        )
        return [{**row, "drifted_columns": json.loads(row["drifted_columns"])} for row in rows]

    # -- files

    def put_profile(self, profile: Profile) -> str:
        """Write a profile under a new name, without raw values; return the name."""
        name = f"profile-{uuid.uuid4().hex[:16]}"
        profile.save(self.folder / name)
        return name

    def profile(self, name: str) -> Profile:
        """Read a profile."""
        return load_profile(self.folder / name)

    def put_report(self, report: DriftReport) -> str:
        """Write a report under a new name, without raw values; return the name."""
        name = f"report-{uuid.uuid4().hex[:16]}.json"
        report.save(self.folder / name)
        return name

    def report(self, window: str) -> DriftReport:
        """Read the report of a window.

        Raises
        ------
        NotFoundError
            When there is no such window, or it is kept no more.
        """
        for _ in range(3):  # another process may put a new one in its place while we look
            row = self.window(window)
            if row is None or row["report"] is None:
                break
            with contextlib.suppress(NotFoundError):
                return load_report(self.folder / row["report"])
        raise NotFoundError(
            f"monitor '{self.monitor}' has no report of window {window!r}; monitor.history() lists its windows"
        )

    def sweep(self) -> None:
        """Delete files no row refers to. Only under the lock: another's would not be referred to yet."""
        row = self.row()
        needed = {r["file"] for r in row["reference"]} if row is not None else set()
        for window in self.windows():
            needed |= {window["profile"], window["report"]}
        for path in self.folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                old = path.stat().st_mtime < time.time() - _YOUNG
                if old and path.name != "lock" and path.name not in needed:
                    path.unlink()

    # -- writing; all of it in one transaction

    def create(self, row: dict[str, Any]) -> None:
        """Write the monitor's row."""
        now = time.time()
        data = {"monitor": self.monitor, **_written(row), "created_at": now, "updated_at": now}
        self.ws.catalog.write(upsert("drift_monitors", data, ("monitor",)), **data)

    def change(self, **changes: Any) -> None:
        """Change the monitor's row."""
        data = _written(changes)
        sets = ", ".join(f"{k} = :{k}" for k in data)
        self.ws.catalog.write(
            f"update drift_monitors set {sets}, updated_at = :now where monitor = :m",  # noqa: S608 - our own names
            **data, now=time.time(), m=self.monitor,
        )  # fmt: skip

    def commit(self, step: Commit) -> None:
        """Write all that one batch changed."""
        now = time.time()
        with self.ws.catalog.transaction() as con:
            for window in step.windows:
                data = {**_written(window), "monitor": self.monitor, "updated_at": now}
                data.setdefault("created_at", now)
                con.execute(upsert("drift_windows", data, ("monitor", "window_id")), data)
            if step.batch is not None:
                con.execute(
                    "insert into drift_batches (monitor, batch, windows, rows, at) values (:m, :b, :w, :n, :at)",
                    {
                        "m": self.monitor,
                        "b": step.batch,
                        "w": dumps(step.went_to),
                        "n": step.rows,
                        "at": step.at,
                    },
                )
            con.execute(
                "update drift_monitors set state = :s, latest_at = :l, updated_at = :now where monitor = :m",
                {"s": step.state, "l": step.latest_at, "now": now, "m": self.monitor},
            )
            for alert in step.alerts:
                data = {**_written(alert), "monitor": self.monitor, "at": now}
                con.execute(
                    "insert into drift_alerts (monitor, window_id, kind, at, drifted_columns, message) values "
                    "(:monitor, :window_id, :kind, :at, :drifted_columns, :message)", data,
                )  # fmt: skip
                # in the same transaction: whoever reads the events hears of every alert, and of each once
                event = {k: v for k, v in alert.items() if k != "window_id"}
                job = {"job_run_id": os.environ["AIOS_JOB_RUN"]} if os.environ.get("AIOS_JOB_RUN") else {}
                told = dumps({"monitor": self.monitor, "window": alert["window_id"], **event, **job})
                con.execute(
                    "insert into events (run_id, step, kind, at, data) values (:r, :s, 'drift.alert', :at, :d)",
                    {"r": step.run_id, "s": step.step, "at": now, "d": told},
                )
            for gone in step.dropped:
                con.execute(
                    "delete from drift_windows where monitor = :m and window_id = :w",
                    {"m": self.monitor, "w": gone},
                )
            if step.dropped:
                con.execute(
                    "delete from drift_batches where monitor = :m and not exists (select 1 from json_each(windows) "
                    "where value in (select window_id from drift_windows where monitor = :m))",
                    {"m": self.monitor},
                )

    def claim(self, seq: int) -> bool:
        """Take an alert to tell it: True for one caller only."""
        return bool(
            self.ws.catalog.write(
                "update drift_alerts set told_at = :now where seq = :s and told_at is null",
                now=time.time(),
                s=seq,
            )
        )

    def unclaim(self, seq: int) -> None:
        """Give an alert back: it could not be told."""
        self.ws.catalog.write("update drift_alerts set told_at = null where seq = :s", s=seq)

    def delete(self) -> None:
        """Forget the monitor."""
        with self.ws.catalog.transaction() as con:
            for table in ("drift_windows", "drift_batches", "drift_alerts", "drift_monitors"):
                con.execute(f"delete from {table} where monitor = :m", {"m": self.monitor})  # noqa: S608
        for path in self.folder.iterdir():
            if path.name != "lock":
                path.unlink(missing_ok=True)


class Commit:
    """All that one batch changes."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.windows: list[dict[str, Any]] = []
        self.alerts: list[dict[str, Any]] = []
        self.dropped: list[str] = []
        self.batch: str | None = None
        self.went_to: list[str] = []
        self.rows = 0
        self.at = 0.0
        self.state: str = row["state"]
        self.latest_at: float | None = row["latest_at"]
        self.run_id: str | None = None
        self.step: str | None = None


_JSON = ("spec", "rules", "reference", "drifted_columns", "effects", "changepoint")


def _written(row: dict[str, Any]) -> dict[str, Any]:
    return {k: dumps(v) if k in _JSON and v is not None else v for k, v in row.items()}


def _read(row: dict[str, Any]) -> dict[str, Any]:
    data = {k: json.loads(v) if k in _JSON and v is not None else v for k, v in row.items()}
    return {**data, "drifted": None if row["drifted"] is None else bool(row["drifted"])}


def folder_of(ws: Workspace, monitor: str) -> Path:
    """Return where a monitor's files are."""
    return Store(ws, monitor).folder
