"""aios policy, aios jobs approve, reject, approvals, rollout: from the command line, by several people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import nbformat

if TYPE_CHECKING:
    import pytest
    from conftest import Project

RULES = """
permit (principal, action, resource);
@id("risk only")
@advice("only the risk team agrees to a version")
forbid (principal, action == Action::"job.approve", resource) unless { principal in Group::"risk" };
"""


def notebook(text: str) -> None:
    cell = nbformat.v4.new_code_cell(f"print({text!r})", id="c0")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), "nb.ipynb")


def promote(project: Project, text: str, *options: str) -> dict[str, object]:
    notebook(text)
    made: dict[str, object] = project.json("promote", "nb.ipynb", "--name", "daily", *options)
    return made


def test_a_policy_from_a_file_to_a_refusal(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOS_USER", "ada")
    promote(project, "one")
    assert "// the default" in project("policy", "show").stdout
    assert "entity Person in [Group];" in project("policy", "show", "--schema").stdout
    own = project.json("policy", "test", "ada", "job.approve", "daily", code=7)
    assert (own["allowed"], own["rule"]) == (False, "not-your-own")
    assert "eve may do job.approve" in project("policy", "test", "eve", "job.approve", "daily").stdout
    assert "did you mean 'job.pause'" in project.error("policy", "test", "eve", "job.paus", "daily", code=2)

    Path("wrong.cedar").write_text(RULES.replace("job.approve", "job.aprove"))
    found = project.json("policy", "check", "wrong.cedar", code=1)
    assert "line 3: unrecognized action" in found["problem"]
    assert "unrecognized action" in project.error("policy", "use", "wrong.cedar", code=2)
    assert "no policy" in project.error("policy", "use", code=3)
    assert "no file gone.cedar" in project.error("policy", "check", "gone.cedar", code=3)

    (project.root / "policy.cedar").write_text(RULES)
    (project.root / "people.json").write_text('{"bob": ["risk"]}')
    assert "is not the policy in force" in project.error("jobs", "pause", "daily", code=7)
    assert "nothing is wrong" in project("policy", "check").stdout
    assert project.json("policy", "use")["by"] == "ada"
    project("jobs", "pause", "daily")
    assert "put in force by ada" in project("policy", "show").stdout
    denied = project.json("policy", "test", "eve", "job.approve", "daily", code=7)
    assert denied == {"allowed": False, "why": "only the risk team agrees to a version", "rule": "risk only"}
    assert "the default is in force" not in project.error("policy", "use", code=4)
    project("policy", "use", "--default")
    assert "is not the policy in force" in project.error("jobs", "resume", "daily", code=7)


def test_approved_by_others(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOS_USER", "ada")
    promote(project, "one")
    notebook("new")
    said = project(
        "promote", "nb.ipynb", "--name", "new", "--approvals", "1", "--schedule", "0 6 * * *"
    ).stdout
    assert "it begins when others agree" in said
    project("jobs", "remove", "new", "--yes")
    notebook("two")
    said = project("promote", "nb.ipynb", "--name", "daily", "--approvals", "1").stdout
    assert "version 2 is made; the job goes on with version 1" in said
    (waits,) = project.json("jobs", "approvals")["waiting"]
    assert (waits["version"], waits["needed"]) == (2, 1)
    assert "1 approval is missing of 1" in project("jobs", "approvals", "daily").stdout
    assert "does not count" in project.error("jobs", "approve", "daily", code=7)
    monkeypatch.setenv("AIOS_USER", "<img src=x onerror=alert(1)>")
    assert "look at it again" in project.error("jobs", "approve", "daily", "--bundle", "0" * 64, code=4)
    said = project("jobs", "approve", "daily", "--version", "2", "--reason", "[red]fine\x1b[31m").stdout
    assert "approved by <img src=x onerror=alert(1)>" in said
    assert "\x1b" not in said
    assert "no version waits for approval" in project("jobs", "approvals").stdout
    assert "does not wait for approval" in project.error(
        "jobs", "reject", "daily", "--version", "2", "--reason", "late", code=4
    )


def test_a_trial_from_start_to_end(project: Project) -> None:
    promote(project, "one")
    assert "ever on trial" in project("jobs", "rollout", "status", "daily").stdout
    made = promote(project, "two", "--canary", "25%")
    assert (made["version"], made["promoted"]) == (1, 2)
    found = project.json("jobs", "rollout", "status", "daily")["rollout"]
    assert (found["mode"], found["share"], found["status"]) == ("canary", 0.25, "running")
    shown = project("jobs", "rollout", "status", "daily").stdout
    assert "version 2 as canary of 25% of the runs, beside version 1" in shown
    assert "against 'no worse than the other version': 1 (rolled back at 20)" in shown
    notebook("three")
    assert "is on trial" in project.error("promote", "nb.ipynb", "--name", "daily", code=4)
    assert "rolled_back" in project("jobs", "rollout", "abort", "daily", "--reason", "no").stdout
    assert "no share" in project.error("promote", "nb.ipynb", "--name", "daily", "--canary", "some", code=2)
    said = project("promote", "nb.ipynb", "--name", "daily", "--shadow").stdout
    assert "version 3 is on trial beside version 1" in said
    assert project.json("jobs", "rollout", "promote", "daily")["status"] == "promoted"
    assert project.json("jobs", "show", "daily")["version"] == 3
    rules = ("--rule", "runs=3", "--rule", "promote=true", "--rule", "compare=none")
    again = project.json("jobs", "rollout", "start", "daily", "--version", "1", "--shadow", *rules)
    assert (again["rules"]["runs"], again["rules"]["promote"]) == (3, True)
    assert "did you mean 'runs'" in project.error(
        "jobs", "rollout", "start", "daily", "--version", "2", "--rule", "run=3", code=2
    )
