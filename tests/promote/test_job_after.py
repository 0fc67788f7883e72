from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from job_helpers import add_job, end_run, job_runs

from aios_workbench import promote
from aios_workbench.errors import JobError
from aios_workbench.promote import JobSpec, claims
from aios_workbench.promote.health import health
from aios_workbench.promote.triggers import dependents, describe, fire, problems
from aios_workbench.workspace import Workspace

Write = Callable[..., Path]
T0 = 1_800_000_000.0


def follows(ws: Workspace, *others: dict[str, str], **options: Any) -> str:
    job = add_job(ws, None, T0, after=list(others), overlap="queue", **options)
    fire(ws, T0)
    return job


def started(ws: Workspace, job: str) -> list[str]:
    return sorted(r["cause"].partition(":")[2] for r in job_runs(ws, job))


def test_after_another_job(ws: Workspace) -> None:
    first = add_job(ws, None, T0)
    good, bad, both = (follows(ws, {"job": first, "on": on}) for on in ("succeeded", "failed", "ended"))
    ends = [end_run(ws, first, s) for s in ("succeeded", "failed", "timeout", "cancelled", "succeeded")]
    assert len(fire(ws, T0)) == 2 + 2 + 5
    assert fire(ws, T0) == []
    assert started(ws, good) == sorted([ends[0], ends[4]])
    assert started(ws, bad) == sorted(ends[1:3])
    assert started(ws, both) == sorted(ends)
    assert {r["trigger"] for r in job_runs(ws, both)} == {"after"}


def test_what_is_no_run_of_the_job_starts_nothing(ws: Workspace) -> None:
    """A backfill, a version in the shadow, a run that is tried again, one that was skipped or never began."""
    first = add_job(ws, "0 * * * *", T0, retries=1)
    job = follows(ws, {"job": first, "on": "ended"})
    end_run(ws, first, backfill_id="bf-1")
    end_run(ws, first, role="shadow")
    claims.claim_ticks(ws, T0 + 3600)
    run = claims.take(ws, "worker-1", T0 + 3600)
    assert run is not None
    claims.claim_ticks(ws, T0 + 7200)  # skipped: overlap
    assert claims.finish(ws, run, "failed", {"type": "E"}, T0 + 7200) == "queued"
    waiting = promote.history(ws, first)
    assert {r["status"] for r in waiting} == {"queued", "skipped", "succeeded"}
    assert fire(ws, T0 + 7200) == []
    promote.cancel(ws, run["job_run_id"], "ada")
    assert fire(ws, T0 + 7200) == []  # it was not running
    real = end_run(ws, first, role="canary")
    fire(ws, T0)
    assert started(ws, job) == [real]


def test_all_of_them_anew(ws: Workspace) -> None:
    a, b = add_job(ws, None, T0), add_job(ws, None, T0)
    job = follows(ws, {"job": a}, {"job": b, "on": "ended"})
    end_run(ws, a)
    end_run(ws, a)
    assert fire(ws, T0) == []
    last = end_run(ws, b, "failed")
    assert len(fire(ws, T0)) == 1
    assert started(ws, job) == [last]
    end_run(ws, b)
    end_run(ws, b)
    end_run(ws, a, "failed")
    assert fire(ws, T0) == []  # a has not succeeded since
    end_run(ws, a)
    assert len(fire(ws, T0)) == 1
    for _ in range(2):
        end_run(ws, a)
        end_run(ws, b)
    assert len(fire(ws, T0)) == 2  # two sets of ends, whoever looks how late
    assert len(job_runs(ws, job)) == 4


def test_any_of_them(ws: Workspace) -> None:
    a, b = add_job(ws, None, T0), add_job(ws, None, T0)
    job = follows(ws, {"job": a}, {"job": a, "on": "ended"}, {"job": b}, after_mode="any")
    ends = [end_run(ws, a), end_run(ws, b), end_run(ws, a, "failed")]
    assert len(fire(ws, T0)) == 3  # one that fits two triggers starts it once
    assert started(ws, job) == sorted(ends)


def test_a_chain_of_jobs(ws: Workspace) -> None:
    a = add_job(ws, None, T0)
    b = follows(ws, {"job": a})
    c = follows(ws, {"job": b})
    end_run(ws, a)
    for job in (b, c):
        (run_id,) = fire(ws, T0)
        run = claims.take(ws, "worker-1", T0)
        assert run is not None
        assert (run["job_run_id"], run["job_id"]) == (run_id, job)
        claims.finish(ws, run, "succeeded", None, T0)
    assert fire(ws, T0) == []


