"""Attempts: retries, timeouts, fallbacks, and every way a step can fail without taking the engine along."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from kit import PATIENCE, Box, statuses, until

import aios_workbench as aios
from aios_workbench.engine.retrying import MAX_BACKOFF, backoff
from aios_workbench.errors import RunError, StepFailed, StepTimeout


def test_retries_end_with_the_first_success_and_are_all_written_down(wf: aios.Workflow) -> None:
    @wf.step(retries=5, backoff="1ms")
    def flaky() -> int:
        n = aios.context().attempt
        print(f"try {n}")
        if n < 3:
            raise ConnectionError(f"try {n}")
        return n

    run = wf.run()
    assert run.result(PATIENCE) == 3
    attempts = run["flaky"].attempts
    assert [(a["attempt"], a["status"]) for a in attempts] == [(1, "failed"), (2, "failed"), (3, "succeeded")]
    assert [a["error"]["message"] for a in attempts[:2]] == ["try 1", "try 2"]
    assert all(a["started_at"] <= a["ended_at"] for a in attempts)
    assert run["flaky"].logs == "try 1\ntry 2\ntry 3"
    assert run["flaky"].error is None


def test_retries_run_out(wf: aios.Workflow) -> None:
    @wf.step(retries=2, backoff="1ms")
    def never() -> int:
        raise ConnectionError(aios.context().attempt)

    run = wf.run()
    with pytest.raises(StepFailed, match="ConnectionError: 3"):
        run.result(PATIENCE)
    assert [a["status"] for a in run["never"].attempts] == ["failed"] * 3


def test_backoff_doubles_to_a_limit_with_jitter() -> None:
    for n in range(1, 50):
        waits = [backoff(0.5, n) for _ in range(50)]
        least = min(MAX_BACKOFF, 0.5 * 2 ** min(n - 1, 30))
        assert least <= min(waits)
        assert max(waits) <= least * 1.25
    assert len(set(waits)) > 1


def test_between_attempts_a_step_reads_retrying(wf: aios.Workflow) -> None:
    @wf.step(retries=1, backoff="1h")
    def s() -> int:
        raise ValueError("x")

    run = wf.run()
    until(lambda: run["s"].status == "retrying")
    assert run.status == "running"
    run.cancel()  # does not wait for the hour
    assert run.wait(PATIENCE) == "cancelled"
    assert statuses(run) == {"s": "cancelled"}


def test_a_timeout_ends_the_attempt_and_drops_its_result(wf: aios.Workflow, box: Box) -> None:
    @wf.step(timeout="100ms", retries=1, backoff="1ms")
    def slow() -> str:
        from sys import aios_box as box

        ctx = aios.context()
        box.values[ctx.attempt] = ctx
        box.go.wait(60)
        return "late"

    run = wf.run()
    with pytest.raises(StepTimeout, match=r"longer than its timeout of 0.1 s.*aios.context\(\).cancelled"):
        run.result(PATIENCE)
    assert box.values[1].cancelled
    box.go.set()
    assert [a["status"] for a in run["slow"].attempts] == ["timeout", "timeout"]
    assert run["slow"].status == "failed"


def test_a_step_within_its_timeout_is_untouched(wf: aios.Workflow) -> None:
    @wf.step(timeout="1h")
    def quick(n: int = 2) -> int:
        print(threading.current_thread().name, aios.context().step)
        return n

    run = wf.run()
    assert run.result(PATIENCE) == 2
    assert "quick" in run["quick"].logs


def test_fallbacks_answer_in_order_and_are_named(wf: aios.Workflow) -> None:
    def rules(n: int) -> str:
        raise LookupError("no rule")

    def constant(n: int) -> str:
        return f"constant {n}"

    @wf.step(retries=1, backoff="1ms", fallback=[rules, constant])
    def model(n: int = 4) -> str:
        raise ConnectionError("model is down")

    run = wf.run()
    assert run.result(PATIENCE) == "constant 4"
    assert run["model"].answered_by == "constant"
    assert [(a["status"], a["kind"], a["name"]) for a in run["model"].attempts] == [
        ("failed", "step", None), ("failed", "step", None), ("failed", "fallback", "rules"),
        ("succeeded", "fallback", "constant"),
    ]  # fmt: skip
    assert run["model"].message == (
        "fallback 'constant' answered after ConnectionError: model is down; 'rules' failed too: LookupError: no rule"
    )


def test_when_no_fallback_answers_the_step_fails(wf: aios.Workflow) -> None:
    def also(n: int) -> str:
        raise LookupError("no rule")

    @wf.step(fallback=also)
    def model(n: int = 4) -> str:
        raise ConnectionError("model is down")

    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    assert run["model"].answered_by is None
    assert run["model"].error is not None
    assert run["model"].error.message == "model is down"
    assert run["model"].message == "no fallback answered: 'also' failed too: LookupError: no rule"


class Odd(Exception):
    """Of this test's module, that is of the notebook: no other process has it."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__(f"{a} and {b}")


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this")


