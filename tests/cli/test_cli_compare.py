"""diff and history; show with its timeline. Names that mean harm stay text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Project


def test_diff(project: Project) -> None:
    project("run", "flows.py:hello", "-p", "who=[red]Ana\u202e")
    a = project.json("runs")["runs"][0]["run_id"]
    project("run", "flows.py:hello", "-p", "who=Bo")
    b = project.json("runs")["runs"][0]["run_id"]
    shown = project("diff", a, "@last").stdout
    assert "[red]Ana\\u202e" in shown
    assert "parameter 'who' changed" in shown
    found = project.json("diff", a, b)
    assert (found["a"]["run_id"], found["b"]["run_id"], found["identical"]) == (a, b, False)
    close = project.json("diff", a, b, "--step", "greeting")
    assert close["why"] == ["parameter 'who' changed"]
    assert "output: different" in project("diff", a, b, "--step", "greeting").stdout
    assert "did you mean 'greeting'" in project.error("diff", a, b, "--step", "greting", code=3)
    assert "aios runs" in project.error("diff", a, "nothing", code=3)


def test_history(project: Project) -> None:
    project("run", "flows.py:hello")
    project("run", "flows.py:bad", code=1)
    found = project.json("history", "hello")
    assert (found["total"], found["success_rate"], len(found["runs"])) == (1, 1.0, 1)
    assert "hello: 1 run, 100% succeeded" in project("history", "hello").stdout
    shown = project("history", "bad [red]x[/red]").stdout
    assert "bad [red]x[/red]" in shown
    assert "st[bold]ep" in shown
    assert "did you mean 'hello'" in project.error("history", "helo", code=3)


def test_show_tells_where_the_time_went(project: Project) -> None:
    project("run", "flows.py:hello")
    shown = project("show", "@last").stdout
    assert "█" in shown
    assert "critical path: greeting > shout" in shown
    found = project.json("show", "@last")["timeline"]
    assert found["critical_path"] == ["greeting", "shout"]
