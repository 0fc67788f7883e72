"""Running a target's own tool and keeping what it said."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from aios_workbench.adapters import Level
from aios_workbench.promote.targets.base import Check
from aios_workbench.promote.targets.environments import clean

_SECONDS = 600
_KEPT = 40_000


def run(
    what: str, level: Level, command: Sequence[object], *, cwd: Path | None = None,
    env: Mapping[str, str] | None = None, silent: bool = False, seconds: float = _SECONDS,
) -> Check:  # fmt: skip
    """Run a command and return how it went.

    Parameters
    ----------
    silent : bool
        Whatever it prints is a complaint, though it ends with 0.
    """
    try:
        done = subprocess.run(
            [str(word) for word in command], cwd=cwd, env=dict(env) if env is not None else clean(),
            capture_output=True, text=True, check=False, timeout=seconds, errors="replace",
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as e:
        return Check(what, ok=False, level=level, output=f"{type(e).__name__}: {e}")
    output = (done.stdout + done.stderr).strip()
    ok = done.returncode == 0 and not (silent and output)
    return Check(what, ok, level, output[-_KEPT:])


def tried(what: str, level: Level, problems: Sequence[str]) -> Check:
    """Return a check of ours: it passed when there are no problems."""
    return Check(what, not problems, level, "\n".join(problems))
