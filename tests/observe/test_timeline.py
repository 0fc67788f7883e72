"""The waterfall: hand-written times, random graphs with random clocks, and what the engine really does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from observed import Rows

import aios_workbench as aios
from aios_workbench.observe import timeline
from aios_workbench.observe.timeline import length
from aios_workbench.workflow import StepSpec, WorkflowSpec
from aios_workbench.workspace import Workspace

if TYPE_CHECKING:
    from aios_workbench.observe.models import Timeline


def spans(found: Timeline, step: str) -> list[tuple[Any, ...]]:
    line = next(s for s in found.steps if s.step == step)
    return [(s.kind, s.start, s.end, s.status) for s in line.spans]


def kinds(found: Timeline, step: str) -> list[str]:
    return [s[0] for s in spans(found, step)]


def step_row(
    rows: Rows, run: str, step: str, position: int, start: float, end: float, **columns: Any
) -> None:
    rows.put("steps", **{"run_id": run, "step": step, "position": position, "kind": "step", "status": "succeeded",
             "attempts": 1, "started_at": start, "ended_at": end, **columns})  # fmt: skip


def attempt(
    rows: Rows, run: str, step: str, n: int, status: str, start: float, end: float, by: str = "x"
) -> None:
    rows.put(
        "attempts",
        run_id=run,
        step=step,
        attempt=n,
        status=status,
        started_at=start,
        ended_at=end,
        executor=by,
    )


DIAMOND = WorkflowSpec("diamond", [
    StepSpec("a"), StepSpec("b", deps={"a": "a"}), StepSpec("c", deps={"a": "a"}),
    StepSpec("d", deps={"b": "b"}, after=["c"]),
])  # fmt: skip


def test_a_diamond_by_hand(rows: Rows) -> None:
    run = rows.run(DIAMOND, created_at=100.0, started_at=101.0, ended_at=130.0)
    for i, (step, start, end) in enumerate(
        [("a", 102, 105), ("b", 105, 110), ("c", 106, 118), ("d", 120, 130)]
    ):
        step_row(rows, run, step, i, start, end)
        attempt(rows, run, step, 1, "succeeded", start, end)
    found = timeline.timeline(rows.ws, run)
    assert spans(found, "a") == [("queue", 100, 102, ""), ("run", 102, 105, "succeeded")]
    assert kinds(found, "b") == ["run"]
    assert spans(found, "d") == [("queue", 118, 120, ""), ("run", 120, 130, "succeeded")]
    assert found.critical_path == ["a", "c", "d"]
    assert {s.step: s.slack for s in found.steps} == {"a": 0, "b": 8, "c": 0, "d": 0}
    assert found.parallelism == pytest.approx(30 / 30)
    assert timeline.totals(found) == {"queue": 5, "run": 30, "retry": 0, "wait": 0}


def test_retries_pause_and_a_lost_process_queues(rows: Rows) -> None:
    run = rows.run(WorkflowSpec("w", [StepSpec("a", retries=3)]), created_at=0.0, ended_at=100.0)
    step_row(rows, run, "a", 0, 0, 100, attempts=4)
    attempt(rows, run, "a", 1, "failed", 0, 10)
    attempt(rows, run, "a", 2, "lost", 12, 20)
    attempt(rows, run, "a", 3, "failed", 50, 60, by="y")
    rows.put("events", run_id=run, kind="run", at=0.0, data='{"status": "queued"}')
    rows.put("events", run_id=run, kind="run", at=80.0, data='{"status": "queued"}')  # resumed
    attempt(rows, run, "a", 4, "succeeded", 90, 100, by="y")
    assert spans(timeline.timeline(rows.ws, run), "a") == [
        ("run", 0, 10, "failed"), ("retry", 10, 12, ""), ("run", 12, 20, "lost"), ("queue", 20, 50, ""),
        ("run", 50, 60, "failed"), ("queue", 60, 90, ""), ("run", 90, 100, "succeeded"),
    ]  # fmt: skip


def test_a_clock_that_jumps_back_gives_no_negative_span(rows: Rows) -> None:
    run = rows.run(DIAMOND, created_at=100.0, ended_at=60.0)
    for i, (step, start, end) in enumerate([("a", 102, 105), ("b", 50, 40), ("c", 51, 55), ("d", 56, 60)]):
        step_row(rows, run, step, i, start, end)
        attempt(rows, run, step, 1, "succeeded", start, end)
    check(timeline.timeline(rows.ws, run), DIAMOND)


def test_a_run_that_goes_on_has_open_spans(rows: Rows) -> None:
    spec = WorkflowSpec("w", [StepSpec("a"), StepSpec("b", deps={"a": "a"}), StepSpec("c", deps={"b": "b"})])
    run = rows.run(spec, status="queued", created_at=10.0, started_at=None, ended_at=None)
    for i, name in enumerate("abc"):
        step_row(rows, run, name, i, None, None, status="pending", attempts=0)  # type: ignore[arg-type]
    found = timeline.timeline(rows.ws, run)
    assert spans(found, "a") == [("queue", 10, None, "")]
    assert (kinds(found, "b"), kinds(found, "c")) == ([], [])
    assert found.end is None
    check(found, spec)


@st.composite
def histories(draw: st.DrawFn) -> tuple[WorkflowSpec, list[dict[str, Any]]]:
    """A random graph, and for each step times that may make no sense at all."""
    n = draw(st.integers(1, 8))
    moment = st.floats(-50, 50, allow_nan=False)
    steps, said = [], []
    for i in range(n):
        before = draw(st.lists(st.sampled_from(range(i)), unique=True)) if i else []
        steps.append(StepSpec(f"s{i}", after=[f"s{k}" for k in before]))
        tries = draw(
            st.lists(st.tuples(moment, moment, st.sampled_from(["failed", "lost", "timeout"])), max_size=3)
        )
        said.append(
            {"tries": tries, "start": draw(moment), "end": draw(moment), "cached": draw(st.booleans())}
        )
    return WorkflowSpec("random", steps), said


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_any_graph_with_any_clock(drawn: tuple[WorkflowSpec, list[dict[str, Any]]]) -> None:
    spec, said = drawn
    with tempfile.TemporaryDirectory() as folder:
        rows = Rows(Workspace(Path(folder) / ".aios"))
        run = rows.run(spec, ended_at=max(s["end"] for s in said))
        for i, (step, s) in enumerate(zip(spec.steps, said, strict=True)):
            step_row(rows, run, step.name, i, s["start"], s["end"], cached=int(s["cached"]), cache_key="k")
            if s["cached"]:
                continue
            for n, (start, end, status) in enumerate(s["tries"], 1):
                attempt(rows, run, step.name, n, status, start, end)
            attempt(rows, run, step.name, len(s["tries"]) + 1, "succeeded", s["start"], s["end"])
        check(timeline.timeline(rows.ws, run), spec)
        rows.ws.close()


def check(found: Timeline, spec: WorkflowSpec) -> None:
    """What holds for every waterfall."""
    end = found.now if found.end is None else found.end
    assert end >= found.start
    for line in found.steps:
        for span in line.spans:
            assert span.end is None or span.start <= span.end <= end
        for one, two in zip(line.spans, line.spans[1:], strict=False):
            assert one.end is not None
            assert one.end <= two.start
        assert line.slack is None or line.slack >= 0
        assert line.critical == (line.step in found.critical_path)
    by_name = {s.step: s for s in found.steps}
    for one, two in zip(found.critical_path, found.critical_path[1:], strict=False):
        assert one in spec.step(two).upstream
    if found.critical_path:
        assert by_name[found.critical_path[-1]].slack == 0
        busy = sum(length(s, end) for n in found.critical_path for s in by_name[n].spans)
        if all(s.start >= found.start for line in found.steps for s in line.spans) and _forward(found, spec):
            assert busy <= end - found.start + 1e-6


def _forward(found: Timeline, spec: WorkflowSpec) -> bool:
    """True when no step began before what it waits for had ended: the clock did not jump."""
    ends = {s.step: s.spans[-1].end or found.now for s in found.steps if s.spans}
    return all(
        s.spans[0].start >= ends.get(u, found.start)
        for s in found.steps
        if s.spans
        for u in spec.step(s.step).upstream
    )


def test_the_engine_retries_waits_and_skips(wf: aios.Workflow) -> None:
    @wf.step(retries=1, backoff=0.01)
    def shaky() -> int:
        if aios.context().attempt == 1:
            raise ValueError("not yet")
        return 1

    @wf.gate
    def look(shaky: int) -> int:
        return shaky

    @wf.step(when=lambda shaky: shaky > 5)
    def rare(shaky: int) -> int:
        return shaky

    @wf.step(cache=True)
    def done(look: Any, part: int = 7) -> int:
        return part

    run = wf.run()
    assert run.wait(60, until="waiting") == "waiting"
    open_ = run.timeline()
    assert open_.end is None
    assert spans(open_, "look")[-1][0] == "wait"
    assert spans(open_, "look")[-1][2] is None
    assert run.overview().status == "waiting"
    run.approve("look")
    run.result(60)
    found = run.timeline()
    check(found, run.spec)
    assert [k for k in kinds(found, "shaky") if k != "queue"] == ["run", "retry", "run"]
    assert [s[3] for s in spans(found, "look") if s[0] == "wait"] == ["approved"]
    assert spans(found, "rare") == []
    assert "shaky" in found.critical_path
    again = run.rerun("done")
    again.result(60)
    assert spans(again.timeline(), "shaky") == []
    assert again.overview().saved_seconds is not None


def test_fallbacks_are_run_time_and_cancelled_runs_end(wf: aios.Workflow) -> None:
    def instead() -> int:
        time.sleep(0.02)
        return 2

    @wf.step(fallback=instead)
    def first() -> int:
        raise ValueError("no")

    @wf.gate
    def ask(first: int) -> int:
        return first

    @wf.step
    def last(ask: Any) -> int:
        return 1

    run = wf.run()
    run.wait(60, until="waiting")
    run.cancel()
    assert run.wait(60) == "cancelled"
    found = run.timeline()
    check(found, run.spec)
    assert [s[3] for s in spans(found, "first") if s[0] == "run"] == ["failed", "fallback"]
    assert found.end is not None
    assert all(s.end is not None for line in found.steps for s in line.spans)


KILLED = """
import sys, time
import aios_workbench as aios
wf = aios.Workflow("killed")
@wf.step
def quick():
    return 1
