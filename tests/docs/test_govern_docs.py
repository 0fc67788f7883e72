"""The section of docs/promote.md on policy, approvals and trials: its Python runs, its commands print what is said."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner

from aios_workbench.cli.app import app
from aios_workbench.cli.rollout import _TESTS
from aios_workbench.govern.policy import ACTIONS
from aios_workbench.workspace import home

if TYPE_CHECKING:
    import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "promote.md").read_text(encoding="utf-8")
PART = next(
    part for part in re.split(r"^## ", TEXT, flags=re.MULTILINE) if part.startswith("Who may do what")
)


def test_it_is_as_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AIOS_HOME", str(tmp_path / ".aios"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    names: dict[str, object] = {}
    count = 0
    for kind, block in re.findall(r"```(python|console)\n(.*?)```", PART, re.DOTALL):
        if kind == "python":
            exec(block, names)
            continue
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *expected = part.splitlines()
            user, _, *words = shlex.split(command)
            monkeypatch.setenv("AIOS_USER", user.removeprefix("AIOS_USER="))
            result = CliRunner().invoke(app, words)
            denied = any(" may not " in line or "does not count" in line for line in expected)
            assert result.exit_code == (7 if denied else 0), (command, result.output)
            assert [line for line in expected if line not in result.output.splitlines()] == [], result.output
            count += 1
    assert count == 15
    home._open.pop(next(key for key in home._open if key[0] == tmp_path / ".aios")).close()


def test_every_action_is_named() -> None:
    assert all(f"`{action}`" in PART for action in ACTIONS)
    assert all(said in PART for said in [_TESTS["worse"]])
