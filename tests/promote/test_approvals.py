"""Other people's agreement: who counts, what it is to, and every other way to get a version to run."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aios_workbench import govern, promote
from aios_workbench.errors import ConflictError, DeniedError, NotFoundError, ParameterError
from aios_workbench.govern import policy
from aios_workbench.promote import JobSpec, Scheduler, approvals, backfill, claims, rollout, runs, versions
from aios_workbench.promote.respec import respec
from aios_workbench.promote.resuming import resume_run
from aios_workbench.promote.runner import execute
from aios_workbench.workspace import Workspace

Write = Callable[..., Path]
Promote = Callable[..., promote.Job]
T0 = 1_800_000_000.0


@pytest.fixture
def make(ws: Workspace, write: Write) -> Promote:
    """Promote a notebook of which every version is another one."""
    numbers = itertools.count(1)

    written: dict[str, bytes] = {}  # a cell has an id by chance: the same source is not yet the same notebook

    def one(by: str = "ada", name: str = "claims", source: str | None = None, **options: Any) -> promote.Job:
        source = source or f"print({next(numbers)})"
        path = write(f"{name}.ipynb", source)
        path.write_bytes(written.setdefault(source, path.read_bytes()))
        trial = options.pop("trial", None)
        spec = JobSpec(name=name, notebook="-", schedule="0 * * * *", **options)
        return promote.promote(ws, path, spec, by, now=T0, trial=trial)

    return one


def state(ws: Workspace, name: str = "claims") -> tuple[str, int, dict[int, str]]:
    job = promote.get(ws, name)
    rows = ws.catalog.query("select version, status from job_versions where job_id = :id", id=job.job_id)
    return job.status, job.version, {row["version"]: row["status"] for row in rows}


def test_a_version_waits_and_the_old_one_goes_on(ws: Workspace, make: Promote) -> None:
    make()
    made = make(approvals=2)
    assert (made.version, made.promoted) == (1, 2)
    assert state(ws) == ("active", 1, {1: "approved", 2: "waiting"})
    (tick,) = claims.claim_ticks(ws, T0 + 3600)
    assert tick["version"] == 1
    (waits,) = approvals.waiting(ws)
    assert (waits["job"], waits["version"], waits["needed"], waits["may"]) == ("claims", 2, 2, False)
    assert waits["why"] == "2 approvals are missing of 2"

    one = approvals.decide(ws, "claims", 2, "bob", "approve", "looked at the diff", now=T0 + 1)
    assert (one["status"], one["why"]) == ("waiting", "1 approval is missing of 2")
    with pytest.raises(ConflictError, match="bob has voted on version 2"):
        approvals.decide(ws, "claims", 2, "bob", "approve")
    two = approvals.decide(ws, "claims", None, "eve", "approve", now=T0 + 4000)
    assert (two["status"], two["may"], two["why"]) == ("approved", True, "approved by bob, eve")
    assert [vote["actor"] for vote in two["given"]] == ["bob", "eve"]
    assert state(ws) == ("active", 2, {1: "approved", 2: "approved"})
    with pytest.raises(
        ConflictError, match="version 2 of 'claims' does not wait for approval: approved by bob, eve"
    ):
        approvals.decide(ws, "claims", 2, "dan", "reject", "too late")
    with pytest.raises(ConflictError, match="no version of 'claims' waits"):
        approvals.decide(ws, "claims", None, "dan", "approve")
    trail = ws.catalog.query("select actor, action from audit order by seq")
    assert [(r["actor"], r["action"]) for r in trail] == [
        ("ada", "job.promote"), ("ada", "job.promote"), ("bob", "job.approved"), ("eve", "job.approved"),
    ]  # fmt: skip
    assert govern.verify(ws) is None
    (told,) = ws.catalog.query("select * from job_alerts where kind = 'approval'")
    assert told["subject"] == "claims: version 2 waits for approval"


def test_a_new_job_does_not_begin_before_it_is_approved(ws: Workspace, make: Promote) -> None:
    assert make(approvals=1).status == "waiting"
    assert claims.claim_ticks(ws, T0 + 86_400) == []
    for attempt in (
        lambda: promote.trigger(ws, "claims", "bob"),
        lambda: promote.pause(ws, "claims", "ada"),
        lambda: promote.resume(ws, "claims", "ada"),
    ):
        with pytest.raises(ConflictError, match="waits for approval"):
            attempt()
    assert state(ws) == ("waiting", 1, {1: "waiting"})
    approvals.decide(ws, "claims", 1, "bob", "approve", now=T0)
    job = promote.get(ws, "claims")
    assert (job.status, job.next_tick_at) == ("active", T0 + 3600)


def test_whoever_promoted_it_does_not_count(ws: Workspace, make: Promote) -> None:
    """Whatever the policy says; and no other way makes the version run."""
    make()
    make(approvals=1)
    policy.use(ws, "ada", "permit (principal, action, resource);")
    with pytest.raises(DeniedError, match="ada promoted version 2 of 'claims' and does not count"):
        approvals.decide(ws, "claims", 2, "ada", "approve")
    job_id = promote.get(ws, "claims").job_id
    ws.catalog.write(  # a vote that came about some other way
        "insert into approvals (job_id, version, actor, decision, at, bundle_hash) select job_id, version, 'ada', "
        "'approved', 1.0, bundle_hash from job_versions where version = 2"
    )
    assert approvals.status(ws, job_id, 2)["why"] == "1 approval is missing of 1"
    assert state(ws) == ("active", 1, {1: "approved", 2: "waiting"})


def test_the_number_cannot_be_lowered_by_the_version_itself(ws: Workspace, make: Promote) -> None:
    make(approvals=1)
    approvals.decide(ws, "claims", 1, "bob", "approve")
    make(approvals=0)
    assert state(ws) == ("active", 1, {1: "approved", 2: "waiting"})
    approvals.decide(ws, "claims", 2, "bob", "approve")
    make(approvals=0)  # agreed to: from now on nobody is asked
    assert state(ws)[1] == 3
    make(approvals=3)
    assert approvals.waiting(ws)[0]["needed"] == 3


def test_a_rollback_does_not_lower_it_either(ws: Workspace, make: Promote) -> None:
    make(source="print('one')")
    make(approvals=2, source="print('two')")
    for who in ("bob", "eve"):
        approvals.decide(ws, "claims", 2, who, "approve")
    assert make(source="print('one')").version == 1  # the first version again
    make(source="print('three')")
    assert approvals.waiting(ws)[0]["needed"] == 2


def test_rejecting_ends_it(ws: Workspace, make: Promote) -> None:
    make()
    make(approvals=2)
    with pytest.raises(ParameterError, match="needs a reason"):
        approvals.decide(ws, "claims", 2, "bob", "reject", " ")
    with pytest.raises(ParameterError, match="not 'maybe'"):
        approvals.decide(ws, "claims", 2, "bob", "maybe")
    with pytest.raises(NotFoundError, match="no version 9"):
        approvals.decide(ws, "claims", 9, "bob", "approve")
    approvals.decide(ws, "claims", 2, "bob", "approve")
    ended = approvals.decide(ws, "claims", 2, "eve", "reject", "the totals are off")
    assert (ended["status"], ended["why"]) == ("rejected", "rejected by eve: the totals are off")
    assert state(ws) == ("active", 1, {1: "approved", 2: "rejected"})
    make(approvals=1)
    own = approvals.decide(ws, "claims", None, "ada", "reject", "found a mistake")  # may take it back
    assert own["status"] == "rejected"


def test_promoted_anew_between_two_votes(ws: Workspace, make: Promote) -> None:
    make()
    make(approvals=2, source="print('good')")
    seen = approvals.waiting(ws)[0]
    approvals.decide(ws, "claims", 2, "bob", "approve", bundle_hash=seen["bundle_hash"])
    again = make(approvals=2, source="print('good')")  # the same content: the votes stay
    assert (again.changed, again.promoted) == (False, 2)
    make(approvals=2, source="print('evil')")
    assert state(ws) == ("active", 1, {1: "approved", 2: "superseded", 3: "waiting"})
    with pytest.raises(
        ConflictError, match=r"version 2 of 'claims' does not wait .*newer version was promoted"
    ):
        approvals.decide(ws, "claims", 2, "eve", "approve")
    with pytest.raises(ConflictError, match="look at it again"):
        approvals.decide(ws, "claims", None, "eve", "approve", bundle_hash=seen["bundle_hash"])
    assert approvals.decide(ws, "claims", 3, "eve", "approve")["why"] == "1 approval is missing of 2"


def test_votes_are_for_one_bundle(ws: Workspace, make: Promote) -> None:
    """Another bundle put under the same version in the database: the votes given are no votes for it."""
    make()
    job = make(approvals=2)
    approvals.decide(ws, "claims", 2, "bob", "approve")
    ws.catalog.write("update job_versions set bundle_hash = 'evil' where version = 2")
    assert approvals.status(ws, job.job_id, 2)["given"] == []
    assert approvals.decide(ws, "claims", 2, "eve", "approve")["status"] == "waiting"


def test_two_at_the_same_instant(ws: Workspace, make: Promote) -> None:
    """Of many votes at once exactly one is the last that was needed; the others find it settled."""
    make()
    make(approvals=2)
    gate = threading.Barrier(5)
    results: list[str] = []

    def vote(who: str) -> None:
        gate.wait()
        try:
            results.append(approvals.decide(ws, "claims", 2, who, "approve")["status"])
        except ConflictError:
            results.append("late")

    people = [threading.Thread(target=vote, args=(who,)) for who in ("bob", "eve", "dan", "joe", "bob")]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert sorted(results) == ["approved", "late", "late", "late", "waiting"]
    assert state(ws) == ("active", 2, {1: "approved", 2: "approved"})
    settled = [json.loads(r["detail"])["settled"] for r in ws.catalog.query(
        "select detail from audit where action = 'job.approved' order by seq"
    )]  # fmt: skip
    assert settled == [None, "approved"]


def test_the_policy_asks_for_more(ws: Workspace, make: Promote) -> None:
    policy.use(ws, "root", """
        permit (principal, action, resource);
        @advice("production needs two others")
        forbid (principal, action == Action::"job.activate", resource)
        when { resource.name like "prod-*" && context.approvals < 2 };
        @id("only risk") @advice("only the risk team agrees")
        forbid (principal, action == Action::"job.approve", resource) unless { principal in Group::"risk" };
        forbid (principal == Person::"guest", action == Action::"job.activate", resource);
        """, '{"bob": ["risk"], "eve": ["risk"]}')  # fmt: skip
    assert make(name="dev-claims").status == "active"
    assert make(name="prod-claims").status == "waiting"
    with pytest.raises(DeniedError, match="only the risk team agrees") as e:
        approvals.decide(ws, "prod-claims", 1, "dan", "approve")
    assert e.value.rule == "only risk"
    approvals.decide(ws, "prod-claims", 1, "bob", "approve")
    assert approvals.decide(ws, "prod-claims", 1, "eve", "approve")["status"] == "approved"
    with pytest.raises(DeniedError, match="whoever agrees to it"):
        make("guest", name="dev-other")
    assert [job.name for job in promote.list_jobs(ws)] == ["dev-claims", "prod-claims"]


def test_promoted_to_be_tried(ws: Workspace, make: Promote) -> None:
    first = make(trial={"mode": "canary"})  # there is nothing to try it beside
    assert (first.version, first.rollout_id) == (1, None)
    made = make(trial={"mode": "canary", "share": 1.0})
    assert (made.version, made.promoted, made.rollout_id) == (1, 2, promote.get(ws, "claims").rollout_id)
    assert made.rollout_id is not None
    with pytest.raises(ConflictError, match="version 2 of 'claims' is on trial"):
        make()
    run = promote.get_run(ws, promote.trigger(ws, "claims", "bob"))
    assert (run["version"], run["role"]) == (2, "canary")
    promote.cancel(ws, run["job_run_id"], "bob")
    rollout.finish(ws, "claims", "ada", "roll_back")
    make(approvals=1, trial={"mode": "shadow"})
    assert (state(ws)[1], promote.get(ws, "claims").rollout_id) == (1, None)
    make(approvals=1, trial={"mode": "canary", "share": 1.0})  # takes the place of what waited
    approvals.decide(ws, "claims", 4, "bob", "approve", now=T0)
    (tick,) = claims.claim_ticks(ws, T0 + 3600)
    assert tick["version"] == 4
    with pytest.raises(ConflictError, match="is on trial"):
        make(approvals=1)
    assert [(r["version"], r["status"]) for r in ws.catalog.query("select * from rollouts order by version")] == [
        (2, "rolled_back"), (3, "superseded"), (4, "running"),
    ]  # fmt: skip


def test_a_policy_is_asked_by_every_function(ws: Workspace, make: Promote) -> None:
    make()
    run = promote.trigger(ws, "claims", "ada")
    make(source="print('another')")
    policy.use(ws, "root", 'permit (principal == Person::"root", action, resource);')
    attempts: dict[str, Callable[[], object]] = {
        "job.promote": lambda: make("bob"),
        "job.trigger": lambda: promote.trigger(ws, "claims", "bob"),
        "job.pause": lambda: promote.pause(ws, "claims", "bob"),
        "job.resume": lambda: promote.resume(ws, "claims", "bob"),
        "job.cancel": lambda: promote.cancel(ws, run, "bob"),
        "job.remove": lambda: promote.remove(ws, "claims", "bob"),
        "job.rollout": lambda: rollout.start(ws, "claims", 1, "bob"),
        "job.backfill": lambda: backfill.start(ws, "claims", "2026-01-01", "2026-01-02", "bob"),
        "policy.use": lambda: policy.use(ws, "bob", None),
    }
    for action, attempt in attempts.items():
        with pytest.raises(DeniedError, match=f"bob may not do {action}"):
            attempt()
    for action, other in {
        "job.trigger": lambda: resume_run(ws, run, "bob"),
        "job.remove": lambda: runs.forget(ws, run, "bob"),
        "job.promote": lambda: respec(ws, "claims", "bob", retries=3),
        "job.rollback": lambda: versions.rollback(ws, "claims", 1, "bob"),
    }.items():
        with pytest.raises(DeniedError, match=f"bob may not do {action}"):
            other()
    denied = ws.catalog.query("select actor, detail from audit where action = 'policy.denied' order by seq")
    assert [json.loads(r["detail"])["action"] for r in denied][: len(attempts)] == list(attempts)
    assert promote.get(ws, "claims").status == "active"


def test_a_version_that_is_not_approved_is_not_executed(ws: Workspace, make: Promote) -> None:
    """Whatever wrote the row of the run."""
    make()
    make(approvals=1, source="raise SystemExit('ran')")
    run_id = promote.trigger(ws, "claims", "ada")
    ws.catalog.write("update job_runs set version = 2 where job_run_id = :id", id=run_id)
    run = claims.take(ws, "worker", T0)
    assert run is not None
    outcome = execute(ws, run, lambda: None)
    assert (outcome.status, outcome.final) == ("failed", True)
    assert outcome.error is not None
    assert outcome.error["message"] == "version 2 of the job is not approved (waiting); it does not run"
    assert not Scheduler(ws, "worker", alive=lambda _: True).active
