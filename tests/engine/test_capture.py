"""What a step says goes to its log, live, and not into the cell; what others say goes where it always went."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import threading
from typing import Any

import pytest
from kit import PATIENCE, Box, finished, script, until

import aios_workbench as aios

SAYS = """
@wf.step(retries=1, backoff="1ms")
def talk():
    import logging, sys, warnings
    from tqdm import tqdm
    attempt = aios.context().attempt
    print(f"SECRET out {attempt}")
    print("SECRET err", file=sys.stderr)
    logging.getLogger("mine").warning("SECRET log %s", "<b>")
    logging.getLogger("mine").info("SECRET info")
    sys.stdout.write("SECRET no newline")
    for _ in tqdm(range(3), desc="SECRET bar"): pass
    aios.context().log("SECRET said")
    if attempt == 1: raise ValueError("SECRET error")
    return 1
logging = __import__("logging"); logging.basicConfig(level=logging.INFO)
print("before")
run = wf.run(); run.result(60)
print("after"); logging.getLogger("mine").warning("outside")
assert "talk" in repr(run["talk"])
sys.stderr.write(json.dumps(run["talk"].logs) + "\\n")
print(json.dumps([r["stream"] for r in control.logs(run.workspace, run.id)]))
"""


def test_prints_logging_and_bars_are_the_steps_own(engine_home: Any, tmp_path: Any) -> None:
    process = script(tmp_path / ".aios", SAYS)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert "SECRET" not in out
    before, after, streams = out.splitlines()
    assert (before, after) == ("before", "after")
    assert {"stdout", "stderr", "log"} == set(__import__("json").loads(streams))
    logged = err.splitlines()
    assert any(line.endswith("outside") for line in logged)
    logs = next(line for line in logged if line.startswith('"'))
    for part in (
        "out 1",
        "out 2",
        "SECRET err",
        "mine: SECRET log <b>",
        "SECRET info",
        "no newline",
        "SECRET bar: 100%",
        "said",
    ):
        assert part in logs, part
    assert not any("SECRET" in line for line in logged if line is not logs)


def test_a_replaced_stdout_does_not_take_the_steps_prints(wf: aios.Workflow) -> None:
    @wf.step
    def s() -> None:
        print("to the log")

    cell = io.StringIO()
    with contextlib.redirect_stdout(cell):
        print("to the cell")
        run = wf.run()
        run.result(PATIENCE)
        print("to the cell again")
    assert cell.getvalue() == "to the cell\nto the cell again\n"
    assert run["s"].logs == "to the log"
    assert sys.stdout is not cell


def test_two_steps_at_once_do_not_mix(wf: aios.Workflow, box: Box) -> None:
    for name in ("x", "y"):

        @wf.step(name=name)
        def s() -> None:
            from sys import aios_box as box

            me = aios.context().step
            box.barrier.wait(20)
            for i in range(200):
                print(me, end="")
                print(me, i)

    run = wf.run()
    run.result(PATIENCE)
    assert run["x"].logs.splitlines() == [f"xx {i}" for i in range(200)]
    assert run["y"].logs.splitlines() == [f"yy {i}" for i in range(200)]


def test_lines_are_there_while_the_step_runs(wf: aios.Workflow, box: Box) -> None:
    @wf.step
    def s() -> None:
        from sys import aios_box

        print("first")
        aios_box.hold()

    run = wf.run()
    assert box.started.wait(PATIENCE)
    until(lambda: run["s"].logs == "first")
    assert run["s"].status == "running"
    box.go.set()
    run.result(PATIENCE)


def test_output_without_bound_is_cut_and_says_so(wf: aios.Workflow) -> None:
    @wf.step
    def s() -> None:
        for i in range(25_000):
            print(i)
        print("x" * 1_000_000)

    run = wf.run()
    run.result(PATIENCE)
    lines = run["s"].logs.splitlines()
    assert len(lines) == 20_000
    assert "more than 20,000 lines" in lines[-1]


@pytest.mark.parametrize(
    "text",
    ["\ud800", "a\x00b", "\r\n", "\x1b[31mred", "<script>alert(1)</script>", "x" * 100_000, "\r" * 1000],
)
def test_hostile_text_is_only_text(wf: aios.Workflow, text: str) -> None:
    @wf.step
    def s(text: str) -> int:
        print(text)
        logging.getLogger("hostile").error(text)
        print("end")
        return 1

    run = wf.run(text=text)
    assert run.result(PATIENCE) == 1
    assert run["s"].logs.endswith("end")


def test_threads_of_a_step_and_the_notebooks_own_threads(wf: aios.Workflow, box: Box, capsys: Any) -> None:
    @wf.step
    def s() -> None:
        import contextvars
        import threading

        inside = contextvars.copy_context()
        t = threading.Thread(target=inside.run, args=(print, "from a thread of the step"))
        t.start()
        t.join()

    run = wf.run()
    t = threading.Thread(target=print, args=("from the notebook",))
    t.start()
    t.join()
    run.result(PATIENCE)
    assert run["s"].logs == "from a thread of the step"
    assert capsys.readouterr().out == "from the notebook\n"


def test_broken_log_calls_do_not_fail_the_step(tmp_path: Any) -> None:
    source = """
@wf.step
def s():
    import logging
    logging.getLogger("x").error("%d apples", "three")
    print("still here")
    return 1
run = wf.run(); print(run.result(60), run["s"].logs.endswith("still here"))
"""
    assert finished(script(tmp_path / ".aios", source)) == "1 True\n"


def test_every_line_is_announced_though_no_further_one_follows(wf: Any, box: Box) -> None:
    @wf.step
    def talk() -> int:
        from sys import aios_box

        print("first")
        print("second")  # at once after the first: told together with what may follow, not after it
        aios_box.hold()
        return 1

    run = wf.run()
    query = run.workspace.catalog.query

    def told() -> bool:
        lines = query("select text, at from logs where run_id = :r order by seq", r=run.id)
        events = query("select at from events where run_id = :r and kind = 'log'", r=run.id)
        return len(lines) == 2 and any(e["at"] >= lines[-1]["at"] for e in events)

    until(told)
    box.go.set()
    run.result(PATIENCE)
