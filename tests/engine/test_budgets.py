"""Budgets: what was spent is counted, by whom, and too much of it ends the step with its reason."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
import types
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit import PATIENCE, Box, statuses

import aios_workbench as aios
from aios_workbench.engine.spending import Budget, Purse
from aios_workbench.engine.spending import ledger as ledger_of
from aios_workbench.engine.spending.spender import Spender, reserved
from aios_workbench.errors import BudgetExceeded, ParameterError
from aios_workbench.workspace import Workspace


def over(run: aios.Run) -> BudgetExceeded:
    with pytest.raises(BudgetExceeded) as found:
        run.result(PATIENCE)
    return found.value


def test_a_runaway_loop_ends_and_says_who_spent_what(wf: aios.Workflow, box: Box) -> None:
    wf = aios.Workflow("runaway", budget={"tokens": 1_000})

    @wf.step
    def embed() -> str:
        aios.context().spend(tokens=250)
        return "vectors"

    @wf.step
    def ask(embed: str) -> str:
        from sys import aios_box as box

        while True:
            box.seen.append(1)
            aios.context().spend(calls=1, tokens=300)

    @wf.step
    def report(ask: str) -> str:
        return ask

    run = wf.run()
    e = over(run)
    assert (e.scope, e.unit, e.limit, e.spent) == ("run", "tokens", 1000, 1150)
    assert e.by_step == {"ask": 900, "embed": 250}
    assert "1,150 of 1,000 tokens (ask 900, embed 250)" in str(e)
    assert f"aios budgets reset {run.id}" in str(e)
    assert len(box.seen) == 3
    assert statuses(run) == {"embed": "succeeded", "ask": "failed", "report": "skipped"}
    assert run.partial == {"embed": "vectors"}
    assert run.spent["tokens"] == 1150
    assert run.spent["calls"] == 3


def test_retries_count_and_end_with_the_budget(wf: aios.Workflow, box: Box) -> None:
    @wf.step(retries=50, backoff=0.001, budget={"calls": 3})
    def flaky() -> None:
        from sys import aios_box as box

        box.seen.append(1)
        aios.context().spend(calls=1)
        raise ValueError("again")

    run = wf.run()
    e = over(run)
    assert (e.scope, e.unit, e.limit, e.spent) == ("step", "calls", 3, 4)
    assert len(box.seen) == 4
    assert "ValueError: again" in str(e) or len(run["flaky"].attempts) == 4


def test_attempts_are_counted_before_they_begin(wf: aios.Workflow, box: Box) -> None:
    @wf.step(retries=50, backoff=0.001, budget={"attempts": 3})
    def flaky() -> None:
        from sys import aios_box as box

        box.seen.append(1)
        raise ValueError

    e = over(wf.run())
    assert len(box.seen) == 3
    assert e.spent == 3


def test_seconds_end_a_step_that_never_looks(wf: aios.Workflow, box: Box) -> None:
    @wf.step(budget={"seconds": 0.2}, retries=5)
    def stuck() -> None:
        from sys import aios_box as box

        box.seen.append(1)
        box.go.wait(60)

    e = over(wf.run())
    assert (e.unit, e.limit) == ("seconds", 0.2)
    assert len(box.seen) == 1


def test_a_timeout_of_its_own_stays_a_timeout(wf: aios.Workflow, box: Box) -> None:
    @wf.step(budget={"seconds": 60}, timeout=0.1)
    def stuck() -> None:
        from sys import aios_box as box

        box.go.wait(60)

    with pytest.raises(aios.errors.StepTimeout):
        wf.run().result(PATIENCE)


def test_a_step_may_make_do_with_what_it_has(wf: aios.Workflow) -> None:
    @wf.step(budget={"EUR": 1})
    def careful() -> int:
        done = 0
        while aios.context().left("EUR") >= 0.3:
            aios.context().spend(EUR=0.3)
            done += 1
        return done

    run = wf.run()
    assert run.result(PATIENCE) == 3
    assert run.spent["EUR"] == pytest.approx(0.9)


def test_a_step_that_caught_it_may_return_what_it_has(wf: aios.Workflow) -> None:
    @wf.step(budget={"calls": 2})
    def catches() -> int:
        for n in range(10):
            try:
                aios.context().spend(calls=1)
            except aios.errors.BudgetExceeded:
                return n
        return -1

    assert wf.run().result(PATIENCE) == 2


def test_a_fallback_answers_for_a_step_whose_own_budget_is_used_up(wf: aios.Workflow) -> None:
    def rules() -> str:
        return "rules"

    @wf.step(budget={"tokens": 10}, fallback=rules, retries=3)
    def model() -> str:
        aios.context().spend(tokens=11)
        return "model"

    run = wf.run()
    assert run.result(PATIENCE) == "rules"
    assert run["model"].answered_by == "rules"
    assert len(run["model"].attempts) == 2


def test_no_fallback_and_no_further_step_when_the_run_has_spent_all(ws: Workspace, box: Box) -> None:
    wf = aios.Workflow("all-spent", budget={"tokens": 10})

    def rules() -> str:
        return "rules"

    @wf.step(fallback=rules)
    def model() -> str:
        aios.context().spend(tokens=11)
        return "model"

    @wf.step(needs="done")
    def other(model: str | None) -> None:
        from sys import aios_box as box

        box.seen.append("other")

    run = wf.run()
    over(run)
    assert statuses(run) == {"model": "failed", "other": "failed"}
    assert box.seen == []


def test_a_budget_given_to_the_run_takes_the_workflows_place(ws: Workspace) -> None:
    wf = aios.Workflow("own-budget", budget={"calls": 1})

    @wf.step
    def ask() -> int:
        aios.context().spend(calls=3)
        return 1

    over(wf.run())
    assert wf.run(_budget={"calls": 5}).result(PATIENCE) == 1
    with pytest.raises(ParameterError, match="did you mean 'calls'"):
        wf.run(_budget={"call": 5})


def test_resuming_goes_on_only_after_a_reset(ws: Workspace) -> None:
    from aios_workbench.engine.spending.reset import reset

    wf = aios.Workflow("resets", budget={"calls": 2})

    @wf.step
    def ask() -> int:
        aios.context().spend(calls=2)
        if aios.context().attempt == 1:
            aios.context().spend(calls=1)
        return 1

    run = wf.run()
    over(run)
    assert over(run.resume()).spent == 3
    reset(ws, run.id, by="ana")
    assert run.resume().result(PATIENCE) == 1
    assert run.spent["calls"] == 5  # what was forgiven was spent all the same
    row = ws.catalog.one(
        "select actor, subject from audit where action = 'budget.reset' order by seq desc limit 1"
    )
    assert row == {"actor": "ana", "subject": run.id}


def test_metrics_in_a_currency_are_spent_once(ws: Workspace) -> None:
    wf = aios.Workflow("metrics-spend", budget={"EUR": 10})

    @wf.step(retries=1, backoff=0.001)
    def ask() -> int:
        ctx = aios.context()
        for total in (1.0, 2.0, 3.0):
            ctx.metric("llm_cost", total, unit="EUR")  # the last value stands
        ctx.metric("saved", 500.0, unit="EUR", kpi=True)
        ctx.metric("rows", 7.0)
        if ctx.attempt == 1:
            raise ValueError
        return 1

    run = wf.run()
    assert run.result(PATIENCE) == 1
    assert run.spent["EUR"] == 6.0  # three in each of two attempts
    assert ws.catalog.one("select reported from spend where run_id = :r and unit = 'EUR'", r=run.id) == {
        "reported": 6.0
    }


def test_a_daily_budget_is_shared_by_runs_and_ends_with_the_day(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    wf = aios.Workflow("daily", daily_budget={"calls": 5}, zone="Europe/Vienna")

    @wf.step
    def ask() -> int:
        aios.context().spend(calls=2)
        return 1

    night = dt.datetime(
        2026, 3, 28, 23, 59, tzinfo=zoneinfo.ZoneInfo("Europe/Vienna")
    )  # the clocks change tonight
    clock = [night.timestamp()]
    monkeypatch.setattr(ledger_of, "time", types.SimpleNamespace(time=lambda: clock[0]))
    runs = [wf.run() for _ in range(2)]
    assert [r.result(PATIENCE) for r in runs] == [1, 1]
    e = over(wf.run())
    assert (e.scope, e.spent) == ("day", 6)
    assert "for 2026-03-28 (Europe/Vienna)" in str(e)
    assert "--day 2026-03-28" in str(e)
    clock[0] += 120
    assert wf.run().result(PATIENCE) == 1  # 2026-03-29 there, still the 28th in UTC
    clock[0] -= 120  # set back: yesterday's is still used up, and nothing is forgotten
    assert over(wf.run()).scope == "day"


def test_a_total_budget_counts_all_runs(ws: Workspace) -> None:
    wf = aios.Workflow("total", total_budget={"calls": 3})

    @wf.step
    def ask() -> int:
        aios.context().spend(calls=2)
        return 1

    assert wf.run().result(PATIENCE) == 1
    e = over(wf.run())
    assert (e.scope, e.spent) == ("workflow", 4)


def test_steps_side_by_side_overshoot_by_no_more_than_what_is_in_flight(ws: Workspace) -> None:
    wf = aios.Workflow("side-by-side", budget={"tokens": 1_000}, max_parallel=6)
    for n in range(6):

        def ask() -> None:
            while True:
                aios.context().spend(tokens=10)

        wf.step(name=f"ask{n}")(ask)
    run = wf.run()
    over(run)
    assert 1_000 < run.spent["tokens"] <= 1_000 + 6 * 10


def test_who_reserves_does_not_overshoot(ws: Workspace) -> None:
    wf = aios.Workflow("reserves", budget={"tokens": 1_000}, max_parallel=6)
    for n in range(6):

        def ask() -> int:
            done = 0
            try:
                while True:
                    with aios.context().reserve(tokens=90):
                        aios.context().spend(tokens=90)
                        done += 1
            except aios.errors.BudgetExceeded:
                return done

        wf.step(name=f"ask{n}")(ask)
    run = wf.run()
    assert sum(run.result(PATIENCE).values()) <= 11
    assert run.spent["tokens"] <= 1_000
    assert ws.catalog.query("select * from spend_reserved") == []


def test_what_is_reserved_is_not_left_and_a_dead_process_reserves_nothing(ws: Workspace) -> None:
    purse = Purse("kernel-dead", "w", "run-reserve", "s", budget=Budget(run={"tokens": 100}))
    spender = Spender(ws, purse)
    with reserved(spender, {"tokens": 60}):
        assert spender.left("tokens") == 40
        spender.spend({"tokens": 50})
        assert spender.left("tokens") == 40
        spender.spend({"tokens": 30})  # 20 more than reserved
        assert spender.left("tokens") == 20
        purse.let_go(ws, purse.hold(ws, {"tokens": 20}))  # the holder is dead: what it kept is let go first
    with pytest.raises(BudgetExceeded), reserved(spender, {"tokens": 21}):
        pass
    assert spender.left("tokens") == 20
    assert spender.left("EUR") == math.inf


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from(["tokens", "EUR"]), st.integers(0, 40)), max_size=30
    )
)
def test_the_ledger_is_the_sum_of_what_was_spent(entries: list[tuple[str, str, int]]) -> None:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        ws = Workspace(Path(folder) / ".aios")
        limits = Budget(step={"tokens": 60}, run={"EUR": 100}, workflow={"tokens": 150})
        sums: dict[tuple[str, str], int] = {}
        for step, unit, amount in entries:
            purse = Purse("x", "w", "r", step, budget=limits)
            sums[step, unit] = sums.get((step, unit), 0) + amount
            of_unit = sum(n for (_, u), n in sums.items() if u == unit)
            too_much = (
                (unit == "tokens" and (sums[step, unit] > 60 or of_unit > 150)) or (unit == "EUR" and of_unit > 100)
            )  # fmt: skip
            told = pytest.raises(BudgetExceeded) if too_much else contextlib.nullcontext()
            with told:
                purse.spend(ws, {unit: float(amount)})
            left = purse.left(ws, unit)
            mine = sums.get((step, "tokens"), 0)
            assert left == (min(60 - mine, 150 - of_unit) if unit == "tokens" else 100 - of_unit)
        rows = ws.catalog.query("select step, unit, amount from spend")
        assert {(r["step"], r["unit"]): r["amount"] for r in rows} == sums
        ws.close()


def test_usage_in_a_step(wf: aios.Workflow) -> None:
    @wf.step(budget={"tokens": 100})
    def ask() -> None:
        import types

        aios.context().spend_usage(types.SimpleNamespace(requests=2, input_tokens=30, output_tokens=12))

    run = wf.run()
    assert run.wait(PATIENCE) == "succeeded"
    spent = run.spent
    assert {u: spent[u] for u in ("calls", "tokens", "input_tokens", "output_tokens")} == {
        "calls": 2, "tokens": 42, "input_tokens": 30, "output_tokens": 12,
    }  # fmt: skip


@pytest.mark.parametrize("spends", [
    lambda: aios.context().spend(tokens=30), lambda: aios.context().spend_usage({"input_tokens": 30}),
    lambda: aios.context().metric("cost", 3.0, unit="EUR"),
])  # fmt: skip
def test_a_step_in_a_process_of_its_own_spends_too(wf: aios.Workflow, spends: object) -> None:
    @wf.step(executor="process", budget={"tokens": 20, "EUR": 2})
    def ask() -> None:
        with aios.context().reserve(tokens=15):
            assert aios.context().left("tokens") == 5
        assert aios.context().left("tokens") == 20
        spends()  # type: ignore[operator]

    run = wf.run()
    e = over(run)
    assert (e.scope, e.spent) in (("step", 30), ("step", 3))
    assert (run.spent.get("tokens"), run.spent.get("EUR")) in ((30, None), (None, 3))


def test_a_step_without_a_budget_is_not_counted(ws: Workspace, wf: aios.Workflow) -> None:
    wf.step(name="free")(lambda: 1)
    run = wf.run()
    assert run.result(PATIENCE) == 1
    assert run.spent == {}


def test_budgets_change_the_identity_of_a_workflow_and_make_no_step_stale(ws: Workspace) -> None:
    def made(**options: object) -> aios.Workflow:
        wf = aios.Workflow("identity")

        @wf.step(**options)  # type: ignore[call-overload]
        def a() -> int:
            return 1

        return wf

    plain, bounded = made(), made(budget={"EUR": 1}, limits=["gpu"], priority=2)
    assert plain.spec().hash != bounded.spec().hash
    assert made().spec().hash == plain.spec().hash
    bounded.last_spec = plain.spec()
    assert bounded.state == {"a": "fresh"}


@pytest.mark.parametrize(
    "options", [{"on_error": "dead_letter"}, {"on_error": "skip"}, {"retries": 3, "backoff": 0.001}]
)
def test_a_map_ends_with_its_budget_and_keeps_what_it_did(
    wf: aios.Workflow, options: dict[str, object]
) -> None:
    @wf.step
    def items() -> list[int]:
        return list(range(100))

    @wf.map(over="items", batch=5, concurrency=1, budget={"calls": 32}, **options)
    def ask(item: int) -> int:
        aios.context().spend(calls=1)
        return item * 2

    from aios_workbench.engine.spending.reset import reset

    run = wf.run()
    e = over(run)
    assert (e.scope, e.spent) == ("step", 33)
    ws = run.workspace
    for _ in range(4):
        reset(ws, run.id)
        if run.resume().wait(PATIENCE) == "succeeded":
            break
    assert run.result(PATIENCE) == [n * 2 for n in range(100)]
    assert run.spent["calls"] <= 100 + 4 * 5  # nothing but the batch in work was asked twice


def test_seconds_end_a_map(wf: aios.Workflow) -> None:
    @wf.step
    def items() -> list[int]:
        return list(range(100_000))

    @wf.map(over="items", batch=1, concurrency=2, budget={"seconds": 0.3})
    def slow(item: int) -> int:
        import time

        time.sleep(0.01)
        return item

    assert over(wf.run()).unit == "seconds"
