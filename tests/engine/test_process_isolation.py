"""A step in a process of its own: nothing it does, and nothing done to it, reaches further than the attempt."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from kit import PATIENCE, Box, line, script, until

import aios_workbench as aios
from aios_workbench.engine.executors import family
from aios_workbench.errors import DefinitionError, MemoryCapExceeded, StepKilled, StepTimeout
from aios_workbench.workspace import Workspace

pytestmark = pytest.mark.alone


def gone(pid: int) -> bool:
    """True when a process has ended; one that nobody has waited for yet counts."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def brood(folder: str) -> None:
    """Start a child, a grandchild and a daemon that detaches itself; leave their ids in a file."""
    import subprocess
    import sys
    import time
    from pathlib import Path

    code = (
        "import os, subprocess, sys, time\n"
        "inner = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        open(sys.argv[1] + '/daemon', 'w').write(str(os.getpid())); time.sleep(600)\n"
        "    os._exit(0)\n"
        "open(sys.argv[1] + '/ids', 'w').write(f'{os.getppid()} {os.getpid()} {inner.pid}')\n"
        "time.sleep(600)\n"
    )
    subprocess.Popen([sys.executable, "-c", code, folder])
    while not all((Path(folder) / n).exists() and (Path(folder) / n).read_text() for n in ("ids", "daemon")):
        time.sleep(0.01)


def ids(folder: Path) -> list[int]:
    return [int(n) for name in ("ids", "daemon") for n in (folder / name).read_text().split()]


def test_a_timeout_kills_all_that_was_started(wf: aios.Workflow, tmp_path: Path) -> None:
    @wf.step(executor="process", timeout="3s")
    def slow(folder: str) -> None:
        import time

        brood(folder)
        print("started", flush=True)
        time.sleep(600)

    run = wf.run(folder=str(tmp_path))
    with pytest.raises(StepTimeout, match="its process and all that it had started were killed"):
        run.result(PATIENCE)
    assert run["slow"].logs == "started"
    assert len(ids(tmp_path)) == 4
    assert all(map(gone, ids(tmp_path)))


@pytest.mark.parametrize("timeout", [None, "1h"])
def test_cancelling_kills_at_once(wf: aios.Workflow, tmp_path: Path, timeout: Any) -> None:
    @wf.step(executor="process", timeout=timeout)
    def slow(folder: str) -> None:
        import time

        brood(folder)
        print("started", flush=True)
        time.sleep(600)

    run = wf.run(folder=str(tmp_path))
    until(lambda: run["slow"].logs == "started")
    run.cancel()
    assert run.wait(PATIENCE) == "cancelled"
    until(lambda: all(map(gone, ids(tmp_path))), "the processes to be killed")
    assert run["slow"].status == "cancelled"


def test_what_it_leaves_running_ends_with_it(wf: aios.Workflow, tmp_path: Path) -> None:
    @wf.step(executor="process")
    def leaves(folder: str) -> int:
        brood(folder)
        return 1

    run = wf.run(folder=str(tmp_path))
    assert run.result(PATIENCE) == 1
    assert all(map(gone, ids(tmp_path)))


