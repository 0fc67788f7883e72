"""docs/promote.md as a reader would follow it: Python runs, commands print what is said."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "promote.md").read_text(encoding="utf-8")
SECTION = re.split(r"^## ", TEXT, flags=re.MULTILINE)
CHECK = next(part for part in SECTION if part.startswith("Check\n"))


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    drop = ("AIOS_JOB_RUN", "AIOS_GATES", "AIOS_PARAMETERS")
    env = {k: v for k, v in os.environ.items() if k not in drop} | {
        "AIOS_HOME": str(folder / ".aios"),
        "COLUMNS": "200",
    }
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=170, check=False
    )


def test_the_check_is_as_described(tmp_path: Path) -> None:
    blocks = re.findall(r"```(python|console)\n(.*?)```", CHECK, re.DOTALL)
    assert {kind for kind, _ in blocks} == {"python", "console"}
    script = printed = ""
    for kind, block in blocks:
        if kind == "python":
            script += block
            done = run([sys.executable, "-c", script], tmp_path)
            assert done.returncode == 0, done.stderr
            printed = done.stdout
            continue
        command, *expected = block.splitlines()
        words = command.removeprefix("$ aios ").split()
        said = run([sys.executable, "-m", "aios_workbench.cli", *words], tmp_path).stdout.splitlines()
        assert [line for line in expected if line not in said] == []
    assert printed.strip() in CHECK.partition("first.variable)  # ")[2].splitlines()[0]
    assert printed.startswith("False AIOS102")


def test_every_family_is_named() -> None:
    from aios_workbench.promote.checks.rules import FAMILIES

    assert all(f"| {family} | AIOS{digit}xx |" in CHECK for digit, family in FAMILIES.items())


@pytest.mark.parametrize("path", re.findall(r"`((?:tests|benchmarks)/[\w/.]+)`", CHECK))
def test_what_is_pointed_at_is_there(path: str) -> None:
    assert (Path(__file__).parents[2] / path).exists()
