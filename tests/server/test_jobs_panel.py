"""What the jobs panel asks of a job that is opened: times, runs, versions, approvals, trials, backfills."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from aios_workbench.promote import JobSpec, promote
from aios_workbench.workspace import Workspace, dumps

from .conftest import add_run, write_notebook

pytest_plugins = ["pytest_jupyter.jupyter_server"]

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def notebook(ws: Workspace) -> Path:
    return write_notebook(ws.project / "claims.ipynb", "print(rows)", "1 / 0", parameters="rows: int = 5")


def made(ws: Workspace, notebook: Path, by: str = "ana", **options: Any) -> str:
    given = {"name": "claims", "schedule": "30 2 * * *", "timezone": "Europe/Berlin", **options}
    return promote(ws, notebook, JobSpec(notebook=notebook.name, **given), by).job_id


def add_job_run(ws: Workspace, job_id: str, run_id: str, status: str = "failed", **columns: Any) -> str:
    folder = ws.root / "jobs" / job_id / "runs" / run_id
    folder.mkdir(parents=True)
    now = time.time()
    row = {
        "job_run_id": run_id, "job_id": job_id, "version": 1, "trigger": "manual", "status": status, "attempt": 1,
        "queued_at": now - 60, "started_at": now - 60, "ended_at": now - 50, "error": None, "peak_bytes": 1000,
        "folder": folder.relative_to(ws.root).as_posix(), **columns,
    }  # fmt: skip
    names = ", ".join(row)
    ws.catalog.write(f"insert into job_runs ({names}) values ({', '.join(f':{n}' for n in row)})", **row)
    return run_id


async def test_health_and_strip_of_the_list(ask: Any, ws: Workspace, notebook: Path) -> None:
    job_id = made(ws, notebook, alerts=["json://user:secret@example.invalid", "$OPS"])
    _, listed = await ask("GET", "jobs")
    job = listed["jobs"][0]
    assert (job["health"]["state"], job["recent"]) == ("new", [])
    assert job["triggers"] == "At 02:30 every day (Europe/Berlin)"
    assert job["options"]["alerts"] == ["json://…", "$OPS"]
    error = {"type": "KeyError", "message": f"first line\n{HOSTILE}"}
    add_job_run(ws, job_id, "jr-1", error=dumps(error))
    add_job_run(ws, job_id, "jr-2", "skipped", started_at=None, ended_at=None, queued_at=time.time(),
                error=dumps({"type": "Skipped", "message": "still going"}))  # fmt: skip
    _, listed = await ask("GET", "jobs")
    job = listed["jobs"][0]
    assert job["health"]["state"] == "failing"
    assert [(r["status"], r["reason"]) for r in job["recent"]] == [
        ("failed", f"KeyError: {HOSTILE}"), ("skipped", "still going"),
    ]  # fmt: skip
    assert job["recent"][0]["seconds"] == pytest.approx(10, abs=0.01)


async def test_next_runs_say_what_the_clock_does(ask: Any, ws: Workspace, notebook: Path) -> None:
    job_id = made(ws, notebook, schedule="30 2 * 3 SUN")  # on the last of them the clocks go forward
    status, times = await ask("GET", f"jobs/{job_id}/next")
    assert status == 200
    assert len(times["ticks"]) == 10
    assert any("instead of 02:30" in (t["note"] or "") for t in times["ticks"])
    by_hand = made(ws, notebook, name="by hand", schedule=None)
    _, times = await ask("GET", f"jobs/{by_hand}/next")
    assert (times["ticks"], times["words"]) == ([], "only when triggered")


async def test_a_run_with_its_cells_and_log(ask: Any, ws: Workspace, notebook: Path) -> None:
    job_id = made(ws, notebook)
    run_id = add_job_run(ws, job_id, "jr-1")
    log = ws.root / "jobs" / job_id / "runs" / run_id / "log.txt"
    log.write_text(f"5\n{HOSTILE} ä\n", encoding="utf-8")
    for position, cell, begin, end in ((1, 1, 0, 0), (2, 2, 0, 2), (3, 3, 2, log.stat().st_size)):
        ws.catalog.write(
            "insert into job_cells (job_run_id, attempt, position, cell, status, started_at, ended_at, log_from, "
            "log_to) values (:r, 1, :p, :c, 'succeeded', 1.0, 2.0, :a, :b)",
            r=run_id, p=position, c=cell, a=begin, b=end,
        )  # fmt: skip
    add_run(ws, "w-1", job_run_id=run_id)
    _, run = await ask("GET", f"jobs/{job_id}/runs/{run_id}")
    assert [c["label"] for c in run["cells"]] == ["rows: int = 5", "print(rows)", "1 / 0"]
    assert (run["peak_bytes"], run["name"]) == (1000, "claims")
    assert run["workflows"] == [{"run_id": "w-1", "workflow": "triage", "status": "succeeded"}]
    _, part = await ask("GET", f"jobs/{job_id}/runs/{run_id}/cells/2/log")
    assert part == {"text": "5\n", "next": 2, "more": False}
    _, part = await ask("GET", f"jobs/{job_id}/runs/{run_id}/log", after=2)
    assert part["text"] == f"{HOSTILE} ä\n"
    for wrong in ("cells/x/log", "cells/99/log", "cells/-1/log"):
        status, answer = await ask("GET", f"jobs/{job_id}/runs/{run_id}/{wrong}")
        assert status == 404, answer
    assert (await ask("GET", f"jobs/{job_id}/runs/{run_id}/log", after=-1))[0] == 422
    assert (await ask("GET", f"jobs/other/runs/{run_id}"))[0] == 404
    ws.catalog.write("update job_runs set folder = '..'")
    (ws.root.parent / "log.txt").write_text("secret")
    assert (await ask("GET", f"jobs/{job_id}/runs/{run_id}/log"))[0] == 404


async def test_a_failed_run_goes_on_once(
    ask: Any, ws: Workspace, notebook: Path, workers: list[Path]
) -> None:
    job_id = made(ws, notebook)
    add_job_run(ws, job_id, "jr-good", "succeeded")
    status, answer = await ask("POST", f"jobs/{job_id}/runs/jr-good/resume")
    assert (status, "succeeded" in answer["message"]) == (409, True)
    add_job_run(ws, job_id, "jr-bad", error=dumps({"type": "KeyError", "message": "x"}))
    _, run = await ask("GET", f"jobs/{job_id}/runs/jr-bad")
    assert run["cannot_resume"] is None
    _, first = await ask("POST", f"jobs/{job_id}/runs/jr-bad/resume")
    _, second = await ask("POST", f"jobs/{job_id}/runs/jr-bad/resume")
    assert first == second
    assert workers == [ws.root] * 2


async def test_versions_are_compared_and_gone_back_to(ask: Any, ws: Workspace, notebook: Path) -> None:
    job_id = made(ws, notebook)
    write_notebook(notebook, "print(rows)", "2 / 1", parameters="rows: int = 6")
    made(ws, notebook, "ben", schedule="0 3 * * *")
    _, found = await ask("GET", f"jobs/{job_id}/versions")
    assert [(v["version"], v["current"], v["created_by"]) for v in found["versions"]] == [
        (2, True, "ben"),
        (1, False, "ana"),
    ]
    assert found["notebook"] == "claims.ipynb"
    _, diff = await ask("GET", f"jobs/{job_id}/diff", old=1, new=2)
    assert diff["spec"] == [{"option": "schedule", "old": "30 2 * * *", "new": "0 3 * * *"}]
    assert any("+rows: int = 6" in cell["diff"] for cell in diff["cells"])
    _, same = await ask("GET", f"jobs/{job_id}/diff", old=2)
    assert same["cells"] == []
    status, answer = await ask("POST", f"jobs/{job_id}/rollback", {"version": 9})
    assert (status, "9" in answer["message"]) == (404, True)
    assert (await ask("POST", f"jobs/{job_id}/rollback", {"version": "1"}))[0] == 422
    _, found = await ask("POST", f"jobs/{job_id}/rollback", {"version": 1, "reason": HOSTILE})
    assert [v["current"] for v in found["versions"]] == [False, True]
    shutil.move(notebook, ws.project / "elsewhere.ipynb")
    status, answer = await ask("GET", f"jobs/{job_id}/diff", old=1)
    assert (status, "no longer there" in answer["message"]) == (404, True)
    assert (await ask("GET", f"jobs/{job_id}/diff"))[0] == 422


async def test_a_version_waits_for_somebody_else(ask: Any, ws: Workspace, notebook: Path) -> None:
    from aios_workbench.govern import actor

    job_id = made(ws, notebook, "ana", approvals=1)
    made(ws, notebook, actor(), name="my own", approvals=1)
    _, found = await ask("GET", f"jobs/{job_id}/approvals")
    waiting = found["approvals"][0]
    assert (waiting["needed"], waiting["may_approve"], waiting["why_not"]) == (1, True, "")
    approve = {"version": 1, "decision": "approve", "reason": "looked at it"}
    status, answer = await ask("POST", f"jobs/{job_id}/approvals", {**approve, "bundle_hash": "another"})
    assert (status, "look at it again" in answer["message"]) == (409, True)
    status, answer = await ask(
        "POST", f"jobs/{job_id}/approvals", {**approve, "bundle_hash": waiting["bundle_hash"]}
    )
    assert (status, answer["approvals"]) == (200, [])
    _, job = await ask("GET", f"jobs/{job_id}")
    assert job["status"] == "active"

    _, jobs = await ask("GET", "jobs")
    mine = next(j["job_id"] for j in jobs["jobs"] if j["name"] == "my own")
    _, found = await ask("GET", f"jobs/{mine}/approvals")
    assert (found["approvals"][0]["may_approve"], found["approvals"][0]["may_reject"]) == (False, True)
    assert "somebody else must agree" in found["approvals"][0]["why_not"]
    status, answer = await ask("POST", f"jobs/{mine}/approvals", approve)
    assert (status, answer["denied"]) == (403, True)
    assert "somebody else must agree" in answer["message"]
    assert (await ask("POST", f"jobs/{mine}/approvals", {"version": 1, "decision": "maybe"}))[0] == 422


async def test_a_version_is_tried_out(ask: Any, ws: Workspace, notebook: Path) -> None:
    job_id = made(ws, notebook)
    assert (await ask("GET", f"jobs/{job_id}/rollout"))[1] == {"rollout": None}
    made(ws, notebook, schedule="0 3 * * *")
    start = {"version": 1, "mode": "canary", "share": 0.25}
    status, answer = await ask("POST", f"jobs/{job_id}/rollout", {**start, "version": 2})
    assert status == 409, answer
    assert (await ask("POST", f"jobs/{job_id}/rollout", {**start, "share": 2}))[0] == 422
    _, answer = await ask("POST", f"jobs/{job_id}/rollout", start)
    trial = answer["rollout"]
    assert (trial["version"], trial["base_version"], trial["share"], trial["status"]) == (
        1,
        2,
        0.25,
        "running",
    )
    assert trial["new"] == {"runs": 0, "failed": 0, "slow": 0, "bad": 0}
    finish = {"decision": "roll_back", "reason": "no"}
    _, answer = await ask("POST", f"jobs/{job_id}/rollout/finish", finish)
    assert (answer["rollout"]["status"], answer["rollout"]["reason"]) == ("rolled_back", "no")
    assert (await ask("POST", f"jobs/{job_id}/rollout/finish", finish))[0] == 409


async def test_runs_of_the_past(ask: Any, ws: Workspace, notebook: Path, workers: list[Path]) -> None:
    job_id = made(ws, notebook)
    span = {"start": "2026-03-01T00:00", "end": "2026-03-04T00:00"}
    _, preview = await ask("POST", f"jobs/{job_id}/backfills/preview", span)
    assert (preview["total"], len(preview["ticks"])) == (3, 3)
    status, answer = await ask("POST", f"jobs/{job_id}/backfills/preview", {**span, "start": "soon"})
    assert (status, list(answer["fields"])) == (422, ["start"])
    status, answer = await ask("POST", f"jobs/{job_id}/backfills/preview", {**span, "end": span["start"]})
    assert (status, answer["fields"]) == (422, {"end": "must be later than the start"})
    status, found = await ask("POST", f"jobs/{job_id}/backfills", {**span, "newest_first": True})
    assert status == 201
    one = found["backfills"][0]
    assert (one["total"], one["queued"], one["newest_first"], one["share"]) == (3, 3, True, 0.0)
    assert workers == [ws.root]
    where = f"jobs/{job_id}/backfills/{one['backfill_id']}"
    for action, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        _, found = await ask("POST", f"{where}/{action}")
        assert found["backfills"][0]["status"] == state
    assert (await ask("POST", f"{where}/cancel"))[0] == 409
    assert (await ask("POST", f"jobs/other/backfills/{one['backfill_id']}/cancel"))[0] == 404


async def test_alerts_and_workers(ask: Any, ws: Workspace, notebook: Path, workers: list[Path]) -> None:
    job_id = made(ws, notebook)
    ws.catalog.write(
        "insert into job_alerts (source, job_id, job_run_id, version, kind, at, subject, body, next_at) "
        "values ('run/1', :job, 'jr-1', 1, 'failed', 1.0, :text, :text, 1.0)",
        job=job_id, text=HOSTILE,
    )  # fmt: skip
    _, found = await ask("GET", f"jobs/{job_id}/alerts")
    assert [(a["subject"], a["status"], a["told_at"]) for a in found["alerts"]] == [
        (HOSTILE, "waiting", None)
    ]
    assert (await ask("POST", "workers"))[1] == {"started": True}
    assert workers == [ws.root]


@pytest.mark.parametrize(
    "what", ["next", "alerts", "versions", "approvals", "rollout", "backfills", "runs/jr-1"]
)
async def test_a_job_that_is_not_there(ask: Any, ws: Workspace, what: str) -> None:
    status, answer = await ask("GET", f"jobs/nowhere/{what}")
    assert status == 404
    assert "job" in answer["message"]
