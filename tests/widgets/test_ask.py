"""The one place that answers, as a kernel uses it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from aios_workbench.engine import failures
from aios_workbench.errors import ConflictError, NotFoundError
from aios_workbench.widgets import answers, ask, news, protocol
from aios_workbench.widgets.diff import apply
from aios_workbench.widgets.graph import GraphWidget
from aios_workbench.widgets.source import error_info
from aios_workbench.workflow import StepSpec, Workflow, hooks
from aios_workbench.workspace import Workspace, dumps, stop


@pytest.fixture
def widget(ws: Workspace, run: Any) -> Iterator[Any]:
    """A widget that collects what it sends."""
    made: Any = GraphWidget(run, ws=ws)
    made.sent = []
    made.send = lambda content, *_: made.sent.append(content)
    yield made
    made.close()


def test_another_run_can_be_read_but_not_touched(widget: Any, run: Any, ws: Workspace, wf: Workflow) -> None:
    other = type(run)(ws, wf, "run-2")
    other.finish("load", [1, 2])
    detail = answers.answer(widget, {"kind": "open_step", "id": 1, "run_id": "run-2", "step": "load"})
    assert isinstance(detail, protocol.Answer)
    assert (detail.data["run_id"], detail.data["status"]) == ("run-2", "succeeded")
    own = answers.answer(widget, {"kind": "open_step", "id": 2, "step": "load"})
    assert isinstance(own, protocol.Answer)
    assert own.data["status"] == "pending"
    for kind in ("cancel", "resume"):
        refused = answers.answer(widget, {"kind": kind, "id": 3, "run_id": "run-2"})
        assert isinstance(refused, protocol.ErrorReply)
        assert (refused.type, "aios.run('run-2')" in refused.message) == ("ConflictError", True)
    assert run.calls == other.calls == []


def test_an_unknown_run_is_said(widget: Any, run: Any, ws: Workspace) -> None:
    reply = answers.answer(widget, {"kind": "graph", "id": 1, "run_id": "run-l"})
    assert isinstance(reply, protocol.ErrorReply)
    assert (reply.type, "did you mean 'run-1'" in reply.message) == ("NotFoundError", True)
    with pytest.raises(NotFoundError, match="needs a run"):
        ask.ask(ws, protocol.AskGraph(id=1))
    with pytest.raises(ConflictError, match="only be looked at"):
        ask.ask(ws, protocol.Cancel(id=1), run_id=run.id)


def test_heavy_questions_are_answered_beside_the_kernel(widget: Any, monkeypatch: Any) -> None:
    go, names = threading.Event(), []

    def slow(*_: Any, **__: Any) -> protocol.Done:
        names.append(threading.current_thread().name)
        go.wait(30)
        return protocol.Done()

    monkeypatch.setattr(ask, "ask", slow)
    began = threading.current_thread().name
    for number in (1, 2, 3):
        answers.receive(widget, {"kind": "profile", "id": number, "hash": "0" * 64})
    answers.receive(widget, {"kind": "abort", "id": 5, "target": 3})
    assert [(m["kind"], m["id"]) for m in widget.sent] == [("answer", 5)]
    go.set()
    until(lambda: len(widget.sent) == 3)
    assert sorted(m["id"] for m in widget.sent) == [1, 2, 5]  # the third was dropped before it began
    assert began not in names
    assert widget.asked._futures == {}


def test_abort_interrupts_the_query_that_runs(widget: Any, ws: Workspace, monkeypatch: Any) -> None:
    begun, running = threading.Event(), stop.Stop.running

    def noted(self: Any, con: Any) -> Any:
        begun.set()
        return running(self, con)

    monkeypatch.setattr(stop.Stop, "running", noted)
    stored = ws.artifacts.put(np.arange(10)).hash
    slow = "select sum(a.range * b.range % 7) as n from range(1000000) a, range(1000000) b"
    answers.receive(widget, {"kind": "sql", "id": 1, "hash": stored, "query": slow})
    assert begun.wait(60)
    answers.receive(widget, {"kind": "abort", "id": 2, "target": 1})
    until(lambda: len(widget.sent) == 2)
    assert "nobody waited" in next(m for m in widget.sent if m["id"] == 1)["message"]
    until(lambda: answers._pool()._work_queue.empty() and widget.asked._futures == widget.asked._stops == {})


@pytest.mark.parametrize("target", [None, "1", True, 10**30, [], {}])
def test_abort_of_nothing(widget: Any, target: Any) -> None:
    answers.receive(widget, {"kind": "abort", "id": 5, "target": target})
    assert [m["id"] for m in widget.sent] == [5]


def test_graph_news_are_small_and_complete(ws: Workspace, run: Any) -> None:
    whole = news.graph(ws, run.id)
    assert whole.state is not None
    state = whole.state
    assert [n.name for n in state.nodes] == ["load", "clean", "score", "review", "report"]
    nothing = news.graph(ws, run.id, whole.seq)
    assert nothing.patch is not None
    assert (nothing.state, nothing.patch.nodes, nothing.patch.metrics, nothing.patch.gates) == (
        None,
        [],
        None,
        None,
    )
    run.finish("load", 1)
    run.set("clean", status="running", attempts=1)
    run.ask("review", None, [1])
    later = news.graph(ws, run.id, whole.seq)
    assert later.patch is not None
    assert {n.name: n.status for n in later.patch.nodes} == {
        "load": "succeeded", "clean": "running", "review": "waiting",
    }  # fmt: skip
    assert [g.step for g in later.patch.gates or []] == ["review"]
    merged = apply(state, later.patch)
    fresh = news.graph(ws, run.id).state
    assert fresh is not None
    assert (merged.nodes, merged.gates, merged.seq) == (fresh.nodes, fresh.gates, fresh.seq)


def test_what_no_event_tells_gets_the_whole(ws: Workspace, run: Any) -> None:
    first = news.graph(ws, run.id)
    run.end("cancelled")  # every step's row may have changed at once
    after = news.graph(ws, run.id, first.seq)
    assert after.patch is None
    assert after.state is not None
    assert after.state.run is not None
    assert after.state.run.status == "cancelled"
    assert news.graph(ws, run.id, after.seq + 1000).state is not None  # a number of another workspace


def test_logs_by_level_text_and_attempt(ws: Workspace, run: Any) -> None:
    rows = [(1, None, "Printed 50%"), (1, "DEBUG", "deep"), (2, "ERROR", "Broken"), (2, "INFO", "x")]
    for attempt, level, text in rows:
        ws.catalog.write(
            "insert into logs (run_id, step, attempt, at, stream, level, text) "
            "values (:r, 'load', :a, 1, 'log', :l, :t)",
            r=run.id, a=attempt, l=level, t=text,
        )  # fmt: skip

    def texts(**query: Any) -> list[str]:
        page = ask.ask(ws, protocol.Logs(id=1, run_id=run.id, **query))
        assert isinstance(page, protocol.LogPage)
        return [line.text for line in page.lines]

    assert texts() == texts(step="load") == texts(level="debug") == ["Printed 50%", "deep", "Broken", "x"]
    assert texts(level="info") == ["Printed 50%", "Broken", "x"]
    assert texts(level="warning") == texts(level="error") == ["Broken"]
    assert texts(search="50%") == ["Printed 50%"]
    assert texts(search="broken", attempt=1) == []
    assert texts(search="broken", attempt=2) == ["Broken"]
    assert texts(step="other") == []


class Cells:
    """One cell this kernel knows."""

    def identity(self, filename: str) -> str:
        """Return its id."""
        return "id-7"

    def describe(self, filename: str) -> dict[str, str] | None:
        """Return the cell."""
        return (
            {"cell_id": "id-7", "label": "In[7]", "source": CELL}
            if filename == "/x/ipykernel_1/7.py"
            else None
        )


CELL = "def deep(n):\n    return 1 / n\n\ndef step():\n    return deep(0)\n"


def failed(spec: StepSpec) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(CELL, "/x/ipykernel_1/7.py", "exec"), names)
    try:
        names["step"]()
    except ZeroDivisionError as e:
        return json.loads(dumps(failures.describe(e, "s", names["step"], spec)))
    raise AssertionError


def test_a_traceback_names_its_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_cells", Cells())
    found = error_info(failed(StepSpec("s")))
    assert found is not None
    assert [(f.function, f.line, f.cell and (f.cell.cell_id, f.cell.label, f.cell.line)) for f in found.frames] == [
        ("step", 5, ("id-7", "In[7]", 5)), ("deep", 2, ("id-7", "In[7]", 2)),
    ]  # fmt: skip
    assert found.frames[0].cell is not None
    assert found.frames[0].cell.source == CELL


def test_a_process_without_the_notebook_says_what_the_spec_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_cells", None)
    code = "def step():\n    return deep(0)\n"
    found = error_info(failed(StepSpec("s", cell="cell In[7], line 4", cell_id="id-7", code=code)))
    assert found is not None
    cell = found.frames[0].cell
    assert cell is not None
    assert (cell.cell_id, cell.label, cell.source, cell.line) == ("id-7", "In[7]", code, 2)
    assert cell.source.splitlines()[cell.line - 1 if cell.line else 0] == "    return deep(0)"
    assert all(f.cell is None for f in error_info(failed(StepSpec("s"))).frames)  # type: ignore[union-attr]


def test_endless_recursion_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_cells", Cells())
    names: dict[str, Any] = {}
    exec(compile("def f():\n    f()", "/x/ipykernel_1/7.py", "exec"), names)
    try:
        names["f"]()
    except RecursionError as e:
        stored = failures.describe(e, "s", names["f"])
    assert len(stored["frames"]) == failures._FRAMES
    assert len(stored["cells"]) == 1
    assert len(dumps(stored)) < 80_000


@pytest.mark.parametrize("stored", ["plain text", '{"type": "T", "message": "m"}', '{"frames": null}', None])
def test_errors_of_before(stored: str | None) -> None:
    found = error_info(stored)
    assert (found is None) == (stored is None)
    assert found is None or found.frames == []


def test_a_step_tells_its_cell_and_settings(ws: Workspace, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_cells", Cells())
    wf = Workflow("celled")

    @wf.step
    def load() -> Any: ...

    @wf.step(retries=3)
    def clean(load: Any) -> Any: ...

    @wf.gate
    def review(clean: Any) -> Any: ...

    run = type(run)(ws, wf, "run-3")
    ws.catalog.write("update runs set notebook = 'a.ipynb' where run_id = 'run-3'")
    detail = ask.ask(ws, protocol.OpenStep(id=1, step="clean"), run_id=run.id)
    assert isinstance(detail, protocol.StepDetail)
    assert detail.cell_ref is not None
    assert (detail.cell_ref.cell_id, detail.cell_ref.notebook) == ("id-7", "a.ipynb")
    assert "def clean(load: Any)" in detail.cell_ref.source
    assert detail.settings == protocol.StepPolicy(retries=3, backoff="0.5 s")
    gate = ask.ask(ws, protocol.OpenStep(id=1, step="review"), run_id=run.id)
    assert isinstance(gate, protocol.StepDetail)
    assert gate.settings == protocol.StepPolicy(on_reject="fail")


def until(condition: Any, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
