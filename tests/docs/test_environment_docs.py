"""What docs/promote.md says of environments: its code runs, its commands have the options it names."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from aios_workbench.cli.app import app

TEXT = (Path(__file__).parents[2] / "docs" / "promote.md").read_text(encoding="utf-8")
SECTION = next(
    part for part in re.split(r"^## ", TEXT, flags=re.MULTILINE) if part.startswith("The environment")
)


def test_its_code_prints_what_it_says(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == re.findall(r"# (.*)$", code, re.MULTILINE), done.stderr


COMMANDS = re.findall(r"^\$ aios (.*)$", SECTION, re.MULTILINE)


@pytest.mark.parametrize("line", COMMANDS)
def test_its_commands_are_there(line: str) -> None:
    command: click.Command = app
    words = shlex.split(line)
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {w for w in words if w.startswith("--")} <= options


def test_there_are_commands() -> None:
    assert len(COMMANDS) == 4
