"""`api_types.ts` is generated from `models.py`, and every endpoint answers what its model says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import aios_workbench as aios
from aios_workbench.server import contract, extension, generate_ts
from aios_workbench.workspace import Workspace

from .conftest import conform, write_notebook

pytest_plugins = ["pytest_jupyter.jupyter_server"]


def test_typescript_is_what_the_models_say() -> None:
    assert generate_ts.TARGET.read_text(encoding="utf-8") == generate_ts.generate(), (
        "labextension/src/api_types.ts is stale: python -m aios_workbench.server.generate_ts"
    )


def test_every_route_has_a_model() -> None:
    plain = {
        pattern.replace(extension.RUN, "{id}").replace(extension.STEP, "{step}")
        for pattern, _ in extension.routes()
    }
    routes = set()
    for pattern in plain:
        head, _, choice = pattern.rpartition("/")
        routes |= {f"{head}/{word}" for word in choice[1:-1].split("|")} if "|" in choice else {pattern}
    files = {r for r in routes if r.startswith("tutorials/") or r.endswith(("/html", "/notebook"))}
    assert routes - files - {"ask", ".*"} == {key.split(" ")[1] for key in contract.ANSWERS}


def test_a_field_more_or_less_is_found() -> None:
    with pytest.raises(ValidationError):
        conform("POST", "runs/r1/cancel", {"run_id": "r1", "more": 1})
    with pytest.raises(ValidationError):
        conform("POST", "runs/r1/cancel", {})


async def test_every_answer_is_what_its_model_says(
    ask: Any, ws: Workspace, workers: list[Path], jp_root_dir: Path
) -> None:
    wf = aios.Workflow("contract")

    @wf.step
    def one(n: int = 3) -> list[int]:
        print("one")
        aios.context().metric("m", 1.0)
        return list(range(n))

    @wf.gate
    def review(one: list[int]) -> list[int]:
        return one

    run = wf.run()
    while not (await ask("GET", "snapshot"))[1]["gates"]:
        assert run.status not in ("failed", "succeeded"), run.error
    write_notebook(jp_root_dir / "a.ipynb", "open('/home/x/y')", parameters="a: int = 1")
    request = {
        "notebook": "a.ipynb", "name": "a", "schedule": "0 6 * * *", "timezone": "UTC", "parameters": {"a": 2},
        "missed": "all", "retries": 1, "timeout": "1h", "gates": {},
    }  # fmt: skip
    status, job = await ask("POST", "promote", request)
    assert status == 201, job
    await ask("POST", f"jobs/{job['job_id']}/trigger")

    _, shot = await ask("GET", "snapshot")
    assert shot["jobs"][0]["last"]
    assert shot["jobs"][0]["recent"]
    assert {"steps_total", "steps_done", "current", "job"} <= set(shot["runs"][0])
    asked = [
        ("GET", "runs"), ("GET", f"runs/{run.id}"), ("GET", f"runs/{run.id}/steps/one"),
        ("GET", f"runs/{run.id}/logs"), ("GET", f"runs/{run.id}/gates/review"), ("GET", "events"),
        ("GET", "jobs"), ("GET", f"jobs/{job['job_id']}"), ("GET", f"jobs/{job['job_id']}/runs"),
        ("GET", f"jobs/{job['job_id']}/parameters"), ("POST", f"jobs/{job['job_id']}/pause"),
        ("POST", f"jobs/{job['job_id']}/resume"),
    ]  # fmt: skip
    for method, endpoint in asked:
        status, answer = await ask(method, endpoint)  # checked against its model by `conform`
        assert status == 200, (endpoint, answer)
    draft = {"notebook": "a.ipynb", "name": "a", "schedule": "0 7 * * *", "parameters": {"a": 2}}
    for endpoint in ("open", "check", "preview", "review", "mend", "files", "write"):
        body = {"notebook": "a.ipynb"} if endpoint == "open" else draft
        more = {"target": "crontab", "folder": "out"} if endpoint in ("files", "write") else {}
        status, answer = await ask("POST", f"promote/{endpoint}", {**body, **more})
        assert status == 200, (endpoint, answer)
    status, badge = await ask("GET", "promote/badge", notebook="a.ipynb")
    assert (status, badge["job"], badge["version"]) == (200, "a", 1)
    run.cancel()
    while (await ask("GET", f"runs/{run.id}"))[1]["status"] != "cancelled":
        pass
