"""Environments made from locks: one folder each, made once, by one process at a time, whole or not at all.

An environment is taken for whole when its `complete.json` is there, which is written last. Who makes it holds a file
lock, and so does the installer it starts: when this process is killed, nobody else begins before the installer ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aios_workbench.errors import EnvironmentFailed
from aios_workbench.promote.environment import installer
from aios_workbench.promote.environment.installer import Progress
from aios_workbench.promote.environment.lock import Lock
from aios_workbench.workspace import Workspace

_INSTALL_SECONDS = 30 * 60.0
_VENV_SECONDS = 300.0
_POLL_SECONDS = 0.25
_COMPLETE, _USED, _LOG = "complete.json", "used", "install.log"


def environments(ws: Workspace) -> Path:
    """Return the folder of a workspace's environments."""
    return ws.root / "environments"


def find(root: Path, key: str) -> Path | None:
    """Return the Python of an environment that is whole."""
    python = root / key / "venv" / "bin" / "python"
    return python if (root / key / _COMPLETE).exists() and python.exists() else None


def build(root: Path, lock: Lock, progress: Progress = installer.silent) -> Path:
    """Return the Python of an environment that holds exactly what is locked; it is made if there is none.

    Parameters
    ----------
    root : Path
        The folder of the environments.
    progress : callable, optional
        Told what is going on; what it raises ends the work, and nothing half-made is left.

    Returns
    -------
    Path
        The interpreter.

    Raises
    ------
    EnvironmentFailed
        Saying what could not be fetched, or which Python is not here.
    """
    folder = root / lock.key
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone(root / f"{lock.key}.lock", progress) as held:
            python = find(root, lock.key)
            if python is None:
                python = _make(folder, lock, progress, held)
            (folder / _USED).touch()
    except OSError as e:
        raise EnvironmentFailed(
            f"the locked environment {folder} cannot be made: {e}; free some disk space (`aios gc`) and try again"
        ) from e
    return python


@contextlib.contextmanager
def _alone(path: Path, progress: Progress) -> Iterator[int]:
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                progress("waiting for another process that makes the same environment")
                time.sleep(_POLL_SECONDS)
        yield file.fileno()


def _make(folder: Path, lock: Lock, progress: Progress, held: int) -> Path:
    started = time.monotonic()
    base = _base(lock)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        python = _install(folder, base, lock, progress, held)
        size = sum(p.lstat().st_size for p in folder.rglob("*") if not p.is_symlink() and p.is_file())
        facts = {
            "key": lock.key,
            "bytes": size,
            "seconds": time.monotonic() - started,
            "made_at": time.time(),
        }
        _write(folder / _COMPLETE, facts)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return python


def _install(folder: Path, base: Path, lock: Lock, progress: Progress, held: int) -> Path:
    from aios_workbench.promote.targets.environments import clean

    requirements = folder / "requirements.lock"
    requirements.write_text(lock.requirements, encoding="utf-8")
    venv, log = folder / "venv", folder / _LOG
    python = venv / "bin" / "python"
    env, tool = clean(), installer.uv()
    env.pop("PYTHONPATH", None)
    hashes = ["--require-hashes"] if lock.hashed and lock.packages else []
    if tool is not None:
        env = installer.uv_settings(env)
        made: list[str | Path] = [tool, "venv", "-q", "--no-project", "--python", base, venv]
        fill: list[str | Path] = [
            tool, "pip", "install", *installer.uv_flags(env), "--no-deps", *hashes, "--python", python, "-r",
            requirements,
        ]  # fmt: skip
    else:
        made = [base, "-m", "venv", venv]
        fill = [python, "-m", "pip", "install", "--no-deps", *hashes, "--no-input", "-r", requirements]
    count = sum(p.rebuildable for p in lock.packages)
    steps = (
        (made, f"making an environment with Python {lock.minor}", _VENV_SECONDS),
        (fill, f"installing {count} package{'s' if count != 1 else ''}", _INSTALL_SECONDS),
    )
    for command, doing, seconds in steps:
        said = installer.run(command, env, log, progress, doing, seconds, hold=held)
        if said is not None:
            raise EnvironmentFailed(_explained(lock, doing, said))
    return python


def _explained(lock: Lock, doing: str, said: str) -> str:
    words = set(said.replace("==", " ").replace(",", " ").replace("`", " ").split())
    named = [f"{p.name} {p.version}" for p in lock.packages if p.name in words]
    which = f" ({', '.join(named)} could not be fetched)" if named and doing.startswith("installing") else ""
    here = sysconfig.get_platform()
    other = f"; it was locked on {lock.platform}, this is {here}" if lock.platform != here else ""
    return (
        f"the locked environment cannot be made: {doing} failed{which}: {said}{other}. It needs a package index once "
        "(UV_DEFAULT_INDEX, PIP_INDEX_URL or pip.conf say which); afterwards it is kept"
    )


def _base(lock: Lock) -> Path:
    """Return an interpreter of the locked version."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if (sys.implementation.name, here) == (lock.implementation, lock.minor):
        return Path(sys.executable)
    other = shutil.which(f"{'pypy' if lock.implementation == 'pypy' else 'python'}{lock.minor}")
    if other is None:
        raise EnvironmentFailed(
            f"the notebook was locked for {lock.implementation} {lock.python}; here is {sys.implementation.name} "
            f"{here} and no python{lock.minor} on PATH: install it, or promote the notebook again with this Python"
        )
    return Path(other)


def _write(path: Path, facts: dict[str, Any]) -> None:
    aside = path.with_suffix(".tmp")
    with aside.open("w", encoding="utf-8") as file:
        json.dump(facts, file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def collect(root: Path, needed: set[str], *, before: float, dry_run: bool = False) -> tuple[int, int]:
    """Delete environments that no job needs and nobody has used since `before` (epoch seconds).

    One that is being made, and one that a process waits for, stays.

    Returns
    -------
    tuple of int
        How many, and how many bytes.
    """
    count = size = 0
    with contextlib.suppress(FileNotFoundError):
        for folder in sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("aios-")):
            if folder.name in needed or _touched(folder) >= before:
                continue
            with contextlib.suppress(OSError), (root / f"{folder.name}.lock").open("a") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while it is made
                if _touched(folder) >= before:
                    continue
                count, size = count + 1, size + _size(folder)
                if not dry_run:
                    (folder / _COMPLETE).unlink(missing_ok=True)  # never half there and taken for whole
                    shutil.rmtree(folder, ignore_errors=True)
    return count, size


def _touched(folder: Path) -> float:
    for path in (folder / _USED, folder):
        with contextlib.suppress(OSError):
            return path.stat().st_mtime
    return 0.0


def _size(folder: Path) -> int:
    try:
        return int(json.loads((folder / _COMPLETE).read_text(encoding="utf-8"))["bytes"])
    except (OSError, ValueError, KeyError, TypeError):
        return sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file())
