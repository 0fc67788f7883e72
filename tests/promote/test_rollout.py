"""A rollout from its start to its end, without a kernel: who gets which version, and what becomes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from job_helpers import add_job

from aios_workbench import govern, promote
from aios_workbench.errors import ConflictError, JobError, NotFoundError, ParameterError, UnknownOptionError
from aios_workbench.promote import JobSpec, Scheduler, approvals, claims, rollout
from aios_workbench.promote.rollout import life, routing, watch
from aios_workbench.promote.rollout.outputs import compare
from aios_workbench.promote.rollout.rules import Rules
from aios_workbench.workspace import Workspace, dumps

T0 = 1_800_000_000.0
HOUR = 3600.0


def add_version(ws: Workspace, job: str, version: int = 2, status: str = "approved", **options: Any) -> None:
    row = ws.catalog.one("select spec from jobs where job_id = :id", id=job)
    assert row is not None
    spec = JobSpec(**{**json.loads(row["spec"]), **options})
    ws.catalog.write(
        "insert into job_versions (job_id, version, spec, bundle_hash, created_at, created_by, status) "
        "values (:id, :version, :spec, '-', 1.0, 'ada', :status)",
        id=job, version=version, spec=dumps(spec.to_dict()), status=status,
    )  # fmt: skip


@pytest.fixture
def job(ws: Workspace) -> str:
    job = add_job(ws, "0 * * * *", T0, missed="all", parameters={"n": 1})
    add_version(ws, job, parameters={"n": 2})
    return job


def runs(ws: Workspace, job: str) -> list[dict[str, Any]]:
    return ws.catalog.query(
        "select * from job_runs where job_id = :id order by coalesce(tick_at, logical_at, queued_at), role",
        id=job,
    )


def work(ws: Workspace, now: float, ends: dict[str, str]) -> list[dict[str, Any]]:
    """Run everything that waits; `ends` says by role how it ends."""
    done = []
    while (run := claims.take(ws, "worker", now)) is not None:
        claims.finish(ws, run, ends.get(run["role"] or "", "succeeded"), None, now + 10)
        rollout.after_run(ws, run, now + 10)
        done.append(run)
    return done


def hours(
    ws: Workspace, count: int, ends: dict[str, str] | None = None, start: int = 0
) -> list[dict[str, Any]]:
    done = []
    for hour in range(start + 1, start + count + 1):
        claims.claim_ticks(ws, T0 + hour * HOUR)
        done += work(ws, T0 + hour * HOUR, ends or {})
    return done


def test_a_canary_gets_its_share_and_every_worker_agrees(ws: Workspace, job: str) -> None:
    before = hours(ws, 2)
    told = rollout.start(ws, job, 2, "ada", share=0.3, now=T0)
    assert (told["status"], told["base_version"], told["mode"]) == ("running", 1, "canary")
    done = hours(ws, 60, start=2)
    canaries = [run for run in done if run["role"] == "canary"]
    assert 8 <= len(canaries) <= 28
    assert {(r["version"], r["role"], r["params"]) for r in done} == {
        (1, "base", '{"n":1}'), (2, "canary", '{"n":2}'),
    }  # fmt: skip
    assert [r["role"] for r in before] == [None, None]
    again = [
        routing.share_of(told["rollout_id"], f"tick:{r['tick_at']!r}") < 0.3 for r in done
    ]  # fmt: skip
    assert again == [r["role"] == "canary" for r in done]
    found = rollout.status(ws, job)
    assert found is not None
    assert (found["judgement"]["new"]["runs"], found["judgement"]["base"]["runs"]) == (
        len(canaries),
        60 - len(canaries),
    )


def test_rolled_back_by_itself(ws: Workspace, job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "share_of", lambda _, key: float(key[5:]) // HOUR % 2)  # every other hour
    rollout.start(ws, job, 2, "ada", share=0.5, now=T0)
    done = hours(ws, 40, {"canary": "failed"})
    row = promote.get(ws, job)
    assert (row.version, row.rollout_id) == (1, None)
    found = rollout.status(ws, job)
    assert found is not None
    assert (found["status"], found["ended_by"]) == ("rolled_back", "rollout rules")
    assert "runs of version 2 failed, of version 1 0 of" in found["reason"]
    assert sum(run["role"] == "canary" for run in done) == 4
    assert [run["version"] for run in done[-5:]] == [1] * 5
    (alert,) = ws.catalog.query("select * from job_alerts where kind = 'rollout'")
    assert alert["subject"] == f"{job}: version 2 was rolled back"
    assert found["reason"] in alert["body"]
    (version,) = ws.catalog.query("select status from job_versions where version = 2")
    assert version["status"] == "rolled_back"
    trail = ws.catalog.query("select actor, action from audit order by seq")
    assert [(r["actor"], r["action"]) for r in trail] == [
        ("ada", "job.rollout"), ("rollout rules", "job.rollout.rolled_back"),
    ]  # fmt: skip
    assert govern.verify(ws) is None


def test_promoted_by_itself(ws: Workspace, job: str) -> None:
    rollout.start(ws, job, 2, "ada", share=1.0, rules={"runs": 3, "promote": True}, now=T0)
    hours(ws, 2)
    assert promote.get(ws, job).version == 1
    hours(ws, 2, start=2)
    assert promote.get(ws, job).version == 2
    (last,) = hours(ws, 1, start=4)
    assert (last["version"], last["role"], last["params"]) == (2, None, '{"n":2}')


def test_a_shadow_runs_beside_and_counts_for_nothing(ws: Workspace, job: str) -> None:
    add_job(ws, None, T0)
    rollout.start(ws, job, 2, "ada", mode="shadow", rules={"compare": "none"}, now=T0)
    done = hours(ws, 3, {"shadow": "failed"})
    assert [(r["role"], r["version"]) for r in done] == [("base", 1), ("shadow", 2)] * 3
    own, shadow = done[:2]
    assert (shadow["cause"], shadow["tick_at"], shadow["logical_at"]) == (
        f"shadow:{own['job_run_id']}", None, own["tick_at"],
    )  # fmt: skip
    assert ws.catalog.query("select * from job_alerts") == []
    found = rollout.status(ws, job)
    assert found is not None
    assert found["judgement"]["pairs"][0] == {
        "run": own["job_run_id"], "shadow": shadow["job_run_id"], "differences": None,
    }  # fmt: skip
    hours(ws, 12, {"shadow": "failed"}, start=3)
    assert promote.get(ws, job).rollout_id is None  # nine failed alone


def test_a_run_and_its_shadow_are_compared(ws: Workspace, job: str) -> None:
    def write(run: dict[str, Any], printed: str) -> None:
        folder = ws.root / "jobs" / job / "runs" / run["job_run_id"]
        folder.mkdir(parents=True)
        cells = [
            {"cell_type": "code", "source": source, "outputs": [
                {"output_type": "stream", "name": "stdout", "text": text},
                {"output_type": "stream", "name": "stderr", "text": run["job_run_id"]},
            ]} for source, text in (("a", "done in 1.2 s"), (f"v{run['version']}", "same"), ("b", printed))
        ]  # fmt: skip
        (folder / "executed.ipynb").write_text(json.dumps({"cells": cells}))

    rollout.start(ws, job, 2, "ada", mode="shadow", now=T0)
    for hour, printed in ((1, "12 rows"), (2, "13 rows")):
        claims.claim_ticks(ws, T0 + hour * HOUR)
        own = claims.take(ws, "one", T0)
        assert own is not None
        write(own, "12 rows")
        claims.finish(ws, own, "succeeded", None, T0 + hour * HOUR)
        shadow = claims.take(ws, "two", T0)
        assert shadow is not None
        write(shadow, printed)
        claims.finish(
            ws, shadow, "succeeded", None, T0 + hour * HOUR
        )  # and its worker is killed: nobody looked yet
        assert all(r["outputs"] is None for r in runs(ws, job) if r["job_run_id"] == shadow["job_run_id"])
        rollout.step(ws, T0)
    found = rollout.status(ws, job)
    assert found is not None
    assert [pair["differences"] for pair in found["judgement"]["pairs"]] == [
        [], ["code cell 3: '12 rows' became '13 rows'"],
    ]  # fmt: skip
    assert (found["judgement"]["compared"], found["judgement"]["differing"]) == (2, 1)
    kept = [r["outputs"] for r in runs(ws, job)]
    rollout.step(ws, T0)
    assert [r["outputs"] for r in runs(ws, job)] == kept


def test_metrics_and_artifacts_are_compared() -> None:
    old = {"metrics": {"w/fit/auc": 0.91, "w/fit/rows": 12.0, "w/fit/gone": 1.0, "w/fit/kind": "a"},
           "artifacts": {"w/save": "h1", "w/only": "h"}}  # fmt: skip
    new = {"metrics": {"w/fit/auc": 0.9099999, "w/fit/rows": 13.0, "w/fit/more": 1.0, "w/fit/kind": "b"},
           "artifacts": {"w/save": "h2"}}  # fmt: skip
    assert compare(old, new, Rules(tolerance=1e-3)) == [
        "metric w/fit/gone is gone", "metric w/fit/kind: 'a' became 'b'", "metric w/fit/more is new",
        "metric w/fit/rows: 12 became 13", "the value of step w/save is another",
    ]  # fmt: skip
    assert compare(old, old, Rules()) == []
    many = {"metrics": {f"w/s/{i}": float(i) for i in range(80)}}
    assert compare(many, {"metrics": {}}, Rules())[-1] == "and 30 more"


def test_ended_by_hand(ws: Workspace, job: str) -> None:
    rollout.start(ws, job, 2, "ada", share=1.0, now=T0)
    claims.claim_ticks(ws, T0 + HOUR)
    claims.claim_ticks(ws, T0 + 2 * HOUR)
    told = rollout.finish(ws, job, "bob", "roll_back", "not today", now=T0 + 2 * HOUR)
    assert (told["status"], told["reason"], told["ended_by"]) == ("rolled_back", "not today", "bob")
    # what had not begun goes back to the version that runs, with its parameters
    waiting = [(r["version"], r["params"], r["role"]) for r in runs(ws, job) if r["status"] == "queued"]
    assert waiting == [(1, '{"n":1}', "turned back")] * len(waiting)
    assert waiting
    with pytest.raises(ConflictError, match="no version is on trial"):
        rollout.finish(ws, job, "bob", "promote")
    again = rollout.start(ws, job, 2, "ada", mode="shadow", now=T0 + 3 * HOUR)
    assert again["share"] == 1.0
    claims.claim_ticks(ws, T0 + 3 * HOUR)
    assert rollout.finish(ws, job, "bob", "promote", now=T0 + 4 * HOUR)["status"] == "promoted"
    assert promote.get(ws, job).version == 2
    assert [r["status"] for r in runs(ws, job) if r["role"] == "shadow"] in ([], ["skipped"])


def test_one_at_a_time_and_nothing_else_meanwhile(ws: Workspace, job: str) -> None:
    add_version(ws, job, 3)
    add_version(ws, job, 4, status="waiting")
    rollout.start(ws, job, 2, "ada", now=T0)
    with pytest.raises(ConflictError, match=r"version 2 of .* is on trial; `aios jobs rollout promote"):
        rollout.start(ws, job, 3, "ada")
    ws.catalog.write(
        "update job_versions set spec = (select spec from job_versions where version = 2 and job_id = :id) "
        "where version = 4",
        id=job,
    )
    with pytest.raises(ConflictError, match="is on trial"):
        approvals.decide(ws, job, 4, "bob", "approve")
    assert ws.catalog.query("select * from approvals") == []  # the vote was not counted either
    promote.pause(ws, job, "ada")
    promote.remove(ws, job, "ada")
    assert ws.catalog.query("select * from rollouts") == []
    assert rollout.step(ws, T0) == []


@pytest.mark.parametrize(
    ("error", "said", "options"),
    [
        (ParameterError, "as canary or shadow, not as 'blue'", {"mode": "blue"}),
        (ParameterError, "more than 0 and at most 1", {"share": 0}),
        (ParameterError, "more than 0 and at most 1", {"share": float("nan")}),
        (UnknownOptionError, "no rule 'run'; did you mean 'runs'", {"rules": {"run": 3}}),
        (JobError, "alpha: Input should be less than 0.5", {"rules": {"alpha": 0.7}}),
        (ConflictError, "is the one that runs", {"version": 1}),
        (NotFoundError, "no version 9", {"version": 9}),
        (ConflictError, "was rejected", {"version": 3}),
    ],
)
def test_what_cannot_be_tried(
    ws: Workspace, job: str, error: type[Exception], said: str, options: dict[str, Any]
) -> None:
    add_version(ws, job, 3, status="rejected")
    with pytest.raises(error, match=said):
        rollout.start(ws, job, **{"version": 2, "by": "ada", **options})
    assert rollout.status(ws, job) is None
    assert promote.get(ws, job).rollout_id is None


def test_it_begins_when_it_is_approved(ws: Workspace, job: str) -> None:
    add_version(ws, job, 3, status="waiting", approvals=1)
    assert rollout.start(ws, job, 3, "ada", share=1.0, now=T0)["status"] == "waiting"
    assert {r["version"] for r in hours(ws, 2)} == {1}
    approvals.decide(ws, job, 3, "bob", "approve", now=T0 + 2 * HOUR)
    assert promote.get(ws, job).version == 1  # on trial, not in the other's place
    assert {r["version"] for r in hours(ws, 2, start=2)} == {3}
    rollout.finish(ws, job, "ada", "promote")
    assert promote.get(ws, job).version == 3


def test_judged_by_many_at_once_it_ends_once(ws: Workspace, job: str) -> None:
    """And by a worker that was not there: the one that saw the last failure was killed before it judged."""
    rollout.start(ws, job, 2, "ada", share=1.0, rules={"runs": 3, "promote": True}, now=T0)
    for hour in range(1, 5):
        claims.claim_ticks(ws, T0 + hour * HOUR)
        run = claims.take(ws, "killed", T0)
        assert run is not None
        claims.finish(ws, run, "succeeded", None, T0 + hour * HOUR)
    trial = ws.catalog.one("select * from rollouts")
    assert trial is not None
    assert trial["status"] == "running"
    Scheduler(ws, "other", slots=0, alive=lambda _: True).step(T0 + 4 * HOUR)
    assert promote.get(ws, job).version == 2
    with ws.catalog.transaction() as con:
        assert not life.end(con, trial, "rolled_back", "late", "x", T0)
    assert rollout.step(ws, T0) == []
    assert len(ws.catalog.query("select * from audit where action = 'job.rollout.promoted'")) == 1


def test_a_base_that_changed_ends_it(ws: Workspace, job: str) -> None:
    rollout.start(ws, job, 2, "ada", now=T0)
    hours(ws, 1)
    ws.catalog.write("update jobs set version = 7 where job_id = :id", id=job)
    watch._judged.clear()
    assert len(rollout.step(ws, T0)) == 1
    found = rollout.status(ws, job)
    assert found is not None
    assert (found["status"], found["reason"]) == ("aborted", "version 7 took the place of version 1")
