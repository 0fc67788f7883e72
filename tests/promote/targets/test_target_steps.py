"""A workflow's steps as each target's own tasks, from the command line: executed, the same output, the same rows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from target_kit import write_notebook

from aios_workbench.promote.targets import NAMES, get

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),  # the first test of a target makes its environment
]
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
    assert {c["level"] for c in told["verification"]["checks"]} == {get(target).evidence}
    assert json.loads(out.read_text()) == {"total": 10, "rows": 5, "by": True}
    query = (
        "select s.step, s.status from steps s join runs r on r.run_id = s.run_id where r.source = 'target' and "
        f"r.status = 'succeeded' and r.params like '%{target}.json%' order by s.position"
    )
    rows = json.loads(aios(stepped, "sql", query, "--json").stdout)["rows"]
    assert [tuple(row.values()) if isinstance(row, dict) else tuple(row) for row in rows] == [
        ("load", "succeeded"), ("review", "succeeded"), ("wri te {{ x }} '$(id)'", "succeeded"), ("never", "skipped"),
    ]  # fmt: skip
