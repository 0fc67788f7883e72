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
