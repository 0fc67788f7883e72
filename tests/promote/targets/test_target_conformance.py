"""One job, every target: written by `export`, read by the target's own tool, executed, the same output everywhere."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from target_kit import HOSTILE, nightly, write_notebook

from aios_workbench.promote.targets import NAMES, export, get
from aios_workbench.promote.targets.environments import environment

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),  # the first test of a target makes its environment
]
PARAMETERS = {"limit": 21, "note": HOSTILE + "\n{{ var.value.x }}", "rows": ["%d", "$HOME", None]}
EXPECTED = {"limit": 42, "note": PARAMETERS["note"], "rows": PARAMETERS["rows"]}
#: What was claimed in `aios targets` is what was run here.
LEVEL = {name: get(name).evidence for name in NAMES}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a notebook, and `aios` on the PATH that runs it in a workspace of its own."""
    command = tmp_path / "bin" / "aios"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m aios_workbench.cli "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("AIOS_HOME", str(tmp_path / "home" / ".aios"))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    write_notebook(tmp_path / "claims.ipynb")
    return tmp_path


def written(project: Path, target: str, parameters: dict[str, Any]) -> Any:
    # Retries would only make a failing job slow: seconds, not half a minute.
    spec = nightly(target, name=HOSTILE, parameters=parameters, retries=0, gates={}, timeout="10m")
    command = str(project / "bin" / "aios")
    return export(project / "claims.ipynb", spec, get(target), project / "out", aios=command)


@pytest.mark.parametrize("target", NAMES)
def test_same_job_same_output(project: Path, target: str) -> None:
    out = project / "result.json"
    made = written(project, target, {**PARAMETERS, "out": str(out)})
    found = get(target).verify(made.folder, made.plan, execute=True)
    assert found.ok, "\n".join(f"{c.what}: {c.output}" for c in found.checks if not c.ok)
    assert json.loads(out.read_text(encoding="utf-8")) == EXPECTED
    assert {c.level for c in found.checks} == {LEVEL[target]}


@pytest.mark.parametrize("target", NAMES)
def test_a_job_that_fails_fails_there(project: Path, target: str) -> None:
    out = project / "result.json"
    made = written(project, target, {**PARAMETERS, "limit": -1, "out": str(out)})
    found = get(target).verify(made.folder, made.plan, execute=True)
    assert json.loads(out.read_text(encoding="utf-8"))["limit"] == -2, "it was not executed"
    assert [c.ok for c in found.checks][-1] is False
    assert all(c.ok for c in found.checks[:-1])
    assert not found.ok


@pytest.mark.parametrize(
    ("target", "break_it", "word"),
    [
        ("airflow", ("schedule=", "shcedule="), "shcedule"),
        ("prefect", ("@flow(", "@floww("), "floww"),
        ("dagster", ("cron_schedule=", "corn_schedule="), "corn_schedule"),
        ("kfp", ("bundle=BUNDLE", "bundel=BUNDLE"), "bundel"),
        ("argo", ("concurrencyPolicy:", "concurencyPolicy:"), "concurencyPolicy"),
        ("kubernetes", ("concurrencyPolicy:", "concurencyPolicy:"), "concurencyPolicy"),
        ("step-functions", ('"StartAt": "Notebook"', '"StartAt": "Nowhere"'), ""),
        ("github", ("runs-on:", "run-on:"), "run-on"),
        ("systemd", ("OnCalendar=", "OnCalender="), "OnCalender"),
        ("crontab", ("30 6 ", "30 66 "), "66"),
        ("temporal", ("@workflow.run", "@workflow.rnu"), "rnu"),
    ],
)
def test_a_mistake_is_seen(project: Path, target: str, break_it: tuple[str, str], word: str) -> None:
    made = written(project, target, PARAMETERS)
    for path in made.files:
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(*break_it), encoding="utf-8")
    found = get(target).verify(made.folder, made.plan)
    assert not found.ok
    assert word in "".join(c.output for c in found.checks)


def test_yaml_is_clean(project: Path) -> None:
    """No duplicate keys, no stray spaces; lines may be long, a value of the job's cannot be broken."""
    from aios_workbench.promote.targets import proof

    files = [
        p
        for t in ("argo", "kubernetes", "github", "step-functions")
        for p in written(project, t, PARAMETERS).files
    ]
    rules = "{extends: default, rules: {line-length: disable, truthy: {check-keys: false}}}"
    linted = proof.run("yamllint", "schema", [environment("tools") / "yamllint", "-s", "-d", rules, *files])
    assert linted.ok, linted.output
