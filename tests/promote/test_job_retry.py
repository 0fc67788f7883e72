"""Which runs can be taken up again, by which run; then one whose steps count how often they were executed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from job_helpers import add_job, job_runs

from aios_workbench import promote
from aios_workbench.errors import ConflictError, NotFoundError
from aios_workbench.promote import JobSpec, Scheduler, backfill, claims
from aios_workbench.promote.records import run_row
from aios_workbench.promote.resuming import chain, resumable, resume_run
from aios_workbench.workspace import Workspace

HOUR = 3600.0
T0 = 1_800_000_000.0


def end(ws: Workspace, job_run_id: str, status: str) -> None:
    ws.catalog.write("update job_runs set status = :s where job_run_id = :id", s=status, id=job_run_id)


@pytest.fixture
def failed(ws: Workspace) -> str:
    """A tick that failed."""
    job = add_job(ws, "0 * * * *", T0, parameters={"n": 3})
    (run_id,) = Scheduler(ws, "w", alive=lambda _: True).tick(T0 + HOUR)
    end(ws, run_id, "failed")
    assert job_runs(ws, job)[0]["job_run_id"] == run_id
    return run_id


def test_a_new_run_stands_for_the_same_tick(ws: Workspace, failed: str) -> None:
    made = resume_run(ws, failed, "ada")
    row = run_row(ws, made)
    assert (row["status"], row["trigger"], row["params"], row["version"], row["tick_at"]) == (
        "queued", "retry", '{"n":3}', 1, None,
    )  # fmt: skip
    assert (row["logical_at"], row["resumed_from"], row["cause"]) == (T0 + HOUR, failed, f"resume:{failed}:0")
    assert resume_run(ws, failed, "bob") == made  # a double click
    (noted,) = ws.catalog.query("select * from audit where action = 'job.retry'")
    assert noted["actor"] == "ada"


def test_one_that_fails_again_is_taken_up_where_it_ended(ws: Workspace, failed: str) -> None:
    second = resume_run(ws, failed, "ada")
    end(ws, second, "timeout")
    third = resume_run(ws, failed, "ada")
    assert chain(ws, run_row(ws, third)) == [second, failed]
    end(ws, third, "succeeded")
    for run_id in (second, failed):
        with pytest.raises(ConflictError, match=f"{third} cannot be taken up again: it has succeeded"):
            resume_run(ws, run_id, "ada")
    assert resumable(ws, run_row(ws, second)) == f"it was made good by {third}"


@pytest.mark.parametrize(
    ("status", "says"),
    [("succeeded", "it has succeeded"), ("running", "it is running"), ("skipped", "nothing to go on from")],
)
def test_refused(ws: Workspace, failed: str, status: str, says: str) -> None:
    assert resumable(ws, run_row(ws, failed)) is None
    end(ws, failed, status)
    with pytest.raises(ConflictError, match=says):
        resume_run(ws, failed, "ada")


def test_refused_of_what_does_not_count(ws: Workspace, failed: str) -> None:
    with pytest.raises(NotFoundError):
        resume_run(ws, "jr-nothing", "ada")
    assert "shadow" in str(resumable(ws, {**run_row(ws, failed), "role": "shadow"}))
    ws.catalog.write("update job_versions set status = 'rejected'")
    with pytest.raises(ConflictError, match="version 1 of the job is rejected since"):
        resume_run(ws, failed, "ada")
    ws.catalog.write("delete from job_versions")
    with pytest.raises(ConflictError, match="version 1 of the job is gone"):
        resume_run(ws, failed, "ada")


def test_from_start(ws: Workspace, failed: str) -> None:
    made = resume_run(ws, failed, "ada", from_start=True)
    row = run_row(ws, made)
    assert (row["resumed_from"], row["cause"], row["logical_at"]) == (None, f"again:{failed}:0", T0 + HOUR)
    assert resume_run(ws, failed, "bob", from_start=True) == made
    end(ws, made, "failed")
    assert resume_run(ws, failed, "bob", from_start=True) != made


def test_a_backfill_ends_well_when_its_failed_tick_is_made_good(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0)
    found = backfill.start(ws, job, T0 - HOUR, T0, "ada", now=T0 + 1)
    run = claims.take(ws, "w", T0 + 2)
    assert run is not None
    claims.finish(ws, run, "failed", {"type": "X", "message": "x"}, T0 + 3)
    assert backfill.get(ws, found["backfill_id"])["status"] == "failed"
    made = resume_run(ws, run["job_run_id"], "ada")
    assert backfill.get(ws, found["backfill_id"])["status"] == "running"
    again = claims.take(ws, "w", T0 + 4)
    assert again is not None
    assert (again["job_run_id"], again["backfill_id"]) == (made, found["backfill_id"])
    claims.finish(ws, again, "succeeded", None, T0 + 5)
    told = backfill.get(ws, found["backfill_id"])
    assert (told["status"], told["total"], told["share"]) == ("succeeded", 1, 1.0)


FLOW = """
import aios_workbench as aios

def note(what):
    with open('done', 'a') as file:
        file.write(what + ' ')

first = aios.Workflow('first')
@first.step
def early():
    note('early')
    return 1
first.run().result()

wf = aios.Workflow('second')
@wf.step
def load(n: int):
    note('load')
    return n
@wf.gate
def review(load):
    return load
@wf.step
def score(load, review):
    import os
    note('score')
    if not os.path.exists('mended'):
        raise OSError('no connection')
    return load
@wf.step
def publish(score):
    note(f'publish{score}')
"""


def test_finished_steps_are_not_executed_again(ws: Workspace, write: Callable[..., Path]) -> None:
    path = write(
        "flow.ipynb",
        FLOW,
        "wf.run(n=n).result()\nprint('at', aios.logical_time().isoformat())",
        parameters="n: int = 1",
    )
    spec = JobSpec(name="flow", notebook="-", gates={"review": "approve"}, timezone="Asia/Tokyo")
    promote.promote(ws, path, spec, "ada")
    run_id = promote.trigger(ws, "flow", "ada", {"n": 7})
    worker = Scheduler(ws, "w", alive=lambda _: True)
    worker.step(T0)
    assert worker.wait(100)
    before = promote.get_run(ws, run_id)
    assert (before["status"], before["error"]["cell"]) == ("failed", 3), before
    (path.parent / "mended").touch()
    made = resume_run(ws, run_id, "ada")
    worker.step(T0 + 5)
    assert worker.wait(100)
    run: dict[str, Any] = promote.get_run(ws, made)
    log = Path(run["files"]["log.txt"]).read_text()
    assert run["status"] == "succeeded", log
    assert (path.parent / "done").read_text().split() == ["early", "load", "score", "score", "publish7"]
    assert f"goes on with {run_id}" in log
    assert "kept load, review; done now score, publish" in log
    assert "at 20" in log
    assert "+09:00" in log
    assert run["runs"] != before["runs"]
    rows = ws.catalog.query(
        "select step, cached from steps where run_id = :r order by position", r=run["runs"][0]
    )
    assert [(r["step"], bool(r["cached"])) for r in rows] == [
        ("load", True), ("review", True), ("score", False), ("publish", False),
    ]  # fmt: skip
