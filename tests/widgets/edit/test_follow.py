"""A graph goes on with the workflow when the cell that makes it is run again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aios_workbench.widgets import display, protocol
from aios_workbench.widgets.answers import answer


@pytest.fixture
def shown(book: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The graph of the notebook's workflow, as a cell that ends in `wf` shows it."""
    from aios_workbench.widgets import graph
    from aios_workbench.workspace import Workspace

    ws = Workspace(tmp_path / ".aios")
    monkeypatch.setattr(graph, "workspace", lambda: ws)
    book.run("@wf.step\ndef it(): return 1")
    made = display.widget(book["wf"])
    yield made
    screens = made._watcher
    made.close()
    while screens.alive:
        pass
    ws.close()


def test_the_graph_shows_the_new_definition(book: Any, shown: Any) -> None:
    old = book["wf"]
    old.last_spec = old.spec()
    book.run(
        "wf = aios.Workflow('made by hand')\n@wf.step\ndef it(): return 2\n@wf.step\ndef more(it): return 1"
    )
    display._follow()
    shown.refresh()
    assert [(n.name, n.stale) for n in shown.state.nodes] == [("it", True), ("more", False)]
    book.run("@wf.step\ndef third(more): return 1")
    shown.refresh()
    assert [n.name for n in shown.state.nodes] == ["it", "more", "third"]


def test_requests_are_answered_through_the_widget(book: Any, shown: Any) -> None:
    def ask(**request: Any) -> Any:
        reply = answer(shown, {"id": 7, **request})
        assert reply is not None
        return reply

    form = ask(kind="settings", step="it").data
    assert form["settings"]["retries"] is None
    assert form["writable"]
    settings = form["settings"] | {"retries": 2}
    assert "+@wf.step(retries=2)" in ask(kind="edit_step", step="it", settings=settings).data["diff"]
    reply = ask(kind="edit_step", step="it", settings=settings | {"timeout": "soon"})
    assert isinstance(reply, protocol.ErrorReply)
    assert set(reply.fields) == {"timeout"}
    ids = [t["id"] for t in ask(kind="templates").data["templates"]]
    assert "gate" in ids
    assert (
        "def new_one(it):"
        in ask(kind="new_step", template="step", name="new one", inputs=["it"]).data["after"]
    )
