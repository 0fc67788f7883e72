"""A second call beside a slow one: the first answer counts, the other is told to stop, both are written down."""

from __future__ import annotations

from typing import Any

from kit import PATIENCE, Box, until

import aios_workbench as aios
from aios_workbench.workspace import Workspace


def told(run: Any, step: str = "call") -> list[tuple[Any, ...]]:
    return [(a["attempt"], a["kind"], a["status"]) for a in run[step].attempts]


def test_a_quick_call_gets_no_second(wf: aios.Workflow) -> None:
    @wf.step(hedge="1h")
    def call() -> int:
        return 1

    run = wf.run()
    assert run.result(PATIENCE) == 1
    assert told(run) == [(1, "step", "succeeded")]


def test_a_call_that_fails_before_its_time_gets_no_second(wf: aios.Workflow) -> None:
    @wf.step(hedge="1h", retries=1, backoff="1ms")
    def call() -> int:
        raise ConnectionError("down")

    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    assert told(run) == [(1, "step", "failed"), (2, "step", "failed")]


def slow(box: Box, wf: aios.Workflow, stuck: int, **options: Any) -> None:
    """A step of which call number `stuck` hangs until it is told to stop."""
    box.values["stuck"] = stuck

    @wf.step(hedge="30ms", **options)
    def call() -> str:
        from sys import aios_box as box

        ctx = aios.context()
        ctx.keep(f"kept by {ctx.attempt}")
        print(f"call {ctx.attempt}")
        box.values[ctx.attempt] = ctx
        if ctx.attempt == box.values["stuck"]:
            while not ctx.cancelled:
                pass
            box.seen.append("told to stop")
            raise ValueError("stopped")
        box.go.wait(60)
        return f"answer of {ctx.attempt}"


def test_the_second_call_may_answer_first(wf: aios.Workflow, box: Box) -> None:
    slow(box, wf, stuck=1)
    box.go.set()
    run = wf.run()
    assert run.result(PATIENCE) == "answer of 2"
    until(lambda: box.seen == ["told to stop"])
    assert told(run) == [(1, "step", "cancelled"), (2, "hedge", "succeeded")]
    assert [a["message"] for a in run["call"].attempts] == [
        "attempt 2 answered first", "answered first of two calls; the second began after 0.03 s"
    ]  # fmt: skip
    assert run["call"].kept == "kept by 2"
    assert run["call"].error is None
    assert run["call"].message == "answered first of two calls; the second began after 0.03 s"
    assert sorted(run["call"].logs.splitlines()) == ["call 1", "call 2"]


def test_the_first_call_may_answer_after_all(wf: aios.Workflow, box: Box) -> None:
    slow(box, wf, stuck=2)
    run = wf.run()
    until(lambda: 2 in box.values)
    box.go.set()
    assert run.result(PATIENCE) == "answer of 1"
    until(lambda: box.seen == ["told to stop"])
    assert told(run) == [(1, "step", "succeeded"), (2, "hedge", "cancelled")]
    assert run["call"].kept == "kept by 1"
    assert box.values[1].key == box.values[2].key  # for an outside system it is one call


def test_when_both_fail_the_attempt_has_failed_once(wf: aios.Workflow, box: Box) -> None:
    @wf.step(hedge="30ms", retries=1, backoff="1ms")
    def call() -> None:
        from sys import aios_box as box

        if aios.context().attempt <= 2:
            box.barrier.wait(60)
        raise ConnectionError(f"down {aios.context().attempt}")

    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    assert told(run)[:2] == [(1, "step", "failed"), (2, "hedge", "failed")]
    assert told(run)[2] == (3, "step", "failed")
    assert run["call"].error is not None
    assert run["call"].error.message == "down 3"


def test_the_failure_of_one_waits_for_the_other(wf: aios.Workflow, box: Box) -> None:
    @wf.step(hedge="30ms")
    def call() -> str:
        from sys import aios_box as box

        if aios.context().attempt == 2:
            raise ConnectionError("second down")
        box.go.wait(60)
        return "first"

    run = wf.run()
    until(lambda: (2, "hedge", "failed") in told(run))
    box.go.set()
    assert run.result(PATIENCE) == "first"
    assert told(run) == [(1, "step", "succeeded"), (2, "hedge", "failed")]


def test_a_cancelled_run_tells_both(wf: aios.Workflow, box: Box) -> None:
    @wf.step(hedge="10ms", timeout="1h")
    def call() -> None:
        from sys import aios_box as box

        box.barrier.wait(60)
        while not aios.context().cancelled:
            pass
        box.seen.append(aios.context().attempt)

    run = wf.run()
    until(lambda: len(told(run)) == 2)
    box.barrier.wait(PATIENCE) if box.barrier.n_waiting == 1 else None
    run.cancel()
    assert run.wait(PATIENCE) == "cancelled"
    until(lambda: sorted(box.seen) == [1, 2])


def test_a_second_call_counts_against_the_cap_of_the_run(ws: Workspace, box: Box) -> None:
    wf = aios.Workflow("capped hedge", max_attempts=1)
    slow(box, wf, stuck=0)
    run = wf.run()
    until(lambda: run["call"].attempts and run["call"].attempts[0]["message"])
    box.go.set()
    assert run.result(PATIENCE) == "answer of 1"
    assert told(run) == [(1, "step", "succeeded")]
    assert (
        "no second call beside it: step 'call' could not make another attempt"
        in run["call"].attempts[0]["message"]
    )
