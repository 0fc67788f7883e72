"""`aios limits` and `aios budgets`, and a queue that is full."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aios_workbench.engine.flow import store
from aios_workbench.engine.flow.store import Request

if TYPE_CHECKING:
    from conftest import Project

FLOWS = """
import aios_workbench as aios

paid = aios.Workflow("paid", budget={"tokens": 100}, daily_budget={"tokens": 250}, total_budget={"EUR": 5})

@paid.step
def ask(tokens: int = 60):
    aios.context().spend(tokens=tokens, EUR=0.5)
    return tokens

queue = aios.Workflow("queue", max_queued=1)

@queue.step
def work(): return 1
"""


@pytest.fixture
def paid(project: Project) -> Project:
    (project.folder / "paid.py").write_text(FLOWS)
    return project


def test_limits_are_set_shown_and_dropped(paid: Project) -> None:
    assert paid.json("limits", "set", "gpu", 2)["concurrency"] == 2
    assert paid.json("limits", "set", "gpu", "--rate", "100/min")["rate"] == [100, 60.0]
    assert paid("limits", "set", "gpu", "--unlimited").stdout == "Limit gpu: 0 in use, at most 100 per 60 s\n"
    paid("limits", "set", "gpu", 2, "--rate", "none")
    (one,) = paid.json("limits")
    assert (one["name"], one["concurrency"], one["rate"], one["in_use"]) == ("gpu", 2, None, 0)
    paid("limits", "drop", "gpu")
    assert "gpu (not declared)" in paid("limits").stdout
    actions = [
        r["action"]
        for r in paid.ws.catalog.query("select action from audit where subject = 'gpu' order by seq")
    ]
    assert actions == ["limit.set"] * 4 + ["limit.drop"]


def test_wrong_limits_are_refused(paid: Project) -> None:
    paid("limits", "set", "gpu", 2)
    assert "not a rate" in paid.error("limits", "set", "gpu", "--rate", "often", code=2)
    assert "did you mean 'gpu'" in paid.error("limits", "drop", "gpus", code=3)
    paid("limits", "set", "gpu", code=2)
    paid("limits", "set", "gpu", 1, "--unlimited", code=2)


def test_permits_of_the_dead_are_not_shown(paid: Project) -> None:
    paid("limits", "set", "gpu", 2)
    store.ask(paid.ws, Request("t", "kernel-1-dead", "w", "run-1", "train", 0, {"gpu": 1}))
    (one,) = paid.json("limits")
    assert one["holders"] == []


def test_budgets_are_shown_and_given_back(paid: Project) -> None:
    paid("run", "paid.py:paid")
    paid("run", "paid.py:paid", "-p", "tokens=150", code=1)
    rows = {(r["day"] == "in all", r["unit"]): r for r in paid.json("budgets") if r["workflow"] == "paid"}
    assert rows[True, "EUR"] == {
        "workflow": "paid", "day": "in all", "unit": "EUR", "spent": 1.0, "counts": 1.0, "budget": 5.0,
    }  # fmt: skip
    assert (rows[False, "tokens"]["spent"], rows[False, "tokens"]["budget"]) == (210.0, 250.0)
    run = {(r["scope"], r["unit"]): r for r in paid.json("budgets", "--run", "@last")}
    assert (run["run", "tokens"]["spent"], run["run", "tokens"]["budget"]) == (150.0, 100.0)
    assert run["step", "EUR"]["step"] == "ask"
    assert "150" in paid("budgets", "--run", "@last").stdout
    day = rows[False, "tokens"]["day"]
    assert paid.json("budgets", "reset", "paid", "--day", day, "--unit", "tokens")["given"] == {
        "tokens": 210.0
    }
    (after,) = [r for r in paid.json("budgets") if r["unit"] == "tokens" and r["day"] == day]
    assert (after["spent"], after["counts"]) == (210.0, 0.0)
    assert "150 tokens" in paid("budgets", "reset", "@last").stdout
    assert paid.ws.catalog.one("select count(*) as n from audit where action = 'budget.reset'") == {"n": 2}


def test_wrong_resets_are_refused(paid: Project) -> None:
    paid("run", "paid.py:paid")
    assert "did you mean 'paid'" in paid.error("budgets", "reset", "payd", "--total", code=3)
    assert "has not spent anything that counts on 1999-01-01" in paid.error(
        "budgets", "reset", "paid", "--day", "1999-01-01", code=3
    )
    paid("budgets", "reset", "paid", "--day", "1999-01-01", "--total", code=2)
    assert paid.error("budgets", "reset", "nothing-of-this-name", code=3)


def test_a_full_queue_is_a_conflict(paid: Project) -> None:
    paid("run", "paid.py:queue", "--priority", "7")
    assert paid.ws.catalog.one("select priority from runs where workflow = 'queue'") == {"priority": 7}
    paid.ws.catalog.write("update runs set status = 'queued', owner = 'nobody' where workflow = 'queue'")
    assert "1 runs of workflow 'queue' are queued" in paid.error("run", "paid.py:queue", "--no-wait", code=4)
