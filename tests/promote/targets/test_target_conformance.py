"""One job, every target: written by `export`, read by the target's own tool, executed, the same output everywhere."""

from __future__ import annotations

import json
import os
import subprocess
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


STEPPED = [name for name in NAMES if "steps" in get(name).grains]
FLOW = """
import json
from pathlib import Path
import aios_workbench as aios

wf = aios.Workflow("claims")

@wf.step(retries=1, backoff=0.1, timeout="5m")
def load(limit: int = 3):
    print("loading", limit)
    return list(range(limit))

@wf.gate
def review(load):
    return {"rows": len(load)}

@wf.step(name="wri te {{ x }} '$(id)'", inputs={"rows": "load"})
def write(rows, review, out: Path = Path("x")):
    out.write_text(json.dumps({"total": sum(rows), "rows": len(rows), "by": review.approved}))
    return str(out)

@wf.step(when=lambda load: len(load) > 100)
def never(load, review):
    raise RuntimeError("it was to be skipped")
"""


@pytest.fixture(scope="module")
def stepped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose workflow has run once: its code is stored."""
    folder = tmp_path_factory.mktemp("stepped")
    write_notebook(folder / "claims.ipynb")
    (folder / "flow.py").write_text(FLOW, encoding="utf-8")
    done = aios(folder, "run", "flow.py", "-p", "out=first.json", "--gate", "review=approve")
    assert done.returncode == 0, done.stderr
    return folder


def aios(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {
        "AIOS_HOME": str(folder / ".aios")
    }
    command = folder / "aios"
    if not command.exists():
        command.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" -m aios_workbench.cli "$@"\n', encoding="utf-8"
        )
        command.chmod(0o755)
    return subprocess.run(
        [str(command), *words], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("target", STEPPED)
def test_steps_as_the_targets_own_tasks(stepped: Path, target: str) -> None:
    out, command = stepped / f"{target}.json", str(stepped / "aios")
    words = ("--target", target, "--grain", "steps", "--workflow", "claims", "--schedule", "0 6 * * *", "--gate",
             "review=approve", "--out", f"out-{target}", "--command", command)  # fmt: skip
    words += ("-p", f"out={out}", "-p", "limit=5", "--verify", "--execute", "--json")
    done = aios(stepped, "promote", "claims.ipynb", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert {c["level"] for c in told["verification"]["checks"]} == {LEVEL[target]}
    assert json.loads(out.read_text()) == {"total": 10, "rows": 5, "by": True}
    query = (
        "select s.step, s.status from steps s join runs r on r.run_id = s.run_id where r.source = 'target' and "
        f"r.status = 'succeeded' and r.params like '%{target}.json%' order by s.position"
    )
    rows = json.loads(aios(stepped, "sql", query, "--json").stdout)["rows"]
    assert [tuple(row.values()) if isinstance(row, dict) else tuple(row) for row in rows] == [
        ("load", "succeeded"), ("review", "succeeded"), ("wri te {{ x }} '$(id)'", "succeeded"), ("never", "skipped"),
    ]  # fmt: skip


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
