"""Where a run executes: read off git's files and folder names, written in the background."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import aios_workbench as aios
from aios_workbench.observe import environment
from aios_workbench.observe.money import is_cost


def git(folder: Path, *command: str) -> str:
    options = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *options, *command], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    top = tmp_path / "project"
    top.mkdir()
    git(top, "init", "-q", "-b", "trunk")
    (top / "a.txt").write_text("1")
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "one")
    return top


def test_git_is_read_from_anywhere_inside(checkout: Path) -> None:
    (checkout / "deep" / "er").mkdir(parents=True)
    commit = git(checkout, "rev-parse", "HEAD")
    found = environment.git(str(checkout / "deep" / "er"))
    assert found == {"git_commit": commit, "git_branch": "trunk", "git_dirty": False}
    (checkout / "a.txt").write_text("2")
    environment._dirty.clear()
    assert environment.git(str(checkout))["git_dirty"] is True


def test_git_packed_detached_and_worktree(checkout: Path, tmp_path: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    git(checkout, "pack-refs", "--all")
    assert environment.head(checkout / ".git") == (commit, "trunk")
    git(checkout, "worktree", "add", "-q", str(tmp_path / "other"), "-b", "side/branch")
    assert environment.head(tmp_path / "other" / ".git") == (commit, "side/branch")
    git(checkout, "checkout", "-q", "--detach")
    assert environment.head(checkout / ".git") == (commit, None)


def test_no_git_and_a_broken_one(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: ../nowhere\n")
    assert environment.head(tmp_path / ".git") == (None, None)
    assert environment.git(str(tmp_path))["git_dirty"] is None


def test_packages_are_those_of_importlib() -> None:
    told = {
        re.sub(r"[-_.]+", "-", d.metadata["Name"]).lower(): d.version
        for d in importlib.metadata.distributions()
    }
    found = environment.packages()
    for name in ("pandas", "dbos", "aios-workbench", "pytest", "scikit-learn"):
        assert found[name] == told[name]
    assert set(told) - set(found) == set()


def test_a_run_keeps_it_once(wf: aios.Workflow) -> None:
    @wf.step
    def one() -> int:
        aios.context().metric("tokens", 3, "USD")
        aios.context().metric("recovered", 10, "EUR", kpi=True)
        aios.context().metric("rows", 3)
        return 1

    runs = [wf.run(), wf.run()]
    for run in runs:
        run.result(60)
    environment.drain(30)
    said = [run.overview() for run in runs]
    assert said[0].environment is not None
    assert said[0].environment.python.startswith(f"{sys.version_info[0]}.{sys.version_info[1]}.")
    assert "pandas" in said[0].environment.packages
    assert "pytest" not in said[0].environment.packages  # counts in the hash, is not shown
    assert runs[0].row["environment"] == runs[1].row["environment"]
    names = [[f.name for f in facts] for facts in (said[0].cost, said[0].kpis, said[0].metrics)]
    assert names == [["tokens"], ["recovered"], ["rows"]]
    assert len(aios.sql("select * from environments")) >= 1


@pytest.mark.parametrize(("name", "unit", "cost"), [
    ("tokens", "USD", True), ("llm_cost", None, True), ("Cost", "points", True), ("cost_of_gpu", None, True),
    ("costly", None, False), ("rows", "rows", False), ("x", "usd", False), ("x", None, False),
])  # fmt: skip
def test_what_is_cost(name: str, unit: str | None, cost: bool) -> None:
    assert is_cost(name, unit) is cost
    assert is_cost(name, unit, kpi=True) is False


@pytest.mark.parametrize(("names", "variable", "path"), [
    ({"__vsc_ipynb_file__": "/w/a.ipynb"}, "", "/w/a.ipynb"), ({"__session__": "b.ipynb"}, "", "b.ipynb"),
    ({}, "c.ipynb", "c.ipynb"), ({}, "console-1", None), ({"__session__": 3}, "", None),
])  # fmt: skip
def test_the_notebook_is_the_kernels(
    names: dict[str, object], variable: str, path: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", variable)
    shell = SimpleNamespace(user_ns=names, kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert environment.notebook() == path
    del shell.kernel  # a script started from the notebook
    assert environment.notebook() is None
