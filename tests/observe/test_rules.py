"""What a run was held to, and its dead letters, as the screens get them: on runs of the real engine."""

from __future__ import annotations

from typing import Any

import aios_workbench as aios
from aios_workbench.observe.overview import overview
from aios_workbench.widgets import answers, ask, protocol
from aios_workbench.widgets.edit.rewrite import settings
from aios_workbench.widgets.graph import GraphWidget
from aios_workbench.widgets.source import static_state
from aios_workbench.workspace import Workspace


def told(ws: Workspace, run: Any) -> dict[str, list[tuple[str, str, str]]]:
    """Title of a section -> its lines."""
    return {
        r.title: [(line.name, line.text, line.tone) for line in r.lines] for r in overview(ws, run.id).rules
    }


def test_a_plain_run_has_no_rules(wf: aios.Workflow, ws: Workspace) -> None:
    @wf.step
    def one() -> int:
        return 1

    run = wf.run()
    run.wait()
    assert told(ws, run) == {}


def test_budgets_attempts_and_what_was_undone(ws: Workspace) -> None:
    wf = aios.Workflow(
        "held to much",
        max_attempts=7,
        budget={"tokens": 100},
        daily_budget={"EUR": 5},
        total_budget={"calls": 9},
    )

    def cancel_order(output: str) -> None:
        pass

    @wf.step(budget={"calls": 3}, compensate=cancel_order)
    def order() -> str:
        aios.context().spend(calls=2, tokens=40, EUR=1.5)
        return "o-1"

    @wf.step(retries=1, backoff=0.01)
    def pay(order: str) -> None:
        raise OSError("no line")

    run = wf.run()
    assert run.wait(60) == "failed"
    rules = told(ws, run)
    budgets = {name: text for name, text, _ in rules["Budgets"]}
    assert budgets["tokens of the run"] == "40 of 100 spent"
    assert budgets["order: calls"] == "2 of 3 spent"
    assert next(text for name, text in budgets.items() if name.startswith("EUR on ")) == "1.5 of 5 spent"
    assert budgets["calls of all runs"] == "2 of 9 spent"
    assert rules["Attempts"] == [("of all steps together", "3 of 7", "")]
    assert rules["Undone"] == [("order", "cancel_order compensated", "succeeded")]


def test_hooks_a_deadline_and_what_is_done_once(ws: Workspace) -> None:
    def broken(info: aios.RunInfo) -> None:
        raise OSError("nobody listens")

    def tell(info: aios.RunInfo) -> None:
        pass

    wf = aios.Workflow("followed", on_start=tell, on_success=broken, sla="1h")

    @wf.step(once=lambda number: number)
    def send(number: int = 7) -> str:
        return "sent"

    run = wf.run()
    assert run.wait(60) == "succeeded"
    rules = told(ws, run)
    lines = {name: (text, tone) for name, text, tone in rules["Deadline and hooks"]}
    assert lines["over by"][0].endswith(" UTC, kept")
    assert lines["on_start"] == ("tell done", "succeeded")
    assert lines["on_success"] == ("broken failed: OSError: nobody listens", "failed")
    assert rules["Done once"] == [("send", "done: 7", "succeeded")]


def test_what_is_over_budget_says_so(ws: Workspace) -> None:
    wf = aios.Workflow("over budget", budget={"tokens": 10})

    @wf.step
    def talk() -> None:
        aios.context().spend(tokens=25)

    run = wf.run()
    assert run.wait(60) == "failed"
    assert told(ws, run)["Budgets"] == [("tokens of the run", "25 of 10 spent", "failed")]


def test_dead_letters_are_read_and_done_again_from_a_widget(wf: aios.Workflow, ws: Workspace) -> None:
    bad = {2, 5}

    @wf.map(over="numbers", batch=2, on_error="dead_letter")
    def half(number: int) -> float:
        if number in bad:
            raise ValueError(f"{number} is <b>odd</b>")
        return number / 2

    run = wf.run(numbers=list(range(7)))
    assert run.wait(60) == "succeeded"
    node = next(n for n in static_state(run, ws).nodes if n.name == "half")
    assert (node.kind, node.shape) == ("step", "map")
    widget = GraphWidget(run, ws=ws)
    detail = answers.answer(widget, {"kind": "open_step", "id": 1, "step": "half"})
    assert isinstance(detail, protocol.Answer)
    letters = detail.data["letters"]
    assert (letters["total"], letters["open"]) == (2, 2)
    assert [(x["item"], x["type"], x["value"]) for x in letters["letters"]] == [
        (2, "ValueError", "2"),
        (5, "ValueError", "5"),
    ]
    page = answers.answer(widget, {"kind": "letters", "id": 2, "step": "half", "offset": 1})
    assert isinstance(page, protocol.Answer)
    assert [x["item"] for x in page.data["letters"]] == [5]
    bad.clear()
    done = answers.answer(widget, {"kind": "redrive", "id": 3, "step": "half"})
    assert isinstance(done, protocol.Answer), done
    assert widget.run_id == done.data["run_id"] != run.id
    again = aios.run(done.data["run_id"])
    assert again.wait(60) == "succeeded"
    assert run["half"].dead_letters[0]["redriven_by"] == again.id
    widget.close()


def test_dead_letters_are_done_again_by_a_worker(wf: aios.Workflow, ws: Workspace, monkeypatch: Any) -> None:
    monkeypatch.setattr("aios_workbench.engine.control.ensure_worker", lambda _: False)

    @wf.map(over="numbers", on_error="dead_letter")
    def half(number: int) -> float:
        raise ValueError("no")

    run = wf.run(numbers=[1])
    assert run.wait(60) == "succeeded"
    hands = ask.ControlHands(ws, "ada")
    done = ask.ask(ws, protocol.Redrive(id=1, run_id=run.id, step="half"), hands=hands)
    assert isinstance(done, protocol.Done)
    row = ws.catalog.one("select parent_run_id, user, status from runs where run_id = :r", r=done.run_id)
    assert row == {"parent_run_id": run.id, "user": "ada", "status": "queued"}
    letters = ask.ask(ws, protocol.AskLetters(id=2, run_id=run.id, step="half"))
    assert isinstance(letters, protocol.Letters)
    assert (letters.open, letters.letters[0].status, letters.letters[0].redriven_by) == (
        0,
        "redriven",
        done.run_id,
    )
    aios.run(str(done.run_id)).cancel()


def test_the_form_of_a_map_has_what_a_map_takes(wf: aios.Workflow) -> None:
    @wf.map(over="numbers", retries=2)
    def half(number: int) -> float:
        return number / 2

    @wf.loop(max=3)
    def grow(size: int = 1) -> int:
        return size + 1

    assert "executor" not in settings(wf, "half").fields
    assert {"retries", "retry_on", "on_error"} <= set(settings(wf, "half").fields)
    assert {"hedge", "retries"} <= set(settings(wf, "grow").fields)
    facts = {s.name: s for s in static_state(wf).nodes}
    assert {n: s.shape for n, s in facts.items()} == {"half": "map", "grow": "loop"}
