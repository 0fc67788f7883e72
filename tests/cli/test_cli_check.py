"""aios promote --check, --run, --fix, --rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

if TYPE_CHECKING:
    from conftest import Project

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def notebook(path: str, *cells: str) -> None:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nbformat.write(book, path)


def test_findings_by_cell_in_plain_words(project: Project) -> None:
    notebook("nb.ipynb", "x = 1", "print(x)\nprint(y, '/home/ada/a.csv')")
    said = project("promote", "--check", "nb.ipynb", code=1).stdout
    assert said.index("cell 2") < said.index("AIOS101 undefined-name line 2: 'y' is not defined.")
    assert "Define it in a cell above, or import it." in said
    assert "AIOS203 absolute-path line 2" in said
    assert "1 error, 1 warning" in said
    assert "it cannot be promoted" in said
    assert not (project.root / "catalog.db").exists()


def test_as_json(project: Project) -> None:
    Path("claims.csv").write_text("a\n1\n")
    notebook(
        "nb.ipynb",
        "print(open('claims.csv').read())",
        "print(list(set('ab')))  # aios: ignore AIOS124 two letters",
    )
    seen = project.json("promote", "--check", "nb.ipynb")
    assert (seen["ok"], seen["findings"], seen["run"]) == (True, [], None)
    assert [d["path"] for d in seen["data"]] == ["claims.csv"]
    assert [(i["rule"], i["reason"], i["quick_fix"]["title"]) for i in seen["ignored"]] == [
        ("AIOS124", "two letters", "sort it")
    ]


def test_the_gate_is_shut_at_promotion(project: Project) -> None:
    notebook("nb.ipynb", "print(y)")
    assert "AIOS101" in project("promote", "nb.ipynb", code=1).stdout
    assert not (project.root / "catalog.db").exists()
    notebook("nb.ipynb", "print(list(set('ab')))")
    done = project.json("promote", "nb.ipynb")
    assert (done["version"], [f["rule"] for f in done["findings"]]) == (1, ["AIOS124"])


def test_a_clean_run(project: Project) -> None:
    notebook("nb.ipynb", "rows = {}", "print(rows['a'])")
    assert project.json("promote", "--check", "nb.ipynb")["ok"]
    seen = project("promote", "--check", "--run", "nb.ipynb", code=1).stdout
    assert "AIOS141 clean-run-failed" in seen
    assert "clean run: failed in" in seen


def test_fix(project: Project) -> None:
    notebook("nb.ipynb", "x = 1\nbreakpoint()\nprint(list(set('ab')), x)")
    said = project("promote", "--fix", "--only", "debugger", "nb.ipynb").stdout
    assert "AIOS210 remove the line" in said
    assert "nb.before-fix.ipynb" in said
    assert nbformat.read("nb.ipynb", 4).cells[0].source == "x = 1\nprint(list(set('ab')), x)"
    assert "mends 1" in project("promote", "--check", "nb.ipynb").stdout
    assert project.json("promote", "--fix", "nb.ipynb", "--out", "new.ipynb")["fixed"][0]["rule"] == "AIOS124"
    assert nbformat.read("new.ipynb", 4).cells[0].source == "x = 1\nprint(sorted(set('ab')), x)"
    assert "nothing to mend" in project("promote", "--fix", "new.ipynb").stdout
    assert "did you mean" in project.error("promote", "--fix", "--only", "AIOS21", "nb.ipynb", code=3)


def test_rules(project: Project) -> None:
    assert "AIOS203" in project("promote", "--rules").stdout
    rules = project.json("promote", "--rules")
    assert {"id", "name", "family", "severity", "what", "why", "fixable"} == set(rules[0])
    assert len(rules) > 70
    assert "which notebook" in project("promote", code=2).stderr
