"""What must hold when clocks jump, processes die in mid-sentence, and two threads take up the same run."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from kit import PATIENCE, Box, line, script, until

import aios_workbench as aios
from aios_workbench.engine import adoption, control, runtime
from aios_workbench.observe import environment
from aios_workbench.workspace import Workspace


@pytest.mark.parametrize("jump", [-7200.0, 7200.0])
def test_a_clock_that_is_set_meanwhile_changes_no_duration(
    wf: aios.Workflow, box: Box, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    @wf.step
    def held() -> int:
        from sys import aios_box as box

        box.hold()
        return 1

    run = wf.run()
    assert box.started.wait(PATIENCE)
    real, began = time.time, time.monotonic()
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    box.go.set()
    assert run.result(PATIENCE) == 1
    rows = [run.row, *run.workspace.catalog.query("select * from steps where run_id = :r", r=run.id)]
    rows += control.attempts(run.workspace, run.id, "held")
    monkeypatch.undo()
    assert len(rows) == 3
    assert all(0 <= r["ended_at"] - r["started_at"] <= time.monotonic() - began + PATIENCE for r in rows)


def test_a_run_cancelled_with_its_clock_set_back_ends_after_it_began(ws: Workspace, tmp_path: Path) -> None:
    process = script(tmp_path / ".aios", HELD)
    run = line(process)
    space = Workspace(tmp_path / ".aios")
    until(lambda: control.run_status(space, run) == "running")
    process.kill()
    process.communicate()
    later = time.time() + 3600
    space.catalog.write("update runs set started_at = :t where run_id = :r", t=later, r=run)
    space.catalog.write("update steps set started_at = :t where run_id = :r", t=later, r=run)
    control.cancel(space, run, by="test")
    found = control.get_run(space, run)
    assert [found["ended_at"], *(s["ended_at"] for s in found["steps"])] == [later, later]
    space.close()


HELD = """
@wf.step
def held():
    import time
    if aios.context().attempt > 1: return 7
    print("a whole line"); print("last words", end="", flush=True)
    while True: time.sleep(0.01)
run = wf.run(); print(run.id, flush=True)
run.wait(60)
"""


def lost(ws: Workspace, home: Path) -> Any:
    """Leave a run whose process was killed while it printed; nobody has taken it up."""
    process = script(home, HELD)
    run = line(process)
    until(
        lambda: ws.catalog.query("select 1 from log_tails where run_id = :r and text = 'last words'", r=run)
    )
    process.kill()
    process.communicate()
    return aios.run(run)


def test_last_words_are_heard(ws: Workspace, engine_home: Path) -> None:
    run = lost(ws, engine_home)
    until(lambda: run.status == "succeeded")
    first = [r for r in control.logs(ws, run.id) if r["attempt"] == 1]
    assert [(r["stream"], r["text"]) for r in first] == [("stdout", "a whole line"), ("stdout", "last words")]
    assert not ws.catalog.query("select * from log_tails")


def test_a_line_that_ends_later_is_one_line(wf: aios.Workflow) -> None:
    @wf.step
    def slow() -> None:
        import time

        import aios_workbench as aios

        print("one ", end="")
        space = aios.context().ws
        stop = time.monotonic() + 60
        while (
            not space.catalog.query("select 1 from log_tails where text = 'one '") and time.monotonic() < stop
        ):
            time.sleep(0.01)
        print("line")

    run = wf.run()
    run.result(PATIENCE)
    assert run["slow"].logs == "one line"
    assert not run.workspace.catalog.query("select * from log_tails where run_id = :r", r=run.id)


def test_resume_is_content_with_an_adoption_in_between(
    ws: Workspace, engine_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch takes the run up after `resume` has looked at it, and before it looks again."""
    engine = runtime.start(ws)
    with engine._adopting:  # the watch thread waits
        run = lost(ws, engine_home)
        look = control.run_status
        monkeypatch.setattr(control, "run_status", lambda *a: (engine._adopt(), look(*a))[1])
        run.resume()
        monkeypatch.undo()
    assert run.result(PATIENCE) == 7
    assert run.row["adoptions"] == 1


