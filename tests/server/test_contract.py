"""`labextension/src/api_types.ts` declares what the server answers; here both are compared, name by name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import aios_workbench as aios
from aios_workbench.workspace import Workspace

from .conftest import write_notebook

pytest_plugins = ["pytest_jupyter.jupyter_server"]

API = Path(__file__).parents[2] / "labextension" / "src" / "api_types.ts"
INTERFACE = re.compile(r"export interface (\w+)(?: extends (\w+))? \{\n(.*?)\n\}", re.DOTALL)


def interfaces() -> dict[str, set[str]]:
    """Return the required field names of each interface, inherited ones too."""
    own: dict[str, set[str]] = {}
    parent: dict[str, str] = {}
    for name, base, body in INTERFACE.findall(API.read_text(encoding="utf-8")):
        own[name] = set(re.findall(r"^  (\w+):", body, re.MULTILINE))
        parent[name] = base

    def all_of(name: str) -> set[str]:
        return own.get(name, set()) | (all_of(parent[name]) if parent.get(name) else set())

    return {name: all_of(name) for name in own}


def has(declared: dict[str, set[str]], name: str, answer: dict[str, Any]) -> None:
    assert declared[name], name
    assert declared[name] <= set(answer), (
        f"{name}: api_types.ts declares {sorted(declared[name] - set(answer))}, not answered"
    )


async def test_every_declared_field_is_answered(
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
    declared = interfaces()
    while not (await ask("GET", "snapshot"))[1]["gates"]:
        assert run.status not in ("failed", "succeeded"), run.error
    write_notebook(jp_root_dir / "a.ipynb", "open('/home/x/y')", parameters="a: int = 1")
    request = {
        "notebook": "a.ipynb", "name": "a", "schedule": "0 6 * * *", "timezone": "UTC", "parameters": {"a": 2},
        "missed": "all", "retries": 1, "timeout": "1h", "gates": {},
    }  # fmt: skip
    assert set(request) == declared["PromoteRequest"]
    status, job = await ask("POST", "promote", request)
    assert status == 201, job
    await ask("POST", f"jobs/{job['job_id']}/trigger")

    _, shot = await ask("GET", "snapshot")
    has(declared, "Snapshot", shot)
    has(declared, "Run", shot["runs"][0])
    has(declared, "Gate", shot["gates"][0])
    has(declared, "Job", shot["jobs"][0])
    has(declared, "JobRun", shot["jobs"][0]["last"])
    has(declared, "Job", job)
    _, detail = await ask("GET", f"runs/{run.id}")
    has(declared, "RunDetail", detail)
    has(declared, "Step", detail["steps"][0])
    assert set(detail["metrics"][0]) >= {"step", "name", "value", "text", "unit"}
    _, step = await ask("GET", f"runs/{run.id}/steps/one")
    has(declared, "StepDetail", step)
    _, gate = await ask("GET", f"runs/{run.id}/gates/review")
    has(declared, "GateDetail", gate)
    _, history = await ask("GET", f"jobs/{job['job_id']}/runs")
    has(declared, "JobRun", history["runs"][0])
    _, check = await ask("POST", "promote/check", {"notebook": "a.ipynb", "schedule": "0 6 * * *"})
    has(declared, "PromoteCheck", check)
    has(declared, "NotebookParameter", check["parameters"][0])
    has(declared, "Finding", check["findings"][0])
    run.cancel()
    while (await ask("GET", f"runs/{run.id}"))[1]["status"] != "cancelled":
        pass
