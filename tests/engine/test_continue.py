"""Cancel, resume, rerun: what is finished stays, what is not is done, and nothing twice."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from kit import PATIENCE, Box, statuses, until

import aios_workbench as aios
from aios_workbench.engine import control
from aios_workbench.errors import ConflictError, NotFoundError, RunCancelled


def noted(
    wf: aios.Workflow, name: str, *needs: str, fails: bool = False, holds: bool = False, add: int = 1
) -> None:
    """Define a step that notes its name in the box, and adds to what it gets."""

    def body(values: dict[str, Any]) -> int:
        from sys import aios_box as box

        box.seen.append(name)
        if holds:
            box.hold()
        if fails and box.values.get("fail", True):
            raise ValueError(name)
        return sum(values.values()) + add

    scope: dict[str, Any] = {"body": body}
    exec(f"def {name}({', '.join(needs)}): return body(dict(locals()))", scope)
    wf.step(scope[name])


def test_a_running_run_is_cancelled_and_resumed(wf: aios.Workflow, box: Box) -> None:
    noted(wf, "a")
    noted(wf, "b", "a", holds=True)
    noted(wf, "c", "b")
    run = wf.run()
    assert box.started.wait(PATIENCE)
    run.cancel()
    assert run.wait(PATIENCE) == "cancelled"
    with pytest.raises(RunCancelled, match="resume"):
        run.result()
    assert statuses(run) == {"a": "succeeded", "b": "cancelled", "c": "cancelled"}
    box.go.set()
    assert run.resume().result(PATIENCE) == 3
    assert box.seen in (["a", "b", "b", "c"], ["a", "b", "c"])


def test_a_step_that_looks_ends_in_time(wf: aios.Workflow, box: Box) -> None:
    @wf.step
    def patient() -> str:
        from sys import aios_box as box

        ctx = aios.context()
        box.started.set()
        while not ctx.cancelled:
            box.go.wait(0.01)
        box.seen.append("left")
        return "left"

    run = wf.run()
    assert box.started.wait(PATIENCE)
    run.cancel()
    assert run.wait(PATIENCE) == "cancelled"
    until(lambda: box.seen == ["left"])


def test_a_waiting_run_is_cancelled_and_asked_again(wf: aios.Workflow) -> None:
    @wf.gate
    def ask() -> int:
        return 1

    run = wf.run()
    until(lambda: run.status == "waiting")
    run.cancel()
    assert run.wait(PATIENCE) == "cancelled"
    assert statuses(run) == {"ask": "cancelled"}
    with pytest.raises(ConflictError, match="not waiting: cancelled"):
        run.approve("ask")
    run.resume()
    until(lambda: run.status == "waiting")
    run.approve("ask", by="ana")
    assert run.result(PATIENCE).by == "ana"


def test_what_is_over_cannot_be_cancelled_and_what_goes_on_cannot_be_resumed(
    wf: aios.Workflow, box: Box
) -> None:
    noted(wf, "a", holds=True)
    run = wf.run()
    assert box.started.wait(PATIENCE)
    with pytest.raises(ConflictError, match="it is running"):
        run.resume()
    box.go.set()
    assert run.wait(PATIENCE) == "succeeded"
    with pytest.raises(ConflictError, match=r"over .succeeded"):
        run.cancel()
    with pytest.raises(ConflictError, match="use rerun"):
        run.resume()


def test_resuming_a_failed_run_does_only_what_is_missing(wf: aios.Workflow, box: Box) -> None:
    noted(wf, "a")
    noted(wf, "b", "a", fails=True)
    noted(wf, "c", "b")
    noted(wf, "d", "a")
    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    box.seen.clear()
    box.values["fail"] = False
    assert run.resume().result(PATIENCE) == {"c": 3, "d": 2}
    assert box.seen == ["b", "c"]
    assert [a["status"] for a in run["b"].attempts] == ["failed", "succeeded"]
    assert [a["attempt"] for a in run["b"].attempts] == [1, 2]


def test_resume_uses_the_code_the_run_started_with(wf: aios.Workflow, box: Box) -> None:
    noted(wf, "a")
    noted(wf, "b", "a", fails=True)
    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    noted(wf, "b", "a", add=100)
    box.values["fail"] = False
    assert run.resume().result(PATIENCE) == 2


def test_a_run_can_fail_and_be_resumed_many_times(wf: aios.Workflow, box: Box) -> None:
    noted(wf, "a")
    noted(wf, "b", "a", fails=True)
    run = wf.run()
    for _ in range(4):
        assert run.wait(PATIENCE) == "failed"
        run.resume()
    assert run.wait(PATIENCE) == "failed"
    box.values["fail"] = False
    assert run.resume().result(PATIENCE) == 2
    assert box.seen == ["a"] + ["b"] * 6


@pytest.mark.parametrize(
    ("from_", "done"), [("a", "abcde"), ("b", "be"), ("c", "cde"), ("d", "de"), ("e", "e"), (None, "")]
)
def test_rerun_redoes_the_step_and_what_is_behind(
    wf: aios.Workflow, box: Box, from_: str | None, done: str
) -> None:
    for name, needs in (("a", ()), ("b", ("a",)), ("c", ("a",)), ("d", ("c",)), ("e", ("b", "d"))):
        noted(wf, name, *needs)
    first = wf.run()
    assert first.result(PATIENCE) == 6
    box.seen.clear()
    again = first.rerun(from_=from_)
    assert again.id != first.id
    assert again.result(PATIENCE) == 6
    assert sorted(box.seen) == sorted(done)
    assert {n for n in again if again[n].cached} == set("abcde") - set(done)
    assert again.row["parent_run_id"] == first.id


def test_rerun_after_a_redefinition_and_with_another_parameter(wf: aios.Workflow, box: Box) -> None:
    noted(wf, "a", "n=1")
    noted(wf, "b", "a", "m=0")
    noted(wf, "c", "b")
    first = wf.run(n=5)
    assert first.result(PATIENCE) == 8
    for change, seen, result in (
        (lambda: first.rerun(m=10), ["b", "c"], 18),
        (lambda: first.rerun(n=6), ["a", "b", "c"], 9),
        (lambda: first.rerun(n=5), [], 8),
        (lambda: noted(wf, "c", "b", add=50) or first.rerun(), ["c"], 57),
        (lambda: noted(wf, "d", "c") or first.rerun(from_="d"), ["c", "d"], 58),
        (lambda: wf.remove("d") or first.rerun(from_="b", m=1), ["b", "c"], 58),
    ):
        box.seen.clear()
        run = change()
        assert (run.result(PATIENCE), box.seen) == (result, seen)


def test_rerun_of_a_failed_run_redoes_what_had_not_succeeded(wf: aios.Workflow, box: Box) -> None:
    noted(wf, "a")
    noted(wf, "b", "a", fails=True)
    noted(wf, "c", "a")
    first = wf.run()
    assert first.wait(PATIENCE) == "failed"
    box.seen.clear()
    box.values["fail"] = False
    assert first.rerun(from_="c").result(PATIENCE) == {"b": 2, "c": 2}
    assert sorted(box.seen) == ["b", "c"]
    assert first.status == "failed"


def test_rerun_without_the_notebook_uses_the_runs_own_code(wf: aios.Workflow, box: Box) -> None:
    noted(wf, "a", "n=1")
    noted(wf, "b", "a")
    first = wf.run()
    first.result(PATIENCE)
    noted(wf, "b", "a", add=100)
    found = aios.run(first.id)
    assert found.rerun(from_="b").result(PATIENCE) == 3
    assert found.rerun(n=5).result(PATIENCE) == 7
    with pytest.raises(NotFoundError, match="no parameter 'm'"):
        found.rerun(m=1)
    with pytest.raises(NotFoundError, match="no step 'z'"):
        found.rerun(from_="z")


def test_cancelling_before_the_first_step_and_twice(wf: aios.Workflow, box: Box) -> None:
    noted(wf, "a", holds=True)
    run = wf.run()
    control.cancel(run.workspace, run.id, by="ana")
    with contextlib.suppress(ConflictError):  # over already
        control.cancel(run.workspace, run.id, by="bo")
    assert run.wait(PATIENCE) == "cancelled"
    box.go.set()
    assert run.resume().result(PATIENCE) == 1
