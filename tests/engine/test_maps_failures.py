"""Items that fail: the map fails and goes on later, leaves them out, or keeps them as dead letters to be redriven."""

from __future__ import annotations

import time
from typing import Any

import pandas as pd
import pytest
from kit import PATIENCE, Box, statuses

import aios_workbench as aios
from aios_workbench.errors import ConflictError, NotFoundError, StepTimeout
from aios_workbench.workspace import Workspace


def enriching(wf: aios.Workflow, **options: Any) -> None:
    """Three steps; the items in the box's `bad` fail, `seen` has every call."""

    @wf.step
    def claims(n: int = 20) -> list[int]:
        return list(range(n))

    @wf.map(over="claims", **{"batch": 4, "concurrency": 2, **options})
    def enrich(claim: int, rate: int = 10) -> int:
        from sys import aios_box as box  # type: ignore[attr-defined]

        box.seen.append(claim)
        if claim in box.values.get("bad", ()):
            raise ValueError(f"bad claim {claim}")
        return claim * rate

    @wf.step
    def total(enrich: list[int | None]) -> int:
        return sum(e for e in enrich if e is not None)


def test_a_failure_ends_the_map_and_a_resume_does_only_the_rest(wf: aios.Workflow, box: Box) -> None:
    enriching(wf, concurrency=1)
    box.values["bad"] = {9}
    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    assert run.error is not None
    assert (run.error.type, run.error.message) == ("ValueError", "bad claim 9")
    assert statuses(run)["total"] == "skipped"
    assert box.seen == list(range(10))
    box.values.clear()
    box.seen.clear()
    assert run.resume().result(PATIENCE) == 10 * sum(range(20))
    assert box.seen == list(range(9, 20)), "what was done before the failure was done again"


def test_a_rerun_with_other_inputs_begins_anew(wf: aios.Workflow, box: Box) -> None:
    enriching(wf, concurrency=1)
    box.values["bad"] = {9}
    run = wf.run()
    run.wait(PATIENCE)
    box.values.clear()
    box.seen.clear()
    assert run.rerun(rate=1).result(PATIENCE) == sum(range(20))
    assert box.seen == list(range(20))


def test_a_resume_of_a_run_whose_part_was_damaged_makes_that_part_again(
    wf: aios.Workflow, box: Box, ws: Workspace
) -> None:
    enriching(wf, concurrency=1)
    box.values["bad"] = {1009}
    run = wf.run(n=1012)
    assert run.wait(PATIENCE) == "failed"
    rows = aios.sql(f"select first, items, output from map_parts where run_id = '{run.id}' order by first")
    assert rows["items"].sum() == 1009
    ws.artifacts.path(ws.artifacts.find(rows["output"][0])).write_bytes(b"broken")
    ws.artifacts._cache.clear()
    box.values.clear()
    box.seen.clear()
    assert run.resume().result(PATIENCE) == 10 * sum(range(1012))
    assert box.seen == [*range(rows["items"][0]), 1009, 1010, 1011]


def test_skip_leaves_the_item_out(wf: aios.Workflow, box: Box) -> None:
    enriching(wf, on_error="skip")
    box.values["bad"] = {0, 7, 19}
    run = wf.run()
    assert run.result(PATIENCE) == 10 * (sum(range(20)) - 26)
    assert run["enrich"].output == [10 * n for n in range(20) if n not in (0, 7, 19)]
    assert run["enrich"]._row()["message"] == "20 items, 3 skipped"
    assert len(run["enrich"].dead_letters) == 0


def test_dead_letters_say_what_where_and_why(wf: aios.Workflow, box: Box) -> None:
    enriching(wf, on_error="dead_letter", retries=2, backoff=0.001)
    box.values["bad"] = {3, 11}
    run = wf.run()
    assert run.result(PATIENCE) == 10 * (sum(range(20)) - 14)
    assert run["enrich"].output == [None if n in (3, 11) else 10 * n for n in range(20)]
    letters = run["enrich"].dead_letters
    assert repr(letters) == "<2 dead letters of step 'enrich', 2 open>"
    assert [(x["item"], x["type"], x["reason"], x["attempts"], x["value"], x["status"]) for x in letters] == [
        (3, "ValueError", "bad claim 3", 3, "3", "open"), (11, "ValueError", "bad claim 11", 3, "11", "open"),
    ]  # fmt: skip
    assert "raise ValueError" in letters[0]["traceback"]
    assert "engine/mapping" not in letters[0]["traceback"]
    assert letters.input(11) == 11
    with pytest.raises(NotFoundError, match=r"item 5 .* no dead letter"):
        letters.input(5)
    assert pd.api.types.is_datetime64_any_dtype(letters.to_frame()["at"])
    assert sorted(box.seen) == sorted([*range(20), 3, 3, 11, 11])
    assert aios.sql(f"select sum(attempts) as n from map_parts where run_id = '{run.id}'")["n"][0] == 24


