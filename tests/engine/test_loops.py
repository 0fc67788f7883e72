"""Loops: until a condition or a bound, each state stored, resumed at the iteration they were in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kit import PATIENCE, Box, finished, line, script

import aios_workbench as aios
from aios_workbench.errors import DefinitionError, LoopBoundReached, MissingInputError
from aios_workbench.workspace import Workspace


def counting(wf: aios.Workflow, **options: Any) -> None:
    """Count up from a step's value; note each call; fail at what the box says."""

    @wf.step
    def start(n: int = 0) -> int:
        return n

    @wf.loop(**options, inputs={"at": "start"})
    def count(at: int, by: int = 1) -> int:
        from sys import aios_box as box  # type: ignore[attr-defined]

        ctx = aios.context()
        box.seen.append((at, ctx.part, ctx.key.removeprefix(f"{ctx.run_id}/")))
        if at == box.values.get("fails at"):
            raise ValueError(f"no {at}")
        return at + by


def test_it_ends_when_the_condition_holds_for_the_new_state(wf: aios.Workflow, box: Box) -> None:
    counting(wf, until=lambda at, limit=3: at >= limit, max=10)
    run = wf.run()
    assert run["count"].name == "count"
    assert run.result(PATIENCE) == 3
    assert box.seen == [(0, 1, "count/1"), (1, 2, "count/2"), (2, 3, "count/3")]
    assert [(i["iteration"], i["output"], i["met"]) for i in run["count"].iterations] == [
        (1, 1, False), (2, 2, False), (3, 3, True),
    ]  # fmt: skip
    assert wf.run(limit=5, by=2).result(PATIENCE) == 6


@pytest.mark.parametrize("on_bound", ["fail", "continue"])
def test_the_bound_is_an_error_or_the_end(wf: aios.Workflow, box: Box, on_bound: str) -> None:
    counting(wf, until=lambda at: at > 100, max=4, on_bound=on_bound)
    run = wf.run()
    if on_bound == "continue":
        assert run.result(PATIENCE) == 4
    else:
        with pytest.raises(LoopBoundReached, match=r"after 4 iterations, its bound.*max="):
            run.result(PATIENCE)
        assert run["count"].iterations[-1]["output"] == 4
    assert len(box.seen) == 4


def test_without_a_condition_it_runs_to_its_bound(wf: aios.Workflow, box: Box) -> None:
    counting(wf, max=3)
    assert wf.run().result(PATIENCE) == 3


def test_retries_are_for_one_iteration_and_attempts_are_numbered_on(wf: aios.Workflow) -> None:
    @wf.loop(max=3, retries=1, backoff=0.01)
    def flaky(state: int = 0) -> int:
        if aios.context().attempt % 2:
            raise ConnectionError("every first attempt")
        return state + 1

    run = wf.run()
    assert run.result(PATIENCE) == 3
    assert [(a["attempt"], a["status"]) for a in run["flaky"].attempts] == [
        (1, "failed"), (2, "succeeded"), (3, "failed"), (4, "succeeded"), (5, "failed"), (6, "succeeded"),
    ]  # fmt: skip
    assert [i["attempts"] for i in run["flaky"].iterations] == [2, 2, 2]


def test_a_resume_goes_on_with_the_iteration_that_failed(wf: aios.Workflow, box: Box) -> None:
    counting(wf, until=lambda at: at >= 5, max=10)
    box.values["fails at"] = 3
    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    assert str(run.error).rstrip().endswith("no 3")
    box.values.clear()
    assert run.resume().result(PATIENCE) == 5
    assert [s[0] for s in box.seen] == [0, 1, 2, 3, 3, 4]


def test_a_rerun_with_another_input_begins_anew(wf: aios.Workflow, box: Box) -> None:
    counting(wf, until=lambda at: at >= 5, max=10)
    run = wf.run()
    run.wait(PATIENCE)
    box.seen.clear()
    assert run.rerun(n=3).result(PATIENCE) == 5
    assert [s[0] for s in box.seen] == [3, 4]


def test_a_damaged_state_is_made_again(wf: aios.Workflow, box: Box, ws: Workspace) -> None:
    counting(wf, until=lambda at: at >= 1004, max=10)
    box.values["fails at"] = 1003
    run = wf.run(n=1000)
    assert run.wait(PATIENCE) == "failed"
    last = ws.artifacts.find(aios.sql(
        f"select output from loop_iterations where run_id = '{run.id}' and iteration = 3"
    )["output"][0])  # fmt: skip
    ws.artifacts.path(last).write_bytes(b"broken")
    ws.artifacts._cache.clear()
    box.values.clear()
    assert run.resume().result(PATIENCE) == 1004
    assert [s[0] for s in box.seen] == [1000, 1001, 1002, 1003, 1002, 1003]


def test_an_error_in_the_condition_is_the_steps_error(wf: aios.Workflow, box: Box) -> None:
    counting(wf, until=lambda at: at > 1 / 0, max=3)
    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    assert run.error is not None
    assert run.error.type == "ZeroDivisionError"


KILLED = """
@wf.loop(until=lambda n: n >= 6, max=20)
def count(n: int = 0):
    with open(sys.argv[1], "a") as file:
        file.write(f"{n}\\n")
    if n == int(sys.argv[2]):
        os.kill(os.getpid(), 9)
    return n + 1

run = wf.run(_key="loop")
print("result", run.result(60), flush=True)
"""


def test_killed_in_an_iteration_it_goes_on_with_that_one(tmp_path: Path) -> None:
    home, seen = tmp_path / ".aios", tmp_path / "seen"
    for at in (2, 4):
        killed = script(home, KILLED, str(seen), str(at))
        _, error = killed.communicate(timeout=PATIENCE)
        assert killed.returncode == -9, error
    last = script(home, KILLED, str(seen), "99")
    assert line(last) == "result 6"
    finished(last)
    assert [int(n) for n in seen.read_text().split()] == [0, 1, 2, 2, 3, 4, 4, 5]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"max": 0}, "max must be a whole number"),
        ({"until": 3}, "until must be a function"),
        ({"until": lambda: True}, "until must be a function of the state"),
        ({"on_bound": "stop"}, "on_bound is 'fail' or 'continue'"),
        ({"untill": 1}, "did you mean 'until'"),
    ],
)
def test_what_a_loop_cannot_do_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(DefinitionError, match=says):
        aios.Workflow("w").loop(name="l", **options)(lambda state: state)


def test_a_loop_without_a_state_is_refused() -> None:
    wf = aios.Workflow("w")
    wf.loop(name="l")(lambda: 1)
    with pytest.raises(MissingInputError, match="its first parameter gets the state"):
        wf.spec()
    wf.loop(name="l", state="stat")(lambda state: 1)
    with pytest.raises(MissingInputError, match="did you mean 'state'"):
        wf.spec()
