"""The widget against a real catalog: live, diffed, answered, and quiet when nothing moves."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from aios_workbench.widgets import protocol
from aios_workbench.widgets.ask import check_form
from aios_workbench.widgets.diff import apply
from aios_workbench.widgets.graph import GraphWidget
from aios_workbench.workflow import Workflow


def until(check: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.fixture
def widget(run: Any) -> Any:
    made = GraphWidget(run)
    yield made
    made.close()


def seen(widget: GraphWidget) -> dict[str, str]:
    """What a browser that has only the traits sees."""
    state = protocol.GraphState.model_validate(widget.graph)
    if widget.patch:
        state = apply(state, protocol.GraphPatch.model_validate(widget.patch))
    return {n.name: n.status for n in state.nodes}


def ask(widget: GraphWidget, kind: str, **fields: Any) -> dict[str, Any]:
    """Send a request as the browser does; give the reply."""
    sent: list[dict[str, Any]] = []
    widget.send = lambda message, buffers=None: sent.append(message)  # type: ignore[method-assign]
    widget._on_request(widget, {"kind": kind, "id": 7, **fields}, [])
    [reply] = sent
    assert reply["id"] == 7
    return reply


def test_the_first_message_has_the_state(widget: GraphWidget) -> None:
    state = widget.get_state()["graph"]
    assert state["workflow"] == "claims"
    assert [n["name"] for n in state["nodes"]] == ["load", "clean", "score", "review", "report"]
    report = state["nodes"][-1]
    assert (report["deps"], report["after"]) == (["score"], ["review"])
    assert state["nodes"][3]["kind"] == "gate"


def test_no_trait_is_called_name_and_none_is_watched_bare(widget: GraphWidget) -> None:
    assert "name" not in widget.traits()


def test_states_follow_the_catalog(widget: GraphWidget, run: Any) -> None:
    run.set("load", status="running", attempts=1, started_at=time.time(), progress=0.5)
    until(lambda: seen(widget)["load"] == "running")
    assert widget.patch["nodes"][0]["progress"] == 0.5
    run.finish("load", [1, 2])
    run.end("succeeded")
    until(lambda: widget.state.run and widget.state.run.status == "succeeded")
    assert seen(widget)["load"] == "succeeded"


def test_lines_printed_are_news(widget: GraphWidget, run: Any) -> None:
    before = widget.state.seq
    run.ws.catalog.event("log", run.id, "load")
    until(lambda: widget.state.seq > before)
    assert (widget.patch["nodes"], widget.patch["logs"] > 0) == ([], True)


def test_the_last_state_of_a_burst_is_never_lost(widget: GraphWidget, run: Any) -> None:
    for i in range(300):
        run.set("load", status="running", attempts=1, progress=i / 300)
    run.finish("load", 1)
    until(lambda: seen(widget)["load"] == "succeeded")


def test_updates_are_at_most_20_a_second(widget: GraphWidget, run: Any) -> None:
    times: list[float] = []
    widget.observe(lambda _: times.append(time.monotonic()), ["patch", "graph"])
    end = time.monotonic() + 1.0
    i = 0
    while time.monotonic() < end:
        i += 1
        run.set("load", status="running", attempts=1, progress=i / 1e6)
        time.sleep(0.004)
    assert 5 <= len(times) <= 22


def test_a_run_of_another_process_is_followed(widget: GraphWidget, run: Any) -> None:
    code = (
        f"import sqlite3; c = sqlite3.connect({str(run.ws.catalog.path)!r}); "
        f"c.execute(\"update steps set status = 'failed' where step = 'clean' and run_id = '{run.id}'\"); c.commit()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    until(lambda: seen(widget)["clean"] == "failed", 3)


def test_polling_stops_with_the_run_and_starts_again_with_it(widget: GraphWidget, run: Any) -> None:
    watcher: Any = widget._watcher
    assert watcher.alive
    run.end("failed")
    until(lambda: not watcher.alive)
    run.ws.catalog.write("update runs set status = 'running' where run_id = :r", r=run.id)
    run.set("load", status="running")  # resumed: an event of this process
    until(lambda: seen(widget)["load"] == "running")
    assert watcher.alive


def test_a_closed_widget_is_let_go(run: Any) -> None:
    made = GraphWidget(run)
    watcher: Any = made._watcher
    made.close()
    until(lambda: not watcher.alive)
    gone = weakref.ref(made)
    del made
    gc.collect()
    assert gone() is None


def test_open_step_page_and_log(widget: GraphWidget, run: Any) -> None:
    import pandas as pd

    frame = pd.DataFrame({"x": range(100), "<img src=x onerror=alert(1)>": [float("nan")] * 100})
    run.finish("load", frame)
    run.ws.catalog.defer(
        "insert into logs (run_id, step, attempt, at, stream, text) values (:r, 'load', 1, 1.0, 'stdout', 'hello')",
        {"r": run.id},
    )
    run.ws.catalog.flush()
    detail = ask(widget, "open_step", step="load")["data"]
    assert detail["output"]["total"] == 100
    assert detail["output"]["columns"][1]["name"] == "<img src=x onerror=alert(1)>"
    assert "Read the claims" in detail["doc"]
    assert "def load" in detail["code"]
    assert [line["text"] for line in detail["logs"]] == ["hello"]
    assert {v["name"]: v["summary"] for v in detail["inputs"]} == {"path": "'claims.csv'"}
    page = ask(widget, "preview", hash=detail["artifact"]["hash"], offset=90, limit=20)["data"]
    assert [r[0] for r in page["rows"]] == list(range(90, 100))
    assert ask(widget, "logs", step="load", after=detail["logs"][-1]["seq"])["data"] == {
        "lines": [],
        "more": False,
    }


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"kind": "open_step", "step": "nope"}, "NotFoundError"),
        ({"kind": "preview", "hash": "0" * 64}, "NotFoundError"),
        ({"kind": "preview", "hash": "../x"}, "ProtocolError"),
        ({"kind": "format_disk"}, "ProtocolError"),
    ],
)
def test_a_request_that_cannot_be_answered_gets_an_error(
    widget: GraphWidget, request_: dict[str, Any], error: str
) -> None:
    reply = ask(widget, **request_)
    assert (reply["kind"], reply["type"]) == ("error", error)
    assert reply["message"]


@pytest.mark.parametrize("content", [None, "text", {"kind": "hello"}, {"kind": "hello", "id": "x"}])
def test_what_is_no_request_is_left_alone(widget: GraphWidget, content: Any) -> None:
    widget.send = lambda *_: pytest.fail("answered")  # type: ignore[method-assign]
    assert widget._on_request(widget, content, []) is None


def test_actions_reach_the_run(widget: GraphWidget, run: Any) -> None:
    assert ask(widget, "cancel")["data"] == {"run_id": "run-1"}
    assert ask(widget, "resume")["kind"] == "answer"
    assert ask(widget, "rerun_from", step="clean")["data"] == {"run_id": "run-1-again"}
    assert [c[0] for c in run.calls] == ["cancel", "resume", "rerun"]
    assert widget.run_id == "run-1-again"
    assert widget.graph["run"]["run_id"] == "run-1-again"


FORM = {
    "type": "object",
    "properties": {
        "note": {"type": "string", "minLength": 3},
        "limit": {"type": "integer", "minimum": 1, "default": 5},
        "verdict": {"enum": ["pay", "refuse"]},
    },
    "required": ["note", "verdict"],
}


def test_a_gate_is_decided_after_its_form_was_checked(widget: GraphWidget, run: Any) -> None:
    run.ask("review", FORM, {"claims": 3})
    until(lambda: widget.state.gates)
    shown = ask(widget, "open_step", step="review")["data"]
    assert shown["gate"]["form"] == FORM
    assert "claims" in shown["shown"]["text"]
    reply = ask(widget, "decide", step="review", approved=True, values={"note": "x", "limit": 0})
    assert reply["type"] == "ParameterError"
    assert set(reply["fields"]) == {"note", "limit", "verdict"}
    assert run.calls == []
    assert (
        ask(widget, "decide", step="review", approved=True, values={"note": "fine", "verdict": "pay"})["kind"]
        == "answer"
    )
    assert ask(widget, "decide", step="review", approved=False, reason="no")["kind"] == "answer"
    assert run.calls == [
        ("approve", "review", {"note": "fine", "verdict": "pay"}, None),
        ("reject", "review", "no"),
    ]


def test_a_field_the_form_does_not_have() -> None:
    assert check_form(FORM, {"note": "abc", "verdict": "pay", "x": 1}) == {"x": "the form has no such field"}


def test_a_workflow_without_a_run_and_its_problems(ws: Any) -> None:
    wf = Workflow("w")
    made = GraphWidget(wf, ws=ws)
    assert made.graph["nodes"] == []
    wf.step(name="one")(lambda: 1)
    until(lambda: list(seen(made)) == ["one"])
    detail = ask(made, "open_step", step="one")["data"]
    assert detail["status"] == "pending"
    reply = ask(made, "rerun_from", step="one")
    assert (reply["type"], ".run()" in reply["message"]) == ("ConflictError", True)

    @wf.step(after=["ghost"])
    def two() -> None: ...

    until(lambda: "ghost" in (made.graph["problem"] or ""))
    wf.remove("two")
    until(lambda: made.graph["problem"] is None)
    made.close()


def test_the_saved_output_has_picture_and_text(widget: GraphWidget, run: Any) -> None:
    bundle: Any = widget._repr_mimebundle_()
    data = bundle[0]
    assert set(data) == {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"}
    assert data["text/plain"].startswith("workflow claims, run run-1: running")


def test_display_names_the_real_classes() -> None:
    import importlib

    from aios_workbench.widgets.display import CLASSES

    for module, name in CLASSES:
        assert getattr(importlib.import_module(module), name).__module__ == module


def test_display_falls_back_to_the_picture(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from aios_workbench.widgets import display, graph

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("no widgets here")

    monkeypatch.setattr(graph, "GraphWidget", broken)
    data, _ = display.mimebundle(run)
    assert set(data) == {"text/html", "text/plain"}


HEADLESS = """
import aios_workbench as aios
wf = aios.Workflow("nightly")
@wf.step
def load():
    import time
    time.sleep(0.5)
    return 1
---
wf
---
run = wf.run()
run
---
run.result()
"""


def test_a_headless_notebook_ends_with_the_last_picture(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nbclient
    import nbformat

    monkeypatch.setenv("AIOS_HOME", str(tmp_path / ".aios"))
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell(c.strip()) for c in HEADLESS.split("---")]
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(book, kernel_name="python3", resources=resources, timeout=60).execute()
    for cell in book.cells[1:3]:
        [output] = cell.outputs
        assert "succeeded; 1 succeeded" in output["data"]["text/plain"]
        assert "application/vnd.jupyter.widget-view+json" in output["data"]
        assert "<img" in output["data"]["text/html"]


def test_a_terminal_shows_text(run: Any) -> None:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    from aios_workbench.widgets import display

    shell: Any = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    display.register(shell)
    data, _ = shell.display_formatter.format(run.workflow)
    assert data["text/plain"].startswith("workflow claims: 5 steps, not run yet")


def test_one_widget_per_run_while_it_shows_that_run(run: Any) -> None:
    from aios_workbench.widgets import display

    first = display.widget(run)
    assert display.widget(run) is first
    ask(first, "rerun_from", step="clean")
    second = display.widget(run)
    assert second is not first
    assert second.run_id == run.id
    first.close()
    second.close()
