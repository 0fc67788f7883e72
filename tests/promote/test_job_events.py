from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from job_helpers import add_job, end_run, job_runs

from aios_workbench import govern, promote
from aios_workbench.errors import ParameterError
from aios_workbench.promote import JobSpec, claims
from aios_workbench.promote.events import since
from aios_workbench.promote.scheduler import Scheduler
from aios_workbench.promote.triggers import fire
from aios_workbench.promote.triggers.matching import Absent, choose, fits_name, same, value_at
from aios_workbench.workspace import Workspace, dumps

Write = Callable[..., Path]
T0 = 1_800_000_000.0
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "'; drop table jobs; --",
    "%(name)s :name ?",
    "{0.__class__}",
    "ä'\"\\",
]


def listens(ws: Workspace, event: str = "orders.ready", **options: Any) -> str:
    job = add_job(ws, None, T0, on_event=[{"event": event, **options.pop("trigger", {})}], **options)
    fire(ws, T0)  # from now on
    return job


def causes(ws: Workspace, job: str) -> list[str]:
    return sorted((r["cause"] for r in job_runs(ws, job)), key=lambda c: int(c.partition(":")[2]))


def test_an_event_starts_a_job_once(ws: Workspace) -> None:
    before = promote.emit(ws, "orders.ready", {"day": 1}, "ada")
    job = listens(ws, parameters={"n": 1})
    assert fire(ws, T0) == []
    assert job_runs(ws, job) == []  # told before it listened
    seq = promote.emit(ws, "orders.ready", {"day": 2}, "ada")
    promote.emit(ws, "orders.late", {"day": 2}, "ada")
    (run,) = fire(ws, T0 + 1)
    assert fire(ws, T0 + 2) == []
    (row,) = job_runs(ws, job)
    assert (row["job_run_id"], row["cause"], row["trigger"], row["status"], row["tick_at"], row["params"]) == (
        run, f"event:{seq}", "event", "queued", None, '{"n":1}',
    )  # fmt: skip
    events = promote.list_events(ws)
    assert [(e["name"], e["data"], e["by"], e["started"]) for e in events] == [
        ("orders.late", {"day": 2}, "ada", []), ("orders.ready", {"day": 2}, "ada", [run]),
        ("orders.ready", {"day": 1}, "ada", []),
    ]  # fmt: skip
    assert [e["seq"] for e in promote.list_events(ws, 1, "orders.r*")] == [seq]
    assert [e["seq"] for e in promote.list_events(ws, 5, "orders.ready")] == [seq, before]


def test_the_scheduler_fires(ws: Workspace) -> None:
    job = listens(ws)
    promote.emit(ws, "orders.ready", None, "ada")
    Scheduler(ws, "worker-1", slots=0, clock=lambda: T0, alive=lambda _: True).step(T0)
    assert len(job_runs(ws, job)) == 1


def test_a_key_is_told_once(ws: Workspace) -> None:
    job = listens(ws, overlap="queue")
    first = promote.emit(ws, "orders.ready", {"n": 1}, "ada", key="a")
    assert promote.emit(ws, "orders.ready", {"n": 2}, "bob", key="a") == first
    assert promote.emit(ws, "orders.ready", {"n": 2}, "bob", key="b") != first
    assert promote.emit(ws, "orders.other", {}, "bob", key="a") != first
    fire(ws, T0)
    assert len(job_runs(ws, job)) == 2
    told = ws.catalog.query("select actor, subject from audit where action = 'event.emit' order by seq")
    assert [(r["actor"], r["subject"]) for r in told] == [
        ("ada", "orders.ready"), ("bob", "orders.ready"), ("bob", "orders.other"),
    ]  # fmt: skip
    assert govern.verify(ws) is None


