from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from job_helpers import add_job

from aios_workbench import govern, promote
from aios_workbench.errors import ConflictError, JobError, NotFoundError, ParameterError
from aios_workbench.promote import JobSpec, claims
from aios_workbench.workspace import Workspace

Write = Callable[..., Path]
T0 = 1_800_000_000.0


def spec(name: str = "claims", **options: object) -> JobSpec:
    return JobSpec(name=name, notebook="-", **options)


@pytest.fixture
def notebook(write: Write) -> Path:
    return write("nb/claims.ipynb", "print(n)", parameters="n: int = 1")


def test_promote(ws: Workspace, notebook: Path) -> None:
    job = promote.promote(ws, notebook, spec(schedule="0 * * * *", parameters={"n": "5"}), "ada", now=T0)
    assert (job.version, job.status, job.next_tick_at, job.changed) == (1, "active", T0 + 3600, True)
    assert job.spec.notebook == "nb/claims.ipynb"
    assert job.spec.parameters == {"n": 5}
    assert promote.get(ws, "claims") == promote.get(ws, job.job_id)
    folder = ws.root / "jobs" / job.job_id / "v1"
    assert {p.name for p in folder.iterdir()} >= {
        "notebook.ipynb",
        "job.yaml",
        "manifest.json",
        "provenance.json",
    }
    (row,) = ws.catalog.query("select * from audit")
    assert (row["actor"], row["action"], row["subject"]) == ("ada", "job.promote", "claims")
    assert govern.verify(ws) is None
    assert job.to_dict()["schedule"].endswith("(UTC)")
    json.dumps(job.to_dict())


def test_versions(ws: Workspace, notebook: Path, write: Write) -> None:
    first = promote.promote(ws, notebook, spec(schedule="0 * * * *"), "ada", now=T0)
    same = promote.promote(ws, notebook, spec(schedule="0 * * * *"), "bob", now=T0 + 10)
    assert (same.version, same.changed) == (1, False)
    write("nb/claims.ipynb", "print(n + 1)", parameters="n: int = 1")
    second = promote.promote(ws, notebook, spec(schedule="0 * * * *"), "bob", now=T0 + 7200)
    # the schedule is as it was: the tick due since an hour ago is not lost
    assert (second.version, second.job_id, second.next_tick_at) == (2, first.job_id, T0 + 3600)
    third = promote.promote(ws, notebook, spec(schedule="30 * * * *"), "bob", now=T0 + 7200)
    assert (third.version, third.next_tick_at, third.created_by) == (3, T0 + 9000, "ada")
    assert len(list((ws.root / "jobs" / first.job_id).glob("v*"))) == 3


def test_left_overs_of_a_killed_promotion_do_not_matter(ws: Workspace, notebook: Path) -> None:
    job = promote.promote(ws, notebook, spec(), "ada")
    left = ws.root / "jobs" / job.job_id / "v2"
    left.mkdir()
    (left / "evil.py").write_text("")
    assert promote.promote(ws, notebook, spec(retries=1), "ada").version == 2
    assert not (left / "evil.py").exists()


def test_refused_and_nothing_left(ws: Workspace, write: Write) -> None:
    bad = write("bad.ipynb", "x = = 1")
    with pytest.raises(JobError, match="cell 1, line 1"):
        promote.promote(ws, bad, spec(), "ada")
    with pytest.raises(JobError, match="did you mean 'n'"):
        promote.promote(ws, write("p.ipynb", "1", parameters="n = 1"), spec(parameters={"nn": 1}), "ada")
    with pytest.raises(JobError, match="no notebook"):
        promote.promote(ws, ws.project / "none.ipynb", spec(), "ada")
    assert promote.list_jobs(ws) == []
    assert list((ws.root / "jobs").iterdir()) == []


