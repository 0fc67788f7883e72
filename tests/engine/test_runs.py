"""A run: steps in order and side by side, results, waiting, handles, identity."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import Any

import pytest
from kit import PATIENCE, Box, statuses, until

import aios_workbench as aios
from aios_workbench.errors import (
    ConflictError,
    NotFoundError,
    ParameterError,
    SerializationError,
    StepFailed,
)


def diamond(wf: aios.Workflow) -> None:
    @wf.step
    def a(n: int = 1) -> int:
        return n

    @wf.step
    def b(a: int) -> int:
        return a + 1

    @wf.step
    def c(a: int) -> int:
        return a * 10

    @wf.step
    def d(b: int, c: int) -> int:
        return b + c


def test_values_flow_along_the_edges(wf: aios.Workflow) -> None:
    diamond(wf)
    run = wf.run(n="3")
    assert run.result(PATIENCE) == 34
    assert run.status == "succeeded"
    assert statuses(run) == dict.fromkeys("abcd", "succeeded")
    assert run["d"].inputs == {"b": 4, "c": 30}
    assert (run.params, run.workflow, run.error) == ({"n": 3}, wf.name, None)
    assert run["a"].duration >= 0
    assert wf.state == dict.fromkeys("abcd", "fresh")


def test_several_ends_give_a_dictionary_and_unused_steps_run_too(wf: aios.Workflow) -> None:
    @wf.step
    def one() -> int:
        return 1

    @wf.step
    def two() -> None:
        return None

    assert wf.run().result(PATIENCE) == {"one": 1, "two": None}


def test_an_empty_workflow_succeeds(wf: aios.Workflow) -> None:
    assert wf.run().result(PATIENCE) == {}


def test_parallel_branches_overlap(wf: aios.Workflow, box: Box) -> None:
    """Each waits for the other at a barrier: run one after the other they would never end."""
    for name in ("left", "right"):

        @wf.step(name=name)
        def meet() -> int:
            from sys import aios_box

            return aios_box.barrier.wait(20)

    assert sorted(wf.run().result(PATIENCE).values()) == [0, 1]


def test_no_more_than_max_parallel_at_once(ws: Any, box: Box) -> None:
    wf = aios.Workflow("narrow", max_parallel=2)
    box.values.update(now=0, most=0, lock=threading.Lock())
    for i in range(6):

        @wf.step(name=f"s{i}")
        def count() -> None:
            import time
            from sys import aios_box as box

            with box.values["lock"]:
                box.values["now"] += 1
                box.values["most"] = max(box.values["most"], box.values["now"])
            time.sleep(0.02)
            with box.values["lock"]:
                box.values["now"] -= 1

    wf.run().result(PATIENCE)
    assert box.values["most"] == 2


def test_every_step_gets_copies_of_its_own(wf: aios.Workflow) -> None:
    @wf.step
    def rows() -> list[int]:
        return [1]

    @wf.step
    def spoil(rows: list[int]) -> None:
        rows.append(2)

    @wf.step(after=["spoil"])
    def read(rows: list[int]) -> list[int]:
        return rows

    run = wf.run()
    assert run.result(PATIENCE) == [1]
    assert run["rows"].output == [1]


def test_async_steps_and_what_they_raise(wf: aios.Workflow) -> None:
    @wf.step
    async def good() -> int:
        await asyncio.sleep(0)
        return await asyncio.gather(asyncio.sleep(0, 41)) and 42

    @wf.step(after=["good"])
    async def bad() -> None:
        raise LookupError("async")

    run = wf.run()
    with pytest.raises(StepFailed, match="LookupError: async"):
        run.result(PATIENCE)
    assert run["good"].output == 42


def test_await_in_a_running_loop(wf: aios.Workflow) -> None:
    diamond(wf)

    async def cell() -> Any:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        ticking = asyncio.create_task(tick())
        both = await asyncio.gather(wf.run(n=1), wf.run(n=2))
        ticking.cancel()
        assert ticks > 10, "the loop was blocked"
        return both

    assert asyncio.run(cell()) == [12, 23]


def test_await_raises_what_result_raises_and_can_be_cancelled(wf: aios.Workflow, box: Box) -> None:
    @wf.step
    def held(fail: bool = True) -> None:
        from sys import aios_box

        aios_box.hold()
        if fail:
            raise ValueError("x")

    async def cell() -> None:
        run = wf.run()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(run._wait_async(), 0.05)
        assert run.status == "running"
        box.go.set()
        with pytest.raises(StepFailed):
            await run

    asyncio.run(cell())


def test_result_can_give_up_waiting(wf: aios.Workflow, box: Box) -> None:
    @wf.step
    def held() -> int:
        from sys import aios_box

        aios_box.hold()
        return 7

    run = wf.run()
    with pytest.raises(TimeoutError, match=r"still running .*it goes on"):
        run.result(0.05)
    until(lambda: run["held"].status == "running")
    with pytest.raises(ConflictError, match="no output: it is running"):
        _ = run["held"].output
    box.go.set()
    assert run.result(PATIENCE) == 7


def test_interrupting_the_wait_leaves_the_run(wf: aios.Workflow, box: Box) -> None:
    @wf.step
    def held() -> int:
        from sys import aios_box

        aios_box.hold()
        return 7

    run = wf.run()
    box.started.wait(PATIENCE)
    threading.Timer(0.1, signal.raise_signal, (signal.SIGINT,)).start()
    with pytest.raises(KeyboardInterrupt):
        run.result()
    assert run.status == "running"
    box.go.set()
    assert run.result(PATIENCE) == 7


def test_nothing_starts_when_anything_is_wrong(wf: aios.Workflow, ws: Any) -> None:
    lock = threading.Lock()

    @wf.step
    def fine(n: int) -> int:
        return n

    with pytest.raises(ParameterError):
        wf.run()
    with pytest.raises(ParameterError):
        wf.run(n="x")
    with pytest.raises(ParameterError, match="no gate 'g'"):
        wf.run(n=1, _gates={"g": "approve"})

    @wf.step
    def bad() -> bool:
        return lock.locked()

    with pytest.raises(SerializationError, match="step 'bad'"):
        wf.run(n=1)
    assert wf.runs() == []


def test_runs_are_found_by_id_start_of_id_and_workflow(wf: aios.Workflow) -> None:
    diamond(wf)
    first, second = wf.run(), wf.run(n=2)
    assert (first.result(PATIENCE), second.result(PATIENCE)) == (12, 23)
    assert [r.id for r in wf.runs()] == [second.id, first.id]
    assert [r.id for r in aios.runs(wf.name, status="succeeded", limit=1)] == [second.id]
    found = aios.run(second.id)
    assert (found.result(1), found["b"].output, list(found)) == (23, 3, list("abcd"))
    assert aios.run(second.id[:-1]).id == second.id
    with pytest.raises(NotFoundError, match=f"did you mean '{second.id}'"):
        aios.run(second.id + "x")
    with pytest.raises(NotFoundError, match=r"no step 'dd'.*did you mean 'd'"):
        found["dd"]


def test_an_idempotency_key_means_one_run(wf: aios.Workflow, box: Box) -> None:
    @wf.step
    def s() -> int:
        from sys import aios_box as box

        box.seen.append(1)
        if box.values.get("fail"):
            raise ValueError("later")
        return len(box.seen)

    box.values["fail"] = True
    first = wf.run(_key="order 17")
    assert first.wait(PATIENCE) == "failed"
    box.values["fail"] = False
    second = wf.run(_key="order 17")  # the same run, taken up again
    assert (second.id, second.result(PATIENCE)) == (first.id, 2)
    third = wf.run(_key="order 17")
    assert (third.id, third.result(PATIENCE)) == (first.id, 2)
    other = wf.run(_key="order 18")
    assert (other.id != first.id, len(wf.runs())) == (True, 2)
    assert other.result(PATIENCE) == 3  # over before the next test: its box is reached by the same name
