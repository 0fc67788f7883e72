"""The section on versions of docs/promote.md as a reader would follow it, in one process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "promote.md").read_text(encoding="utf-8")
SECTION = next(part for part in re.split(r"^## ", PAGE, flags=re.MULTILINE) if part.startswith("Versions:"))
BLOCKS = re.findall(r"```(python|console)\n(.*?)```", SECTION, re.DOTALL)

DRIVER = """
import contextlib, io, json, shlex, sys
from aios_workbench.cli.app import call

space, said = {}, []
for kind, block in json.loads(sys.stdin.read()):
    for piece in [block] if kind == "python" else [b for b in block.split("$ aios ") if b]:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            if kind == "python":
                exec(piece, space)
            else:
                code = call(shlex.split(piece.partition("\\n")[0]))
                assert code == 0, (piece, code, out.getvalue())
        said.append([piece, out.getvalue()])
print(json.dumps(said))
"""


def test_the_commands_say_what_is_written(tmp_path: Path) -> None:
    drop = ("AIOS_JOB_RUN", "AIOS_GATES", "AIOS_PARAMETERS", "AIOS_DATABASE_URL", "AIOS_ARTIFACTS")
    env = {k: v for k, v in os.environ.items() if k not in drop} | {
        "AIOS_HOME": str(tmp_path / ".aios"),
        "COLUMNS": "200",
    }
    done = subprocess.run(
        [sys.executable, "-c", DRIVER], cwd=tmp_path, env=env, input=json.dumps(BLOCKS), capture_output=True, text=True,
        timeout=170, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shown = 0
    for piece, said in json.loads(done.stdout):
        expected = (
            piece.splitlines()[1:] if "\n" in piece and not piece.startswith(("import", "Path")) else []
        )
        lines = said.splitlines()
        assert [line for line in expected if line not in lines] == [], said
        shown += len(expected)
        if "aios.promoted(" in piece:
            assert said.strip() == piece.rpartition("  # ")[2].strip()
    assert shown > 8
    assert (tmp_path / "jobs" / "rates" / "rates.csv").is_file()
