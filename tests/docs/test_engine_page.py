"""docs/engine.md: the snippets of each section run as they stand, one after the other, in a process of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "engine.md").read_text(encoding="utf-8")
SECTIONS = {s.partition("\n")[0]: s for s in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]}
CODE = {title: re.findall(r"```python\n(.*?)```", text, re.DOTALL) for title, text in SECTIONS.items()}


def test_there_are_sections_with_code() -> None:
    assert sum(map(len, CODE.values())) >= 7


@pytest.mark.parametrize("title", [t for t, blocks in CODE.items() if blocks])
def test_the_snippets_run(title: str, tmp_path: Path) -> None:
    script = tmp_path / "section.py"
    script.write_text("\n".join(CODE[title]), encoding="utf-8")
    drop = ("AIOS_HOME", "AIOS_JOB_RUN", "AIOS_GATES", "AIOS_PARAMETERS", "AIOS_DATABASE_URL")
    env = {k: v for k, v in os.environ.items() if k not in drop} | {"AIOS_HOME": str(tmp_path / ".aios")}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=170, check=False
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
