"""Garbage collection deletes what nothing needs, and never anything else."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aios_workbench.engine import leases
from aios_workbench.workspace import Artifact, Workspace, dumps
from aios_workbench.workspace import gc as collector
from aios_workbench.workspace.gc import collect, references

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conftest import Project

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

DAY = 86_400.0
STATUSES = ("succeeded", "failed", "cancelled", "running", "waiting", "queued")


class Journal:
    """A journal of plain data."""

    def __init__(self, kept: dict[str, set[str]] | None = None, at: float = 0.0) -> None:
        self.kept, self.at = dict(kept or {}), at

    def entries(self) -> list[tuple[str, str, float]]:
        return [(e, e.rpartition(".")[0], self.at) for e in self.kept]

    def references(self, entries: Iterable[str]) -> set[str]:
        return set().union(*(self.kept[e] for e in entries if e in self.kept))

    def delete(self, entries: list[str]) -> None:
        for entry in entries:
            del self.kept[entry]


def nobody(_executor: str | None) -> bool:
    return False


def age(ws: Workspace, seconds: float = 7200.0) -> None:
    """Make every blob older than an hour."""
    for path in ws.artifacts.folder.glob("*/*"):
        os.utime(path, (time.time() - seconds,) * 2)
    ws.catalog.flush()
    ws.catalog.write("update artifacts set created_at = created_at - :s", s=seconds)


def write(
    ws: Workspace, run: str, status: str, values: list[int], *, days: float, workflow: str = "w"
) -> None:
    """Write a run down that refers to values: as parameter, graph, seed, output, input and gate's question."""
    refs = [ws.artifacts.put(v).to_dict() for v in values]
    ended, at = (
        None if status in ("running", "waiting", "queued") else time.time() - days * DAY,
        time.time() - days * DAY,
    )
    ws.catalog.flush()
    pick = [refs[i % len(refs)] for i in range(6)]
    ws.catalog.write("insert into specs values (:h, :s) on conflict do nothing", h=f"spec-{run}",
                     s=dumps({"steps": [{"name": "s", "fn": pick[1], "fallbacks": [pick[2]]}]}))  # fmt: skip
    ws.catalog.write(
        "insert into runs (run_id, workflow, status, param_refs, spec_hash, created_at, ended_at, seed) values "
        "(:run, :w, :status, :refs, :spec, :at, :ended, :seed)", run=run, w=workflow, status=status, ended=ended, at=at,
        refs=dumps({"p": pick[0]}), spec=f"spec-{run}", seed=dumps({"s": {"output": pick[3]}}),
    )  # fmt: skip
    ws.catalog.write("insert into steps (run_id, step, position, kind, status, output, inputs) values "
                     "(:run, 's', 0, 'step', 'succeeded', :out, :inputs)", run=run, out=pick[4]["hash"],
                     inputs=dumps({"x": pick[5]["hash"]}))  # fmt: skip
    ws.catalog.write("insert into gates (run_id, step, status, data, requested_at) "
                     "values (:run, 's', 'approved', :d, 0)",
                     run=run, d=pick[0]["hash"])  # fmt: skip


def there(ws: Workspace) -> set[str]:
    return {p.stem for p in ws.artifacts.folder.glob("*/*") if not p.name.startswith(".")}


RUN = st.tuples(
    st.sampled_from(STATUSES), st.lists(st.integers(0, 12), min_size=1, max_size=6),
    st.sampled_from([0.0, 1.0, 40.0, 400.0]), st.sampled_from("ab"),
)  # fmt: skip