def test_two_workers_see_the_same_events(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """One reads the events, then the other one is first: what it read starts nothing a second time."""
    job = listens(ws, overlap="queue")
    for n in range(5):
        promote.emit(ws, "orders.ready", {"n": n}, "ada")
    from aios_workbench.promote.triggers import firing

    real, inner = firing.since, []

    def slow(*args: Any) -> Any:
        found = real(*args)
        if not inner:
            inner.append(1)
            inner.append(fire(ws, T0))
        return found

    monkeypatch.setattr(firing, "since", slow)
    assert fire(ws, T0) == []
    assert len(inner[1]) == 5
    assert len(set(causes(ws, job))) == 5
    # nor when the job is led to believe that it has heard of nothing yet
    ws.catalog.write("update job_sources set seen = '0'")
    assert fire(ws, T0) == []
    assert len(job_runs(ws, job)) == 5


def test_more_events_than_a_page(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aios_workbench.promote.triggers.firing._PAGE", 3)
    every, some = listens(ws, "*", overlap="queue"), listens(ws, "b", overlap="queue")
    seqs = [promote.emit(ws, "ab"[n % 2], {}, "ada") for n in range(10)]
    assert len(fire(ws, T0)) == 15
    assert causes(ws, every) == [f"event:{s}" for s in seqs]
    assert causes(ws, some) == [f"event:{s}" for s in seqs[1::2]]


def test_overlap_holds_for_events(ws: Workspace) -> None:
    job = listens(ws)
    promote.emit(ws, "orders.ready", {}, "ada")
    promote.emit(ws, "orders.ready", {}, "ada")
    fire(ws, T0)
    assert sorted(r["status"] for r in job_runs(ws, job)) == ["queued", "skipped"]


def test_paused_jobs_hear_nothing(ws: Workspace) -> None:
    job = listens(ws)
    promote.emit(ws, "orders.ready", {}, "ada")
    fire(ws, T0)
    promote.pause(ws, job, "ada")
    (row,) = job_runs(ws, job)
    assert row["status"] == "skipped"  # it had not begun
    promote.emit(ws, "orders.ready", {}, "ada")
    fire(ws, T0)
    promote.emit(ws, "orders.ready", {}, "ada")
    promote.resume(ws, job, "ada", now=T0)
    assert fire(ws, T0) == []
    seq = promote.emit(ws, "orders.ready", {}, "ada")
    assert len(fire(ws, T0)) == 1
    assert causes(ws, job)[-1] == f"event:{seq}"


def test_promoting_a_fix_loses_no_event(ws: Workspace, write: Write) -> None:
    def promoted(source: str, *events: str) -> str:
        book = write("nb.ipynb", source)
        spec = JobSpec(name="load", notebook="-", overlap="queue", on_event=[{"event": e} for e in events])
        return promote.promote(ws, book, spec, "ada").job_id

    promote.emit(ws, "a", {}, "ada")
    job = promoted("1", "a")
    first = promote.emit(ws, "a", {}, "ada")  # no worker lives
    promoted("2", "a")
    fire(ws, T0)
    assert causes(ws, job) == [f"event:{first}"]
    assert job_runs(ws, job)[0]["version"] == 2
    promote.emit(ws, "b", {}, "ada")
    promoted("2", "a", "b")
    assert fire(ws, T0) == []  # nobody listened for it when it was told
    promote.emit(ws, "b", {}, "ada")
    assert len(fire(ws, T0)) == 1
    promoted("2")
    assert ws.catalog.query("select * from job_sources") == []
    promote.emit(ws, "b", {}, "ada")
    promoted("2", "b")
    assert fire(ws, T0) == []
    promote.remove(ws, "load", "ada")
    assert ws.catalog.query("select * from job_sources") == []


def test_parameters_come_from_the_event(ws: Workspace, write: Write) -> None:
    book = write("nb.ipynb", "print(path, limit)", parameters="path: str = 'x'\nlimit: int = 5")
    takes = {"path": "file.path", "limit": "rows.0"}
    spec = JobSpec(
        name="load", notebook="-", overlap="queue", alerts=["json://localhost"], parameters={"limit": 7},
        on_event=[{"event": "file", "parameters": takes, "where": {"file.kind": "csv"}},
                  {"event": "file", "parameters": {"path": "file.path"}}],
    )  # fmt: skip
    job = promote.promote(ws, book, spec, "ada").job_id
    hostile = '"; import os; os.system("touch /tmp/pwned") #\n{{ limit }}'
    promote.emit(ws, "file", {"file": {"kind": "csv", "path": hostile}, "rows": ["12"]}, "ada")
    promote.emit(ws, "file", {"file": {"kind": "json", "path": "b"}}, "ada")
    promote.emit(ws, "file", {"file": {"kind": "csv", "path": "c"}, "rows": ["many"]}, "ada")
    promote.emit(ws, "file", {"file": {"kind": "csv", "path": "c"}}, "ada")
    promote.emit(ws, "file", {"file": {"path": 3}}, "ada")
    last = promote.emit(ws, "file", {"file": {"kind": "csv", "path": "d"}, "rows": [4]}, "ada")
    fire(ws, T0)
    by_cause = {r["cause"]: r for r in job_runs(ws, job)}
    rows = [by_cause[c] for c in causes(ws, job)]
    assert [r["status"] for r in rows] == ["queued", "queued", "failed", "failed", "failed", "queued"]
    assert [json.loads(r["params"]) for r in rows if r["status"] == "queued"] == [
        {"path": hostile, "limit": 12}, {"path": "b", "limit": 7}, {"path": "d", "limit": 4},
    ]  # fmt: skip
    reasons = [r["reason"] for r in reversed(promote.history(ws, job)) if r["status"] == "failed"]
    assert sum("must be int, not str 'many'" in r for r in reasons) == 1
    assert (
        sum("it has no value at 'rows.0' for the parameter 'limit'; it has: file" in r for r in reasons) == 1
    )
    assert sum("'path' (cell 1, line 1) must be str, not int 3" in r for r in reasons) == 1
    assert rows[-1]["cause"] == f"event:{last}"  # nothing is stuck
    assert len(ws.catalog.query("select * from job_alerts where kind = 'failed'")) == 3


def test_a_notebook_that_is_gone_stops_nothing(ws: Workspace) -> None:
    job = listens(ws, trigger={"parameters": {"n": "n"}})
    promote.emit(ws, "orders.ready", {"n": 1}, "ada")
    fire(ws, T0)
    promote.emit(ws, "orders.ready", {"n": 1}, "ada")
    fire(ws, T0)
    assert [r["status"] for r in job_runs(ws, job)] == ["failed", "failed"]
    assert all(promote.history(ws, job)[n]["reason"].startswith("event orders.ready") for n in (0, 1))


def test_the_workbench_tells_of_drift_and_of_runs(ws: Workspace) -> None:
    drift = listens(ws, "drift.alert", trigger={"where": {"monitor": "claims"}})
    failed = listens(ws, "run.failed", trigger={"where": {"workflow": "triage"}})
    ended = listens(ws, "run.*", overlap="queue")
    own = add_job(ws, None, T0, on_event=[{"event": "run.*"}])
    fire(ws, T0)
    from aios_workbench.engine.records import tell_run

    def run(run_id: str, workflow: str, status: str, job_run: str | None = None) -> None:
        ws.catalog.write(
            "insert into runs (run_id, workflow, status, spec_hash, created_at, job_run_id) values (:r, :w, 'running', "
            "'-', :now, :j)", r=run_id, w=workflow, now=T0, j=job_run,
        )  # fmt: skip
        for _ in range(2):  # by the one that adopts it, too
            tell_run(
                ws.catalog, run_id, status, {"type": "Boom", "message": "m"} if status == "failed" else None
            )

    run("r1", "triage", "succeeded")
    run("r2", "other", "failed")
    run("r3", "triage", "failed", end_run(ws, own))
    run("r4", "triage", "cancelled")
    for monitor in ("claims", "other"):
        alert = dumps({"monitor": monitor, "window": "w", "message": "m"})
        ws.catalog.write(
            "insert into events (kind, at, data) values ('drift.alert', :now, :d)", now=T0, d=alert
        )
    ws.catalog.event("run", "r9", status="failed")  # what a screen is told starts nothing
    ws.catalog.flush()
    fire(ws, T0)
    names = {e["seq"]: (e["name"], e["data"].get("run_id")) for e in promote.list_events(ws)}
    started = {j: [names[int(c.partition(":")[2])] for c in causes(ws, j)] for j in (drift, failed, ended)}
    assert started == {
        drift: [("drift.alert", None)],
        failed: [("run.failed", "r3")],
        ended: [("run.succeeded", "r1"), ("run.failed", "r2"), ("run.failed", "r3")],
    }
    # not by its own runs, or it would go on for ever
    mine = [names[int(c.partition(":")[2])][1] for r in job_runs(ws, own) if (c := r["cause"])]
    assert "r3" not in mine
    assert "r1" in mine


def test_from_a_notebook(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    import aios_workbench as aios

    monkeypatch.setenv("AIOS_HOME", str(ws.root))
    monkeypatch.setenv("AIOS_USER", "grace")
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    job = listens(ws)
    seq = aios.emit("orders.ready", {"n": 1}, key="a")
    assert aios.emit("orders.ready", key="a") == seq
    assert len(fire(ws, T0)) == 1
    assert causes(ws, job) == [f"event:{seq}"]
    (event,) = promote.list_events(ws)
    assert (event["by"], event["data"]) == ("grace", {"n": 1})
    with pytest.raises(ParameterError, match="named values"):
        aios.emit("orders.ready", [1])  # type: ignore[arg-type]


def test_a_job_does_not_start_itself(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    job, other = listens(ws), listens(ws)
    monkeypatch.setenv("AIOS_JOB_RUN", end_run(ws, job))
    promote.emit(ws, "orders.ready", {}, "ada")
    fire(ws, T0)
    assert [r["cause"] for r in job_runs(ws, job) if r["cause"]] == []
    assert len(job_runs(ws, other)) == 1


def test_jobs_that_start_each_other_come_to_an_end(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two jobs, each told of by the other: no promotion can see that, so the chain is cut."""
    monkeypatch.setattr("aios_workbench.promote.triggers.chains.LONGEST", 6)
    jobs = {name: listens(ws, name, overlap="queue") for name in ("ping", "pong")}
    other = add_job(ws, None, T0, after=[{"job": jobs["ping"]}], overlap="queue")
    fire(ws, T0)
    promote.emit(ws, "ping", {}, "ada")
    ran: list[str] = []
    for _ in range(20):
        fire(ws, T0)
        while (run := claims.take(ws, "worker-1", T0)) is not None:
            ran.append(run["job_id"])
            if run["job_id"] != other:
                with monkeypatch.context() as kernel:
                    kernel.setenv("AIOS_JOB_RUN", run["job_run_id"])
                    promote.emit(ws, "pong" if run["job_id"] == jobs["ping"] else "ping", {}, "ada")
            claims.finish(ws, run, "succeeded", None, T0)
    assert [ran.count(jobs[name]) for name in ("ping", "pong")] == [3, 3]
    (cut,) = [r for r in job_runs(ws, jobs["ping"]) if r["status"] == "skipped"]
    assert "a chain of" in cut["error"]
    assert ran.count(other) == 3
    promote.emit(ws, "ping", {}, "ada")  # a person begins anew
    assert len(fire(ws, T0)) == 1
    assert claims.take(ws, "worker-1", T0) is not None


def test_a_clock_that_jumps_changes_nothing(ws: Workspace) -> None:
    job = listens(ws, overlap="queue")
    for n, now in enumerate((T0 + 1e6, T0 - 1e6, T0, T0 + 1e9)):
        promote.emit(ws, "orders.ready", {"n": n}, "ada")
        assert len(fire(ws, now)) == 1
        assert fire(ws, now) == []
    assert len(job_runs(ws, job)) == 4


def test_a_spec_nobody_can_read_stops_its_own_job_only(ws: Workspace) -> None:
    broken, sound = listens(ws), listens(ws)
    ws.catalog.write("update jobs set spec = '{\"name\": 5}' where job_id = :id", id=broken)
    promote.emit(ws, "orders.ready", {}, "ada")
    assert len(fire(ws, T0)) == 1
    assert len(job_runs(ws, sound)) == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_and_data_are_data(ws: Workspace, text: str) -> None:
    job = add_job(
        ws, None, T0, on_event=[{"event": text, "where": {text: text, "deep": {"a\u0000": [text]}}}]
    )
    fire(ws, T0)
    data = {text: text, "deep": {"a\u0000": [text]}, "lone": "\ud800", "nul": "\u0000"}
    promote.emit(ws, text, data, text, key=text)
    (event,) = promote.list_events(ws)
    assert (event["name"], event["data"], event["by"], event["key"]) == (text, data, text, text)
    assert len(fire(ws, T0)) == 1
    assert len(job_runs(ws, job)) == 1
    assert promote.get(ws, job)


@pytest.mark.parametrize(
    ("name", "data", "key", "says"),
    [
        ("", {}, None, "printable"), ("a\nb", {}, None, "printable"), (" a", {}, None, "no space at either end"),
        ("a" * 201, {}, None, "201 characters"), ("a\u0000", {}, None, "printable"), (5, {}, None, "printable"),
        ("run.failed", {}, None, "only the workbench"), ("drift.alert", {}, None, "only the workbench"),
        ("job.ended", {}, None, "only the workbench"),
        ("a", [1], None, "named values"), ("a", {"x": float("nan")}, None, "not JSON"),
        ("a", {"x": object()}, None, "not JSON"), ("a", {"x": "y" * 70_000}, None, "at most 65,536"),
        ("a", {}, "k\n", "key"), ("a", {}, "", "key"),
        ("a", json.loads("{\"a\":" * 60 + "1" + "}" * 60), None, "deeper"),
    ],
)  # fmt: skip
def test_refused(ws: Workspace, name: Any, data: Any, key: Any, says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        promote.emit(ws, name, data, "ada", key=key)
    assert promote.list_events(ws) == []


def test_circular_data_is_refused(ws: Workspace) -> None:
    data: dict[str, Any] = {}
    data["again"] = data
    with pytest.raises(ParameterError, match="not JSON"):
        promote.emit(ws, "a", data, "ada")


def test_a_full_disk_loses_nothing(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be stored is not half stored: the event waits, and starts the job once when there is room."""
    from aios_workbench.errors import WorkspaceError
    from aios_workbench.promote.triggers import firing

    job, other = listens(ws), listens(ws)
    promote.emit(ws, "orders.ready", {}, "ada")
    real, calls = firing.admit, []

    def full(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == 2:
            raise WorkspaceError("database or disk is full; free some disk space")
        return real(*args)

    monkeypatch.setattr(firing, "admit", full)
    with pytest.raises(WorkspaceError, match="disk is full"):
        fire(ws, T0)
    assert job_runs(ws, job) == job_runs(ws, other) == []
    assert len(fire(ws, T0)) == 2


def test_gc_takes_what_was_heard(ws: Workspace) -> None:
    from aios_workbench.workspace import gc

    job = listens(ws, overlap="queue")
    heard = promote.emit(ws, "orders.ready", {}, "ada", key="a")
    fire(ws, T0)
    seq = promote.emit(ws, "orders.ready", {}, "ada")
    ws.catalog.event("job.run", status="queued")
    ws.catalog.flush()
    gc._delete_loose_rows(ws, T0 + 1e9)
    assert [e["seq"] for e in promote.list_events(ws)] == [seq]
    assert len(ws.catalog.query("select * from events")) == 1
    fire(ws, T0)
    assert causes(ws, job) == [f"event:{heard}", f"event:{seq}"]
    gc._delete_loose_rows(ws, T0 + 1e9)
    assert promote.list_events(ws) == []
    assert promote.emit(ws, "orders.ready", {}, "ada", key="a") == heard  # a key is kept for good
    assert promote.emit(ws, "orders.ready", {}, "ada") > seq
    assert len(fire(ws, T0)) == 1


def test_numbers_only_grow(ws: Workspace) -> None:
    seqs = [promote.emit(ws, "a", {}, "ada") for _ in range(3)]
    assert [e.seq for e in since(ws, seqs[0], 10)] == seqs[1:]
    assert claims.claim_ticks(ws, T0) == []


# ---------------------------------------------------------------- matching


@given(pattern=st.text("ab*", max_size=12), name=st.text("ab", max_size=12))
@settings(max_examples=300, deadline=None)
def test_stars_are_as_in_regular_expressions(pattern: str, name: str) -> None:
    import re

    expression = ".*".join(re.escape(part) for part in pattern.split("*"))
    assert fits_name(pattern, name) == bool(re.fullmatch(expression, name, re.DOTALL))


def test_many_stars_take_no_time() -> None:
    assert not fits_name("a*" * 100 + "b", "a" * 200)
    assert fits_name("[a]?", "[a]?")
    assert not fits_name("[a]", "a")


def test_values_at_paths() -> None:
    data = {"a": {"b": [{"c": 1}, 2]}, "a.b": 3, "x.y": {"z": 4}, "n": None}
    assert value_at(data, "a.b.0.c") == 1
    assert value_at(data, "a.b") == 3
    assert value_at(data, "x.y.z") == 4
    assert value_at(data, "n") is None
    for path in ("", "a.c", "a.b.7", "a.b.-1", "a.b.0.c.d", "n.x", "a.b.²", "x", "a." + "9" * 99):
        with pytest.raises(Absent):
            value_at(data, path)


@pytest.mark.parametrize(
    ("expected", "found", "answer"),
    [(1, 1.0, True), (1, True, False), (False, 0, False), (None, None, True), ("1", 1, False),
     ({"a": [1]}, {"a": [1]}, True),
     ({"a": [True]}, {"a": [1]}, False), ([1], [1, 2], False), ({"a": 1}, {"a": 1, "b": 2}, False)],
)  # fmt: skip
def test_same_values(expected: Any, found: Any, answer: bool) -> None:
    assert same(expected, found) is answer


def test_the_first_trigger_that_fits() -> None:
    spec = JobSpec(
        name="j", notebook="-",
        on_event=[{"event": "a.*", "where": {"n": 1, "kind": "x"}}, {"event": "a.b"},
                  {"event": "*", "where": {"m": 1}}],
    )  # fmt: skip
    assert choose(spec.on_event, "a.b", {"n": 1, "kind": "x"}) is spec.on_event[0]
    assert choose(spec.on_event, "a.b", {"n": 1}) is spec.on_event[1]
    assert choose(spec.on_event, "c", {"m": 1}) is spec.on_event[2]
    assert choose(spec.on_event, "c", {"m": True}) is None
