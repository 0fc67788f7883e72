"""Policies of steps that are executed in processes of their own: the same rules, and calls that can be stopped."""

from __future__ import annotations

import os
from pathlib import Path

import aios_workbench as aios

PATIENCE = 120  # a process has to start


def test_the_class_of_an_error_of_another_process_is_known(wf: aios.Workflow) -> None:
    class Busy(Exception):
        """Cannot be pickled by name: it is of this function."""

        def __init__(self, a: int, b: int) -> None:
            super().__init__(f"{a} {b}")

    @wf.step(executor="process", retries=1, backoff="1ms", retry_on=Busy)
    def again() -> None:
        raise Busy(1, 2)

    @wf.step(executor="process", retries=1, backoff="1ms", give_up_on=(ValueError,))
    def never() -> None:
        raise UnicodeError("a kind of ValueError")

    run = wf.run()
    assert run.wait(PATIENCE) == "failed"
    assert [a["message"] for a in run["again"].attempts][-1] == "not retried: all 2 attempts are used up"
    assert len(run["again"].attempts) == 2
    assert [a["message"] for a in run["never"].attempts] == [
        "not retried: UnicodeError is in give_up_on as ValueError"
    ]


def test_the_slower_of_two_calls_is_killed(wf: aios.Workflow, tmp_path: Path) -> None:
    @wf.step(executor="process", hedge="3s")
    def call(folder: str) -> int:
        import os
        import time
        from pathlib import Path

        attempt = aios.context().attempt
        Path(folder, str(attempt)).write_text(str(os.getpid()))
        if attempt == 1:
            time.sleep(600)  # deaf: it looks at nothing
        return attempt

    run = wf.run(folder=str(tmp_path))
    assert run.result(PATIENCE) == 2
    assert [(a["kind"], a["status"]) for a in run["call"].attempts] == [
        ("step", "cancelled"), ("hedge", "succeeded")
    ]  # fmt: skip
    pid = int((tmp_path / "1").read_text())
    assert pid != os.getpid()
    _gone(pid)


def _gone(pid: int) -> None:
    from kit import until

    def dead() -> bool:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        return state == "Z"

    until(dead, f"process {pid} to be killed")


def test_a_step_of_another_process_is_undone(wf: aios.Workflow, tmp_path: Path) -> None:
    def undo(book: str, folder: str) -> None:
        import os
        from pathlib import Path

        Path(folder, "undone").write_text(f"{book} {os.getpid()} {aios.context().key}")

    @wf.step(executor="process", compensate=undo)
    def book(folder: str) -> str:
        return "room 7"

    @wf.step
    def pay(book: str) -> None:
        raise ValueError("no money")

    run = wf.run(folder=str(tmp_path))
    assert run.wait(PATIENCE) == "failed"
    assert run["book"].status == "compensated"
    what, pid, key = (tmp_path / "undone").read_text().rsplit(" ", 2)
    assert (what, key) == ("room 7", f"{run.id}/book/undo")
    assert int(pid) != os.getpid()