@settings(max_examples=40, deadline=None, database=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(
    history=st.lists(RUN, max_size=8),
    journaled=st.integers(0, 12),
    keep=st.integers(0, 2),
    busy=st.booleans(),
)
def test_random_histories(history: list[Any], journaled: int, keep: int, busy: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ws = Workspace(Path(folder) / ".aios")
        for i, (status, values, days, workflow) in enumerate(history):
            write(ws, f"r{i}", status, values, days=days, workflow=workflow)
        loose = ws.artifacts.put(journaled).hash  # only the journal knows it yet
        unused = ws.artifacts.put("nobody needs this").hash
        age(ws)
        before = there(ws)
        journal = Journal({f"r{i}.0": {loose} for i in range(len(history))})
        alive = (lambda _e: True) if busy else nobody
        tried = collect(ws, journal, alive=alive, keep_runs=keep, dry_run=True, settle=0)
        assert there(ws) == before
        done = collect(ws, journal, alive=alive, keep_runs=keep, settle=0)
        assert {**tried.to_dict(), "dry_run": False} == done.to_dict()

        left = {r["run_id"]: r["status"] for r in ws.catalog.query("select * from runs")}
        for i, (status, _, days, workflow) in enumerate(history):
            newer = sum(1 for _, _, d, w in history if w == workflow and d < days)
            over = status in ("succeeded", "failed", "cancelled")
            if not over or days < 30 or newer + sum(h[2:] == history[i][2:] for h in history) <= keep:
                assert f"r{i}" in left
            elif newer >= keep:
                assert f"r{i}" not in left
        needed = references(ws)
        if any(s in ("running", "waiting", "queued") for s in left.values()):
            needed.add(loose)
        assert there(ws) == before & needed  # all that is needed, and nothing else
        assert unused not in there(ws)
        assert set(journal.kept) == {f"{r}.0" for r in left}
        for hash_ in needed:
            ws.artifacts.find(hash_)
        again = collect(ws, journal, alive=alive, keep_runs=keep, settle=0)
        assert (again.runs, again.artifacts, again.journal) == (0, 0, 0)


def test_young_and_touched_blobs_stay(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    ws = project.ws
    young, touched, old = (ws.artifacts.put(v) for v in ("young", "touched", "old"))
    ws.catalog.flush()
    age(ws)
    os.utime(ws.artifacts.path(young))
    rename = Path.rename

    def touch_first(path: Path, target: Path) -> Path:
        if path.stem == touched.hash:
            os.utime(path)  # somebody puts the same value between the look and the renaming
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", touch_first)
    assert collect(ws, Journal(), alive=nobody).artifacts == 1
    assert there(ws) == {young.hash, touched.hash}
    with pytest.raises(Exception, match="no artifact"):
        ws.artifacts.find(old.hash)


def test_descriptions_stay_while_somebody_lives(project: Project) -> None:
    ws = project.ws
    artifact: Artifact = ws.artifacts.put([1, 2, 3])
    ws.catalog.flush()
    age(ws)
    (project.root / "executors" / "kernel-1-a.lock").touch()
    assert collect(ws, Journal(), alive=lambda _e: True).artifacts == 1
    assert ws.artifacts.find(artifact.hash)  # a kernel that puts it again does not describe it again


def test_leftovers(project: Project) -> None:
    ws = project.ws
    stray = ws.artifacts.folder / "ab" / ".123.tmp"
    stray.parent.mkdir()
    stray.write_bytes(b"x" * 10)
    age(ws)
    fresh = stray.with_name(".456.tmp")
    fresh.touch()
    write(ws, "r1", "running", [1], days=0)
    ws.catalog.write("update runs set owner = 'kernel-2-left' where run_id = 'r1'")
    living = leases.Lease(ws, "kernel")
    locks = [project.root / "executors" / f"{n}.lock" for n in ("kernel-1-dead", "kernel-2-left")]
    for lock in locks:
        lock.touch()
    done = collect(ws, Journal(), alive=lambda e: leases.alive(ws, e), settle=0)
    assert (done.files, done.file_bytes, done.locks) == (1, 10, 1)
    assert [p.exists() for p in (stray, fresh, *locks, living.path)] == [False, True, False, True, True]
    living.release()


def test_runs_of_a_job_run_under_way_stay(project: Project) -> None:
    ws = project.ws
    write(ws, "r1", "failed", [1], days=90)
    ws.catalog.write("update runs set job_run_id = 'jr-1'")
    ws.catalog.write("insert into job_runs (job_run_id, job_id, version, trigger, status, queued_at) "
                     "values ('jr-1', 'j', 1, 'manual', 'queued', 0)")  # fmt: skip
    assert collect(ws, Journal(), alive=nobody, keep_runs=0).runs == 0
    ws.catalog.write("update job_runs set status = 'failed'")
    assert collect(ws, Journal(), alive=nobody, keep_runs=0).runs == 1


def test_resumed_between_choice_and_deletion(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    ws = project.ws
    write(ws, "r1", "failed", [1], days=90)
    choose = collector._old_runs

    def then_resume(*args: Any) -> list[str]:
        chosen = choose(*args)
        ws.catalog.write("update runs set status = 'queued' where run_id = 'r1'")
        return chosen

    monkeypatch.setattr(collector, "_old_runs", then_resume)
    assert collect(ws, Journal(), alive=nobody, keep_runs=0).runs == 0
    assert ws.catalog.query("select * from steps")


def test_command_beside_a_waiting_run(project: Project) -> None:
    """The real journal, and an engine at work in this process."""
    old, kept = (project.json("run", "flows.py:hello", "-p", f"who={n}")["run_id"] for n in ("old", "kept"))
    waiting = project.json("run", "flows.py:gated", code=6)["run_id"]
    ws = project.ws
    age(ws)
    tried = project.json("gc", "--keep-days", "0", "--keep-runs", "1", "--dry-run")
    assert (tried["runs"], tried["journal"]) == (1, 1)
    project.json("show", old)
    done = project.json("gc", "--keep-days", "0", "--keep-runs", "1")
    assert {**done, "dry_run": True} == tried
    assert done["bytes"] > 0
    project.error("show", old, code=3)
    again = project.json("rerun", kept, "--from", "shout", "--wait")
    assert again["outputs"]["shout"]["value"] == "HELLO KEPT POSIXPATH"
    project("approve", waiting, "review", "-v", "amount=1")
    project.until(lambda: project.status(waiting) == "succeeded")
    assert "freed" in project("gc").stdout
    assert ws.catalog.query("select * from audit where action = 'workspace.gc'")