@wf.step
def slow(quick, gate: str):
    from pathlib import Path
    Path(gate + ".there").touch()
    while not Path(gate).exists():
        time.sleep(0.02)
    return 2
run = wf.run(gate=sys.argv[1])
print(run.id, flush=True)
time.sleep(60)
"""


@pytest.mark.alone
def test_a_killed_process_leaves_a_gap(ws: Workspace, tmp_path: Path) -> None:
    gate = tmp_path / "go"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(gate)], stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    end = time.monotonic() + 60
    told = (
        "select 1 from attempts a join runs r using (run_id) where run_id = :r and step = 'slow'"
        " and r.environment is not null"  # the catalog hears of both a moment later
    )
    while not ((tmp_path / "go.there").exists() and ws.catalog.one(told, r=run_id)):
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    gate.touch()
    run = aios.run(run_id)
    assert run.result(60) == 2
    found = run.timeline()
    check(found, run.spec)
    assert [s[3] for s in spans(found, "slow") if s[0] == "run"] == ["lost", "succeeded"]
    executors = [
        s.executor for line in found.steps for s in line.spans if line.step == "slow" and s.kind == "run"
    ]
    assert len(set(executors)) == 2
    assert kinds(found, "slow")[-2:] == ["queue", "run"]
    assert run.overview().adoptions == 1
    assert run.overview().environment is not None
