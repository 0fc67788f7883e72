"""What every executor does the same. A test module names the executor with a fixture `executor` and imports these."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kit import PATIENCE, until

import aios_workbench as aios
from aios_workbench.errors import RunError, StepFailed, StepTimeout

VALUES: list[Any] = [
    1, None, "text", "ünïcødé 🎈 \u202e \x00", [1, {"a": [2.5, None]}], (1, 2), {3, 4}, b"\x00\xff", 2**70,
    float("inf"), {"k": "v" * 10_000}, Path("/x"), complex(1, 2),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_values_go_in_and_out(wf: aios.Workflow, executor: str, value: Any) -> None:
    @wf.step
    def made() -> Any:
        return value

    @wf.step(executor=executor)
    def passed(made: Any) -> Any:
        return [made, value]

    run = wf.run()
    assert run.result(PATIENCE) == [value, value]
    assert [a["status"] for a in run["passed"].attempts] == ["succeeded"]


def test_frames_and_arrays(wf: aios.Workflow, executor: str) -> None:
    import numpy as np
    import pandas as pd

    frame, array = pd.DataFrame({"a": [1, 2], "b": ["x", None]}), np.arange(6.0).reshape(2, 3)

    @wf.step
    def both() -> Any:
        return {"frame": frame, "array": array}

    @wf.step(executor=executor)
    def summed(both: Any) -> Any:
        return both["frame"].assign(c=both["array"].sum(axis=1))

    run = wf.run()
    pd.testing.assert_frame_equal(run.result(PATIENCE), frame.assign(c=[3.0, 12.0]))
    assert len(run["summed"].table().rows) == 2  # described in the catalog: it can be looked at


def test_a_big_output(wf: aios.Workflow, executor: str) -> None:
    @wf.step(executor=executor)
    def big() -> bytes:
        return b"x" * 50_000_000

    @wf.step(executor=executor)
    def size(big: bytes) -> int:
        return len(big)

    assert wf.run().result(PATIENCE) == 50_000_000


def test_an_async_function(wf: aios.Workflow, executor: str) -> None:
    @wf.step(executor=executor)
    async def slept(n: int = 2) -> int:
        import asyncio

        await asyncio.sleep(0.001)
        return n * aios.context().params["n"]

    assert wf.run().result(PATIENCE) == 4


def test_what_a_step_says_of_itself(wf: aios.Workflow, executor: str) -> None:
    @wf.step(executor=executor)
    def talks(n: int = 5) -> str:
        import logging
        import sys

        ctx = aios.context()
        ctx.progress(0.25, "a quarter")
        print("ünï", n)
        print("err", file=sys.stderr)
        logging.getLogger("mine").warning("warned %s", n)
        ctx.log("logged\ntwice")
        sys.stdout.write("a bar 10%|\r")
        ctx.metric("rows", 7, "rows")
        ctx.metric("saved", 2.5, "EUR", kpi=True)
        ctx.metric("note", "good")
        ctx.keep({"kept": n})
        print("no line end", end="")
        return f"{ctx.step} {ctx.attempt} {ctx.workflow} {ctx.params} {ctx.key == f'{ctx.run_id}/talks'}"

    run = wf.run()
    assert run.result(PATIENCE) == f"talks 1 {wf.name} {{'n': 5}} True"
    assert run["talks"].logs.splitlines() == [
        "ünï 5",
        "err",
        "mine: warned 5",
        "logged",
        "twice",
        "no line end",
    ]
    streams = {(r["stream"], r["level"]) for r in run.workspace.catalog.query(
        "select stream, level from logs where run_id = :r", r=run.id)}  # fmt: skip
    assert {("stdout", None), ("stderr", None), ("log", "WARNING"), ("log", "INFO")} <= streams
    assert run.metrics == {"rows": 7.0, "saved": 2.5, "note": "good"}
    assert run["talks"].kept == {"kept": 5}
    said = [json.loads(e["data"]) if isinstance(e["data"], str) else e["data"]
            for e in run.workspace.catalog.query(
                "select data from events where run_id = :r and kind = 'progress'", r=run.id)]  # fmt: skip
    assert {"progress": 0.25, "message": "a quarter"} in said


def test_an_error_comes_with_its_traceback(wf: aios.Workflow, executor: str) -> None:
    def helper(n: int) -> int:
        return 1 // n

    @wf.step(executor=executor)
    def divides() -> int:
        aios.context().keep("kept all the same")
        return helper(0)

    run = wf.run()
    with pytest.raises(StepFailed, match="ZeroDivisionError") as e:
        run.result(PATIENCE)
    assert "in divides" in e.value.traceback
    assert "return 1 // n" in e.value.traceback
    assert "/aios_workbench/engine/" not in e.value.traceback
    error = json.loads(run.row["error"])
    assert [f["function"] for f in error["frames"]] == ["divides", "helper"]
    assert run["divides"].kept == "kept all the same"
    assert [a["error"]["type"] for a in run["divides"].attempts] == ["ZeroDivisionError"]


def ends(how: str) -> Any:
    import asyncio
    import sys
    import threading

    if how == "exit":
        sys.exit(3)
    if how == "generator":
        return (i for i in range(3))
    if how == "lock":
        return threading.Lock()
    raise {
        "interrupt": KeyboardInterrupt, "stop": StopIteration, "base": BaseException,
        "cancelled": asyncio.CancelledError, "own": type("Own", (Exception,), {}),
    }[how]("said")  # fmt: skip


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ("exit", "SystemExit"), ("generator", "SerializationError"), ("lock", "SerializationError"),
        ("interrupt", "KeyboardInterrupt"), ("stop", "StopIteration"), ("base", "BaseException"),
        ("cancelled", "CancelledError"), ("own", "Own"),
    ],
)  # fmt: skip
def test_all_ways_to_fail(wf: aios.Workflow, executor: str, how: str, kind: str) -> None:
    @wf.step(executor=executor)
    def fails() -> Any:
        return ends(how)

    run = wf.run()
    with pytest.raises(RunError):
        run.result(PATIENCE)
    error = run["fails"].error
    assert error is not None
    assert error.type == kind
    assert [a["status"] for a in run["fails"].attempts] == ["failed"]


def test_retries_and_fallbacks(wf: aios.Workflow, executor: str) -> None:
    def rules(n: int) -> str:
        print("rules asked")
        return f"rules {n}"

    @wf.step(executor=executor, retries=1, backoff="1ms", fallback=rules)
    def flaky(n: int = 4) -> str:
        print("try", aios.context().attempt)
        raise ConnectionError("down")

    run = wf.run()
    assert run.result(PATIENCE) == "rules 4"
    assert run["flaky"].answered_by == "rules"
    assert run["flaky"].logs.splitlines() == ["try 1", "try 2", "rules asked"]


def test_a_check_of_the_value(wf: aios.Workflow, executor: str) -> None:
    @wf.step(executor=executor, gate=lambda value: {"seen": value})
    def fine() -> int:
        return 3

    @wf.step(executor=executor, gate=lambda value: value > 5)
    def poor(fine: int) -> int:
        return fine

    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    assert run["fine"].kept == {"seen": 3}
    error = run["poor"].error
    assert error is not None
    assert error.type == "GateRejected"


def test_conditions_and_caches(wf: aios.Workflow, executor: str) -> None:
    @wf.step(executor=executor, cache=True)
    def cached(n: int = 1) -> int:
        return n + 1

    @wf.step(executor=executor, when=lambda cached: cached > 100)
    def never(cached: int) -> int:
        return cached

    first, second = wf.run(), wf.run()
    assert [r.wait(PATIENCE) for r in (first, second)] == ["succeeded"] * 2
    third = wf.run()
    third.wait(PATIENCE)
    assert third["cached"].cached
    assert third["never"].status == "skipped"


def test_a_timeout(wf: aios.Workflow, executor: str) -> None:
    @wf.step(executor=executor, timeout="1.5s")
    def slow() -> None:
        import time

        print("here", flush=True)
        end = time.monotonic() + 60
        while time.monotonic() < end and not aios.context().cancelled:
            time.sleep(0.01)

    run = wf.run()
    with pytest.raises(StepTimeout, match=r"longer than its timeout of 1.5 s.*Raise timeout="):
        run.result(PATIENCE)
    assert [a["status"] for a in run["slow"].attempts] == ["timeout"]
    assert run["slow"].logs == "here"


@pytest.mark.parametrize("timeout", [None, "1h"])
def test_cancelling(wf: aios.Workflow, executor: str, timeout: Any) -> None:
    @wf.step(executor=executor, timeout=timeout)
    def waits() -> None:
        import time

        print("here", flush=True)
        ctx = aios.context()
        while not ctx.cancelled:
            time.sleep(0.01)
        ctx.log("told so")
        time.sleep(0.05)

    @wf.step
    def behind(waits: None) -> int:
        return 1

    run = wf.run()
    until(lambda: run["waits"].logs == "here")
    run.cancel()
    assert run.wait(PATIENCE) == "cancelled"
    assert run["waits"].status in ("cancelled", "succeeded")  # it has left in time, or has not
    assert run["behind"].status == "cancelled"
    until(lambda: "told so" in run["waits"].logs)


def test_many_at_once(wf: aios.Workflow, executor: str) -> None:
    def make(i: int) -> Any:
        def one(n: int = 2) -> int:
            print("from", i)
            return n * i

        return one

    for i in range(8):
        wf.step(name=f"s{i}", executor=executor)(make(i))

    run = wf.run()
    assert run.result(PATIENCE) == {f"s{i}": 2 * i for i in range(8)}
    assert [run[f"s{i}"].logs for i in range(8)] == [f"from {i}" for i in range(8)]
