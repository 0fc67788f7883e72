"""Runs, steps, gates and logs over HTTP, of real runs where the engine is what matters."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import aios_workbench as aios
from aios_workbench.engine import control
from aios_workbench.workspace import Workspace

from .conftest import add_gate, add_run

pytest_plugins = ["pytest_jupyter.jupyter_server"]

HOSTILE = "<img src=x onerror=\"alert('x')\">\u202e\U0001f4a5 &amp; ' ; drop table runs --"


def three_runs(ws: Workspace) -> None:
    add_run(ws, "triage-1", "succeeded", "claims triage", created_at=100.0)
    add_run(
        ws,
        "triage-2",
        "failed",
        "claims triage",
        created_at=200.0,
        error='{"type": "ValueError", "message": "bad"}',
    )
    add_run(ws, "enrich-1", "queued", "enrichment", created_at=300.0)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["enrich-1", "triage-2", "triage-1"]),
        ({"limit": 1}, ["enrich-1"]),
        ({"workflow": "claims triage"}, ["triage-2", "triage-1"]),
        ({"status": "failed"}, ["triage-2"]),
        ({"search": "TRIAGE"}, ["triage-2", "triage-1"]),
        ({"search": "%"}, []),
        ({"before": 200}, ["triage-1"]),
        ({"search": "enrich", "status": "failed"}, []),
    ],
)
async def test_list_and_filter(query: dict[str, Any], expected: list[str], ask: Any, ws: Workspace) -> None:
    three_runs(ws)
    status, answer = await ask("GET", "runs", **query)
    assert (status, [r["run_id"] for r in answer["runs"]]) == (200, expected)


async def test_errors_are_data(ask: Any, ws: Workspace) -> None:
    three_runs(ws)
    _, answer = await ask("GET", "runs", status="failed")
    assert answer["runs"][0]["error"] == {"type": "ValueError", "message": "bad", "traceback": ""}


async def test_a_process_that_died_reads_interrupted(ask: Any, ws: Workspace) -> None:
    add_run(ws, "r1", "running", owner="kernel-1-dead")
    _, shot = await ask("GET", "snapshot")
    assert shot["runs"][0]["status"] == "interrupted"
    assert shot["counts"] == {"interrupted": 1}
    assert shot["newest"]["status"] == "interrupted"


@pytest.fixture
def triage(ws: Workspace) -> aios.Workflow:
    wf = aios.Workflow("triage")

    @wf.step
    def load(n: int = 120) -> pd.DataFrame:
        print("loading", n)
        return pd.DataFrame({"id": range(n), HOSTILE: [HOSTILE] * n})

    @wf.gate
    def review(load: pd.DataFrame) -> pd.DataFrame:
        return load.head(30)

    @wf.step
    def report(review: Any, load: pd.DataFrame) -> dict[str, Any]:
        return {"approved": bool(review), "rows": len(load)}

    return wf


async def test_a_real_run_from_gate_to_end(
    ask: Any, triage: aios.Workflow, ws: Workspace, workers: list[Path]
) -> None:
    run = triage.run()
    await until_status(ask, run.id, "waiting")

    status, shot = await ask("GET", "snapshot")
    assert status == 200
    (row,) = shot["runs"]
    assert (row["status"], row["steps_done"], row["steps_total"], row["current"]) == (
        "waiting",
        1,
        3,
        "review",
    )
    (gate,) = shot["gates"]
    assert (gate["run_id"], gate["step"], gate["workflow"]) == (run.id, "review", "triage")

    _, step = await ask("GET", f"runs/{run.id}/steps/load", offset=100, limit=10)
    assert step["preview"]["total"] == 120
    assert [r[0] for r in step["preview"]["rows"]] == list(range(100, 110))
    assert step["preview"]["columns"][1]["name"] == HOSTILE
    assert step["preview"]["rows"][0][1] == HOSTILE
    assert (step["inputs"]["n"]["type"], step["inputs"]["n"]["value"]) == ("int", 120)
    assert [a["status"] for a in step["attempts_list"]] == ["succeeded"]

    _, log = await ask("GET", f"runs/{run.id}/logs", step="load")
    assert [line["text"].strip() for line in log["logs"]] == ["loading 120"]
    _, rest = await ask("GET", f"runs/{run.id}/logs", after=log["after"])
    assert rest == {"logs": [], "after": log["after"]}

    _, detail = await ask("GET", f"runs/{run.id}/gates/review", limit=5)
    assert (detail["preview"]["total"], len(detail["preview"]["rows"])) == (30, 5)
    status, decided = await ask("POST", f"runs/{run.id}/gates/review", {"approved": True, "reason": HOSTILE})
    assert (status, decided["status"], decided["reason"]) == (200, "approved", HOSTILE)
    status, again = await ask("POST", f"runs/{run.id}/gates/review", {"approved": False, "reason": "late"})
    assert status == 409
    assert "approved by" in again["message"]
    await until_status(ask, run.id, "succeeded")
    assert run.result() == {"approved": True, "rows": 120}
    assert workers == []  # this process executes the run itself

    _, whole = await ask("GET", f"runs/{run.id}")
    assert [(s["step"], s["status"]) for s in whole["steps"]] == [
        ("load", "succeeded"), ("review", "succeeded"), ("report", "succeeded"),
    ]  # fmt: skip
    assert "spec" not in whole

    status, rerun = await ask("POST", f"runs/{run.id}/rerun", {"from_step": "report"})
    assert status == 200
    assert rerun["run_id"] != run.id
    assert workers == [ws.root]
    _, new = await ask("GET", f"runs/{rerun['run_id']}")
    assert (new["parent_run_id"], new["rerun_from"], new["status"]) == (run.id, "report", "queued")
    status, answer = await ask("POST", f"runs/{run.id}/rerun", {"from_step": "repport"})
    assert 400 <= status < 500
    assert "report" in answer["message"]
    status, _ = await ask("POST", f"runs/{rerun['run_id']}/cancel")
    assert status == 200
    audited = ws.catalog.query("select action from audit order by seq")
    assert [a["action"] for a in audited][-3:] == ["gate.approved", "run.rerun", "run.cancel"]


async def test_a_gate_nobody_executes_gets_a_worker(ask: Any, ws: Workspace, workers: list[Path]) -> None:
    spec_hash = _any_spec(ws)
    add_run(ws, "r1", "waiting", owner="kernel-1-dead", spec_hash=spec_hash)
    add_gate(ws, "r1", "g", None, {"a": 1})
    status, answer = await ask("POST", "runs/r1/gates/g", {"approved": False, "reason": "no"})
    assert (status, answer["status"]) == (200, "rejected")
    assert workers == [ws.root]


async def test_a_lost_value_is_said_not_raised(ask: Any, ws: Workspace) -> None:
    add_run(ws, "r1", spec_hash=_any_spec(ws))
    frame = pd.DataFrame({"a": [1]})
    for step, value in (("frame", frame), ("text", {"a": 1})):
        artifact = ws.artifacts.put(value)
        ws.catalog.flush()
        ws.artifacts.path(artifact).unlink()
        ws.artifacts._cache.clear()
        ws.catalog.write(
            "insert into steps (run_id, step, position, kind, status, output) "
            "values ('r1', :s, 0, 'step', 'succeeded', :o)",
            s=step, o=artifact.hash,
        )  # fmt: skip
        status, answer = await ask("GET", f"runs/r1/steps/{step}")
        assert status == 200
        assert "cannot be shown" in answer["preview"]["text"]


async def test_hostile_strings_come_back_as_they_were(ask: Any, ws: Workspace, workers: list[Path]) -> None:
    from urllib.parse import quote

    step = HOSTILE + "/../x"
    add_run(ws, "r1", "waiting", HOSTILE, spec_hash=_any_spec(ws), params='{"<b>": "</script>"}')
    add_gate(ws, "r1", step, {"type": "object", "properties": {HOSTILE: {"type": "string"}}}, HOSTILE)
    _, shot = await ask("GET", "snapshot")
    assert (shot["runs"][0]["workflow"], shot["gates"][0]["step"]) == (HOSTILE, step)
    assert shot["runs"][0]["params"] == {"<b>": "</script>"}
    path = f"runs/r1/gates/{quote(step, safe='')}"
    status, gate = await ask("GET", path)
    assert status == 200, gate
    assert gate["preview"]["text"] == '"' + HOSTILE.replace('"', '\\"') + '"'
    status, answer = await ask("POST", path, {"approved": True, "values": {HOSTILE: HOSTILE}})
    assert (status, answer["values"]) == (200, {HOSTILE: HOSTILE})


async def test_slow_work_does_not_hold_the_server(
    ask: Any, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    entered, release = threading.Event(), threading.Event()

    def slow(*_: Any, **__: Any) -> list[Any]:
        entered.set()
        release.wait(20)
        return []

    monkeypatch.setattr(control, "list_runs", slow)
    slow_one = asyncio.ensure_future(ask("GET", "runs"))
    await asyncio.to_thread(entered.wait, 10)
    started = time.monotonic()
    status, _ = await ask("GET", "jobs")  # answered while the other one still works
    assert (status, release.is_set()) == (200, False)
    assert time.monotonic() - started < 10
    release.set()
    assert (await slow_one)[0] == 200


async def until_status(ask: Any, run_id: str, status: str, seconds: float = 30) -> None:
    import asyncio

    end = time.monotonic() + seconds
    while True:
        _, run = await ask("GET", f"runs/{run_id}")
        if run["status"] == status:
            return
        assert time.monotonic() < end, f"{run_id} is {run['status']}, not {status}: {run['error']}"
        await asyncio.sleep(0.05)


def _any_spec(ws: Workspace) -> str:
    """Store a spec, as `control.get_run` reads one with every run."""
    wf = aios.Workflow("any")

    @wf.step
    def one() -> int:
        return 1

    wf.run(_key="any").result(timeout=30)
    row = ws.catalog.one("select spec_hash from runs limit 1")
    assert row is not None
    ws.catalog.write("delete from runs")
    return str(row["spec_hash"])