def test_who_adopts_second_waits_for_the_first(
    ws: Workspace, engine_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = runtime.start(ws)
    entered, go, ended = threading.Event(), threading.Event(), threading.Event()
    inherit = engine._inherit

    def slowly(dead: str) -> list[str]:
        entered.set()
        assert go.wait(PATIENCE)
        return inherit(dead)

    monkeypatch.setattr(engine, "_inherit", slowly)
    run = lost(ws, engine_home)
    assert entered.wait(PATIENCE)  # the watch thread is in the middle of it

    def second() -> None:
        engine.adopt_now()
        ended.set()

    threading.Thread(target=second, daemon=True).start()
    assert not ended.wait(0.3)
    go.set()
    assert ended.wait(PATIENCE)
    assert run.row["adoptions"] == 1
    assert run.result(PATIENCE) == 7


@pytest.mark.parametrize(
    ("status", "stopped", "before", "done", "expected"),
    [
        ("running", False, (0, 0), 0, 1),
        ("running", False, (4, 2), 2, 5),  # no further than the last time
        ("running", False, (4, 2), 3, 1),  # further: this death is the first
        ("running", True, (4, 2), 2, 4),  # stopped in good order
        ("waiting", False, (4, 2), 2, 4),  # for a person: the machine was switched off
    ],
)
def test_who_died_of_a_run(
    ws: Workspace, status: str, stopped: bool, before: tuple[int, int], done: int, expected: int
) -> None:
    run, dead = f"dead-{time.monotonic_ns()}", f"worker-0-{time.monotonic_ns()}"
    with ws.catalog.transaction() as con:
        con.execute(
            "insert into runs (run_id, workflow, status, spec_hash, created_at, deaths, done_at_death) "
            "values (?, 'w', ?, '', 0, ?, ?)", (run, status, *before),
        )  # fmt: skip
        for n in range(4):
            con.execute(
                "insert into steps (run_id, step, position, kind, status) values (?, ?, ?, 'step', ?)",
                (run, f"s{n}", n, "succeeded" if n < done else "pending"),
            )
        con.execute(
            "insert into executors (executor_id, kind, pid, host, started_at, ended_at) "
            "values (?, 'worker', 0, '', 0, ?)",
            (dead, 1.0 if stopped else None),
        )
    row = ws.catalog.one("select * from runs where run_id = :r", r=run)
    assert row is not None
    assert adoption.deaths(ws.catalog, row, dead) == expected
    after = ws.catalog.one("select deaths, done_at_death from runs where run_id = :r", r=run)
    assert after == {"deaths": expected, "done_at_death": done}
    with ws.catalog.transaction() as con:
        for table in ("runs", "steps"):
            con.execute(f"delete from {table} where run_id = ?", (run,))
        con.execute("delete from executors where executor_id = ?", (dead,))


def test_no_thread_starts_when_the_interpreter_ends(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    environment.drain()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        environment.note(ws, "no-such-run", None)
        environment.drain()
    environment.note(ws, "no-such-run", None)  # the next one does both
    environment.drain(PATIENCE)
    assert environment._todo.empty()


def test_an_engine_that_stops_lets_its_tasks_end(tmp_path: Path) -> None:
    process = script(tmp_path / ".aios", """
    import gc
    @wf.step
    async def slow():
        import asyncio
        await asyncio.sleep(600)
    @wf.gate
    def ask(): return 1
    runs = [wf.run() for _ in range(5)]
    while not all(r["ask"].status == "waiting" for r in runs): time.sleep(0.01)
    engine = runtime.running()
    engine.stop()
    assert not engine._server.is_alive()
    gc.collect()
    print("stopped", flush=True)
    os._exit(0)
    """)  # fmt: skip
    out, err = process.communicate(timeout=PATIENCE)
    assert (out, err) == ("stopped\n", "")


def test_steps_are_undone_in_reverse_though_the_clock_was_set_back(
    wf: aios.Workflow, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    def undo_first() -> None:
        from sys import aios_box as box

        box.seen.append("first")

    def undo_second() -> None:
        from sys import aios_box as box

        box.seen.append("second")

    @wf.step(compensate=undo_first)
    def first() -> int:
        return 1

    @wf.step
    def held(first: int) -> int:
        from sys import aios_box as box

        box.hold()
        return first

    @wf.step(compensate=undo_second)
    def second(held: int) -> int:
        return held

    @wf.step
    def third(second: int) -> int:
        raise ValueError(second)

    run = wf.run()
    assert box.started.wait(PATIENCE)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 7200)
    box.go.set()
    assert run.wait(PATIENCE) == "failed"
    monkeypatch.undo()
    assert run["second"]._row()["ended_at"] < run["first"]._row()["ended_at"]
    assert box.seen == ["second", "first"]