def test_retries_are_for_one_item(wf: aios.Workflow) -> None:
    @wf.map(over="numbers", batch=3, retries=2, backoff=0.001, retry_on=ConnectionError)
    def flaky(number: int) -> tuple[int, int]:
        ctx = aios.context()
        if ctx.attempt <= number % 3:
            raise ConnectionError("not yet")
        return number, ctx.attempt

    assert wf.run(numbers=range(6)).result(PATIENCE) == [(n, n % 3 + 1) for n in range(6)]


def test_an_error_of_another_class_is_not_retried(wf: aios.Workflow, box: Box) -> None:
    enriching(wf, on_error="dead_letter", retries=5, retry_on=ConnectionError)
    box.values["bad"] = {3}
    run = wf.run()
    run.result(PATIENCE)
    assert box.seen.count(3) == 1


def test_a_fallback_answers_for_one_item(wf: aios.Workflow) -> None:
    def rules(number: int) -> str:
        return f"rules {number}"

    @wf.map(over="numbers", fallback=rules)
    def model(number: int) -> str:
        if number == 1:
            raise ConnectionError("down")
        return f"model {number}"

    assert wf.run(numbers=range(3)).result(PATIENCE) == ["model 0", "rules 1", "model 2"]


def test_an_item_that_takes_too_long_is_given_up(wf: aios.Workflow, box: Box) -> None:
    @wf.map(over="numbers", timeout=0.05, on_error="dead_letter", batch=2, concurrency=1)
    def slow(number: int) -> int:
        from sys import aios_box as box  # type: ignore[attr-defined]

        if number == 1:
            box.go.wait(30)
        return number

    run = wf.run(numbers=range(4))
    assert run.result(PATIENCE) == [0, None, 2, 3]
    assert [x["type"] for x in run["slow"].dead_letters] == ["StepTimeout"]

    def wait(number: int) -> None:
        time.sleep(number)

    again = aios.Workflow(wf.name + " fails")
    again.map(over="numbers", timeout=0.05, name="slow")(wait)
    with pytest.raises(StepTimeout, match=r"longer than its timeout of 0.05 s"):
        again.run(numbers=[0, 1]).result(PATIENCE)


def test_the_cap_on_a_runs_attempts_counts_the_retries_of_items(ws: Workspace) -> None:
    wf = aios.Workflow("capped map", max_attempts=5)

    @wf.map(over="numbers", retries=100, backoff=0.001, on_error="dead_letter", concurrency=1)
    def broken(number: int) -> int:
        raise ValueError("always")

    run = wf.run(numbers=range(10))
    assert run.wait(PATIENCE) == "failed"
    assert run.error is not None
    assert run.error.type == "AttemptsExhausted"


# -- redriving


def test_a_redrive_does_only_those_items_and_what_is_behind(wf: aios.Workflow, box: Box) -> None:
    enriching(wf, on_error="dead_letter")
    box.values["bad"] = {3, 4, 17}
    run = wf.run()
    run.result(PATIENCE)
    box.seen.clear()
    box.values["bad"] = {4}
    again = run.redrive("enrich")
    assert again.result(PATIENCE) == 10 * (sum(range(20)) - 4)
    assert box.seen == [3, 4, 17]
    assert again["claims"].cached
    assert again["enrich"].output == [None if n == 4 else 10 * n for n in range(20)]
    assert [(x["item"], x["status"], x["redriven_by"]) for x in run["enrich"].dead_letters] == [
        (n, "redriven", again.id) for n in (3, 4, 17)
    ]
    assert [(x["item"], x["status"], x["attempts"]) for x in again["enrich"].dead_letters] == [
        (3, "redriven", 1), (4, "open", 2), (17, "redriven", 1),
    ]  # fmt: skip
    trail = aios.sql(f"select action, subject from audit where subject = '{again.id}'")
    assert trail["action"].tolist() == ["run.redrive"]
    box.values.clear()
    third = again.redrive("enrich")
    assert third.result(PATIENCE) == 10 * sum(range(20))
    assert third["enrich"].dead_letters.open == []


