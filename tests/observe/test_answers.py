"""Overview, events, lineage, diff and history of real runs; every answer's code gives the same answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import aios_workbench as aios
from aios_workbench.errors import NotFoundError
from aios_workbench.observe import diff, events, history, lineage, overview, timeline
from aios_workbench.observe.history import quantile, trend
from aios_workbench.workflow import StepSpec, WorkflowSpec

if TYPE_CHECKING:
    from observed import Rows

    from aios_workbench.workspace import Workspace

ERROR = '{"step": "b", "type": "E", "message": "m"}'
EVIL = "<img src=x onerror=alert(1)> '\"`$(x) \u202e%s"


@pytest.fixture
def frames(wf: aios.Workflow) -> aios.Workflow:
    @wf.step(cache=True)
    def frame(n: int = 100) -> Any:
        import numpy as np
        import pandas as pd

        draw = np.random.default_rng(0)
        return pd.DataFrame({EVIL: draw.normal(n, 1, 200), "same": range(200), "word": ["a", "b"] * 100})

    @wf.step(cache=True)
    def facts(n: int = 100) -> Any:
        return {"n": n}

    @wf.step(name=EVIL)
    def last(frame: Any, facts: Any) -> int:
        print(EVIL)
        return len(frame) + facts["n"]

    return wf


def ran(wf: aios.Workflow, **params: Any) -> Any:
    run = wf.run(**params)
    run.result(60)
    return run


def steps(found: Any) -> dict[str, Any]:
    return {s.step: s for s in found.steps}


def test_two_runs_with_another_parameter(frames: aios.Workflow, ws: Workspace) -> None:
    a, b = ran(frames), ran(frames, n=103)
    found = a.diff(b)
    by = steps(found)
    assert [(p.name, p.change, p.a, p.b) for p in found.params] == [("n", "changed", "100", "103")]
    assert by["frame"].why == ["parameter 'n' changed"]
    assert by[EVIL].why == [
        f"input '{x}' changed: step '{x}' gave another output" for x in ("frame", "facts")
    ]
    assert (by["frame"].rows_a, by["frame"].output, found.identical) == (200, True, False)
    close = a.diff(b.id, step="frame")
    distance = {c.name: c.distance for c in close.output.columns}
    assert distance["same"] == distance["word"] == 0
    assert distance[EVIL] > 0.8
    assert {c.name: c.change for c in close.output.columns} == {
        EVIL: "changed",
        "same": "same",
        "word": "same",
    }
    text = a.diff(b, step="facts").output
    assert (json.loads(text.text_a), json.loads(text.text_b)) == ({"n": 100}, {"n": 103})


def test_changed_code_cache_rerun_and_policy(frames: aios.Workflow) -> None:
    a = ran(frames)

    @frames.step(name=EVIL, retries=2, cache=True)
    def last(frame: Any, facts: Any) -> int:
        return len(frame) * 2 + facts["n"]

    b = ran(frames)
    by = steps(a.diff(b))
    assert by["frame"].why == [f"not run: same code and inputs as in run {a.id}, answered from the cache"]
    assert (by[EVIL].why, by[EVIL].code, by[EVIL].policy) == (["its code changed"], True, True)
    close = a.diff(b, step=EVIL)
    assert "+    return len(frame) * 2" in close.code_diff
    assert {p.name for p in close.policy if p.change == "changed"} == {"retries", "cache"}
    c = b.rerun(EVIL)
    c.result(60)
    by = steps(b.diff(c))
    assert by["frame"].why == [f"not run: taken over from run {b.id}"]
    assert by[EVIL].cached_b  # a rerun asks the cache too
    assert b.diff(c).identical
    assert by["frame"].duration_b is None


def test_why_without_a_difference(wf: aios.Workflow) -> None:
    @wf.step
    def plain() -> int:
        return 1

    @wf.step(cache=True)
    def kept(plain: int) -> int:
        return plain + 41_000_000

    a, b = ran(wf), ran(wf)
    assert steps(a.diff(b))["plain"].why == ["its cache is off"]
    store = wf.runs(1)[0].workspace.artifacts
    c = a.rerun("plain")
    c.result(60)
    assert steps(a.diff(c))["plain"].why == ["a rerun from 'plain' was asked for"]
    row = next(
        r for r in aios.sql(f"select output from steps where run_id = '{a.id}' and step = 'kept'")["output"]
    )
    artifact = store.find(row)
    store.path(artifact).unlink()
    store._cache.clear()
    d = ran(wf)
    assert steps(a.diff(d))["kept"].cached_b is False

    @wf.step
    def more() -> int:
        return 1

    e = ran(wf)
    by = steps(a.diff(e))
    assert by["more"].change == "added"
    assert by["more"].why == [f"the step is new: run {a.id} has none of that name"]
    assert steps(e.diff(a))["more"].change == "removed"
    assert e.diff(a, step="more").change == "removed"


def test_a_failed_step_is_run_again_and_the_rest_was_not(wf: aios.Workflow) -> None:
    @wf.step
    def shaky(ok: bool = False) -> int:
        import sys

        if not getattr(sys, "aios_ok", False):
            raise ValueError("no")
        return 1

    @wf.step
    def after(shaky: int) -> int:
        return shaky

    import sys

    sys.aios_ok = False  # type: ignore[attr-defined]
    a = wf.run()
    assert a.wait(60) == "failed"
    assert a.overview().error == "step 'shaky': ValueError: no"
    sys.aios_ok = True  # type: ignore[attr-defined]
    b = ran(wf)
    by = steps(a.diff(b))
    assert by["shaky"].why == [f"it had not succeeded in run {a.id}: it is failed"]
    assert steps(b.diff(a))["after"].why == ["not run: 'shaky' failed"]
    found = wf.history()
    assert found.success_rate == 0.5
    assert steps(found)["shaky"].flaky_rate == 0.5
    assert [r.failed_step for r in found.runs] == [None, "shaky"]


def test_lineage_crosses_runs_where_outputs_were_reused(frames: aios.Workflow) -> None:
    a = ran(frames, n=31)  # nobody else's, or the cache would lead there
    b = ran(frames, n=31)  # frame and facts from the cache
    c = b.rerun(EVIL)  # both taken over
    c.result(60)
    made = f"{a.id}/frame"
    for run in (a, b, c):
        found = run.lineage(EVIL)
        assert found.focus == f"{run.id}/{EVIL}"
        assert made in found.up
        assert f"{a.id}?n" in found.up
    found = c.lineage("frame")
    assert found.focus == made
    assert set(found.down) == {f"{run.id}/{EVIL}" for run in (a, b, c)}
    assert not found.truncated
    assert all(n.exists for n in found.nodes)
    leaf = next(n for n in found.nodes if n.parameter)
    assert (leaf.parameter, leaf.type) == ("n", "int")


def test_equal_values_are_not_related(wf: aios.Workflow) -> None:
    @wf.step
    def one() -> int:
        return 777

    @wf.step
    def two() -> int:
        return 777

    @wf.step
    def end(one: int) -> int:
        return one

    a, b = ran(wf), ran(wf)
    assert a.lineage("two").down == []
    assert a.lineage("one").down == [f"{a.id}/end"]
    assert b.lineage("end").up == [f"{b.id}/one"]


def test_lineage_is_bounded(wf: aios.Workflow) -> None:
    for i in range(6):
        source = f"def s{i}({f's{i - 1}' if i else ''}): return {i}"
        space: dict[str, Any] = {}
        exec(source, space)
        wf.step(space[f"s{i}"])
    run = ran(wf)
    found = run.lineage("s5", depth=2)
    assert (found.up, found.truncated) == ([f"{run.id}/s4", f"{run.id}/s3"], True)
    assert not run.lineage("s5").truncated


def test_events_in_words_and_pages(frames: aios.Workflow) -> None:
    run = ran(frames)
    found = run.events()
    told = [e.text for e in found.events]
    assert told[0] == "the run was queued"
    assert told[-1] == "the run succeeded"
    assert f"step '{EVIL}' started" in told
    assert "log" not in {e.kind for e in found.events}
    first = run.events(limit=2)
    assert (len(first.events), first.more) == (2, True)
    rest = run.events(after=first.events[-1].seq)
    assert [e.seq for e in (*first.events, *rest.events)] == [e.seq for e in found.events]


@pytest.mark.parametrize(("kind", "data", "text"), [
    ("run", {"status": "failed", "error": {"step": "s", "type": "E", "message": "m"}},
     "the run failed at step 's': E: m"),
    ("run", {"status": "strange"}, "the run is strange"),
    ("step", {"status": "running", "attempts": 3}, "step 's': attempt 3 started"),
    ("step", {"status": "succeeded", "cached": True}, "step 's' was answered from the cache"),
    ("step", {"status": "skipped", "message": "why"}, "step 's' was skipped: why"),
    ("gate", {"status": "rejected", "by": "ada"}, "gate 's' was rejected by ada"),
    ("progress", {"progress": 0.4, "message": "half"}, "step 's': 40%, half"),
    ("metric", {"name": "n", "value": 1234.5, "unit": "EUR"}, "step 's' reported n = 1,234.5 EUR"),
    ("new kind", {}, "new kind of 's'"),
])  # fmt: skip
def test_event_words(kind: str, data: dict[str, Any], text: str) -> None:
    assert events.text(kind, "s", data) == text


def test_every_answers_code_gives_it_again(frames: aios.Workflow) -> None:
    a, b = ran(frames), ran(frames, n=5)
    answers = [
        a.overview(), a.timeline(), a.lineage(EVIL), a.diff(b), a.diff(b, step=EVIL), frames.history(),
        aios.history(frames.name, limit=1), aios.history(frames.name, before=b.row["created_at"]),
    ]  # fmt: skip
    for answer in answers:
        again = eval(answer.code, {"aios": aios})
        assert again.model_dump(exclude={"now"}) == answer.model_dump(exclude={"now"})
        assert again.code == answer.code


def test_answers_print_and_become_frames(frames: aios.Workflow) -> None:
    a, b = ran(frames), ran(frames, n=5)
    for answer in (a.overview(), a.timeline(), a.events(), a.lineage(EVIL), a.diff(b), a.diff(b, step="frame"),
                   frames.history()):  # fmt: skip
        said = repr(answer)
        assert said == str(answer)
        assert "\u202e" not in said  # nothing in a name reorders the terminal
        assert len(answer.to_frame()) > 0
    assert "█" in repr(a.timeline())


def test_what_does_not_exist(frames: aios.Workflow, ws: Workspace) -> None:
    run = ran(frames)
    for ask in (overview.overview, timeline.timeline, events.events):
        with pytest.raises(NotFoundError, match=r"did you mean .*`aios runs`"):
            ask(ws, run.id[:-1] + "_")
    with pytest.raises(NotFoundError, match="did you mean 'frame'"):
        lineage.lineage(ws, run.id, "frme")
    with pytest.raises(NotFoundError, match="has no step"):
        diff.diff_steps(ws, run.id, run.id, "nothing like it")
    with pytest.raises(NotFoundError, match="aios runs"):
        diff.diff_runs(ws, run.id, "nothing like it")
    with pytest.raises(NotFoundError, match="no run of a workflow"):
        history.history(ws, "nothing like it")


def test_history_pages_and_sums_up(rows: Rows) -> None:
    spec = WorkflowSpec("w", [StepSpec("a"), StepSpec("b", deps={"a": "a"})])
    for i in range(30):
        ok, status = i % 10 != 3, "failed" if i % 10 == 3 else "succeeded"
        run = rows.run(spec, status=status, created_at=float(i), started_at=float(i),
                       ended_at=i + 10.0 + i, error=None if ok else ERROR)  # fmt: skip
        for k, name in enumerate("ab"):
            rows.put("steps", run_id=run, step=name, position=k, kind="step", status=status if k else "succeeded",
                     started_at=0, ended_at=1 + 2 * k, attempts=1 + (i % 5 == 0), cached=int(name == "a" and i > 14),
                     code_hash="c", cache_key="k")  # fmt: skip
            if i % 5 == 0:
                rows.put(
                    "attempts", run_id=run, step=name, attempt=1, status="failed", started_at=0, executor="x"
                )
    found = history.history(rows.ws, "w", limit=10)
    assert (found.total, found.more, [r.run_id for r in found.runs][:2]) == (30, True, ["row-30", "row-29"])
    assert found.success_rate == pytest.approx(27 / 30)
    assert found.trend == pytest.approx(10 / 9)  # over those that succeeded
    a, b = found.steps
    assert (a.step, a.runs, a.cache_rate, a.p50) == ("a", 15, 0.5, 1.0)
    assert (b.runs, b.failures, b.retries, b.p95) == (30, 3, 6, 3.0)
    assert a.durations == [None] * 10
    assert b.durations == [3.0] * 10
    assert a.share == pytest.approx(15 / 105)
    assert b.flaky_rate == pytest.approx(
        9 / 30
    )  # six retries, three failures the same code and inputs got over
    older = history.history(rows.ws, "w", limit=100, before=found.runs[-1].created_at)
    assert [r.run_id for r in older.runs] == [f"row-{n}" for n in range(20, 0, -1)]
    assert not older.more


def test_robust_figures() -> None:
    assert trend([1, 1, 1, 1, 500]) == 0
    assert trend([5, 4, 3, 2, 1]) == -1
    assert quantile([3.0], 0.95) == 3.0


def test_an_interrupted_run_and_a_catalog_without_environments(rows: Rows) -> None:
    spec = WorkflowSpec("w", [StepSpec("a"), StepSpec("b", deps={"a": "a"})])
    run = rows.run(
        spec, status="running", created_at=5.0, started_at=6.0, ended_at=None, owner="kernel-1-gone"
    )
    rows.put(
        "steps", run_id=run, step="a", position=0, kind="step", status="running", attempts=1, started_at=7.0
    )
    rows.put("steps", run_id=run, step="b", position=1, kind="step", status="pending")
    rows.put(
        "attempts",
        run_id=run,
        step="a",
        attempt=1,
        status="running",
        started_at=7.0,
        executor="kernel-1-gone",
    )
    found = overview.overview(rows.ws, run)
    assert (found.status, found.environment, found.ended_at) == ("interrupted", None, None)
    line = timeline.timeline(rows.ws, run)
    assert [(s.kind, s.status) for s in line.steps[0].spans] == [
        ("queue", ""),
        ("run", "lost"),
        ("queue", ""),
    ]
    assert history.history(rows.ws, "w").runs[0].status == "interrupted"
