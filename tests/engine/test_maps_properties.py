"""Random maps against a model of a few lines: failing items, batch sizes, threads, and stops at any item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit import PATIENCE, Box

import aios_workbench as aios
from aios_workbench.workspace import Workspace

FEW = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True)
class Case:
    """A map: how many items, which fail how often, and how it is cut up."""

    n: int
    fails: dict[int, int]  # item -> how many calls of it fail
    batch: int
    concurrency: int
    on_error: str
    retries: int
    batches: bool


@st.composite
def cases(draw: st.DrawFn) -> Case:
    n = draw(st.integers(0, 60))
    numbers = st.integers(0, max(0, n - 1))
    fails = draw(st.dictionaries(numbers, st.sampled_from([1, 2, 99]), max_size=5))
    return Case(
        n, fails if n else {}, draw(st.integers(1, 25)), draw(st.integers(1, 4)),
        draw(st.sampled_from(["fail", "skip", "dead_letter"])), draw(st.integers(0, 2)), draw(st.booleans()),
    )  # fmt: skip


def define(wf: aios.Workflow, case: Case) -> None:
    """Define the map; the box counts the calls of each item and says which of them fail."""

    def one(number: int) -> int:
        from sys import aios_box as box  # type: ignore[attr-defined]

        box.seen.append(number)
        left = box.values["fails"].get(number, 0)
        if left:
            box.values["fails"][number] = left - 1
            raise ValueError(f"item {number}")
        return number * number

    def many(numbers: list[int]) -> list[int]:
        return [one(n) for n in numbers]

    wf.map(
        over="numbers", name="square", batch=case.batch, concurrency=case.concurrency, on_error=case.on_error,
        retries=case.retries, backoff=0.0001, batches=case.batches,
    )(many if case.batches else one)  # fmt: skip


def dead(case: Case) -> list[int]:
    return [n for n, times in sorted(case.fails.items()) if times > case.retries]


def expected(case: Case, gone: list[int]) -> list[int | None]:
    if case.on_error == "skip":
        return [n * n for n in range(case.n) if n not in gone]
    return [None if n in gone else n * n for n in range(case.n)]


@pytest.fixture
def fresh(box: Box) -> Box:
    return box


def begin(box: Box, case: Case) -> None:
    box.seen.clear()
    box.values["fails"] = dict(case.fails)


@FEW
@given(case=cases())
def test_results_keep_their_places_and_letters_are_those_that_failed(
    ws: Workspace, fresh: Box, case: Case
) -> None:
    if case.batches:  # one call for many: how often each item is called depends on its neighbours
        case = Case(**{**vars(case), "fails": dict.fromkeys(case.fails, 10_000)})
    begin(fresh, case)
    wf = aios.Workflow("squares")
    define(wf, case)
    run = wf.run(numbers=list(range(case.n)))
    gone = dead(case)
    if case.on_error == "fail" and gone:
        assert run.wait(PATIENCE) == "failed"
        return
    assert run.result(PATIENCE) == expected(case, gone)
    letters = gone if case.on_error == "dead_letter" else []
    assert run["square"].dead_letters.open == letters
    if not case.batches:
        assert sorted(fresh.seen) == sorted(
            n for n in range(case.n) for _ in range(min(case.fails.get(n, 0), case.retries) + 1)
        )
    if letters:
        fresh.values["fails"] = {}
        again = run.redrive("square")
        assert again.result(PATIENCE) == [n * n for n in range(case.n)]
        assert again["square"].dead_letters.open == []


@FEW
@given(case=cases())
def test_failing_and_resuming_until_it_is_done_loses_and_doubles_nothing(
    ws: Workspace, fresh: Box, case: Case
) -> None:
    case = Case(**{**vars(case), "on_error": "fail", "retries": 0, "batches": False})
    case = Case(**{**vars(case), "fails": {n: min(times, 2) for n, times in case.fails.items()}})
    begin(fresh, case)
    wf = aios.Workflow("squares")
    define(wf, case)
    run = wf.run(numbers=list(range(case.n)))
    legs = 0
    while run.wait(PATIENCE) == "failed":
        legs += 1
        assert legs <= 1 + sum(case.fails.values())
        run.resume()
    assert run.result(PATIENCE) == expected(case, [])
    counts: dict[int, int] = {}
    for n in fresh.seen:
        counts[n] = counts.get(n, 0) + 1
    assert counts == {n: 1 + case.fails.get(n, 0) for n in range(case.n)}, (
        "an item was done again, or not at all"
    )


@FEW
@given(data=st.data(), n=st.integers(1, 40), batch=st.integers(1, 9), concurrency=st.integers(1, 3))
def test_cancelling_at_any_item_and_resuming_gives_the_same(
    ws: Workspace, fresh: Box, data: st.DataObject, n: int, batch: int, concurrency: int
) -> None:
    stop_at: Any = data.draw(st.integers(0, n - 1))
    fresh.seen.clear()
    fresh.values["stop"] = stop_at
    wf = aios.Workflow("stopped")

    @wf.map(over="numbers", batch=batch, concurrency=concurrency)
    def work(number: int) -> int:
        from sys import aios_box as box  # type: ignore[attr-defined]

        box.seen.append(number)
        if box.values.get("stop") == number:
            box.values["stop"] = None
            box.values["run"].cancel()
        return -number

    fresh.values["run"] = None
    fresh.values["hold"] = True
    run = aios.Workflow.run(_late(wf, fresh), numbers=list(range(n)))
    fresh.values["run"] = run
    fresh.go.set()
    if run.wait(PATIENCE) == "cancelled":
        run.resume()
    assert run.result(PATIENCE) == [-k for k in range(n)]
    doubled = len(fresh.seen) - n
    assert 0 <= doubled <= batch * concurrency
    fresh.go.clear()


def _late(wf: aios.Workflow, box: Box) -> aios.Workflow:
    """Hold the map back until the test knows its run."""
    wf.step(name="ready")(_ready)
    old = wf.definition("work")
    wf.map(
        over="numbers", batch=old.options["batch"], concurrency=old.options["concurrency"], after=["ready"]
    )(old.fn)
    return wf


def _ready() -> int:
    from sys import aios_box as box  # type: ignore[attr-defined]

    box.go.wait(30)
    return 1
