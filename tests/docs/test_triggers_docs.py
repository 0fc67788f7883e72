"""The section on what starts a job of docs/promote.md as a reader would follow it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.promote import JobSpec
from aios_workbench.promote.triggers import describe, fire
from aios_workbench.workspace import workspace

if TYPE_CHECKING:
    import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "promote.md").read_text(encoding="utf-8")
SECTION = next(
    part for part in re.split(r"^## ", PAGE, flags=re.MULTILINE) if part.startswith("What starts a job")
)
BLOCKS = re.findall(r"```(python|console|yaml)\n(.*?)```", SECTION, re.DOTALL)


def test_it_is_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from aios_workbench.cli.app import call
    from aios_workbench.engine import control

    for name in ("AIOS_JOB_RUN", "AIOS_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AIOS_HOME", str(tmp_path / ".aios"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(control, "ensure_worker", lambda _: None)
    space: dict[str, Any] = {}
    for kind, block in BLOCKS:
        if kind == "python":
            exec(block, space)
            assert capsys.readouterr().out.split() == re.findall(r"  # (\w+)$", block.rstrip())
        elif kind == "yaml":
            Path("job.yaml").write_text(block)
            assert call(["promote", "load.ipynb", "--spec", "job.yaml"]) == 0
            assert "nothing changed" in capsys.readouterr().out  # it says the same as the options above
        for piece in block.split("$ aios ")[1:] if kind == "console" else ():
            command, *expected = piece.splitlines()
            assert call(shlex.split(command)) == 0
            said = capsys.readouterr().out
            assert [line for line in expected if line not in said.splitlines()] == []
    assert describe(JobSpec(notebook="-", **{**_yaml(), "name": "load"})).startswith(
        "Every 6 hours from 2030-01-01"
    )
    assert len(fire(workspace(), 0.0)) == 1


def _yaml() -> dict[str, Any]:
    import yaml

    (block,) = [block for kind, block in BLOCKS if kind == "yaml"]
    return {k: str(v) if k == "starting" else v for k, v in yaml.safe_load(block).items()}
