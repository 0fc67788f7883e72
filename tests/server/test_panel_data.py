"""What the side panel asks of the server beyond runs: whose, what was decided, last results, one-off parameters."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from aios_workbench.engine import control
from aios_workbench.govern import actor
from aios_workbench.workspace import Workspace

from .conftest import add_gate, add_run, write_notebook

pytest_plugins = ["pytest_jupyter.jupyter_server"]


@pytest.fixture
def many(ws: Workspace) -> Workspace:
    """Three runs that differ in everything one may search for."""
    add_run(ws, "r1", workflow="claims", user=actor(), params='{"region":"Bayern"}', created_at=1.0)
    add_run(ws, "r2", workflow="claims", user="bob", status="failed", error="disk full", created_at=2.0)
    add_run(ws, "r3", workflow="catalog", user="bob", created_at=3.0)
    ws.catalog.write(
        "insert into steps (run_id, step, position, kind, status, error) values ('r3', 'enrich_prices', 0, 'step', "
        "'failed', 'KeyError: sku')"
    )
    ws.catalog.flush()
    return ws


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "CLAIMS"}, ["r2", "r1"]),
        ({"search": "bayern"}, ["r1"]),
        ({"search": "region claims"}, ["r1"]),
        ({"search": "region catalog"}, []),
        ({"search": "disk"}, ["r2"]),
        ({"search": "enrich_pr"}, ["r3"]),
        ({"search": "keyerror catalog"}, ["r3"]),
        ({"search": "%"}, []),
        ({"search": " "}, ["r3", "r2", "r1"]),
        ({"workflow": "claims"}, ["r2", "r1"]),
        ({"mine": "true"}, ["r1"]),
        ({"mine": "true", "search": "disk"}, []),
    ],
)
async def test_search_and_mine(ask: Any, many: Workspace, query: dict[str, str], found: list[str]) -> None:
    for endpoint in ("runs", "snapshot"):
        status, answer = await ask("GET", endpoint, **query)
        assert (status, [r["run_id"] for r in answer["runs"]]) == (200, found)
    assert (await ask("GET", "runs", mine="perhaps"))[0] == 422


async def test_names_and_the_last_failure(ask: Any, many: Workspace) -> None:
    _, shot = await ask("GET", "snapshot")
    assert shot["workflows"] == ["catalog", "claims"]
    assert shot["failure"] == {"run_id": "r2", "workflow": "claims", "status": "failed", "ended_at": None}
    add_run(many, "r4", workflow="claims", status="running")  # somebody looks after it
    assert (await ask("GET", "snapshot"))[1]["failure"] is None


async def test_the_second_to_decide_is_told_who_was_first(ask: Any, ws: Workspace) -> None:
    add_run(ws, "r1", "waiting", workflow="claims")
    add_gate(ws, "r1", "review")
    control.decide(ws, "r1", "review", approved=True, by="ana", reason="looks right")
    status, told = await ask("POST", "runs/r1/gates/review", {"approved": False})
    assert status == 409
    assert "approved by ana" in told["message"]
    _, shot = await ask("GET", "snapshot")
    (decided,) = shot["decided"]
    told_by = (decided["status"], decided["decided_by"], decided["reason"])
    assert told_by == ("approved", "ana", "looks right")
    assert decided["decided_at"] <= time.time()


async def test_parameters_for_one_run_and_last_results(
    ask: Any, ws: Workspace, workers: list[Path], jp_root_dir: Path
) -> None:
    write_notebook(jp_root_dir / "n.ipynb", "print(rows)", parameters="rows: int = 3\nlabel: str = 'a'")
    request = {"notebook": "n.ipynb", "name": "n", "parameters": {"rows": 8}}
    _, job = await ask("POST", "promote", request)
    _, got = await ask("GET", f"jobs/{job['job_id']}/parameters")
    assert [(p["name"], p["default"], p["schema"]["type"]) for p in got["parameters"]] == [
        ("rows", 8, "integer"),
        ("label", "a", "string"),
    ]
    assert (await ask("GET", "jobs/none/parameters"))[0] == 404
    _, run = await ask("POST", f"jobs/{job['job_id']}/trigger", {"params": {"rows": 1}})
    status, told = await ask("POST", f"jobs/{job['job_id']}/trigger", {"params": {"rows": "many"}})
    assert (status, list(told["fields"])) == (422, ["rows"])
    _, shot = await ask("GET", "snapshot")
    assert [(r["job_run_id"], r["status"]) for r in shot["jobs"][0]["recent"]] == [
        (run["job_run_id"], "queued")
    ]


async def test_a_lesson_comes_as_new(ask: Any) -> None:
    status, book = await ask("GET", "tutorials/01_first_workflow")
    assert (status, book["nbformat"]) == (200, 4)
    code = [c for c in book["cells"] if c["cell_type"] == "code"]
    assert code
    assert [c for c in code if c["outputs"] or c["execution_count"]] == []
    for name in ("99_none", "..%2f..%2fetc", "01_first_workflow.ipynb"):
        assert (await ask("GET", f"tutorials/{name}"))[0] == 404
