"""Files of runs go by count, age and bytes, oldest first; rows and what is still needed stay."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from job_helpers import add_job, job_runs

from aios_workbench.errors import WorkspaceError
from aios_workbench.promote import retention, runs
from aios_workbench.promote.scheduler import Scheduler
from aios_workbench.workspace import Workspace

DAY = 86_400.0
T0 = 1_800_000_000.0


def ended(ws: Workspace, job: str, count: int, *, size: int = 10, **statuses: str) -> None:
    """Add runs "0", "1", …, one a day, each with a file of `size` bytes; `statuses` by `r<number>`."""
    for n in range(count):
        folder = ws.root / "jobs" / job / "runs" / f"{n}"
        folder.mkdir(parents=True)
        (folder / "log.txt").write_bytes(bytes(size))
        status = statuses.get(f"r{n}", "succeeded")
        ws.catalog.write(
            "insert into job_runs (job_run_id, job_id, version, trigger, status, queued_at, ended_at, folder) "
            "values (:id, :job, 1, 'manual', :status, :at, :ended, :folder)",
            id=f"{n}", job=job, status=status, at=T0 + n * DAY, folder=f"jobs/{job}/runs/{n}",
            ended=None if status in ("queued", "running") else T0 + n * DAY,
        )  # fmt: skip


def left(ws: Workspace, job: str) -> list[str]:
    there = sorted(p.name for p in (ws.root / "jobs" / job / "runs").iterdir())
    assert there == sorted(r["job_run_id"] for r in job_runs(ws, job) if r["folder"])
    return there


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"retention": 2}, ["0", "4", "5"]),
        ({"retention_for": "2d"}, ["0", "4", "5"]),
        ({"retention_for": "1h"}, ["0", "5"]),  # the newest whatever its age
        ({"retention_bytes": "64MB"}, ["0", "1", "2", "3", "4", "5"]),
        ({"retention": 4, "retention_for": "3d"}, ["0", "3", "4", "5"]),
        ({"retention": 1000}, ["0", "1", "2", "3", "4", "5"]),
    ],
)
def test_by_count_and_age(ws: Workspace, options: dict[str, Any], kept: list[str]) -> None:
    job = add_job(ws, None, T0, **options)
    ended(ws, job, 6, r0="running")
    gone = retention.keep_files(ws, job, T0 + 6 * DAY)
    assert left(ws, job) == kept
    assert gone == sorted(set("012345") - set(kept))  # oldest first
    assert len(job_runs(ws, job)) == 6
    assert runs.get_run(ws, "5")["files"].keys() == {"log.txt"}
    assert retention.keep_files(ws, job, T0 + 6 * DAY) == []


def test_by_bytes(ws: Workspace) -> None:
    job = add_job(ws, None, T0, retention_bytes=2500)
    ended(ws, job, 5, size=1000)
    assert retention.keep_files(ws, job, T0) == ["0", "1", "2"]
    assert left(ws, job) == ["3", "4"]


def test_what_can_be_resumed_stays(ws: Workspace) -> None:
    job = add_job(ws, None, T0, retention=1)
    ended(ws, job, 6, r1="failed", r3="failed", r4="cancelled", r5="running", r0="failed")
    ws.catalog.write("update job_runs set resumed_from = '0' where job_run_id = '5'")
    retention.keep_files(ws, job, T0)
    assert left(ws, job) == ["0", "3", "4", "5"]


def test_a_failure_that_something_succeeded_after_goes(ws: Workspace) -> None:
    job = add_job(ws, None, T0, retention=1)
    ended(ws, job, 3, r0="failed", r1="failed")
    retention.keep_files(ws, job, T0)
    assert left(ws, job) == ["2"]


def test_a_folder_that_is_open_goes_and_a_read_only_one_too(ws: Workspace) -> None:
    job = add_job(ws, None, T0, retention=1)
    ended(ws, job, 2)
    folder = ws.root / "jobs" / job / "runs" / "0"
    (folder / "work").mkdir()
    (folder / "work" / "out.csv").write_text("1")
    (folder / "work").chmod(0o500)
    with (folder / "log.txt").open("rb") as file:
        assert retention.keep_files(ws, job, T0) == ["0"]
        assert len(file.read()) == 10
    assert left(ws, job) == ["1"]


def test_what_cannot_be_deleted_is_tried_again(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    job = add_job(ws, None, T0, retention=1)
    ended(ws, job, 3)
    real = retention.delete
    monkeypatch.setattr(retention, "delete", lambda folder: folder.name != "0" and real(folder))
    assert retention.keep_files(ws, job, T0) == ["1"]
    assert left(ws, job) == ["0", "2"]
    monkeypatch.setattr(retention, "delete", real)
    assert retention.keep_files(ws, job, T0) == ["0"]


def test_a_full_disk_keeps_nothing_from_being_deleted(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    job = add_job(ws, None, T0, retention=1)
    ended(ws, job, 3)

    def full(*_: Any, **__: Any) -> int:
        raise WorkspaceError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(ws.catalog, "write", full)
        assert retention.keep_files(ws, job, T0) == ["0", "1"]
    assert [p.name for p in (ws.root / "jobs" / job / "runs").iterdir()] == ["2"]
    assert retention.keep_files(ws, job, T0) == ["0", "1"]  # noted now
    assert left(ws, job) == ["2"]


def age(folder: Path, seconds: float) -> None:
    at = folder.stat().st_mtime - seconds
    os.utime(folder, (at, at))


def test_the_sweep_takes_what_grew_old_and_what_removed_jobs_left(ws: Workspace) -> None:
    job = add_job(ws, None, T0, retention_for="2d")
    ended(ws, job, 4)
    for name in ("job-gone", "job-new"):
        (ws.root / "jobs" / name / "v1").mkdir(parents=True)
    age(ws.root / "jobs" / "job-gone", 2 * DAY)
    lost = ws.root / "jobs" / job / "runs" / "jr-lost"
    lost.mkdir()
    age(lost, 2 * DAY)
    assert retention.sweep(ws, T0 + 4 * DAY) == 4
    assert left(ws, job) == ["2", "3"]
    assert sorted(p.name for p in (ws.root / "jobs").iterdir()) == sorted([job, "job-new"])


def test_a_worker_sweeps(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    job = add_job(ws, None, T0, retention_for="2d")
    ended(ws, job, 4)
    worker = Scheduler(ws, "worker-1", alive=lambda _: True)
    worker.step(T0 + 4 * DAY)
    assert len(left(ws, job)) == 4  # not at once
    worker._swept -= 3600
    worker._sweep(T0 + 4 * DAY)
    assert len(left(ws, job)) == 2