def test_a_full_disk_leaves_no_half_job(
    ws: Workspace, notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aios_workbench.errors import WorkspaceError

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(WorkspaceError, match="free some disk space"):
            promote.promote(ws, notebook, spec(), "ada")
    assert promote.list_jobs(ws) == []
    assert [p for p in (ws.root / "objects").rglob("*") if p.is_file()] == []
    assert promote.promote(ws, notebook, spec(), "ada").version == 1


def test_a_paused_job_stays_paused_when_promoted(ws: Workspace, notebook: Path) -> None:
    promote.promote(ws, notebook, spec(schedule="0 * * * *"), "ada", now=T0)
    promote.pause(ws, "claims", "ada")
    job = promote.promote(ws, notebook, spec(schedule="5 * * * *"), "ada", now=T0)
    assert (job.status, job.next_tick_at) == ("paused", None)
    assert promote.resume(ws, "claims", "ada", now=T0).next_tick_at == T0 + 300
    assert [r["action"] for r in ws.catalog.query("select action from audit order by seq")] == [
        "job.promote", "job.pause", "job.promote", "job.resume",
    ]  # fmt: skip


def test_trigger_checks_and_merges_parameters(ws: Workspace, notebook: Path) -> None:
    promote.promote(ws, notebook, spec(parameters={"n": 5}), "ada")
    run = promote.get_run(ws, promote.trigger(ws, "claims", "bob", {"n": "7"}))
    assert (run["params"], run["trigger"], run["status"], run["job"]) == (
        {"n": 7},
        "manual",
        "queued",
        "claims",
    )
    assert promote.get_run(ws, promote.trigger(ws, "claims", "bob"))["params"] == {"n": 5}
    with pytest.raises(ParameterError, match="has no parameter 'm'"):
        promote.trigger(ws, "claims", "bob", {"m": 1})
    assert len(promote.history(ws, "claims")) == 2


def test_unknown_names_hint(ws: Workspace, notebook: Path) -> None:
    promote.promote(ws, notebook, spec(), "ada")
    for ask in (promote.get, promote.history):
        with pytest.raises(NotFoundError, match="no job 'clams'; did you mean 'claims'"):
            ask(ws, "clams")
    with pytest.raises(NotFoundError, match="no job run"):
        promote.get_run(ws, "jr-none")


def test_remove(ws: Workspace, notebook: Path) -> None:
    job = promote.promote(ws, notebook, spec(), "ada")
    run = promote.trigger(ws, "claims", "ada")
    taken = claims.take(ws, "worker-1", T0)
    assert taken is not None
    with pytest.raises(ConflictError, match=rf"is running; `aios jobs cancel {run}` first"):
        promote.remove(ws, "claims", "ada")
    claims.finish(ws, taken, "succeeded", None, T0)
    with pytest.raises(ConflictError, match="has ended"):
        promote.cancel(ws, run, "ada")
    promote.remove(ws, "claims", "ada")
    assert promote.list_jobs(ws) == []
    assert not (ws.root / "jobs" / job.job_id).exists()
    assert promote.promote(ws, notebook, spec(), "ada").job_id != job.job_id


@pytest.mark.parametrize(
    "name", ["<img src=x onerror=alert(1)>", "'; drop table jobs; --", "../../x", "ä/b", "a" * 100]
)
def test_hostile_names(ws: Workspace, notebook: Path, name: str) -> None:
    job = promote.promote(ws, notebook, spec(name), "ada")
    assert promote.get(ws, name).job_id == job.job_id
    assert [p.name for p in (ws.root / "jobs").iterdir()] == [job.job_id]
    promote.remove(ws, name, "ada")


def test_history_pages_newest_first(ws: Workspace) -> None:
    job = add_job(ws, "0 * * * *", T0, missed="all")
    for hour in range(1, 6):
        claims.claim_ticks(ws, T0 + hour * 3600)
        run = claims.take(ws, "worker-1", T0)
        assert run is not None
        claims.finish(ws, run, "succeeded", None, T0 + hour * 3600 + 60)
    page = promote.history(ws, job, limit=2)
    rest = promote.history(ws, job, before=page[-1]["tick_at"])
    assert [(r["tick_at"] - T0) / 3600 for r in page + rest] == [5, 4, 3, 2, 1]
    (listed,) = promote.list_jobs(ws)
    assert listed.last_run == page[0]
