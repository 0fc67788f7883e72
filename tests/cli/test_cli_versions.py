"""aios jobs versions, diff, rollback, provenance, export: what needs no kernel."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat

from aios_workbench.cli import promote_plan

if TYPE_CHECKING:
    import pytest
    from conftest import Project


def notebook(*cells: str) -> None:
    made = [nbformat.v4.new_code_cell(c, id=f"c{n}") for n, c in enumerate(cells)]
    nbformat.write(nbformat.v4.new_notebook(cells=made), "nb.ipynb")


def test_versions_from_the_first_to_back_again(project: Project) -> None:
    Path("rules.py").write_text("LIMIT = '[red]\\x1b[31m'\n")
    Path("rates.csv").write_text("eur,usd\n")
    notebook("import rules", "print(open('rates.csv').read())")
    project.json("promote", "nb.ipynb", "--name", "daily", "--schedule", "0 6 * * *")
    notebook("import rules", "print(open('rates.csv').read(), '<img src=x onerror=alert(1)>')")
    Path("rules.py").write_text("LIMIT = 2\n")
    now = project("jobs", "diff", "daily").stdout
    assert "~ cell 2  changed" in now
    assert "+LIMIT = 2" in now
    assert "\x1b" not in now
    assert "<img src=x onerror=alert(1)>" in now
    assert project.json("promote", "nb.ipynb", "--name", "daily", "--schedule", "30 6 * * *")["version"] == 2

    listed = project.json("jobs", "versions", "daily")["versions"]
    assert [(v["version"], v["current"]) for v in listed] == [(2, True), (1, False)]
    assert "runs" in project("jobs", "versions", "daily").stdout
    options = project.json("jobs", "diff", "daily", "1", "2")["spec"]
    assert options == [{"option": "schedule", "old": "0 6 * * *", "new": "30 6 * * *"}]
    assert "the same, to the byte" in project("jobs", "diff", "daily", "2", "2").stdout
    assert "not with both" in project.error(
        "jobs", "diff", "daily", "1", "2", "--notebook", "nb.ipynb", code=2
    )

    back = project.json("jobs", "rollback", "daily", "--reason", "too early")
    assert (back["version"], back["spec"]["schedule"], back["changed"]) == (1, "0 6 * * *", True)
    assert "runs version 1 already" in project("jobs", "rollback", "daily", "1").stdout
    assert "there is: 1, 2" in project.error("jobs", "rollback", "daily", "7", code=3)
    assert "no approved one is older" in project.error("jobs", "rollback", "daily", code=4)


def test_provenance_in_git_names_the_commit_and_no_credentials(project: Project) -> None:
    notebook("print(1)")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for arguments in (
        ["init", "-q", "-b", "main"], ["add", "nb.ipynb"], ["commit", "-q", "-m", "first"],
        ["remote", "add", "origin", "https://ana:s3cret@example.com/team/repo.git"],
    ):  # fmt: skip
        subprocess.run([*git, *arguments], check=True)
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    project.json("promote", "nb.ipynb", "--name", "daily")
    found = project.json("jobs", "provenance", "daily")
    source = found["predicate"]["buildDefinition"]["resolvedDependencies"][0]
    assert source["uri"] == "git+https://example.com/team/repo.git@refs/heads/main"
    assert source["digest"] == {"gitCommit": commit}
    assert "s3cret" not in json.dumps(found)
    assert commit[:12] in project("jobs", "provenance", "daily").stdout


def test_export_is_for_git(project: Project) -> None:
    Path("rules.py").write_text("LIMIT = 1\n")
    Path("rates.csv").write_text("eur,usd\n")
    notebook("import rules", "print(open('rates.csv').read())")
    project.json("promote", "nb.ipynb", "--name", "daily")
    files = project.json("jobs", "export", "daily", "--out", "out")["files"]
    assert {"job.yaml", "nb.ipynb", "rules.py", "rates.csv", "data.json", "provenance.json"} <= set(files)
    assert "notebook: nb.ipynb" in Path("out/job.yaml").read_text()
    # read back, it is what it was, from another place
    again = project.json("promote", "--spec", "out/job.yaml", "--dry-run")
    assert [o["option"] for o in again["spec"]] == ["notebook"]
    assert again["cells"] == again["files"] == again["data"] == []
    before = {p: p.stat().st_mtime_ns for p in Path("out").rglob("*") if p.name[0] != "."}
    notebook("print(open('rates.csv').read())")
    project.json("promote", "nb.ipynb", "--name", "daily")
    project("jobs", "export", "daily", "--out", "out")
    assert not Path("out/rules.py").exists()  # no longer part of it
    assert Path("out/rates.csv").stat().st_mtime_ns == before[Path("out/rates.csv")]
    Path("out/nb.ipynb").write_text("mine")
    assert "edited since" in project.error("jobs", "export", "daily", "--out", "out", code=4)
    project("jobs", "export", "daily", "--out", "as-it-is", "--bundle")
    from aios_workbench.promote.bundle import verify

    verify(Path("as-it-is"), project.json("jobs", "versions", "daily")["versions"][0]["bundle_hash"])
    assert "is no bundle" in project.error("jobs", "export", "daily", "--out", "out", "--bundle", code=4)


def test_dry_run_says_what_would_change_and_changes_nothing(project: Project) -> None:
    notebook("print(1)")
    new = project.json("promote", "nb.ipynb", "--name", "daily", "--dry-run")
    assert (new["version"], new["next"], [c["kind"] for c in new["cells"]]) == (None, 1, ["added"])
    assert not (project.root / "catalog.db").exists()
    made = project.json("promote", "nb.ipynb", "--name", "daily", "--note", "the first")
    assert (made["promoted"], made["again"]) == (1, False)
    notebook("print(2)")
    shown = project("promote", "nb.ipynb", "--name", "daily", "--retries", "3", "--dry-run").stdout
    assert "runs version 1; this would be version 2:" in shown
    assert "~ retries: 0 -> 3" in shown
    assert "+print(2)" in shown
    assert len(project.json("jobs", "versions", "daily")["versions"]) == 1
    project.json("promote", "nb.ipynb", "--name", "daily")
    notebook("print(1)")
    assert project.json("promote", "nb.ipynb", "--name", "daily", "--dry-run")["next"] == 1
    assert "version 1 again" in project("promote", "nb.ipynb", "--name", "daily").stdout
    assert "runs this already" in project("promote", "nb.ipynb", "--name", "daily", "--dry-run").stdout
    assert project.json("jobs", "versions", "daily")["versions"][1]["note"] == "the first"


def test_the_reading_of_a_large_file_is_told_to_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    assert promote_plan.reading() is None
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", screen)
    times = iter([0.0, 0.1, 0.6, 0.6, 0.7, 0.7])
    told = promote_plan.reading(lambda: next(times))
    assert told is not None
    for done in (100, 200, 400):
        told("/data/a\x1b.bin", done * 2**20, 400 * 2**20)
    assert screen.getvalue() == (
        "\rreading a\\x1b.bin: 50 % of 419.4 MB\rreading a\\x1b.bin: 100 % of 419.4 MB\n"
    )
