"""`POST ask`: the inspector's questions over HTTP: answered, allowed, and never a 500."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from jupyter_server.auth.authorizer import Authorizer

import aios_workbench as aios
from aios_workbench.widgets import protocol
from aios_workbench.widgets.ask import IN_KERNEL
from aios_workbench.workspace import Workspace, stop

from .conftest import add_gate, add_run

pytest_plugins = ["pytest_jupyter.jupyter_server"]


class Reader(Authorizer):
    """May look, not touch."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        """Allow reading only."""
        return action == "read"


@pytest.fixture
def reader(jp_server_config: dict[str, Any]) -> None:
    """A server whose users may only read."""
    jp_server_config["ServerApp"]["authorizer_class"] = Reader


@pytest.fixture
def done(ws: Workspace) -> aios.Run:
    """A run of two steps that has succeeded, with a frame."""
    wf = aios.Workflow("asked")

    @wf.step
    def load(n: int = 3) -> Any:
        print("loading")
        return pd.DataFrame({"a": range(n)})

    @wf.step
    def total(load: Any) -> int:
        return int(load["a"].sum())

    run = wf.run()
    run.result(timeout=60)
    return run


async def test_a_run_is_opened(ask: Any, done: aios.Run) -> None:
    status, graph = await ask("POST", "ask", {"kind": "graph", "run_id": done.id})
    assert (status, [n["name"] for n in graph["state"]["nodes"]]) == (200, ["load", "total"])
    _, later = await ask("POST", "ask", {"kind": "graph", "run_id": done.id, "since": graph["seq"]})
    assert (later["state"], later["patch"]["nodes"], later["patch"]["base"]) == (None, [], graph["seq"])
    status, step = await ask("POST", "ask", {"kind": "open_step", "run_id": done.id, "step": "load"})
    assert (status, step["artifact"]["shape"], step["output"]["rows"][2]) == (200, [3, 1], [2])
    body = {"kind": "preview", "hash": step["artifact"]["hash"], "offset": 1, "limit": 1}
    assert (await ask("POST", "ask", body))[1]["rows"] == [[1]]
    _, logs = await ask("POST", "ask", {"kind": "logs", "run_id": done.id, "search": "LOAD"})
    assert [(line["step"], line["text"]) for line in logs["lines"]] == [("load", "loading")]


async def test_a_reader_may_look_but_not_act(reader: None, ask: Any, done: aios.Run) -> None:
    for body in ({"kind": "graph"}, {"kind": "open_step", "step": "load"}, {"kind": "logs"}):
        assert (await ask("POST", "ask", {**body, "run_id": done.id}))[0] == 200, body
    for body in (
        {"kind": "cancel"}, {"kind": "resume"}, {"kind": "rerun_from", "step": "load"},
        {"kind": "decide", "step": "g", "approved": True},
    ):  # fmt: skip
        status, answer = await ask("POST", "ask", {**body, "run_id": done.id})
        assert (status, "not change" in answer["message"]) == (403, True), body


async def test_acting_leaves_the_users_name(
    ask: Any, done: aios.Run, ws: Workspace, workers: list[Path]
) -> None:
    from aios_workbench.govern import actor

    status, new = await ask("POST", "ask", {"kind": "rerun_from", "run_id": done.id, "step": "total"})
    assert status == 200, new
    assert new["run_id"] != done.id
    add_run(ws, "r1", "waiting", seed="{}")
    form = {
        "type": "object",
        "properties": {"amount": {"type": "number", "maximum": 10}},
        "required": ["amount"],
    }
    add_gate(ws, "r1", "g", form, [1, 2])
    body = {"kind": "decide", "run_id": "r1", "step": "g", "approved": True}
    status, answer = await ask("POST", "ask", {**body, "values": {"amount": 11}})
    assert (status, list(answer["fields"])) == (422, ["amount"])
    status, answer = await ask("POST", "ask", {**body, "values": {"amount": 1}})
    assert (status, answer) == (200, {"run_id": "r1"})
    status, answer = await ask("POST", "ask", {**body, "values": {"amount": 1}})
    assert status == 409
    said = ws.catalog.query("select actor, action from audit where action in ('run.rerun', 'gate.approved')")
    assert said == [
        {"actor": actor(), "action": "run.rerun"},
        {"actor": actor(), "action": "gate.approved"},
    ]


async def test_what_is_unknown_is_404(ask: Any, done: aios.Run) -> None:
    for body in (
        {"kind": "graph", "run_id": "nope"}, {"kind": "graph"}, {"kind": "overview", "run_id": "nope"},
        {"kind": "open_step", "run_id": done.id, "step": "nope"}, {"kind": "cancel", "run_id": "nope"},
        {"kind": "preview", "hash": "0" * 64}, {"kind": "table", "hash": "0" * 64},
        {"kind": "preview", "hash": "0" * 64, "run_id": done.id},
    ):  # fmt: skip
        status, answer = await ask("POST", "ask", body)
        assert status == 404, (body, answer)
        assert answer["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "kind"),
        ({"kind": "explode"}, "kind"),
        ({"kind": ["graph"]}, "kind"),
        ({"kind": "open_step", "run_id": "r"}, "step"),
        ({"kind": "open_step", "run_id": "r", "step": 3}, "step"),
        ({"kind": "graph", "run_id": "r", "sinse": 3}, "sinse"),
        ({"kind": "preview", "hash": "../../etc/passwd"}, "hash"),
        ({"kind": "preview", "hash": "0" * 64, "limit": 10**9}, "limit"),
        ({"kind": "table", "hash": "0" * 64, "query": {"limit": "x"}}, "query.limit"),
        ({"kind": "table", "hash": "0" * 64, "query": {"sort": [{"columm": "a"}]}}, "query.sort.0.column"),
    ],
)  # fmt: skip
async def test_a_wrong_question_names_the_field(body: Any, field: str, ask: Any, ws: Workspace) -> None:
    status, answer = await ask("POST", "ask", body)
    assert (status, field in answer["fields"]) == (422, True), answer


async def test_what_only_a_kernel_knows_is_said(ask: Any, done: aios.Run) -> None:
    status, answer = await ask("POST", "ask", {"kind": "templates"})
    assert (status, "kernel" in answer["message"]) == (409, True)


async def test_every_question_gets_its_kind_of_answer(ask: Any, done: aios.Run, ws: Workspace) -> None:
    hash_ = ws.catalog.query("select output from steps where step = 'load'")[0]["output"]
    good = {
        "run_id": done.id, "step": "load", "hash": hash_, "other": done.id, "workflow": "asked",
        "query": "select sum(a) as s from output",
    }  # fmt: skip
    unanswered = []
    for model, answer in protocol.ANSWERS.items():
        kind = model.model_fields["kind"].default
        body = {"kind": kind} | {n: v for n, v in good.items() if n in model.model_fields}
        if kind == "table":
            body["query"] = {"sort": [{"column": "a", "descending": True}], "limit": 1}
        if kind in ("media", "rerun_from", "redrive", "resume", "cancel", "decide") or issubclass(
            model, IN_KERNEL
        ):
            continue
        status, data = await ask("POST", "ask", body)
        if status != 200:
            unanswered.append((kind, data))
            continue
        answer.model_validate(data)
        if kind == "table":
            assert data["rows"] == [[2]]
            assert f'aios.run("{done.id}")["load"]' in data["code"]
        if kind == "sql":
            assert [[int(cell) for cell in row] for row in data["rows"]] == [[3]]
    assert unanswered == []


JUNK: list[Any] = [
    None, True, -1, 2**63, 10**400, 1e308, "", "x", "\x00", "\ud800", "<img src=x onerror=alert(1)>",
    "'; drop table runs;--", "../..", "x" * 70_000, [], [[]], [None], {}, {"a": {"b": []}},
    [{"column": "a", "op": "=", "value": {"x": [1]}}],
    {"filters": [{"column": "\ud800", "op": "in", "value": ["\ud800", 10**400, None, {}]}]},
    {"filters": [{"column": "a", "op": "in", "value": ["\ud800", 10**400, None, {}]}]},
    {"where": "1; select 1"}, {"sort": [{"column": "nope"}]}, {"columns": ["nope"]}, {"offset": 2**60},
    json.loads("[" * 800 + "]" * 800),
]  # fmt: skip


async def test_junk_is_never_a_500(ask: Any, done: aios.Run, ws: Workspace, workers: list[Path]) -> None:
    hash_ = ws.catalog.query("select output from steps where step = 'load'")[0]["output"]
    good = {
        "run_id": done.id, "step": "load", "hash": hash_, "other": done.id, "workflow": "asked", "query": "select 1",
        "template": "step", "name": "x", "settings": {}, "approved": True, "target": 1,
    }  # fmt: skip
    for model in protocol.ANSWERS:
        kind = model.model_fields["kind"].default
        base = {"kind": kind} | {n: v for n, v in good.items() if n in model.model_fields}
        if kind == "table":
            base["query"] = {}
        for field in [*model.model_fields, "more"]:
            for junk in JUNK:
                status, answer = await ask("POST", "ask", {**base, field: junk})
                assert status < 500, (kind, field, junk, answer)
                assert status == 200 or answer["message"], (kind, field, junk)


async def test_a_query_ends_with_its_connection(
    ask: Any, ws: Workspace, http_server_port: Any, jp_auth_header: Any, jp_base_url: str, monkeypatch: Any
) -> None:
    begun, ended, running = threading.Event(), threading.Event(), stop.Stop.running

    @contextlib.contextmanager
    def noted(self: Any, con: Any) -> Iterator[None]:
        begun.set()
        try:
            with running(self, con):
                yield
        finally:
            if self.stopped:
                ended.set()

    monkeypatch.setattr(stop.Stop, "running", noted)
    stored = ws.artifacts.put(pd.DataFrame({"n": range(10)})).hash
    slow = "select sum(a.range * b.range % 7) as n from range(1000000) a, range(1000000) b"
    body = json.dumps({"kind": "sql", "hash": stored, "query": slow}).encode()
    _, writer = await asyncio.open_connection("127.0.0.1", http_server_port[1])
    head = [f"POST {jp_base_url}aios/ask HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    head += [f"{k}: {v}" for k, v in jp_auth_header.items()] + [f"Content-Length: {len(body)}"]
    writer.write("\r\n".join([*head, "", ""]).encode() + body)
    await writer.drain()
    assert await asyncio.to_thread(begun.wait, 60)
    writer.close()
    assert await asyncio.to_thread(ended.wait, 15)
    code, page = await ask(
        "POST", "ask", {"kind": "sql", "hash": stored, "query": "select max(n) as n from output"}
    )
    assert (code, page["rows"]) == (200, [[9]])
