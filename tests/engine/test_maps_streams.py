"""Steps that yield: a map begins with the first items, the producer waits for a slow map, nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit import PATIENCE, Box, finished, line, script, statuses

import aios_workbench as aios


def producing(wf: aios.Workflow, **options: Any) -> None:
    """A step that yields and notes what it yielded, and a map over it that notes what it got."""

    @wf.step
    def lines(n: int = 100) -> Iterator[int]:
        from sys import aios_box as box  # type: ignore[attr-defined]

        for i in range(n):
            box.values["yielded"] = i
            if i == box.values.get("breaks at"):
                raise ConnectionError("the source broke")
            yield i

    @wf.map(over="lines", **{"batch": 5, "concurrency": 2, **options})
    def twice(row: int) -> int:
        from sys import aios_box as box  # type: ignore[attr-defined]

        box.seen.append(row)
        if row == box.values.get("holds at"):
            box.hold()
        if row == box.values.get("fails at"):
            raise ValueError(f"row {row}")
        return row * 2


@pytest.mark.parametrize("n", [0, 1, 7, 100, 3000])
@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize("buffer", [1, 6])
def test_all_that_is_yielded_is_mapped_in_order(
    wf: aios.Workflow, box: Box, n: int, concurrency: int, buffer: int
) -> None:
    producing(wf, concurrency=concurrency, buffer=buffer, batch=50)
    run = wf.run(n=n)
    assert run.result(PATIENCE) == [2 * i for i in range(n)]
    assert run["lines"].output == list(range(n))
    assert sorted(box.seen) == list(range(n))
    assert run["twice"].inputs == {"row": list(range(n))}


def test_what_yields_is_a_list_for_other_steps(wf: aios.Workflow) -> None:
    @wf.step
    def lines() -> Iterator[int]:
        yield from range(5)

    @wf.step
    def total(lines: list[int]) -> int:
        return sum(lines)

    assert wf.run().result(PATIENCE) == 10


def test_the_producer_waits_for_a_slow_map(wf: aios.Workflow, box: Box) -> None:
    producing(wf, concurrency=1, batch=5, buffer=3)
    box.values["holds at"] = 12
    run = wf.run(n=1000)
    assert box.started.wait(PATIENCE)
    for _ in range(100):  # it would run to its end in that time
        import time

        time.sleep(0.005)
    assert box.values["yielded"] < 10 + 15 + 15 + 1, "the producer ran ahead"
    box.go.set()
    assert len(run.result(PATIENCE)) == 1000


def test_one_slot_is_enough_for_both(ws: Any, box: Box) -> None:
    wf = aios.Workflow("one slot", max_parallel=1)
    producing(wf, buffer=1)
    assert len(wf.run(n=200).result(PATIENCE)) == 200


def test_a_map_that_also_needs_the_whole_list_waits_for_it(wf: aios.Workflow, box: Box) -> None:
    producing(wf)

    @wf.map(over="lines", item="row")
    def share(row: int, lines: list[int]) -> float:
        return row / sum(lines)

    run = wf.run(n=4)
    run.wait(PATIENCE)
    assert run["share"].output == [0.0, 1 / 6, 2 / 6, 3 / 6]


def test_a_source_that_breaks_leaves_the_map_unfinished_and_a_resume_goes_on(
    wf: aios.Workflow, box: Box
) -> None:
    producing(wf, concurrency=1)
    box.values["breaks at"] = 63
    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    assert run.error is not None
    assert run.error.type == "ConnectionError"
    assert statuses(run) == {"lines": "failed", "twice": "skipped"}
    assert "'lines' did not come to its end" in run["twice"]._row()["message"]
    before = list(box.seen)
    box.values.clear()
    box.seen.clear()
    assert run.resume().result(PATIENCE) == [2 * i for i in range(100)]
    assert not set(before) & set(box.seen), "what was mapped before was mapped again"


def test_a_map_that_fails_lets_the_producer_end(wf: aios.Workflow, box: Box) -> None:
    producing(wf, buffer=1)
    box.values["fails at"] = 12
    run = wf.run(n=500)
    assert run.wait(PATIENCE) == "failed"
    assert statuses(run) == {"lines": "succeeded", "twice": "failed"}
    box.values.clear()
    box.seen.clear()
    assert run.resume().result(PATIENCE) == [2 * i for i in range(500)]
    assert 0 not in box.seen


def test_a_source_is_tried_again_where_it_broke(wf: aios.Workflow) -> None:
    @wf.step(retries=3, backoff=0.01)
    def lines() -> Iterator[int]:
        for i in range(40):
            if i == 10 * aios.context().attempt:
                raise ConnectionError("again")
            yield i

    @wf.map(over="lines", batch=3)
    def same(row: int) -> int:
        return row

    run = wf.run()
    assert run.result(PATIENCE) == list(range(40))
    assert len(run["lines"].attempts) == 4


def test_a_source_that_yields_less_than_before_is_an_error(wf: aios.Workflow) -> None:
    @wf.step(retries=1, backoff=0.01)
    def lines() -> Iterator[int]:
        import time

        first = aios.context().attempt == 1
        yield from range(700 if first else 10)
        time.sleep(0)
        if first:
            raise ConnectionError("again")

    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    assert run.error is not None
    assert "must yield the same again" in run.error.message


def test_cancelling_ends_both(wf: aios.Workflow, box: Box) -> None:
    producing(wf, concurrency=1, buffer=1)
    box.values["holds at"] = 7
    run = wf.run(n=10_000)
    assert box.started.wait(PATIENCE)
    run.cancel()
    box.go.set()
    assert run.wait(PATIENCE) == "cancelled"
    box.values.clear()
    assert len(run.resume().result(PATIENCE)) == 10_000


KILLED = """
@wf.step
def lines():
    for i in range(300):
        time.sleep(0.002)
        yield i

@wf.map(over="lines", batch=10, concurrency=2, buffer=2)
def work(row):
    with open(sys.argv[1], "a") as file:
        file.write(f"{row}\\n")
    if row == int(sys.argv[2]):
        os.kill(os.getpid(), 9)
    return row * 3

run = wf.run(_key="stream")
print("right" if run.result(60) == [3 * i for i in range(300)] else "wrong", flush=True)
"""


def test_killed_it_goes_on_with_what_was_stored(tmp_path: Path) -> None:
    home, seen = tmp_path / ".aios", tmp_path / "seen"
    for at in (120, 220):
        killed = script(home, KILLED, str(seen), str(at))
        _, error = killed.communicate(timeout=PATIENCE)
        assert killed.returncode == -9, error
    last = script(home, KILLED, str(seen), "999")
    assert line(last) == "right"
    finished(last)
    rows = [int(r) for r in seen.read_text().split()]
    assert sorted(set(rows)) == list(range(300)), "a row was lost"
    assert rows.count(5) == 1, "what was stored long before was done again"
