"""Versions on trial and their approval under fire: killed in the middle of a decision, and with real workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import nbformat
import pytest
from job_kit import Start, all_over, job, wait_for

from aios_workbench import promote
from aios_workbench.govern import verify
from aios_workbench.promote import JobSpec, approvals, claims, rollout
from aios_workbench.promote.rollout import watch
from aios_workbench.workspace import Workspace

pytestmark = pytest.mark.alone

#: Says whether it runs in the shadow, and gives something else in the shadow's version.
FIRST = "import aios_workbench as aios\nprint('rows', 12)\nprint(aios.is_shadow(), file=open('roles', 'a'))"
SECOND = FIRST.replace("12", "13")

# Dies at a chosen statement: before it is executed, after it, or after the transaction that holds it.
KILL = """
import os, signal, sys, time
from aios_workbench import promote
from aios_workbench.promote import approvals, rollout
from aios_workbench.workspace import workspace
from aios_workbench.workspace.catalog import Catalog

ws = workspace()
words, when, what = sys.argv[1:]

class Session:
    def __init__(self, con):
        self.con = con
    def execute(self, sql, *parameters):
        if words in sql and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        found = self.con.execute(sql, *parameters)
        if words in sql and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return found
    def __getattr__(self, name):
        return getattr(self.con, name)

whole = Catalog.transaction
def transaction(self):
    from contextlib import contextmanager
    @contextmanager
    def within():
        with whole(self) as con:
            yield Session(con)
    return within()
Catalog.transaction = transaction
if what == "judge":
    rollout.step(ws, time.time())
else:
    approvals.decide(ws, "job", 2, "bob", "approve")
os.kill(os.getpid(), signal.SIGKILL)
"""


def again(ws: Workspace, source: str, **options: object) -> promote.Job:
    path = ws.project / "job.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), path)
    trial = options.pop("trial", None)
    return promote.promote(ws, path, JobSpec(name="job", notebook="-", **options), "ada", trial=trial)  # type: ignore[arg-type]


def killed(ws: Workspace, words: str, when: str, what: str) -> None:
    env = {**os.environ, "AIOS_HOME": str(ws.root)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILL), words, when, what],
        env=env, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr


#: every statement that the end of a rollout consists of, from the decision to the activation
ENDING = ("update rollouts set", "update jobs set rollout_id", "update jobs set version", "insert into audit")


@pytest.mark.parametrize(
    ("words", "when"), [(ENDING[0], "after"), (ENDING[2], "before"), (ENDING[3], "after"), ("-", "end")]
)
def test_killed_between_the_decision_and_the_activation(ws: Workspace, words: str, when: str) -> None:
    job_id = job(ws, "1")
    again(ws, "2", trial={"mode": "canary", "share": 1.0, "rules": {"runs": 2, "promote": True}})
    for n in range(2):
        promote.trigger(ws, "job", "ada")
        run = claims.take(ws, "gone", 1.0)
        assert run is not None
        claims.finish(ws, run, "succeeded", None, 10.0 + n)
    killed(ws, words, when, "judge")
    status = [r["status"] for r in ws.catalog.query("select status from rollouts")]
    row = promote.get(ws, job_id)
    done = when == "end"  # after the transaction: all of it, else nothing of it
    assert (status, row.version, row.rollout_id is None) == (
        ["promoted" if done else "running"],
        1 + done,
        done,
    )
    watch._judged.clear()
    assert len(rollout.step(ws, 20.0)) == (not done)
    assert promote.get(ws, job_id).version == 2
    assert len(ws.catalog.query("select 1 from audit where action = 'job.rollout.promoted'")) == 1
    assert verify(ws) is None


@pytest.mark.parametrize(
    ("words", "when"),
    [("insert into approvals", "after"), ("update job_versions set", "after"), ("-", "end")],
)
def test_killed_with_the_last_vote(ws: Workspace, words: str, when: str) -> None:
    job_id = job(ws, "1")
    again(ws, "2", approvals=1)
    killed(ws, words, when, "vote")
    done = when == "end"
    assert promote.get(ws, job_id).version == 1 + done
    stands = approvals.status(ws, job_id, 2)
    assert (stands["status"], len(stands["given"])) == (("approved", 1) if done else ("waiting", 0))
    if not done:
        assert approvals.decide(ws, "job", 2, "bob", "approve")["status"] == "approved"
    assert promote.get(ws, job_id).version == 2


def test_a_shadow_with_real_workers_and_a_kill(ws: Workspace, worker: Start) -> None:
    """The worker dies in a run; another one finishes it and its shadow, and compares them."""
    job_id = job(ws, FIRST)
    made = again(ws, SECOND, trial={"mode": "shadow"})
    assert (made.version, made.promoted) == (1, 2)
    first = worker()
    promote.trigger(ws, "job", "ada")
    wait_for(lambda: ws.catalog.query("select 1 from job_runs where status = 'running'"), "a run to begin")
    first.kill()
    first.wait()
    worker()
    wait_for(lambda: all_over(ws), "the run and its shadow to end")

    def compared() -> list[str] | None:
        found = rollout.status(ws, job_id)
        assert found is not None
        (pair,) = found["judgement"]["pairs"]
        return pair["differences"]  # type: ignore[no-any-return]

    wait_for(lambda: compared() is not None, "the two to be compared")
    assert compared() == ["code cell 1: 'rows 12' became 'rows 13'"]
    rows = ws.catalog.query("select role, version, status from job_runs order by role")
    assert [tuple(row.values()) for row in rows] == [("base", 1, "succeeded"), ("shadow", 2, "succeeded")]
    roles = (ws.project / "roles").read_text().split()
    assert set(roles) == {"True", "False"}
