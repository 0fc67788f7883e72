"""What the server refuses: always a 4xx with a sentence, never a 500, never a file from elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aios_workbench.workspace import Workspace

from .conftest import add_gate, add_run, write_notebook

pytest_plugins = ["pytest_jupyter.jupyter_server"]

BAD_IDS = [
    "..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "a/b", "a%2fb", "a%00b", "'%20or%201=1--", "x" * 101, "ü", "%C3%BC", "-x",
    "..%5C..%5Cx", "%252e%252e", "a;b", "<script>",
]  # fmt: skip
BAD_PATHS = [
    "../secret.ipynb", "sub/../../secret.ipynb", "/../secret.ipynb", "..\\secret.ipynb", "%2e%2e/secret.ipynb",
    "C:/secret.ipynb", "a\0b.ipynb", "a\nb.ipynb", ".hidden/x.ipynb", "x" * 2000 + ".ipynb", "link/secret.ipynb",
    "nb.txt", "", "missing.ipynb", "folder.ipynb", "//etc/passwd", "file:///etc/passwd",
]  # fmt: skip


def refused(status: int, answer: Any) -> None:
    assert 400 <= status < 500, (status, answer)
    assert answer["message"], answer
    assert "Traceback" not in json.dumps(answer)


@pytest.mark.parametrize("bad", BAD_IDS)
async def test_bad_ids(bad: str, ask: Any, ws: Workspace) -> None:
    quoted = bad.replace("<", "%3C").replace(">", "%3E").replace("ü", "%C3%BC")
    for method, path in (
        ("GET", f"runs/{quoted}"), ("POST", f"runs/{quoted}/cancel"), ("GET", f"jobs/{quoted}"),
        ("DELETE", f"jobs/{quoted}"),
        ("GET", f"jobs/{quoted}/runs/{quoted}/html"), ("GET", f"runs/r1/steps/{quoted}"),
    ):  # fmt: skip
        status, answer = await ask(method, path)
        refused(status, answer)
        assert status == 404, (method, path, answer)


@pytest.mark.parametrize("path", BAD_PATHS)
async def test_no_path_leads_out_of_the_root(path: str, ask: Any, ws: Workspace, jp_root_dir: Path) -> None:
    write_notebook(jp_root_dir.parent / "secret.ipynb", "1")
    write_notebook(jp_root_dir / ".hidden" / "x.ipynb", "1")
    (jp_root_dir / "link").symlink_to(jp_root_dir.parent)
    (jp_root_dir / "nb.txt").write_text("x")
    (jp_root_dir / "folder.ipynb").mkdir()
    refused(*await ask("POST", "promote/check", {"notebook": path}))
    refused(*await ask("POST", "promote", {"notebook": path, "name": "x"}))
    assert ws.catalog.query("select * from jobs") == []


@pytest.mark.parametrize("path", ["../x", "/../../etc", "a\nb", ".hidden/x", "link/x"])
async def test_focus_stays_inside_too(
    path: str, ask: Any, jp_root_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIOS_HOME")
    (jp_root_dir / "link").symlink_to(jp_root_dir.parent)
    for endpoint in ("snapshot", "runs", "jobs", "events", "runs/r1"):
        refused(*await ask("GET", endpoint, path=path))


@pytest.mark.parametrize(
    ("endpoint", "body", "field"),
    [
        ("runs/r1/gates/g", {"approved": "yes"}, "approved"),
        ("runs/r1/gates/g", {"approved": 1}, "approved"),
        ("runs/r1/gates/g", {}, "approved"),
        ("runs/r1/gates/g", {"approved": True, "values": [1]}, "values"),
        ("runs/r1/gates/g", {"approved": True, "reason": "x" * 10_001}, "reason"),
        ("runs/r1/gates/g", {"approved": True, "resaon": "x"}, "resaon"),
        ("runs/r1/cancel", {"force": True}, "force"),
        ("runs/r1/rerun", {}, "from_step"),
        ("runs/r1/rerun", {"from_step": 3}, "from_step"),
        ("jobs/j1/trigger", {"params": None}, "params"),
        ("jobs/j1/pause", {"now": 1}, "now"),
        ("promote", {"notebook": "a.ipynb"}, "name"),
        ("promote", {"notebook": "a.ipynb", "name": "x", "retries": "3"}, "retries"),
        ("promote", {"notebook": "a.ipynb", "name": "x", "retries": -1}, "retries"),
        ("promote", {"notebook": "a.ipynb", "name": "x", "retries": True}, "retries"),
        ("promote", {"notebook": "a.ipynb", "name": "x", "missed": "some"}, "missed"),
        ("promote", {"notebook": "a.ipynb", "name": "x", "shedule": "* * * * *"}, "shedule"),
        ("promote/check", {"notebook": ["a"]}, "notebook"),
    ],
)
async def test_wrong_bodies_name_the_field(
    endpoint: str, body: Any, field: str, ask: Any, ws: Workspace
) -> None:
    status, answer = await ask("POST", endpoint, body)
    assert status == 422, answer
    assert field in answer["fields"], answer
    assert field in answer["message"]


async def test_a_typo_gets_the_nearest_name(ask: Any, ws: Workspace) -> None:
    _, answer = await ask("POST", "promote", {"notebook": "a.ipynb", "name": "x", "shedule": "* * * * *"})
    assert answer["fields"]["shedule"] == "unknown field; did you mean 'schedule'?"


@pytest.mark.parametrize(
    "raw",
    ["{", "[1]", '"text"', "null", '{"approved": NaN}', "[" * 5000, b"\xff\xfe{}", '{"approved": Infinity}'],
)
async def test_what_is_no_json_object(raw: str | bytes, ask: Any, ws: Workspace) -> None:
    status, answer = await ask("POST", "runs/r1/gates/g", raw=raw)
    assert status == 400, answer
    refused(status, answer)


async def test_a_large_body(ask: Any, ws: Workspace) -> None:
    status, answer = await ask("POST", "runs/r1/gates/g", {"approved": True, "reason": "x" * 1_100_000})
    assert status == 413, answer


async def test_only_json_is_taken(jp_fetch: Any, ws: Workspace) -> None:
    from tornado.httpclient import HTTPClientError

    with pytest.raises(HTTPClientError) as e:
        await jp_fetch(
            "aios/runs/r1/cancel", method="POST", body="{}", headers={"Content-Type": "text/plain"}
        )
    assert e.value.code == 415


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "501"}, {"limit": "x"}, {"status": "done"}, {"before": "nan"}, {"before": "yesterday"},
     {"search": "x" * 201}],
)  # fmt: skip
async def test_wrong_queries(query: dict[str, str], ask: Any, ws: Workspace) -> None:
    status, answer = await ask("GET", "runs", **query)
    assert status == 422, answer
    assert next(iter(query)) in answer["fields"]


async def test_numbers_no_database_takes(ask: Any, ws: Workspace) -> None:
    for path, query in (
        ("events", {"after": 10**30}),
        ("runs/r/logs", {"after": -1}),
        ("runs/r/steps/s", {"offset": 10**30}),
    ):
        refused(*await ask("GET", path, **query))


async def test_unknown_things_are_404(ask: Any, ws: Workspace, workers: list[Path]) -> None:
    add_run(ws, "r1")
    for method, path, body in (
        ("GET", "runs/r2", None), ("GET", "runs/r2/logs", None), ("GET", "runs/r1/steps/nope", None),
        ("GET", "no/such", None),
        ("POST", "runs/r2/gates/g", {"approved": True}), ("POST", "runs/r1/gates/g", {"approved": True}),
        ("POST", "runs/r2/resume", {}), ("POST", "runs/r2/rerun", {"from_step": "a"}), ("GET", "jobs/j", None),
        ("POST", "jobs/j/trigger", {}), ("DELETE", "jobs/j", None), ("GET", "jobs/j/runs/x/html", None),
        ("POST", "no/such", {}), ("POST", "runs/r1/explode", {}),
    ):  # fmt: skip
        status, answer = await ask(method, path, body)
        assert status == 404, (method, path, answer)


async def test_what_is_over_cannot_be_cancelled(ask: Any, ws: Workspace) -> None:
    add_run(ws, "r1", "succeeded")
    status, answer = await ask("POST", "runs/r1/cancel")
    assert status == 409
    assert "nothing to cancel" in answer["message"]


async def test_a_gates_form_is_checked(ask: Any, ws: Workspace, workers: list[Path]) -> None:
    form = {
        "type": "object",
        "properties": {"amount": {"type": "number", "maximum": 10}},
        "required": ["amount"],
    }
    add_run(ws, "r1", "waiting", seed="{}")
    add_gate(ws, "r1", "g", form, [1, 2])
    for values, field in (({"amount": 11}, "amount"), ({}, "amount"), ({"amount": "x"}, "amount")):
        status, answer = await ask("POST", "runs/r1/gates/g", {"approved": True, "values": values})
        assert (status, list(answer["fields"])) == (422, [field]), answer
    status, answer = await ask("POST", "runs/r1/gates/g", {"approved": True, "values": {"amout": 1}})
    assert status == 422
    assert "did you mean 'amount'" in answer["message"]
    assert ws.catalog.one("select status from gates") == {"status": "waiting"}


async def test_a_damaged_catalog_is_said(ask: Any, ws: Workspace) -> None:
    ws.close()
    (ws.root / "catalog.db").write_bytes(b"this is no database" * 100)
    for name in ("catalog.db-wal", "catalog.db-shm"):
        (ws.root / name).unlink(missing_ok=True)
    status, answer = await ask("GET", "snapshot")
    assert status == 507
    assert "damaged" in answer["message"]
