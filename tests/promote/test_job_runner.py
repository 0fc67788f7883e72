"""Real kernels: each test starts one."""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from job_helpers import wait_for

from aios_workbench import promote
from aios_workbench.promote import JobSpec, Scheduler
from aios_workbench.workspace import Workspace

Write = Callable[..., Path]


@pytest.fixture
def worker(ws: Workspace) -> Iterator[Scheduler]:
    """A scheduler working on a thread, as `aios worker` has one."""
    scheduler = Scheduler(ws, "worker-1", alive=lambda _: True)
    stop = threading.Event()
    thread = threading.Thread(target=scheduler.run_forever, args=(stop,))
    thread.start()
    yield scheduler
    stop.set()
    thread.join()


def ended(ws: Workspace, run_id: str) -> dict[str, Any]:
    def over() -> dict[str, Any] | None:
        run = promote.get_run(ws, run_id)
        return run if run["status"] not in ("queued", "running") else None

    run: dict[str, Any] = wait_for(over, f"{run_id} to end")
    return run


def start(ws: Workspace, path: Path, parameters: dict[str, Any] | None = None, **options: Any) -> str:
    promote.promote(ws, path, JobSpec(name=path.stem, notebook=str(path), **options), "ada")
    return promote.trigger(ws, path.stem, "ada", parameters)


def read(run: dict[str, Any], name: str) -> str:
    return Path(run["files"][name]).read_text()


HOSTILE = "x'\"\n{0}; import os; os.abort()  # </script><img src=x onerror=alert(1)>"


