"""Versions of a job: what differs, going back, being told; on both databases, without a kernel."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from aios_workbench import govern, promote
from aios_workbench.errors import ConflictError, JobError, NotFoundError
from aios_workbench.promote import JobSpec, claims, objects, records, versions
from aios_workbench.workspace import Workspace

Write = Callable[..., Path]
T0 = 1_800_000_000.0


def spec(**options: Any) -> JobSpec:
    return JobSpec(name="claims", notebook="-", **options)


def edit(path: Path, number: int, source: str) -> None:
    book = nbformat.read(path, as_version=4)
    book.cells[number - 1].source = source
    nbformat.write(book, path)


@pytest.fixture
def notebook(write: Write) -> Path:
    path = write("nb/claims.ipynb", "import rules\nn = 1", "total = n + 1", "print(total)")
    (path.parent / "rules.py").write_text("LIMIT = 1\n")
    return path


@pytest.fixture
def two(ws: Workspace, notebook: Path) -> str:
    """A job with two versions: the second has another schedule, cell and module."""
    promote.promote(ws, notebook, spec(schedule="0 * * * *"), "ada", now=T0, note="first")
    edit(notebook, 2, "total = n + 2")
    (notebook.parent / "rules.py").write_text("LIMIT = 2\n")
    job = promote.promote(ws, notebook, spec(schedule="30 * * * *", retries=2), "bob", now=T0)
    assert (job.version, job.promoted, job.next_tick_at) == (2, 2, T0 + 1800)
    return job.job_id


def test_versions_are_listed_newest_first(ws: Workspace, two: str) -> None:
    promote.trigger(ws, "claims", "ada")
    newest, first = versions.versions(ws, "claims")
    assert (newest["version"], newest["current"], newest["runs"], newest["created_by"]) == (2, True, 1, "bob")
    assert (first["note"], first["status"], first["runs"], first["current"]) == (
        "first",
        "approved",
        0,
        False,
    )
    changed = {n for n in first["files"] if first["files"][n] != newest["files"].get(n)}
    assert changed >= {"job.yaml", "notebook.ipynb", "rules.py"}
    # stored once: what both have is one object, and each folder is as it was promoted
    stored = {p.name for p in objects.folder(ws).rglob("*") if p.is_file()}
    assert stored == {
        *first["files"].values(),
        *newest["files"].values(),
        *(v["bundle_hash"] for v in (first, newest)),
    }
    json.dumps([newest, first])


def test_diff_of_versions_and_of_the_notebook(ws: Workspace, two: str, notebook: Path) -> None:
    found = versions.diff(ws, "claims", 1, 2)
    assert found["spec"] == [
        {"option": "schedule", "old": "0 * * * *", "new": "30 * * * *"},
        {"option": "retries", "old": 0, "new": 2},
    ]
    (cell,) = found["cells"]
    assert (cell["kind"], cell["old"], cell["new"]) == ("changed", 2, 2)
    assert cell["diff"].splitlines()[-2:] == ["-total = n + 1", "+total = n + 2"]
    (module,) = [f for f in found["files"] if f["path"] == "rules.py"]
    assert module["diff"].splitlines()[-3:-1] == ["-LIMIT = 1", "+LIMIT = 2"]
    assert not found["same"]
    assert versions.diff(ws, "claims", 2, 2)["same"]
    assert versions.diff(ws, "claims", 2, notebook)["same"]
    edit(notebook, 3, "print('new')")
    now = versions.diff(ws, "claims", None, None)
    assert [c["new"] for c in now["cells"]] == [3]
    assert now["files"] == now["spec"] == []
    with pytest.raises(NotFoundError, match=r"no version 9 \(there is: 1, 2\)"):
        versions.diff(ws, "claims", 9, 2)
    with pytest.raises(NotFoundError, match="no notebook"):
        versions.diff(ws, "claims", 1, notebook.with_name("none.ipynb"))


def test_rollback_runs_the_old_version_exactly(ws: Workspace, two: str, notebook: Path) -> None:
    queued = promote.trigger(ws, "claims", "ada")
    job = versions.rollback(ws, "claims", None, "carl", "2 is wrong", now=T0)
    assert (job.version, job.spec.schedule, job.spec.retries, job.next_tick_at) == (
        1,
        "0 * * * *",
        0,
        T0 + 3600,
    )
    claims.claim_ticks(ws, T0 + 3600)
    assert {r["version"] for r in promote.history(ws, "claims") if r["tick_at"]} == {1}
    assert promote.get_run(ws, queued)["version"] == 2  # what was queued stays what it was
    audited = ws.catalog.query("select * from audit order by seq")[-1]
    assert (audited["actor"], audited["action"]) == ("carl", "job.rollback")
    assert json.loads(audited["detail"])["reason"] == "2 is wrong"
    assert govern.verify(ws) is None
    assert not versions.rollback(ws, "claims", 1, "carl").changed
    with pytest.raises(ConflictError, match="no approved one is older"):
        versions.rollback(ws, "claims", None, "carl")
    # the notebook is version 2 still: promoted again, it is that version again, not a third
    again = promote.promote(ws, notebook, spec(schedule="30 * * * *", retries=2), "ada", now=T0)
    assert (again.version, again.again, again.changed, again.next_tick_at) == (2, True, True, T0 + 1800)
    assert len(versions.versions(ws, "claims")) == 2


def test_rollback_refuses_what_cannot_or_may_not_run(ws: Workspace, two: str) -> None:
    ws.catalog.write("update job_versions set status = 'rejected' where version = 1")
    with pytest.raises(ConflictError, match="is rejected, and only an approved version runs"):
        versions.rollback(ws, "claims", 1, "ada")
    ws.catalog.write("update job_versions set status = 'approved' where version = 1")
    ws.catalog.write("update jobs set rollout_id = 'ro-1'")
    with pytest.raises(ConflictError, match="is on trial"):
        versions.rollback(ws, "claims", 1, "ada")
    ws.catalog.write("update jobs set rollout_id = null")
    first = versions.versions(ws, "claims")[1]
    lost = objects.folder(ws) / first["files"]["rules.py"][:2] / first["files"]["rules.py"]
    lost.unlink()
    assert versions.rollback(ws, "claims", 1, "ada").version == 1  # its folder is whole
    versions.rollback(ws, "claims", 2, "ada")
    (records.job_folder(ws, two) / "v1" / "rules.py").unlink()
    with pytest.raises(JobError, match=r"rules\.py is missing.*cannot be restored: rules\.py .* is gone"):
        versions.rollback(ws, "claims", 1, "ada")
    assert promote.get(ws, "claims").version == 2


def test_a_version_that_waits_does_not_run(
    ws: Workspace, two: str, notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aios_workbench.promote.approvals.first_status", lambda *_: "waiting")
    edit(notebook, 2, "total = n + 3")
    job = promote.promote(ws, notebook, spec(schedule="0 * * * *"), "ada", now=T0)
    assert (job.version, job.promoted, job.spec.retries) == (2, 3, 2)
    same = promote.promote(ws, notebook, spec(schedule="0 * * * *"), "ada", now=T0)
    assert (same.version, same.promoted, same.changed) == (2, 3, False)
    new = promote.promote(
        ws, notebook, JobSpec(name="new", notebook="-", schedule="0 * * * *"), "ada", now=T0
    )
    assert (new.status, new.version, new.next_tick_at) == ("waiting", 1, None)
    assert claims.claim_ticks(ws, T0 + 3600) is not None
    assert promote.history(ws, "new") == []
    with pytest.raises(ConflictError, match="is waiting"):
        versions.rollback(ws, "claims", 3, "ada")


def test_made_for_a_rollout_the_job_goes_on_with_what_it_has(ws: Workspace, two: str, notebook: Path) -> None:
    edit(notebook, 2, "total = n + 3")
    job = promote.promote(ws, notebook, spec(schedule="30 * * * *", retries=2), "ada", activate=False)
    assert (job.version, job.promoted) == (2, 3)
    assert promote.get(ws, "claims").version == 2


def test_provenance_says_where_a_version_comes_from(ws: Workspace, two: str) -> None:
    ws.catalog.write(
        "insert into approvals (job_id, version, actor, decision, reason, at) "
        "values (:j, 2, 'eve', 'approve', 'ok', 1.0)",
        j=two,
    )
    found = versions.statement(ws, "claims")
    assert (found["_type"], found["predicateType"]) == (
        "https://in-toto.io/Statement/v1", "https://slsa.dev/provenance/v1",
    )  # fmt: skip
    (subject,) = found["subject"]
    newest = versions.versions(ws, "claims")[0]
    assert (subject["name"], subject["digest"]) == ("claims/v2", {"sha256": newest["bundle_hash"]})
    internal = found["predicate"]["buildDefinition"]["internalParameters"]
    assert (internal["promotedBy"], internal["check"]["error"]) == ("bob", 0)
    inputs = {
        d["name"]: d for d in found["predicate"]["buildDefinition"]["resolvedDependencies"] if "name" in d
    }
    assert inputs["rules.py"]["digest"]["sha256"] == newest["files"]["rules.py"]
    (approval,) = found["predicate"]["runDetails"]["byproducts"]
    assert approval["annotations"]["actor"] == "eve"
    beside = json.loads((records.job_folder(ws, two) / "v2" / "provenance.json").read_text())
    assert beside["subject"] == found["subject"]
    ws.catalog.write("update job_versions set provenance = null where version = 1")
    with pytest.raises(NotFoundError, match="before there was provenance"):
        versions.statement(ws, "claims", 1)


def test_differs_from_the_promoted_version(ws: Workspace, two: str, notebook: Path, write: Write) -> None:
    assert versions.differs(ws, notebook) == {
        "job": "claims", "job_id": two, "version": 2, "differs": False, "what": [],
    }  # fmt: skip
    book = nbformat.read(notebook, as_version=4)
    book.cells[0].outputs, book.cells[0].execution_count = [nbformat.v4.new_output("stream", text="7")], 7
    book.cells[0].metadata["execution"] = {"iopub.status.busy": "now"}
    nbformat.write(book, notebook)
    assert versions.differs(ws, notebook)["differs"] is False  # type: ignore[index]
    (notebook.parent / "rules.py").write_text("LIMIT = 3\n")
    book.cells.insert(1, nbformat.v4.new_code_cell("import late"))
    nbformat.write(book, notebook)
    (notebook.parent / "late.py").write_text("")
    found = versions.differs(ws, notebook)
    assert found is not None
    assert found["what"] == ["cell 2 added", "late.py added", "rules.py changed"]
    versions.rollback(ws, "claims", 1, "ada")
    found = versions.differs(ws, notebook)
    assert found is not None
    assert (found["version"], found["what"][0]) == (1, "cell 2 added")
    assert versions.differs(ws, write("other_%.ipynb", "1")) is None
    notebook.unlink()
    with pytest.raises(NotFoundError, match="no notebook"):
        versions.differs(ws, notebook)
