"""A Jupyter server with the extension, a workspace of its own, and shortcuts to ask and to fill it."""

from __future__ import annotations

import json
import re
import time
import urllib.parse
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from aios_workbench.engine import runtime
from aios_workbench.server import contract
from aios_workbench.workspace import Workspace, dumps, workspace

Ask = Callable[..., Awaitable[tuple[int, Any]]]


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    """Enable the extension, and nothing else that would take time."""
    return {"ServerApp": {"jpserver_extensions": {"aios_workbench": True, "jupyter_server_terminals": False}}}


@pytest.fixture
def ws(jp_serverapp: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """The workspace the server finds."""
    monkeypatch.setenv("AIOS_HOME", str(tmp_path / "work" / ".aios"))
    opened = workspace()
    yield opened
    # A connection must not be closed while a thread of the watcher or of the engine still uses it.
    jp_serverapp.web_app.settings["aios_watchers"].stop()
    engine = runtime.running()
    if engine is not None and engine.ws.root == opened.root:
        engine.stop()
    opened.close()


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Record where a worker would have been started, instead of starting one."""
    started: list[Path] = []
    monkeypatch.setattr(
        "aios_workbench.engine.control.ensure_worker", lambda w, **_: started.append(w.root) is None
    )
    return started


@pytest.fixture
def ask(
    jp_serverapp: Any, http_server_client: Any, jp_auth_header: dict[str, str], jp_base_url: str
) -> Iterator[Ask]:
    """Ask the server: `await ask("GET", "runs", limit=3)` -> (status, decoded body); errors are answers too.

    The endpoint is sent as it is (`jp_fetch` would quote it once more, and hide what an encoded slash does).
    """

    async def inner(
        method: str, endpoint: str, body: Any = None, /, *, raw: str | bytes | None = None, **query: Any
    ) -> Any:
        url = f"{jp_base_url}aios/{endpoint}"
        if query:
            url += "?" + urllib.parse.urlencode(query)
        options: dict[str, Any] = {"method": method, "headers": dict(jp_auth_header), "request_timeout": 30}
        if method in ("POST", "PUT"):
            options["body"] = raw if raw is not None else json.dumps({} if body is None else body)
            options["headers"]["Content-Type"] = "application/json"
        r = await http_server_client.fetch(url, raise_error=False, **options)
        assert r.headers["Content-Type"].startswith("application/json"), r.headers
        answer = json.loads(r.body)
        if r.code < 300:
            conform(method, endpoint, answer)
        return r.code, answer

    yield inner
    jp_serverapp.web_app.settings["aios_watchers"].stop()


def conform(method: str, endpoint: str, answer: Any) -> None:
    """Fail when an answer has a field more or less than its model; whatever any test asks is checked."""
    for pattern, model in contract.ANSWERS.items():
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(pattern)), f"{method} {endpoint}"):
            model.model_validate(answer)


def add_run(
    ws: Workspace, run_id: str, status: str = "succeeded", workflow: str = "triage", **columns: Any
) -> str:
    """Insert a run as the engine stores it."""
    row = {
        "run_id": run_id, "workflow": workflow, "status": status, "spec_hash": "none", "created_at": time.time(),
        "started_at": time.time(), **columns,
    }  # fmt: skip
    names = ", ".join(row)
    marks = ", ".join(f":{n}" for n in row)
    ws.catalog.write(f"insert into runs ({names}) values ({marks})", **row)
    return run_id


def add_gate(
    ws: Workspace, run_id: str, step: str, form: dict[str, Any] | None = None, data: Any = None
) -> None:
    """Insert a waiting gate as the engine stores it."""
    artifact = ws.artifacts.put(data)
    ws.catalog.write(
        "insert into gates (run_id, step, status, form, data, requested_at) values (:r, :s, 'waiting', :f, :d, :now)",
        r=run_id, s=step, f=dumps(form) if form else None, d=artifact.hash, now=time.time(),
    )  # fmt: skip
    ws.catalog.write(
        "insert into steps (run_id, step, position, kind, status) values (:r, :s, 0, 'gate', 'waiting')",
        r=run_id,
        s=step,
    )
    ws.catalog.flush()


def write_notebook(path: Path, *sources: str, parameters: str = "") -> Path:
    """Write a notebook, its first cell tagged as parameters."""
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = nbformat.v4.new_notebook(metadata={"kernelspec": spec})
    if parameters:
        book.cells.append(nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    book.cells += [nbformat.v4.new_code_cell(source) for source in sources]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)
    return path
