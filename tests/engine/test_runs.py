"""A run: steps in order and side by side, results, waiting, handles, identity."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import Any

import pytest
from kit import PATIENCE, Box, statuses, until

import aios_workbench as aios
from aios_workbench.errors import AiosError, ConflictError, NotFoundError, ParameterError, SerializationError, StepFailed


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
    with pytest.raises(ConflictError, match="no output: it is running"):
        until(lambda: run["held"].status == "running")
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


def test_a_failure_skips_what_is_behind_it_and_nothing_else(wf: aios.Workflow) -> None:
    @wf.step
    def bad() -> int:
        raise ValueError("no")

    @wf.step
    def behind(bad: int) -> int:
        return bad

    @wf.step(after=["behind"])
    def far() -> int:
        return 1

    @wf.step
    def beside() -> int:
        return 1

    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    assert statuses(run) == {"bad": "failed", "behind": "skipped", "far": "skipped", "beside": "succeeded"}
    assert run.outputs == {"beside": 1}


def test_when_decides_with_outputs_and_parameters(wf: aios.Workflow) -> None:
    @wf.step
    def n(start: int = 1) -> int:
        return start

    @wf.step(when=lambda n, limit=5: n > limit)
    def big(n: int) -> str:
        return "big"

    @wf.step
    def behind(big: str) -> str:
        return big + "!"

    small = wf.run()
    assert small.wait(PATIENCE) == "succeeded"
    assert statuses(small) == {"n": "succeeded", "big": "skipped", "behind": "skipped"}
    assert wf.run(start=9).result(PATIENCE) == "big!"
    assert wf.run(limit=0).result(PATIENCE) == "big!"


def test_an_error_in_when_is_the_steps_error(wf: aios.Workflow) -> None:
    @wf.step(when=lambda limit=0: 1 / limit)
    def s() -> int:
        return 1

    run = wf.run()
    with pytest.raises(StepFailed, match="ZeroDivisionError"):
        run.result(PATIENCE)
    assert statuses(run) == {"s": "failed"}


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
    with pytest.raises(NotFoundError, match="no step 'dd'.*did you mean 'd'"):
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
    assert wf.run(_key="order 18").id != first.id
    assert len(wf.runs()) == 2


def test_context_says_who_is_running(wf: aios.Workflow) -> None:
    @wf.step(retries=1, backoff="1ms")
    def s(n: int = 5) -> tuple[Any, ...]:
        ctx = aios.context()
        ctx.progress(0.5, "half")
        ctx.metric("rows", 3, unit="rows")
        ctx.metric("verdict", "good <b>")
        if ctx.attempt == 1:
            raise ValueError("again")
        return ctx.run_id, ctx.step, ctx.workflow, ctx.attempt, ctx.key, ctx.params, aios.in_step(), ctx.cancelled

    run = wf.run()
    assert run.result(PATIENCE) == (run.id, "s", wf.name, 2, f"{run.id}/s", {"n": 5}, True, False)
    assert run.metrics == {"rows": 3.0, "verdict": "good <b>"}
    assert not aios.in_step()
    with pytest.raises(AiosError, match="works inside a step"):
        aios.context()


HOSTILE = ["<img src=x onerror=alert(1)>", "a'); drop table runs;--", '"', "Ü\U0001f600\u200d\u202e", "..", "{}", "%s", "x" * 200]


def test_hostile_names_are_names(ws: Any) -> None:
    wf = aios.Workflow("<script>alert('w')</script>")
    for i, name in enumerate(HOSTILE):

        @wf.step(name=name, after=HOSTILE[:i][-1:], tags=[name])
        def s() -> str:
            print(aios.context().step)
            return aios.context().step

    run = wf.run()
    assert run.wait(PATIENCE) == "succeeded"
    assert [run[name].output for name in HOSTILE] == HOSTILE
    assert [run[name].logs for name in HOSTILE] == HOSTILE
    assert aios.run(run.id).workflow == wf.name
