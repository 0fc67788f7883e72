"""Promotion, jobs, their history and the files of their runs over HTTP."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from aios_workbench.promote import JobSpec, get_run, jobs, promote
from aios_workbench.workspace import Workspace

from .conftest import add_run, write_notebook

pytest_plugins = ["pytest_jupyter.jupyter_server"]

PARAMETERS = "path: str = 'claims.csv'\nlimit: int = 500\nday: str"
GATED = "wf = None\n@wf.gate(timeout='2d')\ndef review(x): ...\n@wf.gate\ndef sign(x): ...\ndef helper(): ..."
HOSTILE = '<b onclick=alert(1)>claims & "co"</b>'


@pytest.fixture
def notebook(jp_root_dir: Path) -> str:
    write_notebook(jp_root_dir / "sub" / "claims.ipynb", GATED, "print('hello')", parameters=PARAMETERS)
    return "sub/claims.ipynb"


def job(notebook: str, **changes: Any) -> dict[str, Any]:
    return {
        "notebook": notebook, "name": "claims", "schedule": "0 6 * * *", "timezone": "Europe/Berlin",
        "parameters": {"day": "monday", "limit": 7}, "missed": "latest", "retries": 2, "timeout": "30m",
        "gates": {"review": "approve"}, **changes,
    }  # fmt: skip


async def test_check_reads_the_notebook(ask: Any, ws: Workspace, notebook: str) -> None:
    status, answer = await ask("POST", "promote/check", {"notebook": notebook})
    assert status == 200
    assert [(p["name"], p["type"], p["default"], p["required"]) for p in answer["parameters"]] == [
        ("path", "str", "claims.csv", False), ("limit", "int", 500, False), ("day", "str", None, True),
    ]  # fmt: skip
    assert answer["parameters"][1]["schema"] == {"type": "integer"}
    assert answer["gates"] == ["review", "sign"]
    assert ws.catalog.query("select * from jobs") == []


async def test_check_of_a_broken_notebook_is_a_finding(ask: Any, ws: Workspace, jp_root_dir: Path) -> None:
    (jp_root_dir / "broken.ipynb").write_text("{not json")
    status, answer = await ask("POST", "promote/check", {"notebook": "broken.ipynb"})
    assert status == 200
    assert answer["findings"][0]["severity"] == "error"
    assert (answer["parameters"], answer["gates"]) == ([], [])


async def test_what_the_dialog_does_not_ask_for_stays_as_it_was(
    ask: Any, ws: Workspace, notebook: str, jp_root_dir: Path
) -> None:
    kept = {"alerts": ["$OPS"], "retention": 7, "parameters": {"day": "monday"}}
    promote(ws, jp_root_dir / notebook, JobSpec(name="daily", notebook=notebook, **kept), "ana")
    status, made = await ask("POST", "promote", job(notebook, name="daily"))
    assert (status, made["version"]) == (201, 2)
    spec = jobs.get(ws, "daily").spec
    assert (spec.alerts, spec.retention, spec.parameters) == (["$OPS"], 7, {"day": "monday", "limit": 7})


async def test_from_promotion_to_removal(ask: Any, ws: Workspace, notebook: str, workers: list[Path]) -> None:
    status, made = await ask("POST", "promote", job(notebook, name=HOSTILE))
    assert (status, made["name"], made["version"], made["changed"]) == (201, HOSTILE, 1, True)
    assert made["parameters"] == {"day": "monday", "limit": 7}
    assert made["schedule_words"] == "At 06:00 every day (Europe/Berlin)"
    assert made["next_tick_at"] > time.time()
    job_id = made["job_id"]

    _, same = await ask("POST", "promote", job(notebook, name=HOSTILE))
    assert (same["job_id"], same["version"], same["changed"]) == (job_id, 1, False)
    _, listed = await ask("GET", "jobs")
    _, shot = await ask("GET", "snapshot")
    assert [j["name"] for j in listed["jobs"]] == [j["name"] for j in shot["jobs"]] == [HOSTILE]

    _, paused = await ask("POST", f"jobs/{job_id}/pause")
    assert (paused["status"], paused["next_tick_at"]) == ("paused", None)
    _, active = await ask("POST", f"jobs/{job_id}/resume")
    assert (active["status"], active["next_tick_at"]) == ("active", made["next_tick_at"])

    status, refused = await ask("POST", f"jobs/{job_id}/trigger", {"params": {"limit": "many"}})
    assert status == 422
    assert "'limit'" in refused["message"]
    assert workers == []
    status, run = await ask("POST", f"jobs/{job_id}/trigger", {"params": {"limit": 3}})
    assert (status, workers) == (200, [ws.root])
    _, history = await ask("GET", f"jobs/{job_id}/runs")
    (row,) = history["runs"]
    assert (row["job_run_id"], row["status"], row["trigger"]) == (run["job_run_id"], "queued", "manual")
    assert row["params"] == {"day": "monday", "limit": 3}
    assert "folder" not in row
    assert str(ws.root) not in str(history)

    assert (await ask("POST", f"jobs/other/runs/{row['job_run_id']}/cancel"))[0] == 404
    status, stopped = await ask("POST", f"jobs/{job_id}/runs/{row['job_run_id']}/cancel")
    assert (status, stopped["status"]) == (200, "cancelled")
    status, _ = await ask("POST", f"jobs/{job_id}/runs/{row['job_run_id']}/cancel")
    assert status == 409

    status, _ = await ask("DELETE", f"jobs/{job_id}")
    assert status == 200
    assert (await ask("GET", f"jobs/{job_id}"))[0] == 404
    actions = [a["action"] for a in ws.catalog.query("select action from audit order by seq")]
    assert actions == ["job.promote", "job.pause", "job.resume", "job.trigger", "job.cancel", "job.remove"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"schedule": "0 25 * * *"}, "hour"),
        ({"timezone": "Mars/Base"}, "time zone"),
        ({"timeout": "30x"}, "timeout"),
        ({"parameters": {"day": "x", "limit": "many"}}, "'limit'"),
        ({"parameters": {"day": "x", "limt": 3}}, "did you mean 'limit'"),
        ({"parameters": {}}, "'day'"),
        ({"gates": {"review": "perhaps"}}, "gate"),
        ({"name": " x "}, "name"),
    ],
)
async def test_a_job_that_cannot_be(
    changes: dict[str, Any], says: str, ask: Any, ws: Workspace, notebook: str
) -> None:
    status, answer = await ask("POST", "promote", job(notebook, **changes))
    assert 400 <= status < 500
    assert says in answer["message"]
    assert ws.catalog.query("select * from jobs") == []


async def finished_run(ask: Any, ws: Workspace, notebook: str) -> tuple[str, str]:
    _, made = await ask("POST", "promote", job(notebook))
    _, run = await ask("POST", f"jobs/{made['job_id']}/trigger")
    folder = ws.root / "jobs" / made["job_id"] / "runs" / run["job_run_id"]
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("<script>alert(1)</script>")
    (folder / "executed.ipynb").write_text("{}")
    ws.catalog.write(
        "update job_runs set status = 'succeeded', started_at = queued_at, ended_at = queued_at + 1, folder = :f "
        "where job_run_id = :id",
        f=str(folder.relative_to(ws.root)), id=run["job_run_id"],
    )  # fmt: skip
    add_run(ws, "claims-1", job_run_id=run["job_run_id"])
    return made["job_id"], run["job_run_id"]


async def test_files_are_served_without_power(
    ask: Any, jp_fetch: Any, ws: Workspace, notebook: str, workers: list[Path]
) -> None:
    job_id, run_id = await finished_run(ask, ws, notebook)
    _, history = await ask("GET", f"jobs/{job_id}/runs")
    assert (history["runs"][0]["html"], history["runs"][0]["notebook"]) == (True, True)
    assert history["runs"][0]["runs"] == ["claims-1"]
    _, shot = await ask("GET", "snapshot")
    assert shot["runs"][0]["job"] == {"job_id": job_id, "name": "claims"}

    page = await jp_fetch("aios", "jobs", job_id, "runs", run_id, "html")
    assert page.body == b"<script>alert(1)</script>"
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox;")
    assert "allow-" not in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"

    book = await jp_fetch("aios", "jobs", job_id, "runs", run_id, "notebook")
    assert book.body == b"{}"
    assert book.headers["Content-Disposition"].startswith("attachment")


async def test_files_of_nowhere_else(
    ask: Any, jp_fetch: Any, ws: Workspace, notebook: str, workers: list[Path]
) -> None:
    job_id, run_id = await finished_run(ask, ws, notebook)
    outside = ws.root.parent / "outside"
    outside.mkdir()
    (outside / "report.html").write_text("secret")
    for folder in ("../outside", str(outside), f"jobs/{job_id}/runs/../../../../outside"):
        ws.catalog.write("update job_runs set folder = :f", f=folder)
        assert get_run(ws, run_id)["files"], "the row does lead there"
        status, answer = await ask("GET", f"jobs/{job_id}/runs/{run_id}/html")
        assert status == 404, answer
    assert (await ask("GET", f"jobs/{job_id}/runs/{run_id}/log.txt"))[0] == 404
    assert (await ask("GET", f"jobs/other/runs/{run_id}/html"))[0] == 404
    with pytest.raises(HTTPClientError) as e:
        await jp_fetch("aios", "jobs", job_id, "runs", run_id, "..%2F..%2Fhtml")
    assert e.value.code == 404
