"""Peers that are not in our own environment: one each, made once with uv from its pins, in the user's cache folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aios-bench"


def clean_env(**more: str) -> dict[str, str]:
    """Return an environment in which bytecode is written and nobody is phoned."""
    gone = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "AIOS_DATABASE_URL", "AIOS_ARTIFACTS", "VIRTUAL_ENV")
    env = {k: v for k, v in os.environ.items() if k not in gone}
    return {**env, "DO_NOT_TRACK": "1", "MLFLOW_DISABLE_TELEMETRY": "true", **more}


def environment(name: str, pins: Path, *, deps: bool = True) -> str:
    """Return the Python of an environment with these pins, making it when they are new.

    Parameters
    ----------
    deps : bool
        Install what the pins depend on; False when they name all that is used.

    Raises
    ------
    RuntimeError
        When it cannot be made.
    """
    key = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()[:12]
    venv = CACHE / f"{name}-{key}"
    python = venv / "bin" / "python"
    if (venv / "complete").exists():
        return str(python)
    sys.path.insert(0, str(HERE.parent))
    from aios_workbench import bootstrap

    fast = bootstrap.uv()
    if fast is None:
        raise RuntimeError("uv is not to be had")
    shutil.rmtree(venv, ignore_errors=True)
    uv, env = str(fast[0][0]), fast[1]
    print(
        f"making the environment of {name} ({pins.read_text().split()[0]}) ...", file=sys.stderr, flush=True
    )
    install = [uv, "pip", "install", "-q", "--compile-bytecode", "--python", str(python), "-r", str(pins)]
    for command in (
        [uv, "venv", "-q", "--python", sys.executable, str(venv)],
        install if deps else [*install, "--no-deps"],
    ):
        made = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if made.returncode:
            raise RuntimeError(f"its environment could not be made: {made.stderr.strip().splitlines()[-1:]}")
    (venv / "complete").touch()
    return str(python)


def table(head: list[str], rows: list[list[str]]) -> str:
    """Lay out plain text in columns: the first to the left, numbers to the right."""
    widths = [max(len(line[i]) for line in [head, *rows]) for i in range(len(head))]
    rule = ["-" * w for w in widths]
    lines = [
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in [head, rule, *rows]
    ]
    return "\n".join(lines)