def test_a_run_leaves_everything(
    ws: Workspace, worker: Scheduler, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    path = write(
        "nb/full.ipynb",
        "import os, sys, json\nimport helper\nprint('said by the cell')",
        "facts = {k: os.environ.get(k) for k in ('AIOS_HOME', 'AIOS_JOB_RUN', 'AIOS_GATES', 'DO_NOT_TRACK')}\n"
        "facts |= {'cwd': os.getcwd(), 'python': sys.executable, 'helper': helper.VALUE}\n"
        "facts |= {'data': open('data.csv').read()}\n"
        "facts |= {'text': text, 'day': day.isoformat(), 'n': n}\n"
        "json.dump(facts, open('facts.json', 'w'))",
        "from IPython.display import HTML\nHTML('<b>shown</b><script src=\"https://cdn.example/x.js\"></script>')",
        parameters="import datetime\ntext: str = ''\nday: datetime.date = datetime.date(2020, 1, 1)\nn: int = 1",
        kernelspec={"name": "no-such-kernel", "display_name": "?", "language": "python"},
    )  # fmt: skip
    (path.parent / "helper.py").write_text("VALUE = 'promoted'")
    (path.parent / "data.csv").write_text("a,b")
    promote.promote(ws, path, JobSpec(name="full", notebook="-", gates={"review": "approve"}), "ada")
    (path.parent / "helper.py").write_text("VALUE = 'edited later'")
    run = ended(ws, promote.trigger(ws, "full", "ada", {"text": HOSTILE, "day": "2026-02-28"}))

    assert (run["status"], run["attempt"], run["error"]) == ("succeeded", 1, None)
    import sys

    assert json.loads((path.parent / "facts.json").read_text()) == {
        "AIOS_HOME": str(ws.root), "AIOS_JOB_RUN": run["job_run_id"], "AIOS_GATES": '{"review":"approve"}',
        "DO_NOT_TRACK": "1", "cwd": str(path.parent), "python": sys.executable, "helper": "promoted", "data": "a,b",
        "text": HOSTILE, "day": "2026-02-28", "n": 1,
    }  # fmt: skip
    executed = nbformat.reads(read(run, "executed.ipynb"), as_version=4)
    sources = "".join(c.source for c in executed.cells)
    assert "os.abort" not in sources  # values are data, in no cell
    assert executed.cells[2].outputs[0].text == "said by the cell\n"
    assert json.loads(read(run, "params.json"))["values"] == {"text": HOSTILE, "day": "2026-02-28"}
    log = read(run, "log.txt")
    for line in ("attempt 1 of", "cell 2 (3 of 5)", "said by the cell", "cell 4 done after", "succeeded"):
        assert line in log
    html = read(run, "report.html")
    assert "<b>shown</b>" in html
    assert "default-src 'none'" in html
    assert re.findall(r"""(?:src|href)=["']https?://(?!cdn\.example)[^"']*""", html) == []
    kinds = [e["kind"] for e in ws.catalog.query("select kind from events order by seq")]
    assert kinds.count("job.cell") == 5
    assert list(Path(run["folder"]).glob("*.tmp")) == []
    assert not (Path(run["folder"]) / "kernel.json").exists()


def test_a_failing_cell_ends_failed_with_what_was_done(
    ws: Workspace, worker: Scheduler, write: Write
) -> None:
    path = write(
        "bad.ipynb",
        "print('first')",
        "def f():\n    raise ValueError('no such claim')\nf()",
        "print('never')",
        parameters="n = 1",
    )
    run = ended(ws, start(ws, path, retries=1, retry_delay=0))
    assert (run["status"], run["attempt"]) == ("failed", 2)
    error = run["error"]
    assert (error["type"], error["message"], error["cell"], error["failures"]) == (
        "ValueError",
        "no such claim",
        3,
        2,
    )
    assert "raise ValueError" in error["traceback"]
    assert "\x1b" not in error["traceback"]
    executed = nbformat.reads(read(run, "executed.ipynb"), as_version=4)
    assert [bool(c.outputs) for c in executed.cells] == [False, True, True, True, False]
    assert (Path(run["folder"]) / "executed.attempt-1.ipynb").exists()
    assert "report.html" in run["files"]


def test_a_retry_can_succeed(ws: Workspace, worker: Scheduler, write: Write) -> None:
    path = write(
        "flaky.ipynb",
        "from pathlib import Path\nonce = Path('once')\nif not once.exists():\n    once.touch()\n    1 / 0",
    )
    run = ended(ws, start(ws, path, retries=3, retry_delay=0))
    assert (run["status"], run["attempt"], run["error"]) == ("succeeded", 2, None)


def test_timeout_kills_the_kernel(ws: Workspace, worker: Scheduler, write: Write) -> None:
    path = write(
        "slow.ipynb",
        "import os, time\nopen('pid', 'w').write(str(os.getpid()))\n"
        "while True:\n    try:\n        time.sleep(60)\n    except KeyboardInterrupt:\n        pass",
    )  # fmt: skip
    run = ended(ws, start(ws, path, timeout="2s"))
    assert (run["status"], run["reason"]) == ("timeout", "took longer than 2.0 s")
    assert not psutil.pid_exists(int((path.parent / "pid").read_text()))


def test_cancel_interrupts(ws: Workspace, worker: Scheduler, write: Write) -> None:
    path = write(
        "wait.ipynb",
        "import time\nopen('on', 'w').close()\ntry:\n    time.sleep(600)\nfinally:\n    open('unwound', 'w').close()",
    )
    run_id = start(ws, path, retries=3)
    wait_for((path.parent / "on").exists, "the cell to begin")
    promote.cancel(ws, run_id, "bob")
    run = ended(ws, run_id)
    assert (run["status"], run["reason"], run["attempt"]) == ("cancelled", "cancelled by bob", 1)
    assert (path.parent / "unwound").exists()
    assert worker.active == [] or wait_for(lambda: not worker.active, "the worker to be free")


def test_a_worker_told_to_stop_puts_its_run_back(ws: Workspace, write: Write) -> None:
    path = write(
        "go.ipynb",
        "print('kept')",
        "import time\nopen('on', 'a').write('x')\ntime.sleep(600 if open('on').read() == 'x' else 0)",
    )
    run_id, stop = start(ws, path), threading.Event()
    thread = threading.Thread(
        target=Scheduler(ws, "worker-1", alive=lambda _: True).run_forever, args=(stop,)
    )
    thread.start()
    wait_for((path.parent / "on").exists, "the cell to begin")
    stop.set()
    thread.join()
    run = promote.get_run(ws, run_id)
    assert (run["status"], run["owner"], run["error"]) == ("queued", None, None)
    assert "kept" in read(run, "executed.ipynb")
    second = Scheduler(ws, "worker-2", alive=lambda _: True)
    second.step(dt.datetime.now(dt.UTC).timestamp())
    assert second.wait(60)
    run = promote.get_run(ws, run_id)
    assert (run["status"], run["attempt"], run["owner"]) == ("succeeded", 2, "worker-2")


def test_a_dying_kernel_is_a_failure(ws: Workspace, worker: Scheduler, write: Write) -> None:
    run = ended(
        ws, start(ws, write("oom.ipynb", "1", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"))
    )
    assert (run["status"], run["error"]["type"], run["error"]["cell"]) == ("failed", "DeadKernelError", 2)
    assert "out of memory" in run["reason"]


def test_a_changed_bundle_is_restored_or_does_not_run(ws: Workspace, worker: Scheduler, write: Write) -> None:
    path = write("safe.ipynb", "import os\nopen('ran', 'a').write('x')\nprint(os.listdir('.'))")
    job = promote.promote(ws, path, JobSpec(name="safe", notebook="-", retries=5, retry_delay=0), "ada")
    extra = ws.root / "jobs" / job.job_id / "v1" / "extra.py"
    extra.write_text("")
    run = ended(ws, promote.trigger(ws, "safe", "ada"))
    assert run["status"] == "succeeded"
    assert not extra.exists()
    assert "extra.py was added; it was restored" in Path(run["files"]["log.txt"]).read_text()
    (audited,) = ws.catalog.query("select detail from audit where action = 'job.restore'")
    assert "extra.py was added" in audited["detail"]
    extra.write_text("")
    for stored in [p for p in (ws.root / "objects").rglob("*") if p.is_file()]:
        stored.chmod(0o600)
        stored.write_bytes(b"damaged")
    run = ended(ws, promote.trigger(ws, "safe", "ada"))
    assert (run["status"], run["attempt"]) == ("failed", 1)
    assert "extra.py was added" in run["reason"]
    assert "damaged" in run["reason"]
    assert (path.parent / "ran").read_text() == "x"


def test_without_its_folder_a_run_gets_one_with_the_data_that_was_copied(
    ws: Workspace, worker: Scheduler, write: Write
) -> None:
    path = write("gone/x.ipynb", "import helper\nopen('made', 'w').write(helper.A + open('b.txt').read())")
    (path.parent / "helper.py").write_text("A = 'a'")
    (path.parent / "b.txt").write_text("b")
    promote.promote(ws, path, JobSpec(name="x", notebook="-"), "ada")
    for file in path.parent.iterdir():
        file.unlink()
    path.parent.rmdir()
    for _ in range(2):  # what a run writes does not change the bundle
        run = ended(ws, promote.trigger(ws, "x", "ada"))
        assert run["status"] == "succeeded"
        assert (Path(run["folder"]) / "work" / "made").read_text() == "ab"


def test_a_failed_workflow_nobody_looked_at_fails_the_job(
    ws: Workspace, worker: Scheduler, write: Write
) -> None:
    insert = (
        "import os, sqlite3, time\n"
        "con = sqlite3.connect(os.environ['AIOS_HOME'] + '/catalog.db', timeout=30)\n"
        'con.execute("insert into runs (run_id, workflow, status, spec_hash, created_at, job_run_id) values '
        "('r1', 'triage', 'failed', '-', 0, ?)\", [os.environ['AIOS_JOB_RUN']])\n"
        "con.commit()"
    )
    run = ended(ws, start(ws, write("wf.ipynb", insert)))
    assert (run["status"], run["error"]["type"], run["runs"]) == ("failed", "WorkflowFailed", ["r1"])
    assert "workflow 'triage' failed" in run["reason"]