class Surrogate(Exception):
    def __str__(self) -> str:
        return "bad \ud800 text"


def fail_with(kind: str) -> Any:
    import sys

    ways: dict[str, Any] = {
        "own class": lambda: Odd(1, 2), "unprintable": Unprintable, "surrogate": Surrogate,
        "exit": lambda: SystemExit(3), "interrupt": KeyboardInterrupt, "generator exit": GeneratorExit,
        "base": lambda: BaseException("base"), "huge": lambda: ValueError("x" * 10_000_000),
        "group": lambda: ExceptionGroup("many", [ValueError("a"), TypeError("b")]), "recursion": None,
        "stop": lambda: StopIteration(1), "stop async": StopAsyncIteration, "cancelled": None,
        "nul": lambda: ValueError("a\x00b"), "html": lambda: ValueError("<script>alert(1)</script>"),
    }  # fmt: skip
    if kind == "recursion":
        return fail_with(kind)
    if kind == "cancelled":
        import asyncio

        raise asyncio.CancelledError
    if kind == "exit" and sys.exit:
        sys.exit(3)
    raise ways[kind]()  # noqa: RSE102 - some are made by a function


@pytest.mark.parametrize(
    ("kind", "type_", "says"),
    [
        ("own class", "Odd", "1 and 2"),
        ("unprintable", "Unprintable", "could not be printed"), ("surrogate", "Surrogate", "bad"),
        ("exit", "SystemExit", "3"), ("interrupt", "KeyboardInterrupt", ""), ("generator exit", "GeneratorExit", ""),
        ("base", "BaseException", "base"), ("huge", "ValueError", "xxx"), ("group", "ExceptionGroup", "many"),
        ("recursion", "RecursionError", "recursion"), ("stop", "StopIteration", "1"),
        ("stop async", "StopAsyncIteration", ""),
        ("cancelled", "CancelledError", ""), ("nul", "ValueError", "a"), ("html", "ValueError", "<script>"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("timeout", [None, "1h"])
def test_any_exception_is_one_failed_step(
    wf: aios.Workflow, kind: str, type_: str, says: str, timeout: Any
) -> None:
    @wf.step(timeout=timeout)
    def s(kind: str) -> None:
        fail_with(kind)

    run = wf.run(kind=kind)
    with pytest.raises(RunError) as e:
        run.result(PATIENCE)
    assert len(str(e.value)) < 20_000
    error = run["s"].error
    assert error is not None
    assert (error.type, says in error.message) == (type_, True)
    assert "fail_with" in error.traceback
    assert "/aios_workbench/engine/" not in error.traceback
    assert [a["status"] for a in run["s"].attempts] == ["failed"]


def test_the_engine_works_on_after_all_that(wf: aios.Workflow) -> None:
    @wf.step
    def fine() -> int:
        return 1

    assert wf.run().result(PATIENCE) == 1


def test_an_output_that_cannot_be_stored_fails_the_step_with_a_remedy(wf: aios.Workflow) -> None:
    @wf.step
    def locked() -> Any:
        import threading

        return threading.Lock()

    with pytest.raises(StepFailed, match=r"SerializationError.*cannot be stored.*Return plain data"):
        wf.run().result(PATIENCE)


def test_a_huge_output_travels(wf: aios.Workflow) -> None:
    @wf.step
    def big() -> bytes:
        return b"x" * 50_000_000

    @wf.step
    def size(big: bytes) -> int:
        return len(big)

    assert wf.run().result(PATIENCE) == 50_000_000