def grow(megabytes: int) -> list[bytes]:
    import time

    held = []
    for _ in range(megabytes // 10):
        held.append(bytes(bytearray(os.urandom(1000)) * 10_000))
        time.sleep(0.005)
    return held


def test_memory_that_grows_over_its_cap(wf: aios.Workflow) -> None:
    @wf.step(executor="process", memory="200MB")
    def greedy() -> int:
        print("filling")
        return len(grow(2_000))

    run = wf.run()
    with pytest.raises(MemoryCapExceeded, match=r"used 2\d\d MB of memory; its cap is 200 MB.*Raise memory="):
        run.result(PATIENCE)
    assert run["greedy"].logs == "filling"
    (attempt,) = run["greedy"].attempts
    assert attempt["status"] == "failed"
    assert 200e6 < attempt["peak_bytes"] < 1e9


def test_memory_counts_for_the_whole_family(wf: aios.Workflow) -> None:
    @wf.step(executor="process", memory="300MB")
    def several() -> int:
        import subprocess
        import sys

        code = "x = bytearray(120_000_000); x[::4096] = b'x' * len(x[::4096]); import time; time.sleep(60)"
        for p in [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]:
            p.wait()
        return 1

    with pytest.raises(MemoryCapExceeded):
        wf.run().result(PATIENCE)


def test_memory_asked_for_at_once(wf: aios.Workflow) -> None:
    @wf.step(executor="process", memory="200MB")
    def greedy() -> int:
        return len(bytearray(50_000_000_000))

    run = wf.run()
    with pytest.raises(
        MemoryCapExceeded, match=r"asked for more memory at once than its cap of 200 MB leaves"
    ):
        run.result(PATIENCE)
    error = run["greedy"].error
    assert error is not None
    assert "bytearray(50_000_000_000)" in error.traceback


def test_within_its_cap_the_peak_is_known(wf: aios.Workflow) -> None:
    @wf.step(executor="process", memory="900MB")
    def modest() -> int:
        return len(grow(300))

    @wf.step
    def thread(modest: int) -> int:
        return modest

    run = wf.run()
    assert run.result(PATIENCE) == 30
    assert 300e6 < run["modest"].attempts[0]["peak_bytes"] < 600e6
    assert run["thread"].attempts[0]["peak_bytes"] is None


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGTERM", "SIGABRT"])
def test_death_by_signal_is_an_error_with_the_last_words(wf: aios.Workflow, name: str) -> None:
    @wf.step(executor="process", retries=1, backoff="1ms")
    def dies(name: str) -> None:
        import os
        import signal
        import sys

        for n in range(2000):
            print("line", n)
        sys.stdout.write("last words")
        os.kill(os.getpid(), getattr(signal, name))

    run = wf.run(name=name)
    with pytest.raises(StepKilled, match=rf"(?s)step 'dies'.*was ended by {name}.*line 1999.*last words"):
        run.result(PATIENCE)
    assert run["dies"].logs.count("line 1999\n") == 2
    assert [a["error"]["type"] for a in run["dies"].attempts] == ["StepKilled"] * 2


def test_a_crash_in_compiled_code_shows_where(wf: aios.Workflow) -> None:
    @wf.step(executor="process")
    def crashes() -> None:
        import ctypes

        ctypes.string_at(1)

    run = wf.run()
    with pytest.raises(StepKilled, match="SIGSEGV"):
        run.result(PATIENCE)
    assert re.search(r"Fatal Python error: Segmentation fault(?s:.)*in crashes", run["crashes"].logs)


@pytest.mark.parametrize("code", [0, 7])
def test_os_exit(wf: aios.Workflow, code: int) -> None:
    @wf.step(executor="process")
    def leaves(code: int) -> None:
        import os

        print("bye", end="")
        os._exit(code)

    run = wf.run(code=code)
    with pytest.raises(StepKilled, match=rf"(?s)ended itself with exit code {code} .*before.*returned.*bye"):
        run.result(PATIENCE)


def test_everything_written_is_read(wf: aios.Workflow) -> None:
    @wf.step(executor="process")
    def noisy() -> None:
        import multiprocessing
        import os
        import subprocess
        import threading

        os.write(1, b"raw \xff bytes\n")
        subprocess.run(["echo", "from a command"], check=True)
        thread = threading.Thread(target=print, args=("from a thread",))
        thread.start()
        thread.join()
        forked = multiprocessing.get_context("fork").Process(target=print, args=("from a fork",))
        forked.start()
        forked.join()
        print("x" * 300_000)

    run = wf.run()
    run.result(PATIENCE)
    lines = run["noisy"].logs.splitlines()
    assert {"raw \ufffd bytes", "from a command", "from a thread", "from a fork"} < set(lines)
    assert max(map(len, lines)) == 20_000


def test_it_sees_the_place_it_was_called_from(
    wf: aios.Workflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @wf.step(executor="process", cpu=1)
    def where() -> list[Any]:
        import os
        import sys

        import mine_of_the_test  # type: ignore[import-not-found]

        os.environ["LEFT_BEHIND"] = "1"
        return [os.getcwd(), os.environ["MY_SETTING"], mine_of_the_test.VALUE, os.getpid(),  # noqa: PTH109
                len(os.sched_getaffinity(0)), sys.stdin.read()]  # fmt: skip

    (tmp_path / "mine_of_the_test.py").write_text("VALUE = 'imported'")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("MY_SETTING", "first")
    one = wf.run().result(PATIENCE)
    monkeypatch.setenv("MY_SETTING", "second")
    two = wf.run().result(PATIENCE)
    assert [one[:3], two[:3]] == [[str(tmp_path), f"{n}", "imported"] for n in ("first", "second")]
    assert len({one[3], two[3], os.getpid()}) == 3
    assert (one[4], one[5]) == (1, "")
    assert "LEFT_BEHIND" not in os.environ


def test_its_code_stays_out_of_this_process(wf: aios.Workflow, box: Box) -> None:
    class Loud:
        def __reduce__(self) -> Any:
            return (eval, ("__import__('sys').__dict__.setdefault('aios_loud', []).append(1) or 5",))

    held = Loud()

    @wf.step(executor="process")
    def loads() -> Any:
        return held

    import sys

    assert wf.run().result(PATIENCE) == 5
    assert not hasattr(sys, "aios_loud")


def test_a_run_inside_a_step(wf: aios.Workflow) -> None:
    @wf.step(executor="process")
    def outer() -> int:
        import aios_workbench as aios

        inner = aios.Workflow("inner of a process")

        @inner.step(executor="process")
        def one(n: int = 20) -> int:
            return n + 1

        return int(inner.run().result(60))

    assert wf.run().result(PATIENCE) == 21
    assert aios.runs("inner of a process")[0].status == "succeeded"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"executor": "proces"}, r"no executor 'proces'; did you mean 'process'\?"),
        ({"executor": 3}, "executor is a name such as"),
        ({"memory": "2GB"}, r"memory cannot be limited for a step in a thread.*add executor='process'"),
        ({"executor": "process", "memory": "2 apples"}, r"memory: a size is .*not '2 apples'"),
        ({"executor": "process", "memory": 1000}, "less than Python itself needs"),
        ({"executor": "process", "cpu": 0}, "cpu is a whole number of processors"),
        ({"executor": "process", "cpu": True}, "cpu is a whole number of processors"),
        ({"cpu": 2}, "cpu cannot be limited"),
    ],
)
def test_wrong_options(wf: aios.Workflow, options: dict[str, Any], says: str) -> None:
    with pytest.raises(DefinitionError, match=rf"step 'f' \(.*{says}"):
        run_with(wf, options)


