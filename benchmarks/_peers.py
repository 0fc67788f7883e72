"""What all benchmarks share: peers in environments of their own, what a process reports, the results on disk."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS, PEERS = HERE / "results", HERE / "peers"
#: Begins the line of a process's output that holds its report.
TAG = "AIOS-BENCH "
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


def reported(command: Sequence[str], seconds: float, *, cwd: Path | None = None, **env: str) -> Any:
    """Run a process and return the report it prints behind `TAG`. Raise RuntimeError saying why there is none."""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=clean_env(**env),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"it had not ended after {seconds:g} s") from None
    lines = [line for line in done.stdout.splitlines() if line.startswith(TAG)]
    if done.returncode or not lines:
        words = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["it said nothing"]
        raise RuntimeError(f"it ended with code {done.returncode}: {words[0][:300]}")
    return json.loads(lines[-1].removeprefix(TAG))


def keep(benchmark: str, load: float, **found: Any) -> None:
    """Write what was found to `results/`, with the machine, and say where; `load` is that before the run."""
    print(f"\nload before the run: {load:.1f} on {os.cpu_count()} cores; ratios are what travels")
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{benchmark}-{time.strftime('%Y%m%dT%H%M%S')}.json"
    machine = {
        "cores": os.cpu_count(),
        "load": load,
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    file.write_text(json.dumps({"benchmark": benchmark, "machine": machine, **found}, indent=1))
    print(f"written: {file.relative_to(HERE.parent)}")


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
