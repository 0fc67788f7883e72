"""Circuit breakers: what opens them, the one probe, who may close them; over runs, threads and processes."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from kit import PATIENCE, Box, finished, line, script, tell, until

import aios_workbench as aios
from aios_workbench.engine import breakers, runtime
from aios_workbench.errors import BreakerOpen, NotFoundError
from aios_workbench.workspace import Workspace


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)[:150]


def calling(name: str, step: Any = None, *, breaker: Any = None, **options: Any) -> aios.Workflow:
    """A workflow of one step that fails until the box says go."""
    wf = aios.Workflow("calls")

    @wf.step(breaker=breaker or aios.Breaker(name, failures=3, cool_down="1h"), **options)
    def call() -> str:
        from sys import aios_box as box

        box.seen.append(1)
        if not box.go.is_set():
            raise ConnectionError("down")
        return "up"

    return wf


def row(ws: Workspace, name: str) -> dict[str, Any]:
    return next(b for b in breakers.list_breakers(ws) if b["breaker"] == name)


def cool(ws: Workspace, name: str) -> None:
    """Let the cool-down pass."""
    ws.catalog.write("update breakers set until_at = 1 where breaker = :b", b=name)


def opened(ws: Workspace, name: str) -> None:
    wf = calling(name, breaker=aios.Breaker(name, failures=1, cool_down="1h"))
    assert wf.run().wait(PATIENCE) == "failed"
    assert row(ws, name)["state"] == "open"


def test_failures_of_several_runs_open_it_and_nobody_calls_any_more(
    ws: Workspace, name: str, box: Box
) -> None:
    wf = calling(name)
    for _ in range(3):
        assert wf.run().wait(PATIENCE) == "failed"
    run = wf.run()
    with pytest.raises(
        BreakerOpen,
        match=rf"breaker '{re.escape(name)}' is open since .* until .*after ConnectionError: down",
    ):
        run.result(PATIENCE)
    assert len(box.seen) == 3
    assert run["call"].attempts == []
    found = row(ws, name)
    assert (found["state"], found["failures"], found["error"]["message"]) == ("open", 3, "down")
    assert found["until_at"] - found["opened_at"] == 3600


def test_a_steps_own_retries_open_it_and_then_stop(ws: Workspace, name: str, box: Box) -> None:
    run = calling(name, retries=50, backoff="1ms").run()
    with pytest.raises(BreakerOpen, match="its own last error: ConnectionError: down"):
        run.result(PATIENCE)
    assert len(box.seen) == 3


def test_fallbacks_answer_while_it_is_open(ws: Workspace, name: str, box: Box) -> None:
    opened(ws, name)
    box.seen.clear()
    run = calling(name, fallback=lambda: "stand-in").run()
    assert run.result(PATIENCE) == "stand-in"
    assert box.seen == []
    assert "answered after BreakerOpen" in (run["call"].message or "")


def test_after_the_cool_down_a_call_that_succeeds_closes_it(ws: Workspace, name: str, box: Box) -> None:
    opened(ws, name)
    cool(ws, name)
    assert row(ws, name)["ready"]
    box.go.set()
    assert calling(name).run().result(PATIENCE) == "up"
    found = row(ws, name)
    assert (found["state"], found["failures"], found["error"], found["probe_by"]) == ("closed", 0, None, None)


def test_after_the_cool_down_a_call_that_fails_opens_it_again(ws: Workspace, name: str, box: Box) -> None:
    opened(ws, name)
    since = row(ws, name)["opened_at"]
    cool(ws, name)
    calling(name).run().wait(PATIENCE)
    assert len(box.seen) == 2
    found = row(ws, name)
    assert (found["state"], found["ready"], found["opened_at"]) == ("open", False, since)
    assert found["until_at"] > since
    calling(name).run().wait(PATIENCE)
    assert len(box.seen) == 2


def test_one_call_at_a_time_tries_whether_it_can_close(ws: Workspace, name: str, box: Box) -> None:
    opened(ws, name)
    cool(ws, name)
    wf = aios.Workflow("holds")

    @wf.step(breaker=name)
    def call() -> str:
        from sys import aios_box as box

        box.hold()
        return "up"

    probing = wf.run()
    assert box.started.wait(PATIENCE)
    with pytest.raises(BreakerOpen, match=r"is half-open: .* has been trying one call since"):
        wf.run().result(PATIENCE)
    box.go.set()
    assert probing.result(PATIENCE) == "up"
    assert row(ws, name)["state"] == "closed"


def test_of_many_threads_one_gets_the_probe(ws: Workspace, name: str, box: Box) -> None:
    opened(ws, name)
    cool(ws, name)
    settings = row(ws, name)["settings"]
    engine = runtime.running()
    assert engine is not None
    start, got, refused = threading.Barrier(8), [], []

    def enter() -> None:
        start.wait()
        try:
            got.append(breakers.enter(ws, settings, engine.executor_id, run_id="r", step="s"))
        except BreakerOpen as e:
            refused.append(e)

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert (len(got), len(refused)) == (1, 7)


def test_a_probe_of_a_process_that_died_is_given_up(ws: Workspace, name: str, box: Box) -> None:
    opened(ws, name)
    ws.catalog.write(
        "update breakers set state = 'half-open', probe_by = 'kernel-1-dead', probe_at = 1, probe_until = 1e12 "
        "where breaker = :b", b=name,
    )  # fmt: skip
    box.go.set()
    assert calling(name).run().result(PATIENCE) == "up"


def test_a_probe_that_is_stuck_is_given_up_and_speaks_no_more(ws: Workspace, name: str, box: Box) -> None:
    opened(ws, name)
    cool(ws, name)
    settings = row(ws, name)["settings"]
    engine = runtime.running()
    assert engine is not None
    stuck = breakers.enter(ws, settings, engine.executor_id, run_id="r", step="s", timeout=5)
    with pytest.raises(BreakerOpen):
        breakers.enter(ws, settings, engine.executor_id, run_id="r", step="s")
    ws.catalog.write("update breakers set probe_until = 1 where breaker = :b", b=name)
    second = breakers.enter(ws, settings, engine.executor_id, run_id="r2", step="s")
    stuck.succeeded()
    assert row(ws, name)["state"] == "half-open"
    second.failed({"type": "E", "message": "m"})
    stuck.succeeded()
    assert row(ws, name)["state"] == "open"


def test_a_cancelled_probe_is_given_back(ws: Workspace, name: str, box: Box) -> None:
    opened(ws, name)
    cool(ws, name)
    wf = aios.Workflow("cancelled probe")

    @wf.step(breaker=name, timeout="1h")
    def call() -> None:
        from sys import aios_box as box

        box.started.set()
        while not aios.context().cancelled:
            pass

    run = wf.run()
    assert box.started.wait(PATIENCE)
    run.cancel()
    assert run.wait(PATIENCE) == "cancelled"
    until(lambda: row(ws, name)["ready"], "the probe to be given back")


def test_errors_that_say_nothing_about_the_other_side_do_not_count(
    ws: Workspace, name: str, box: Box
) -> None:
    wf = calling(name, breaker=aios.Breaker(name, failures=1), give_up_on=ConnectionError)
    wf.run().wait(PATIENCE)
    assert row(ws, name)["state"] == "closed"
    assert row(ws, name)["failures"] == 0


def test_failures_long_ago_do_not_count(ws: Workspace, name: str, box: Box) -> None:
    wf = calling(name)
    for _ in range(2):
        wf.run().wait(PATIENCE)
    old = [t - 61 for t in row(ws, name)["recent"]]
    ws.catalog.write("update breakers set recent = :r where breaker = :b", r=json.dumps(old), b=name)
    wf.run().wait(PATIENCE)
    assert (row(ws, name)["state"], row(ws, name)["failures"]) == ("closed", 1)


def test_closing_one_by_hand_is_audited(ws: Workspace, name: str, box: Box) -> None:
    opened(ws, name)
    breakers.reset(ws, name, by="ana")
    assert row(ws, name)["state"] == "closed"
    box.go.set()
    assert calling(name).run().result(PATIENCE) == "up"
    told = ws.catalog.query("select * from audit where action = 'breaker.reset' and subject = :b", b=name)
    assert [(t["actor"], json.loads(t["detail"])) for t in told] == [("ana", {"state": "open"})]
    with pytest.raises(NotFoundError, match="no breaker"):
        breakers.reset(ws, name + "?", by="ana")


def test_its_states_are_events(ws: Workspace, name: str, box: Box) -> None:
    opened(ws, name)
    cool(ws, name)
    box.go.set()
    calling(name).run().wait(PATIENCE)
    ws.catalog.flush()
    told = [
        json.loads(e["data"])
        for e in ws.catalog.query("select data from events where kind = 'breaker' order by seq")
    ]
    assert [t["state"] for t in told if t["breaker"] == name] == ["open", "half-open", "closed"]


PROBE = """
@wf.step(breaker="crm", timeout="600s")
def call():
    import time
    while not aios.context().cancelled: time.sleep(0.01)
