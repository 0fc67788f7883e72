"""README's snippets run as they stand, one after the other, as a reader would."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_python_snippets(tmp_path: Path, clean_env: dict[str, str]) -> None:
    script = tmp_path / "readme.py"
    script.write_text("\n".join(blocks("python")), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=clean_env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("45 ")
    assert "'limit': 1000" in done.stdout
    assert "publish" in done.stdout


def test_the_commands(tmp_path: Path, clean_env: dict[str, str]) -> None:
    commands = [line[2:] for line in blocks("console")[1].splitlines() if line.startswith("$ aios ")]
    assert len(commands) >= 4
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    (notebooks / "claims_triage.ipynb").write_bytes((ROOT / "notebooks" / "claims_triage.ipynb").read_bytes())
    said = ""
    for command in commands:
        done = subprocess.run(
            command.partition("#")[0].replace("aios ", f"{sys.executable} -m aios_workbench.cli ", 1),
            shell=True, cwd=tmp_path, env=clean_env, capture_output=True, text=True, timeout=170, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        said += done.stdout
    assert "succeeded" in said


def test_the_first_block_names_the_two_commands() -> None:
    commands = blocks("console")[0]
    assert re.findall(r"\$ python3 -m aios_workbench\.bootstrap (\w+)", commands) == ["demo", "test"]


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", README))
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


@pytest.fixture
def clean_env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    import os

    drop = ("AIOS_HOME", "AIOS_JOB_RUN", "AIOS_GATES", "AIOS_PARAMETERS")
    return {k: v for k, v in os.environ.items() if k not in drop} | {"AIOS_HOME": str(tmp_path / ".aios")}
