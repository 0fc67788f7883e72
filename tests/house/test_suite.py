"""The suite's own rules: what CI does with skips, the order, warnings, notebooks in the right kernel."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aios_workbench import bootstrap

PYPROJECT = """
[tool.pytest.ini_options]
addopts = ["--strict-markers", "-p", "no:cacheprovider", "--nbval-lax", "--nbval-current-env", "-p", "no:playwright"]
filterwarnings = ["error"]
markers = ["alone"]
"""

PARALLEL = bootstrap.SIDE_BY_SIDE

SKIPS = """
import pytest

@pytest.fixture
def f(): pytest.skip("no f")

def test_runs(): assert True
def test_data(): pytest.skip("needs shared data: ../shared/data/x.csv")
def test_lazy(): pytest.skip("no time")
def test_fixture(f): pass

@pytest.mark.skip(reason="later")
def test_marked(): pass

@pytest.mark.xfail(reason="known")
def test_known(): assert False
"""


@pytest.fixture
def suite(tmp_path: Path, root: Path) -> Path:
    """A small suite under our conftest."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "tests" / "browser").mkdir(parents=True)
    for name in ("conftest.py", "left_open.py"):
        (tmp_path / "tests" / name).write_text((root / "tests" / name).read_text())
    return tmp_path


def run(suite: Path, *args: str, ci: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
    base = {k: v for k, v in os.environ.items() if k not in {"AIOS_CI", "PYTEST_ADDOPTS"}}
    if ci:
        base["AIOS_CI"] = "1"
    command = [sys.executable, "-m", "pytest", *args]
    return subprocess.run(
        command, cwd=suite, env={**base, **env}, capture_output=True, text=True, check=False
    )


def outcomes(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Read pytest's last line, which is what CI shows."""
    return {
        word.rstrip("s"): int(n)
        for n, word in re.findall(r"(\d+) ([a-z]+)", done.stdout.splitlines()[-1])
        if word != "in"
    }


@pytest.mark.parametrize("how", [(), PARALLEL], ids=["one", "two at a time"])
def test_ci_refuses_skips_that_could_have_run(suite: Path, how: tuple[str, ...]) -> None:
    (suite / "tests" / "test_x.py").write_text(SKIPS)
    (suite / "tests" / "test_y.py").write_text("import pytest\npytest.importorskip('no_such_module')\n")
    (suite / "x.ipynb").write_text(notebook("1"))
    done = run(suite, *how, "tests", "x.ipynb")
    # errors: the fixture, the mark and the module; failed: the skip inside a test; skipped: the data that is absent
    assert outcomes(done) == {"passed": 2, "skipped": 1, "failed": 1, "error": 3, "xfailed": 1}, done.stdout
    assert done.returncode == 1
    for reason in ("no time", "no f", "later", "no_such_module"):
        assert reason in done.stdout


def test_skips_are_fine_by_hand(suite: Path) -> None:
    (suite / "tests" / "test_x.py").write_text(SKIPS)
    done = run(suite, ci=False)
    assert outcomes(done) == {"passed": 1, "skipped": 4, "xfailed": 1}, done.stdout
    assert done.returncode == 0


def test_absent_data_is_the_only_skip_ci_accepts(suite: Path) -> None:
    (suite / "tests" / "test_x.py").write_text(SKIPS)
    done = run(suite, "-k", "data or runs or known")
    assert outcomes(done) == {"passed": 1, "skipped": 1, "xfailed": 1, "deselected": 3}, done.stdout
    assert done.returncode == 0


def test_half_a_character_is_reported_like_any_other(suite: Path) -> None:
    fails = "def test_fails(): assert print('\\ud800') or '\\ud800' == ''\n"
    (suite / "tests" / "test_x.py").write_text(f"def test_prints(): print('\\ud800')\n{fails}")
    done = run(suite, *PARALLEL)
    assert outcomes(done) == {"passed": 1, "failed": 1}, done.stdout


def test_alone_is_beside_no_other(suite: Path) -> None:
    """Each test writes when it began and ended; those marked must overlap with none."""
    body = """
import pathlib, time, pytest
{mark}
@pytest.mark.parametrize("i", range({n}))
def test_it(i):
    began = time.monotonic()
    time.sleep(0.05)
    with open("times", "a") as f:
        print(began, time.monotonic(), {alone}, file=f)
"""
    (suite / "tests" / "test_a.py").write_text(body.format(mark="@pytest.mark.alone", n=3, alone=1))
    for name in ("b", "c"):
        (suite / "tests" / f"test_{name}.py").write_text(body.format(mark="", n=8, alone=0))
    done = run(suite, *PARALLEL)
    assert outcomes(done) == {"passed": 19}, done.stdout
    times = [tuple(map(float, line.split())) for line in (suite / "times").read_text().splitlines()]
    assert sum(alone for *_, alone in times) == 3
    for began, ended, alone in times:
        beside = [t for t in times if t != (began, ended, alone) and t[0] < ended and began < t[1]]
        assert not (alone and beside)


def test_browser_tests_come_last(suite: Path) -> None:
    for name in ("browser/test_a.py", "test_b.py"):
        (suite / "tests" / name).write_text("def test_it(): assert True\n")
    done = run(suite, "--collect-only", "-q")
    assert [line for line in done.stdout.splitlines() if "::" in line] == [
        "tests/test_b.py::test_it",
        "tests/browser/test_a.py::test_it",
    ]


def test_warnings_are_errors(suite: Path) -> None:
    (suite / "tests" / "test_w.py").write_text(
        "import warnings\ndef test_it(): warnings.warn('x', DeprecationWarning)\n"
    )
    assert run(suite).returncode == 1


def notebook(*sources: str) -> str:
    cells = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"c{i}",
            "metadata": {},
            "outputs": [],
            "source": source,
        }
        for i, source in enumerate(sources)
    ]
    # a kernel of another environment, as a notebook saved elsewhere names it
    spec = {"display_name": "Mine", "language": "python", "name": "somebody-elses-kernel"}
    return json.dumps({"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5})


def test_notebooks_run_in_this_python_with_a_workspace_of_their_own(suite: Path) -> None:
    (suite / "tutorials").mkdir()
    kernel = (
        f"import os, sys\nassert os.path.samefile(sys.executable, {sys.executable!r}), sys.executable\n"
        f"assert not os.environ['AIOS_HOME'].startswith({str(suite)!r})\n"
        "assert os.environ['AIOS_HOME'].endswith(NAME)\nassert os.environ['DO_NOT_TRACK'] == '1'"
    )
    for name in ("one", "two"):
        (suite / "tutorials" / f"{name}.ipynb").write_text(notebook(f"NAME = 'aios-{name}'", kernel))
    done = run(suite, "tests", "tutorials")
    assert "4 passed" in done.stdout, done.stdout
    assert not list(suite.rglob(".aios"))


def test_a_notebook_that_raises_fails(suite: Path) -> None:
    (suite / "x.ipynb").write_text(notebook("1 / 0"))
    done = run(suite, "tests", "x.ipynb")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stdout