def test_a_redrive_calls_the_function_as_it_is_now(wf: aios.Workflow, box: Box) -> None:
    enriching(wf, on_error="dead_letter")
    box.values["bad"] = {5}
    run = wf.run()
    run.result(PATIENCE)

    @wf.map(over="claims", batch=4, on_error="dead_letter")
    def enrich(claim: int, rate: int = 10) -> int:
        return -claim

    again = run.redrive("enrich")
    again.result(PATIENCE)
    assert again["enrich"].output == [-5 if n == 5 else 10 * n for n in range(20)]


def test_what_cannot_be_redriven_is_refused(wf: aios.Workflow, box: Box) -> None:
    enriching(wf, on_error="dead_letter")
    run = wf.run()
    run.result(PATIENCE)
    with pytest.raises(ConflictError, match="no open dead letters"):
        run.redrive("enrich")
    with pytest.raises(ConflictError, match=r"is no map: rerun it with run.rerun\(from_='total'\)"):
        run.redrive("total")
    with pytest.raises(NotFoundError, match="did you mean 'enrich'"):
        run.redrive("enrichs")
    box.values["bad"] = {1}
    bad = wf.run()
    bad.result(PATIENCE)

    @wf.step
    def claims(n: int = 20) -> list[int]:
        return [n] * n

    with pytest.raises(ConflictError, match="because 'claims' before it changed"):
        bad.redrive("enrich")
    assert bad["enrich"].dead_letters.open == [1]


def test_dropped_letters_stay_and_are_audited(wf: aios.Workflow, box: Box) -> None:
    enriching(wf, on_error="dead_letter")
    box.values["bad"] = {1, 2}
    run = wf.run()
    run.result(PATIENCE)
    letters = run["enrich"].dead_letters
    assert letters.drop([2], reason="a test claim") == 1
    assert letters.open == [1]
    box.values.clear()
    box.seen.clear()
    again = run.redrive("enrich")
    again.result(PATIENCE)
    assert box.seen == [1]
    assert again["enrich"].output[2] is None
    trail = aios.sql(f"select detail from audit where subject = '{run.id}' and action = 'run.drop_letters'")
    assert "a test claim" in trail["detail"][0]


@pytest.mark.parametrize("on_error", ["skip", "dead_letter"])
def test_a_batch_that_fails_is_halved_until_the_item_is_alone(
    wf: aios.Workflow, box: Box, on_error: str
) -> None:
    @wf.map(over="rows", batch=8, batches=True, on_error=on_error, concurrency=1)
    def doubled(rows: pd.DataFrame) -> pd.Series:
        if (rows["n"] % 7 == 3).any():
            raise ValueError("a three")
        return rows["n"] * 2

    frame = pd.DataFrame({"n": range(20)})
    run = wf.run(rows=frame)
    good = frame[frame["n"] % 7 != 3]
    pd.testing.assert_series_equal(run.result(PATIENCE), good["n"] * 2)
    letters = run["doubled"].dead_letters
    assert [x["item"] for x in letters] == ([3, 10, 17] if on_error == "dead_letter" else [])
    if letters:
        assert letters.input(10) == {"n": 10}


def test_a_failed_list_of_a_batch_holds_none_and_is_redriven(wf: aios.Workflow, box: Box) -> None:
    @wf.map(over="numbers", batch=4, batches=True, on_error="dead_letter", concurrency=1)
    def doubled(numbers: list[int]) -> list[int]:
        from sys import aios_box as box  # type: ignore[attr-defined]

        if 5 in numbers and not box.values.get("mended"):
            raise ValueError("a five")
        return [2 * n for n in numbers]

    run = wf.run(numbers=list(range(8)))
    assert run.result(PATIENCE) == [0, 2, 4, 6, 8, None, 12, 14]
    box.values["mended"] = True
    assert run.redrive("doubled").result(PATIENCE) == [0, 2, 4, 6, 8, 10, 12, 14]