def test_a_lost_worker_counts_once(ws: Workspace) -> None:
    first = add_job(ws, None, T0)
    job = follows(ws, {"job": first, "on": "failed"})
    ws.catalog.write(
        "insert into job_runs (job_run_id, job_id, version, trigger, status, queued_at) values ('jr-l', :j, 1, "
        "'manual', 'queued', 0)", j=first,
    )  # fmt: skip
    for lost in range(claims.LOST_LIMIT + 1):
        assert started(ws, job) == []
        assert claims.take(ws, f"worker-{lost}", T0) is not None
        claims.adopt(ws, lambda _: False, [], "worker-x", T0)
        fire(ws, T0)
    assert started(ws, job) == ["jr-l"]


def test_ends_of_before_and_of_a_pause_do_not_count(ws: Workspace) -> None:
    first = add_job(ws, None, T0)
    end_run(ws, first)
    job = follows(ws, {"job": first})
    promote.pause(ws, job, "ada")
    end_run(ws, first)
    promote.resume(ws, job, "ada", now=T0)
    assert fire(ws, T0) == []
    end = end_run(ws, first)
    fire(ws, T0 - 1e6)  # and a clock that was set back is none of its business
    assert started(ws, job) == [end]


def test_a_run_that_fails_before_it_begins_has_failed(ws: Workspace) -> None:
    first = add_job(ws, None, T0, on_event=[{"event": "a", "parameters": {"n": "n"}}])
    job = follows(ws, {"job": first, "on": "failed"})
    promote.emit(ws, "a", {}, "ada")
    (failed,) = fire(ws, T0)
    assert [r["status"] for r in job_runs(ws, first)] == ["failed"]
    fire(ws, T0)
    assert started(ws, job) == [failed]


@pytest.fixture
def notebook(write: Write) -> Path:
    return write("nb.ipynb", "1")


def make(ws: Workspace, notebook: Path, name: str, *after: str, **options: Any) -> promote.Job:
    spec = JobSpec(name=name, notebook="-", after=[{"job": other} for other in after], **options)
    return promote.promote(ws, notebook, spec, "ada")


def test_circles_are_refused(ws: Workspace, notebook: Path) -> None:
    make(ws, notebook, "a", "d", "c")
    make(ws, notebook, "b", "a")
    with pytest.raises(JobError, match=r"in a circle: c after b after a after c; take one `after` out"):
        make(ws, notebook, "c", "x", "b")
    assert [job.name for job in promote.list_jobs(ws)] == ["a", "b"]
    make(ws, notebook, "c", "x")
    with pytest.raises(JobError, match="cannot start after itself"):
        make(ws, notebook, "e", "e")
    make(ws, notebook, "a", "d")
    make(ws, notebook, "c", "b")  # now there is none


def test_another_that_is_not_there_is_told(ws: Workspace, notebook: Path) -> None:
    job = make(ws, notebook, "load", "extract")
    (said,) = problems(ws, job.spec)
    assert said.startswith("there is no job 'extract' to start after; promote")
    assert health(ws)[job.job_id]["why"] == f"no run of it has ended yet; {said}"
    make(ws, notebook, "extrakt")
    assert "did you mean 'extrakt'" in problems(ws, job.spec)[0]
    extract = make(ws, notebook, "extract")
    assert problems(ws, job.spec) == []
    promote.pause(ws, "extract", "ada")
    assert problems(ws, job.spec) == ["job 'extract', after which it starts, is paused"]
    with ws.catalog.transaction() as con:
        assert dependents(con, "extract") == ["load"]
    promote.remove(ws, "extract", "ada")
    assert "no job 'extract'" in problems(ws, job.spec)[0]
    removed = ws.catalog.one("select detail from audit where action = 'job.remove'")
    assert removed is not None
    assert '"starts_no_more":["load"]' in removed["detail"].replace(" ", "")
    # by name: another job of that name takes its place
    again = make(ws, notebook, "extract")
    assert again.job_id != extract.job_id
    end_run(ws, again.job_id)
    assert len(fire(ws, T0)) == 1


def test_words() -> None:
    def said(**options: Any) -> str:
        return describe(JobSpec(name="j", notebook="-", **options))

    a_and_b = [{"job": "a"}, {"job": "b", "on": "failed"}]
    assert said() == "only when triggered"
    assert said(after=a_and_b) == "After a succeeded and b failed"
    assert said(after=a_and_b, after_mode="any") == "After a succeeded or b failed"
    assert said(schedule="0 6 * * *", after=a_and_b[:1]) == "At 06:00 every day (UTC); after a succeeded"
    assert said(on_event=[{"event": "drift.alert", "where": {"monitor": "claims"}}]) == (
        'When a drift monitor alerts with monitor = "claims"'
    )
    assert (
        said(on_event=[{"event": "a", "where": {"x": "y" * 99}}]) == f'When a is told with x = "{"y" * 58}…'
    )