def run_with(wf: aios.Workflow, options: dict[str, Any]) -> None:
    @wf.step(**options)
    def f() -> int:
        return 1

    wf.run()


KILLED = """
import test_process_isolation as t
@wf.step(executor="process", memory="1GB")
def held(folder: str):
    import time
    t.brood(folder)
    time.sleep(600)
run = wf.run(folder=sys.argv[1]); print(run.id, flush=True)
sys.stdin.readline()
"""


def test_kill_9_of_the_parent_leaves_no_process(tmp_path: Path) -> None:
    here = str(Path(__file__).parent)
    path = os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])
    process = script(tmp_path / ".aios", KILLED, str(tmp_path), PYTHONPATH=path)
    run_id = line(process)
    until(lambda: (tmp_path / "daemon").exists() and (tmp_path / "daemon").read_text(), "the brood")
    until(lambda: (tmp_path / "ids").exists() and (tmp_path / "ids").read_text(), "the brood")
    family_then = family.descendants(process.pid)
    assert set(ids(tmp_path)) < set(family_then)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    until(lambda: all(map(gone, {*family_then, *ids(tmp_path)})), "everything to end with its parent")
    ws = Workspace(tmp_path / ".aios")
    assert ws.catalog.query("select status from runs where run_id = :r", r=run_id) == [{"status": "running"}]
    ws.close()