run = wf.run()
while not run["call"].attempts: time.sleep(0.01)
print("calling", flush=True)
run.wait(60)
"""
FAILS = """
@wf.step(breaker=aios.Breaker("crm", failures=2, cool_down="1ms"))
def call():
    raise ConnectionError("down")
for n in range(2): wf.run().wait(60)
"""
ASKS = """
@wf.step(breaker="crm")
def call(): return "up"
for text in sys.stdin:
    run = wf.run(); run.wait(60); print(run.error.type if run.error else run.result(), flush=True)
"""


@pytest.mark.alone
def test_processes_share_it_and_a_killed_probe_does_not_keep_it_shut(tmp_path: Path) -> None:
    home = tmp_path / ".aios"
    finished(script(home, FAILS))
    probe, other = script(home, PROBE), script(home, ASKS)
    try:
        _ask_while_another_tries(probe, other)
    finally:
        for process in (probe, other):
            process.kill()
            process.communicate()


def _ask_while_another_tries(probe: subprocess.Popen[str], other: subprocess.Popen[str]) -> None:
    assert line(probe) == "calling"
    tell(other)
    assert line(other) == "BreakerOpen"
    probe.send_signal(signal.SIGSTOP)  # stopped is not dead: it may still answer
    tell(other)
    assert line(other) == "BreakerOpen"
    probe.send_signal(signal.SIGKILL)
    probe.wait(PATIENCE)
    tell(other)
    assert line(other) == "up"
