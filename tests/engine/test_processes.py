"""Several processes on one workspace: each its own runs, one truth for all."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import nbformat
import pytest
from kit import PATIENCE, finished, line, script, statuses, tell, until
from nbclient import NotebookClient

import aios_workbench as aios
from aios_workbench.engine import control
from aios_workbench.workspace import Workspace

pytestmark = pytest.mark.alone

HELD = """
@wf.step
def first(): return 1
@wf.step
def held(first):
    import time
    while not aios.context().cancelled: time.sleep(0.01)
run = wf.run(); print(run.id, flush=True)
print(run.wait(60), flush=True)
"""
ASKS = """
@wf.gate
def ask(): return 1
run = wf.run(); print(run.id, flush=True)
print(run.wait(60), flush=True)
"""


def test_another_process_sees_cancels_and_decides(ws: Workspace, engine_home: Path) -> None:
    held, asks = script(engine_home, HELD), script(engine_home, ASKS)
    runs = [aios.run(line(p)) for p in (held, asks)]
    until(lambda: statuses(runs[0]).get("held") == "running")
    runs[0].cancel()
    assert finished(held) == "cancelled\n"
    until(lambda: runs[1].status == "waiting")
    runs[1].approve("ask", by="ana")
    assert finished(asks) == "succeeded\n"
    assert runs[1].result(PATIENCE).by == "ana"


def test_two_kernels_run_the_same_workflow_at_once(ws: Workspace, engine_home: Path) -> None:
    source = """
    @wf.step(cache=True)
    def a(n: int): return n * 2
    @wf.step
    def b(a: int): return a + 1
    sys.stdin.readline()
    runs = [wf.run(n=n) for n in range(15)]
    print(json.dumps([r.result(60) for r in runs]))
    """
    several = [script(engine_home, source) for _ in range(2)]
    for p in several:
        tell(p)
    assert [json.loads(finished(p)) for p in several] == [[n * 2 + 1 for n in range(15)]] * 2
    mine = aios.runs("other", limit=100)
    assert {r.status for r in mine} <= {"succeeded", "cancelled"}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_whose_process_is_gone_is_never_running(tmp_path: Path, how: int) -> None:
    process = script(tmp_path / ".aios", HELD)
    run_id = line(process)
    ws = Workspace(tmp_path / ".aios")
    until(lambda: control.run_status(ws, run_id) == "running")
    process.send_signal(how)
    process.communicate()
    assert control.run_status(ws, run_id) == "interrupted"
    assert control.get_run(ws, run_id)["status"] == "interrupted"
    ws.close()


def test_a_kernel_that_ends_in_good_order_leaves_no_running_run(tmp_path: Path) -> None:
    source = """
    @wf.step
    def held():
        import time
        if aios.context().attempt == 1: time.sleep(3)  # longer than stopping takes, on a busy machine too
        return 1
    run = wf.run(); print(run.id, flush=True)
    while run["held"].status != "running": time.sleep(0.01)
    """
    out = finished(script(tmp_path / ".aios", source))
    ws = Workspace(tmp_path / ".aios")
    assert control.run_status(ws, out.strip()) == "interrupted"
    ws.close()
    next_one = "run = aios.runs()[0]; print(run.resume().result(60))"
    assert finished(script(tmp_path / ".aios", next_one)) == "1\n"


def test_interrupting_a_cell_leaves_the_run(tmp_path: Path) -> None:
    source = """
    @wf.step
    def held():
        import time
        from pathlib import Path
        while not Path(sys.argv[1]).exists(): time.sleep(0.01)
        return 7
    globals()["sys"] = sys
    run = wf.run()
    try:
        print("waiting", flush=True)
        run.result()
    except KeyboardInterrupt:
        print(run.status, flush=True)
        open(sys.argv[1], "w").close()
    print(run.result(60), flush=True)
    """
    process = script(tmp_path / ".aios", source, str(tmp_path / "go"))
    assert line(process) == "waiting"
    process.send_signal(signal.SIGINT)
    assert finished(process) in ("running\n7\n", "queued\n7\n")


def test_a_job_run_that_starts_again_takes_up_its_runs(tmp_path: Path) -> None:
    source = """
    @wf.step
    def a(n: int):
        with open(sys.argv[1], "a") as f: f.write(f"a{n} ")
        return n
    @wf.step
    def b(a: int):
        if not os.path.exists(sys.argv[1] + ".ok"): raise ValueError("not yet")
        return a
    runs = [wf.run(n=n) for n in (1, 2)]
    print([(r.id, r.wait(60), r.row["job_run_id"], r.row["source"]) for r in runs])
    """
    effects = tmp_path / "effects"
    said = []
    for attempt in range(3):
        if attempt == 1:
            (tmp_path / "effects.ok").touch()
        job = script(tmp_path / ".aios", source, str(effects), AIOS_JOB_RUN="nightly-1")
        said.append(finished(job))
    assert sorted(effects.read_text().split()) == ["a1", "a2"]  # side by side: in any order
    assert said[0].count("failed") == 2
    assert said[1].count("succeeded") == 2
    assert said[1] == said[2] == said[0].replace("failed", "succeeded")
    assert said[0].count("'nightly-1', 'job'") == 2
    finished(script(tmp_path / ".aios", source, str(effects), AIOS_JOB_RUN="nightly-2"))
    assert sorted(effects.read_text().split()) == ["a1", "a1", "a2", "a2"]


def cells(*sources: str, home: Path) -> list[Any]:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    NotebookClient(
        book, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(home)}}
    ).execute()
    return list(book.cells)


def text_of(cell: Any) -> str:
    return "".join(o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in cell.outputs)


def test_in_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOS_HOME", str(tmp_path / ".aios"))
    done = cells(
        "import aios_workbench as aios\nwf = aios.Workflow('book')\nscale = 2",
        "@wf.step\ndef a(n: int = 3):\n    print('SECRET')\n    return n * scale\n\n"
        "@wf.step\ndef b(a):\n    return a + 1",
        "run = wf.run(); print(run.result(60)); wf.state",
        "await run",
        "@wf.step\ndef b(a):\n    return a + 100\nwf.state",
        "again = run.rerun(); print(again.result(60), again['a'].cached)",
        "scale = 3\nprint(wf.state)",
        "@wf.step\ndef b(a):\n    raise LookupError('in the cell')",
        "try:\n    wf.run().result(60)\nexcept aios.errors.StepFailed as e:\n    print(e.traceback)",
        "wf",
        "run",
        "try:\n    @wf.step\n    def c(*args): pass\nexcept aios.errors.DefinitionError as e:\n    print(e)",
        home=tmp_path,
    )
    said = [text_of(c) for c in done]
    assert not any("SECRET" in s for s in said)
    assert said[2] == "7\n{'a': 'fresh', 'b': 'fresh'}"
    assert said[3] == "7"
    assert said[4] == "{'a': 'fresh', 'b': 'stale'}"
    assert said[5] == "106 True\n"
    assert said[6] == "{'a': 'stale', 'b': 'stale'}\n"
    assert "raise LookupError('in the cell')" in said[8]
    assert "/aios_workbench/" not in said[8]
    for shown in (done[9], done[10]):
        assert {"text/plain", "text/html"} <= set(shown.outputs[-1]["data"])
    assert "step 'c' (cell In[12], line 2)" in said[11]
