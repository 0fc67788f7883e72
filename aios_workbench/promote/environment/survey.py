"""What is installed where a notebook runs: in this process, or in the interpreter of another kernel."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aios_workbench.errors import JobError
from aios_workbench.promote.environment import probe

_SECONDS = 60.0


@dataclass(frozen=True)
class Survey:
    """What an interpreter answered.

    Attributes
    ----------
    interpreter : dict
        Python, implementation, platform, executable, markers.
    distributions : dict
        By normal name: version, requires, licence, origin.
    providers : dict
        Distributions by the module they brought.
    there : frozenset of str
        Modules whose top level was found, the standard library's too.
    captured_from : {"worker", "kernel"}
        This process's own interpreter, or another one.
    """

    interpreter: dict[str, Any]
    distributions: dict[str, dict[str, Any]]
    providers: dict[str, list[str]]
    there: frozenset[str]
    captured_from: str


def survey(modules: list[str], python: str | Path | None = None, *, seconds: float = _SECONDS) -> Survey:
    """Ask an interpreter for its packages and which of them brought these modules.

    Parameters
    ----------
    python : str or Path, optional
        The executable of a kernel; this process's own if not given.
    seconds : float
        How long another interpreter may take.

    Raises
    ------
    JobError
        When it cannot be started, takes too long or answers nonsense.
    """
    if python is None or _same(Path(python)):
        known, brought = _installed(_fingerprint())
        found = probe.providers(modules, known, brought)
        there = frozenset(m for m in modules if probe.exists(m))
        return Survey(probe.interpreter(), known, found, there, "worker")
    answer = _ask(Path(python), modules, seconds)
    return Survey(
        {k: answer[k] for k in ("python", "implementation", "platform", "executable", "markers")},
        answer["distributions"], answer["providers"], frozenset(answer["there"]), "kernel",
    )  # fmt: skip


def _same(python: Path) -> bool:
    """Two names of one environment: a link of a venv is not followed, it is what makes it one."""
    return os.path.abspath(python) == os.path.abspath(sys.executable) or (  # noqa: PTH100 - `resolve` would follow it
        python.parent.resolve() == Path(sys.executable).parent.resolve()
        and python.resolve() == Path(sys.executable).resolve()
    )


def _ask(python: Path, modules: list[str], seconds: float) -> dict[str, Any]:
    source = Path(probe.__file__).read_text(encoding="utf-8")
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "VIRTUAL_ENV")}
    try:
        with tempfile.TemporaryDirectory(prefix="aios-probe-") as folder:
            done = subprocess.run(
                [str(python), "-c", source], input=json.dumps(modules), capture_output=True, text=True,
                timeout=seconds, check=False, cwd=folder, env=env,
            )  # fmt: skip
        if done.returncode == 0:
            return dict(json.loads(done.stdout))
        why = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    except subprocess.TimeoutExpired:
        why = f"it did not answer within {seconds:g} s"
    except (OSError, ValueError) as e:
        why = str(e)
    raise JobError(
        f"the kernel's Python {python} cannot be asked for its packages: {why}; start the kernel's environment by "
        "hand and see that `python -c 'import importlib.metadata'` works (it needs Python 3.10 or newer)"
    )


def _fingerprint() -> tuple[tuple[str, ...], ...]:
    """Return what changes when a package is installed into this process's environment."""
    found = []
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")  # noqa: PTH208 - thousands of entries
        except OSError:
            continue
        found.append((folder, *sorted(n for n in names if n.endswith("-info"))))
    return tuple(f for f in found if len(f) > 1)


@functools.lru_cache(maxsize=2)
def _installed(
    fingerprint: tuple[tuple[str, ...], ...],  # noqa: ARG001 - the key
) -> tuple[dict[str, dict[str, Any]], dict[str, list[str]]]:
    return probe.distributions(), probe.by_root()
