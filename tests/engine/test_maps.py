"""Maps: many items through one step, in order; what goes over, what comes out, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from kit import PATIENCE, Box, statuses

import aios_workbench as aios
from aios_workbench.engine import control
from aios_workbench.errors import DefinitionError, MapFailed, MissingInputError, StepFailed
from aios_workbench.workspace import Workspace
from aios_workbench.workspace.gc import references

FRAME = pd.DataFrame({"n": [1, 2, 3, 4, 5], "who": list("abcde")}, index=[10, 11, 12, 13, 14])


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([3, 1, 2], [6, 2, 4]),
        ((3, 1), [6, 2]),
        (range(5), [0, 2, 4, 6, 8]),
        ([], []),
        (np.arange(7), [0, 2, 4, 6, 8, 10, 12]),
        (np.arange(6).reshape(3, 2), [[0, 2], [4, 6], [8, 10]]),
        (pd.Series([1.5, 2.5]), [3.0, 5.0]),
        (["ab"] * 5, ["abab"] * 5),
    ],
)
def test_items_go_one_by_one_and_results_keep_their_order(
    wf: aios.Workflow, items: Any, expected: list[Any], concurrency: int
) -> None:
    @wf.map(over="things", batch=2, concurrency=concurrency)
    def double(thing: Any, times: int = 2) -> Any:
        return thing * times

    out = wf.run(things=items).result(PATIENCE)
    assert [v.tolist() if isinstance(v, np.ndarray) else v for v in out] == expected
    assert type(out) is list


def test_rows_of_a_data_frame_are_dicts(wf: aios.Workflow) -> None:
    @wf.step
    def claims() -> pd.DataFrame:
        return FRAME

    @wf.map(over="claims", batch=2)
    def label(claim: dict[str, Any], suffix: str = "!") -> str:
        return f"{claim['who']}{claim['n']}{suffix}"

    assert wf.run().result(PATIENCE) == ["a1!", "b2!", "c3!", "d4!", "e5!"]


@pytest.mark.parametrize(
    ("items", "function", "expected"),
    [
        (list(range(5)), lambda things: [t + 1 for t in things], [1, 2, 3, 4, 5]),
        (np.arange(5), lambda things: things + 1, np.arange(1, 6)),
        (FRAME, lambda things: things.assign(n=things["n"] * 2), FRAME.assign(n=FRAME["n"] * 2)),
        (FRAME, lambda things: things["n"] * 2, FRAME["n"] * 2),
        (FRAME, lambda things: things["n"].tolist(), [1, 2, 3, 4, 5]),
        (list(range(5)), lambda things: (*things,), [0, 1, 2, 3, 4]),
    ],
)
def test_batches_go_as_what_they_are_and_are_put_together(
    wf: aios.Workflow, items: Any, function: Any, expected: Any
) -> None:
    wf.map(over="things", batch=2, concurrency=2, batches=True, name="work")(function)
    out = wf.run(things=items).result(PATIENCE)
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(out, expected)
    elif isinstance(expected, pd.Series):
        pd.testing.assert_series_equal(out, expected)
    elif isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(out, expected)
    else:
        assert out == expected


def test_a_large_result_is_stored_in_parts_and_read_as_a_list(wf: aios.Workflow, ws: Workspace) -> None:
    @wf.map(over="numbers", batch=1000, concurrency=2)
    def plus(number: int) -> int:
        return number + 1

    @wf.map(over="plus", batch=7000, concurrency=1)
    def twice(value: int) -> int:
        return value * 2

    run = wf.run(numbers=range(30_000))
    assert run.result(PATIENCE) == [2 * (n + 1) for n in range(30_000)]
    stored = ws.artifacts.find(aios.sql(
        f"select output from steps where run_id = '{run.id}' and step = 'plus'"
    )["output"][0])  # fmt: skip
    assert (stored.kind, stored.type, stored.shape) == ("parts", "list", (30_000,))
    assert run["plus"].preview()["text"].startswith("30,000 items, stored in ")
    rows = aios.sql(f"select count(*) as n, sum(items) as items from map_parts where run_id = '{run.id}'")
    assert rows["items"][0] == 60_000
    assert rows["n"][0] < 65


def test_the_item_is_told_to_whoever_asks(wf: aios.Workflow) -> None:
    @wf.map(over="letters", batch=2, concurrency=2)
    def mark(letter: str) -> str:
        ctx = aios.context()
        return f"{letter}{ctx.part} {ctx.key.removeprefix(ctx.run_id)}"

    assert wf.run(letters=list("abc")).result(PATIENCE) == ["a0 /mark/0", "b1 /mark/1", "c2 /mark/2"]


def test_coroutines_are_awaited_and_prints_are_captured(wf: aios.Workflow) -> None:
    @wf.map(over="numbers", batch=2, concurrency=2, timeout=30)
    async def plus(number: int) -> int:
        import asyncio

        await asyncio.sleep(0)
        print("seen", number)
        return number + 1

    run = wf.run(numbers=[1, 2, 3])
    assert run.result(PATIENCE) == [2, 3, 4]
    assert sorted(run["plus"].logs.splitlines()) == ["seen 1", "seen 2", "seen 3"]


def test_a_map_takes_other_steps_and_is_skipped_like_any(wf: aios.Workflow) -> None:
    @wf.step
    def factor() -> int:
        return 10

    @wf.map(over="numbers", when=lambda factor, least=5: factor > least)
    def scaled(number: int, factor: int) -> int:
        return number * factor

    assert wf.run(numbers=[1, 2]).result(PATIENCE) == [10, 20]
    run = wf.run(numbers=[1, 2], least=100)
    assert run.wait(PATIENCE) == "succeeded"
    assert statuses(run) == {"factor": "succeeded", "scaled": "skipped"}


def test_progress_says_how_many_how_fast_and_how_long(wf: aios.Workflow, ws: Workspace) -> None:
    @wf.map(over="numbers", batch=2, concurrency=1)
    def slow(number: int) -> int:
        import time

        time.sleep(0.05)
        return number

    run = wf.run(numbers=range(30))
    run.result(PATIENCE)
    told = [
        e["data"]
        for e in control.events(ws, limit=100_000)
        if e["kind"] == "progress" and e["run_id"] == run.id
    ]
    assert told
    assert all(" of 30" in e["message"] for e in told)
    assert any("/s" in e["message"] and "left" in e["message"] for e in told)
    assert [e["progress"] for e in told] == sorted(e["progress"] for e in told)
    assert run["slow"]._row()["message"] == "30 items"


def test_a_cached_map_is_not_done_again(wf: aios.Workflow, box: Box) -> None:
    @wf.map(over="numbers", batch=2, cache=True)
    def seen(number: int, salt: str = "") -> int:
        from sys import aios_box as box  # type: ignore[attr-defined]

        box.seen.append(number)
        return number

    items = list(range(77_000, 77_005))
    assert wf.run(numbers=items).result(PATIENCE) == items
    assert wf.run(numbers=items).result(PATIENCE) == items
    assert sorted(box.seen) == items


def test_cancelling_ends_a_map_between_items_and_a_resume_goes_on(wf: aios.Workflow, box: Box) -> None:
    @wf.map(over="numbers", batch=3, concurrency=1)
    def work(number: int) -> int:
        from sys import aios_box as box  # type: ignore[attr-defined]

        box.seen.append(number)
        if number == 4:
            box.hold()
        return number

    run = wf.run(numbers=range(10))
    assert box.started.wait(PATIENCE)
    run.cancel()
    box.go.set()
    assert run.wait(PATIENCE) == "cancelled"
    assert max(box.seen) < 6
    assert run.resume().result(PATIENCE) == list(range(10))
    assert box.seen.count(0) == 1, "a finished batch was done again"
    assert sorted(set(box.seen)) == list(range(10))


@pytest.mark.parametrize(
    ("items", "says"),
    [
        ({"a": 1}, r"of type dict; give it list\(x.items\(\)\)"),
        ({1, 2}, "of type set"),
        ("text", "of type str"),
        (5, "of type int"),
    ],
)
def test_what_cannot_be_gone_over_is_named(wf: aios.Workflow, items: Any, says: str) -> None:
    wf.map(over="things", name="work")(lambda thing: thing)
    with pytest.raises(MapFailed, match=says):
        wf.run(things=items).result(PATIENCE)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda things: things[:1], "a batch of 2 items and returned 1 results"),
        (lambda things: 5, "not int"),
        (lambda things: {1: 2, 3: 4}, "not dict"),
    ],
)
def test_a_batch_wants_as_many_results(wf: aios.Workflow, function: Any, says: str) -> None:
    wf.map(over="things", batch=2, batches=True, name="work")(function)
    with pytest.raises(MapFailed, match=says):
        wf.run(things=[1, 2, 3]).result(PATIENCE)


def test_an_error_shows_the_users_own_line(wf: aios.Workflow) -> None:
    @wf.map(over="numbers")
    def broken(number: int) -> int:
        return 1 // number

    with pytest.raises(StepFailed) as e:
        wf.run(numbers=[1, 0]).result(PATIENCE)
    assert "return 1 // number" in e.value.traceback
    assert "engine/mapping" not in e.value.traceback


# -- which parameter gets the item


def item(function: Any, over: str = "claims", **options: Any) -> str:
    wf = aios.Workflow("w")
    wf.step(name="model")(lambda: 1)
    wf.map(over=over, name="m", **options)(function)
    return wf.spec().step("m").item


@pytest.mark.parametrize(
    ("function", "options", "expected"),
    [
        (lambda claim, model, rate=1: 0, {}, "claim"),
        (lambda model, x: 0, {}, "x"),
        (lambda a, b: 0, {"item": "b"}, "b"),
        (lambda company, model: 0, {"over": "companies"}, "company"),
        (lambda box, other: 0, {"over": "boxes"}, "box"),
        (lambda claims, rate: 0, {"batches": True}, "claims"),
        (lambda claims, row: 0, {}, "row"),
        (lambda item, other: 0, {"over": "data"}, "item"),
    ],
)
def test_the_item_goes_to(function: Any, options: dict[str, Any], expected: str) -> None:
    assert item(function, **options) == expected


@pytest.mark.parametrize(
    ("function", "options", "says"),
    [
        (lambda a, b: 0, {}, "may be 'a' or 'b'; say which with item='a', or call it 'claim'"),
        (lambda model: 0, {}, "no parameter for the item of 'claims'; add one called 'claim'"),
        (lambda claim: 0, {"item": "clam"}, "did you mean 'claim'"),
    ],
)
def test_what_is_not_clear_is_refused(function: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises(MissingInputError, match=says):
        item(function, **options)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"batch": 0}, "batch must be a whole number"),
        ({"concurrency": 2.5}, "concurrency must be a whole number"),
        ({"on_error": "skipp"}, "did you mean 'skip'"),
        ({"batches": 1}, "batches is True or False"),
        ({"over": 3}, "name it: @wf.map"),
        ({"bach": 3}, "did you mean 'batch'"),
    ],
)
def test_what_a_map_cannot_do_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(DefinitionError, match=says):
        aios.Workflow("w").map(**{"over": "claims", "name": "m", **options})(lambda claim: claim)


def test_a_map_without_parentheses_is_refused() -> None:
    with pytest.raises(DefinitionError, match="with the parentheses"):
        aios.Workflow("w").map(lambda claim: claim)


def test_the_parts_of_a_result_are_kept_as_long_as_a_run_refers_to_it(
    wf: aios.Workflow, ws: Workspace
) -> None:
    @wf.map(over="numbers", batch=5000, cache=True)
    def odd(number: int) -> int:
        return 2 * number + 1

    first = wf.run(numbers=range(20_000))
    assert len(first.result(PATIENCE)) == 20_000
    again = wf.run(numbers=range(20_000))
    assert again["odd"].output[-1] == 39_999 if again.wait(PATIENCE) == "succeeded" else False
    assert again["odd"].cached
    parts = {p.artifact.hash for p in ws.artifacts.parts(ws.artifacts.find(ws.catalog.one(
        "select output from steps where run_id = :r", r=again.id)["output"]))}  # type: ignore[index]  # fmt: skip
    assert parts
    assert parts <= references(ws, without=[first.id]), "a blob of a result in use would be collected"
