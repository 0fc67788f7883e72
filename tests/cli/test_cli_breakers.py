"""`aios breakers`: who is open, and closing one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aios_workbench as aios

if TYPE_CHECKING:
    from conftest import Project


def test_list_and_reset(project: Project) -> None:
    wf = aios.Workflow("calls")

    @wf.step(breaker=aios.Breaker("crm [bold]", failures=1, cool_down="1h"))
    def call() -> None:
        raise ConnectionError("down \x1b[31mred")

    assert wf.run().wait(60) == "failed"
    shown = project("breakers", "list").stdout
    assert "crm [bold]" in shown
    assert "✗ open" in shown
    assert "1 of 1" in shown
    assert "\x1b" not in shown
    (found,) = project.json("breakers", "list")["breakers"]
    assert (found["breaker"], found["state"], found["error"]["type"]) == (
        "crm [bold]",
        "open",
        "ConnectionError",
    )
    assert "crm [bold]" in project.error("breakers", "reset", "crm [bald]", code=3)
    assert "is closed" in project("breakers", "reset", "crm [bold]").stdout
    assert project.json("breakers", "list")["breakers"][0]["state"] == "closed"
    assert "failures" in project("breakers", "list").stdout


def test_without_any(project: Project) -> None:
    assert project.ws is not None
    assert "no breaker yet" in project("breakers", "list").stdout


def test_a_run_says_what_it_went_on_without_and_what_it_undid(project: Project) -> None:
    wf = aios.Workflow("trip")

    def undo(book: int) -> None: ...

    @wf.step(compensate=undo)
    def book() -> int:
        return 1

    @wf.step(on_error="skip")
    def extra() -> int:
        raise LookupError("nothing")

    @wf.step(fallback=lambda book: 1 / 0)
    def pay(book: int) -> None:
        raise ValueError("no money")

    run = wf.run()
    run.wait(60)
    shown = project("show", run.id).stdout
    assert "went on without 'extra', skipped after an error; undid 'book'" in shown
    assert "↶ compensated" in shown
    assert "skipped after LookupError: nothing (on_error='skip')" in shown
    assert "undone by 'undo' because 'pay' failed" in shown
    assert project.json("show", run.id)["message"].endswith("undid 'book'")
