"""Hooks: once per run, whatever they do; a run that is late is found by whoever lives."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from kit import PATIENCE, Box, finished, line, script, until

import aios_workbench as aios
from aios_workbench.engine import control, run_hooks
from aios_workbench.errors import DefinitionError
from aios_workbench.workspace import Workspace


def note(run: Any) -> None:
    from sys import aios_box as box

    box.seen.append(
        (run.status, run.leg, run.params, (run.error or {}).get("message"), run.seconds is not None)
    )
    print("noted", run.status)


def hooked(name: str, **more: Any) -> aios.Workflow:
    return aios.Workflow(name, on_start=note, on_success=note, on_failure=note, **more)


def test_success(wf: aios.Workflow, box: Box) -> None:
    flow = hooked(wf.name)

    @flow.step
    def one(n: int = 1) -> int:
        return n

    run = flow.run()
    assert run.result(PATIENCE) == 1
    assert sorted(box.seen) == [("running", 0, {"n": 1}, None, True), ("succeeded", 0, {"n": 1}, None, True)]
    assert sorted((h["hook"], h["name"], h["status"]) for h in run.hooks) == [
        ("on_start", "note", "done"), ("on_success", "note", "done"),
    ]  # fmt: skip
    texts = [r["text"] for r in control.logs(run.workspace, run.id, "hook:on_success")]
    assert texts == ["noted succeeded"]
    kinds = run.workspace.catalog.query(
        "select kind from events where run_id = :r and kind = 'hook'", r=run.id
    )
    assert len(kinds) == 2


def test_failure_and_resume(wf: aios.Workflow, box: Box) -> None:
    flow = hooked(wf.name)

    @flow.step
    def one() -> int:
        from sys import aios_box as box

        if not box.values:
            raise ValueError("not yet")
        return 1

    run = flow.run()
    assert run.wait(PATIENCE) == "failed"
    box.values["ok"] = 1
    assert run.resume().result(PATIENCE) == 1
    told = sorted((leg, status, message) for status, leg, _, message, _ in box.seen if status != "running")
    assert told == [(0, "failed", "not yet"), (1, "succeeded", None)]
    assert [status for status, *_ in box.seen].count("running") == 2


def test_a_cancelled_run_has_neither_succeeded_nor_failed(wf: aios.Workflow, box: Box) -> None:
    flow = hooked(wf.name)

    @flow.step
    def held() -> None:
        from sys import aios_box as box

        box.hold()

    run = flow.run()
    assert box.started.wait(PATIENCE)
    run.cancel()
    box.go.set()
    assert run.wait(PATIENCE) == "cancelled"
    assert {h["hook"] for h in run.hooks} == {"on_start"}


def boom(run: Any) -> None:
    raise ConnectionError("the chat is down")


async def later(run: Any) -> None:
    import asyncio

    await asyncio.sleep(0)
    aios.context().metric("told", 1)


def leave(run: Any) -> None:
    import sys

    sys.exit(3)


def test_what_a_hook_raises_changes_nothing(wf: aios.Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(run: Any) -> None:
        import time

        time.sleep(30)

    monkeypatch.setattr(run_hooks, "PATIENCE", 0.2)
    flow = aios.Workflow(wf.name, on_success=[boom, leave, hangs, later], on_start=boom)

    @flow.step
    def one() -> int:
        return 1

    run = flow.run()
    assert run.result(PATIENCE) == 1
    said = [
        (h["name"], h["status"], (h["error"] or {}).get("type"))
        for h in run.hooks
        if h["hook"] == "on_success"
    ]
    assert said == [
        ("boom", "failed", "ConnectionError"), ("leave", "failed", "SystemExit"), ("hangs", "failed", "TimeoutError"),
        ("later", "done", None),
    ]  # fmt: skip
    assert run.metrics == {"told": 1.0}
    logs = [r["text"] for r in control.logs(run.workspace, run.id, "hook:on_success")]
    assert "hook boom failed: ConnectionError: the chat is down" in logs


def test_a_late_run(wf: aios.Workflow, box: Box) -> None:
    flow = aios.Workflow(wf.name, sla="300ms", on_sla_miss=note)

    @flow.step
    def held() -> int:
        from sys import aios_box as box

        box.hold()
        return 1

    run = flow.run()
    until(lambda: box.seen, "the hook")
    assert run.status == "running"
    assert box.seen[0][0] == "late"
    box.go.set()
    assert run.result(PATIENCE) == 1
    (event,) = run.workspace.catalog.query(
        "select * from events where run_id = :r and kind = 'sla.missed'", r=run.id
    )
    assert json.loads(event["data"])["sla"] == 0.3
    assert run.row["late"] == 1
    assert len(box.seen) == 1
    quick = aios.Workflow(wf.name + " quick", sla="1h", on_sla_miss=note)
    quick.step(name="one")(lambda: 1)
    run = quick.run()
    run.result(PATIENCE)
    assert (run.row["late"], run.hooks) == (0, [])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"on_start": "mail"}, "on_start is a function or a list of them, not 'mail'"),
        ({"on_failure": lambda: 1}, "is called with one argument"),
        ({"on_failure": lambda a, b: 1}, "is called with one argument"),
        ({"on_sla_miss": note}, "on_sla_miss needs sla="),
        ({"sla": "soon"}, "sla: "),
        ({"sla": 0}, "sla"),
    ],
)
def test_wrong_hooks(options: dict[str, Any], says: str) -> None:
    with pytest.raises(DefinitionError, match=says):
        aios.Workflow("w", **options)


def test_hooks_belong_to_the_workflow_and_not_to_its_steps(wf: aios.Workflow) -> None:
    plain, hooked_ = aios.Workflow("w"), aios.Workflow("w", on_start=note)
    for flow in (plain, hooked_):
        flow.step(name="one")(lambda: 1)
    assert plain.spec().hash != hooked_.spec().hash
    assert plain.spec().steps[0].code_hash == hooked_.spec().steps[0].code_hash


ENDS = """
def tell(run):
    import os, signal, time
    with open(os.environ["EFFECTS"], "a") as f: f.write(f"{run.status} {run.leg}\\n")
    if os.environ.get("DIE") == run.status: os.kill(os.getpid(), signal.SIGKILL); time.sleep(60)
