"""Which Python runs a job's kernel, what that kernel sees, and how the worker differs from what was locked."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aios_workbench.errors import JobError
from aios_workbench.promote.environment import installer
from aios_workbench.promote.environment.build import build, environments
from aios_workbench.promote.environment.installer import Progress
from aios_workbench.promote.environment.lock import Lock, read_lock
from aios_workbench.promote.spec import JobSpec
from aios_workbench.workspace import Workspace

#: The interpreter of a job's kernel, where it is not the worker's own; an image sets it.
PYTHON = "AIOS_KERNEL_PYTHON"
_SHOWN = 5


class Stopped(Exception):
    """A run was told to end while its environment was made; `why` is what it was told."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def python_for(
    ws: Workspace, bundle: Path, spec: JobSpec, progress: Progress = installer.silent
) -> Path | None:
    """Return the interpreter of the environment a job's kernel runs in; it is made if it is not there yet.

    Parameters
    ----------
    bundle : Path
        The version's folder.
    progress : callable, optional
        Told what is going on; what it raises ends the work.

    Returns
    -------
    Path or None
        None for a job that runs in the worker's own environment.

    Raises
    ------
    JobError
        When the bundle holds no lock, or packages that no index has.
    EnvironmentFailed
        When the environment cannot be made here, or not now.
    """
    if spec.environment != "locked":
        return None
    lock = read_lock(bundle)
    if lock is None:
        raise JobError(
            f"{bundle} holds no lock: it was promoted by an older aios-workbench; promote the notebook again"
        )
    if os.environ.get(PYTHON):
        return Path(os.environ[PYTHON])  # an image that was made from this lock
    require_rebuildable(lock)
    return build(environments(ws), lock, progress)


def require_rebuildable(lock: Lock) -> None:
    """Refuse a lock with packages that no index has.

    Raises
    ------
    JobError
        Naming them.
    """
    if lock.stuck:
        told = ", ".join(f"{p.name} {p.version} ({p.told})" for p in lock.stuck)
        raise JobError(
            f"the locked environment lacks {told}: no package index has it. Put its modules beside the notebook, "
            "publish it, or run the job with environment: worker"
        )


def kernel_environment(env: Mapping[str, str], python: Path, folder: Path, root: Path) -> dict[str, str]:
    """Return the variables a kernel of another interpreter is started with.

    It sees the bundle, its own packages and the worker's aios-workbench: the two speak by one catalog, so that they
    must be of one version. Nothing else of the worker's, nor of the user's home.

    Parameters
    ----------
    env : mapping
        What the worker's own kernel would get.
    folder : Path
        Whose modules win: the bundle.
    root : Path
        The folder of the environments.
    """
    made = {k: v for k, v in env.items() if k not in ("PYTHONHOME", "PYTHONSTARTUP")}
    made.update(
        PATH=os.pathsep.join([str(python.parent), *filter(None, [env.get("PATH")])]),
        PYTHONNOUSERSITE="1",
        PYTHONPATH=os.pathsep.join([str(folder), str(_workbench(root))]),
        VIRTUAL_ENV=str(python.parent.parent),
    )
    made[PYTHON] = str(python)
    return made


def _workbench(root: Path) -> Path:
    """Return a folder with nothing in it but a link to this process's aios-workbench."""
    package = Path(__file__).resolve().parents[2]
    folder = root / f"aios-{hashlib.sha256(str(package).encode()).hexdigest()[:12]}"
    link = folder / "aios_workbench"
    if not link.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = folder / f".{uuid.uuid4().hex}"
        aside.symlink_to(package, target_is_directory=True)
        aside.replace(link)
    return folder


def differences(lock: Lock) -> dict[str, tuple[str | None, str]]:
    """Return the locked packages that this process has in another version, or not: name -> (here, locked)."""
    from aios_workbench.observe.environment import packages

    here = packages()
    found: dict[str, tuple[str | None, str]] = {
        p.name: (here.get(p.name), p.version) for p in lock.packages if here.get(p.name) != p.version
    }
    if platform.python_version() != lock.python:
        found["python"] = (platform.python_version(), lock.python)
    return found


def in_words(found: Mapping[str, tuple[str | None, str]]) -> str:
    """Return differences in one line.

    Examples
    --------
    >>> in_words({"pandas": ("3.0.2", "3.0.1"), "tabulate": (None, "0.9.0")})
    'pandas 3.0.2 here, 3.0.1 locked; tabulate not here, 0.9.0 locked'
    """
    parts = [
        f"{name} {here} here, {locked} locked" if here else f"{name} not here, {locked} locked"
        for name, (here, locked) in sorted(found.items())
    ]
    return "; ".join(parts[:_SHOWN]) + (f"; and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else "")


def settle(
    ws: Workspace, bundle: Path, spec: JobSpec, env: dict[str, str], say: Callable[[str], Any],
    watch: Callable[[], str | None] = lambda: None,
) -> tuple[dict[str, str], dict[str, Any]]:  # fmt: skip
    """Return what a run's kernel is started with, and what is on record of its environment; `say` tells its log.

    Parameters
    ----------
    watch : callable
        Says why the run shall end, while its environment is made.

    Raises
    ------
    Stopped
        When `watch` said so.
    JobError, EnvironmentFailed
        See `python_for`.
    """
    last = ""

    def progress(doing: str) -> None:
        nonlocal last
        if doing != last:
            say(f"environment: {doing}")
            last = doing
        if (why := watch()) is not None:
            raise Stopped(why)

    python = python_for(ws, bundle, spec, progress) or (
        Path(os.environ[PYTHON]) if os.environ.get(PYTHON) else None
    )
    lock = None
    with contextlib.suppress(JobError):  # a run in the worker's environment needs none
        lock = read_lock(bundle)
    if python is not None and lock is not None:
        say(
            f"environment: Python {lock.minor} with the {len(lock.packages)} packages locked at the promotion"
        )
        made = kernel_environment(env, python, bundle, environments(ws))
        return made, {"mode": "locked", "lock": lock.key, "python": lock.python, "differs": {}}
    found = differences(lock) if lock is not None else {}
    if found:
        say(f"environment: the worker differs from what was locked at the promotion: {in_words(found)}")
    record = {"mode": "worker", "lock": lock.key if lock else None, "python": platform.python_version()}
    return env, {**record, "differs": {n: list(v) for n, v in sorted(found.items())}}
