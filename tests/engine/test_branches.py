"""What runs, what is skipped, what a step knows of itself, and hostile names."""

from __future__ import annotations

from typing import Any

import pytest
from kit import PATIENCE, statuses

import aios_workbench as aios
from aios_workbench.errors import AiosError, StepFailed


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


def test_context_says_who_is_running(wf: aios.Workflow) -> None:
    @wf.step(retries=1, backoff="1ms")
    def s(n: int = 5) -> tuple[Any, ...]:
        ctx = aios.context()
        ctx.progress(0.5, "half")
        ctx.metric("rows", 3, unit="rows")
        ctx.metric("verdict", "good <b>")
        if ctx.attempt == 1:
            raise ValueError("again")
        return (
            ctx.run_id,
            ctx.step,
            ctx.workflow,
            ctx.attempt,
            ctx.key,
            ctx.params,
            aios.in_step(),
            ctx.cancelled,
        )

    run = wf.run()
    assert run.result(PATIENCE) == (run.id, "s", wf.name, 2, f"{run.id}/s", {"n": 5}, True, False)
    assert run.metrics == {"rows": 3.0, "verdict": "good <b>"}
    assert not aios.in_step()
    with pytest.raises(AiosError, match="works inside a step"):
        aios.context()


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "a'); drop table runs;--",
    '"',
    "Ü\U0001f600\u200d\u202e",
    "..",
    "{}",
    "%s",
    "x" * 200,
]


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