wf = aios.Workflow("other", on_start=tell, on_success=tell, on_sla_miss=tell, sla=os.environ.get("SLA", "1h"))
@wf.step
def one():
    import time
    time.sleep(float(os.environ.get("TAKES", "0")))
    return 1
run = wf.run(); print(run.id, flush=True); print(run.wait(60), flush=True)
"""


@pytest.mark.alone
def test_kill_9_in_a_hook_calls_it_again(tmp_path: Path) -> None:
    effects = tmp_path / "effects"
    killed = script(tmp_path / ".aios", ENDS, EFFECTS=str(effects), DIE="succeeded")
    run_id = line(killed)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    ws = Workspace(tmp_path / ".aios")
    assert control.run_status(ws, run_id) == "interrupted"
    said = finished(
        script(tmp_path / ".aios", f"print(aios.run('{run_id}').resume().result(60))", EFFECTS=str(effects))
    )
    assert said == "1\n"
    assert effects.read_text().splitlines() == ["running 0", "succeeded 0", "succeeded 0"]
    assert {h["status"] for h in run_hooks.calls(ws, run_id)} == {"done"}
    ws.close()


@pytest.mark.alone
def test_another_process_finds_that_a_dead_ones_run_is_late(tmp_path: Path) -> None:
    effects = tmp_path / "effects"
    env = {"EFFECTS": str(effects), "SLA": "3s"}
    killed = script(tmp_path / ".aios", ENDS, TAKES="600", **env)
    run_id = line(killed)
    until(lambda: effects.exists() and effects.read_text() == "running 0\n", "the start")
    killed.kill()
    killed.communicate()
    source = """
    runtime.adoption.adopt = lambda *a, **k: []  # this one only looks
    runtime.start()
    sys.stdin.readline()
    """
    watcher = script(tmp_path / ".aios", source, **env)
    until(lambda: "late 0" in effects.read_text(), "somebody to see that it is late")
    watcher.communicate("go\n")
    ws = Workspace(tmp_path / ".aios")
    assert [h["hook"] for h in run_hooks.calls(ws, run_id)][-1] == "on_sla_miss"
    assert effects.read_text().count("late") == 1
    ws.close()
