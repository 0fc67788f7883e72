"""The orchestrators' own tools, each in an environment of its own: none of them fits into a kernel's.

Made once from the pins beside this file, kept in the user's cache, shared by all workspaces.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from aios_workbench.errors import JobError
from aios_workbench.promote.environment.installer import uv_settings

PINS = Path(__file__).parent / "pins"
_MINUTES = 20


def cache() -> Path:
    """Return the folder of the environments."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "aios-workbench" / "targets"


def environment(name: str) -> Path:
    """Return the `bin` folder of a target's environment; it is made when it is not there.

    Raises
    ------
    JobError
        When it cannot be made: no package registry, no room.
    """
    pins = PINS / f"{name}.txt"
    key = hashlib.sha256(pins.read_bytes() + sys.version.encode() + sys.prefix.encode()).hexdigest()[:12]
    folder = cache() / f"{name}-{key}"
    if not (folder / "complete").exists():
        try:
            cache().mkdir(parents=True, exist_ok=True)
            with (cache() / f"{name}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes want the same
                if not (folder / "complete").exists():
                    _make(name, folder, pins)
        except (OSError, subprocess.SubprocessError) as e:
            raise JobError(f"the environment of {name} in {folder} cannot be made: {e}") from e
    return folder / "bin"


def _make(name: str, folder: Path, pins: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    python = str(folder / "bin" / "python")
    uv = Path(sys.executable).parent / "uv"
    made = None
    if uv.exists():
        env = uv_settings(clean())
        made = _run([str(uv), "venv", "-q", "--python", sys.executable, str(folder)], env) or _run(
            [str(uv), "pip", "install", "-q", "--no-deps", "--python", python, "-r", str(pins)], env
        )
    if made is not None or not uv.exists():
        shutil.rmtree(folder, ignore_errors=True)
        made = _run([sys.executable, "-m", "venv", str(folder)], clean()) or _run(
            [python, "-m", "pip", "install", "-q", "--no-deps", "-r", str(pins)], clean()
        )
    if made is not None:
        raise JobError(
            f"the environment of {name} in {folder} cannot be made: {made}. It needs a package registry once; "
            "afterwards it is kept"
        )
    (folder / "complete").touch()


def _run(command: Sequence[str], env: Mapping[str, str]) -> str | None:
    """Run to the end; return what it complained of, or None."""
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, check=False, timeout=_MINUTES * 60
    )
    if done.returncode == 0:
        return None
    return (
        (done.stderr or done.stdout).strip().splitlines()[-1:][0] if done.stderr or done.stdout else "no word"
    )


def clean(**more: str) -> dict[str, str]:
    """Return this process's environment without what belongs to its own Python; nobody is phoned."""
    gone = ("PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "PYTHONHOME")
    env = {k: v for k, v in os.environ.items() if k not in gone}
    return {**env, "DO_NOT_TRACK": "1", **more}
