"""Where a run executes: Python, machine, packages, git. Found out in the background, written when it is known.

Nothing here makes a run wait: `note` puts the question into a queue and a thread answers it, milliseconds later.
A process that is killed in between leaves a run without environment.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import platform
import queue
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from aios_workbench.observe.models import Environment
from aios_workbench.workspace import Workspace, dumps

DIRTY_SECONDS = 10.0
_GIT_TIMEOUT = 5.0
_DIST = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+?)(?:-py[\d.]+)?\.(?:dist|egg)-info", re.IGNORECASE)
#: Shown on a run's page; all others count in `lock_hash` and in a comparison of two runs.
MATTER = frozenset(
    ("aios-workbench", "dbos", "duckdb", "pandas", "numpy", "pyarrow", "polars", "scipy", "scikit-learn", "xgboost",
     "lightgbm", "catboost", "statsmodels", "torch", "tensorflow", "jax", "keras", "transformers", "datasets",
     "sentence-transformers", "faiss-cpu", "faiss-gpu", "hnswlib", "openai", "anthropic", "pydantic", "pydantic-ai",
     "pydantic-ai-slim", "mlflow", "evidently", "shap", "lime", "ray", "dask", "pyspark", "sqlalchemy", "ipykernel")
)  # fmt: skip

_todo: queue.SimpleQueue[tuple[Workspace, str, str | None]] = queue.SimpleQueue()
_lock = threading.Lock()
_thread: threading.Thread | None = None
_dirty: dict[str, tuple[float, bool | None]] = {}


def note(ws: Workspace, run_id: str, cwd: str | None) -> None:
    """Write down with a run where it executes, soon."""
    global _thread  # noqa: PLW0603 - one at a time; it ends when there is nothing to do
    _todo.put((ws, run_id, cwd))
    with _lock:
        if _thread is None:
            thread = threading.Thread(target=_work, name="aios-environment", daemon=True)
            with contextlib.suppress(
                RuntimeError
            ):  # the interpreter is shutting down: no thread starts any more
                thread.start()
                _thread = thread


def drain(seconds: float = 2.0) -> None:
    """Wait until all that was noted is on its way into the catalog, for instance before the process ends."""
    with _lock:  # nobody joins a thread that was made and not started
        thread = _thread
    if thread is not None and thread is not threading.current_thread():
        thread.join(seconds)


def _work() -> None:
    global _thread  # noqa: PLW0603 - the same
    while True:
        with _lock:
            try:
                ws, run_id, cwd = _todo.get_nowait()
            except queue.Empty:
                _thread = None
                return
        with contextlib.suppress(Exception):  # a run without environment is better than a thread that dies
            data = capture(cwd)
            hash_ = digest(data)
            row = {"h": hash_, "d": dumps(data), "now": time.time()}
            ws.catalog.defer(
                "insert into environments values (:h, :d, :now) on conflict (hash) do nothing", row
            )
            told = {"h": hash_, "r": run_id}
            ws.catalog.defer(
                "update runs set environment = :h where run_id = :r and environment is null", told
            )


def capture(cwd: str | None = None) -> dict[str, Any]:
    """Return what this process runs in, as plain data with the fields of `Environment`; `packages` has all of them."""
    found = dict(_process())
    found.update(git(cwd or str(Path.cwd())))
    return found


def digest(data: dict[str, Any]) -> str:
    """Return the name of an environment: 64 hex digits over its content."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read(ws: Workspace, hash_: str | None) -> Environment | None:
    """Return a stored environment with all its packages, or None when there is none."""
    row = ws.catalog.one("select data from environments where hash = :h", h=hash_) if hash_ else None
    return Environment(**json.loads(row["data"])) if row else None


def notable(found: Environment) -> Environment:
    """Return the environment with the packages that matter only."""
    return found.model_copy(update={"packages": {n: v for n, v in found.packages.items() if n in MATTER}})


@functools.cache
def _process() -> dict[str, Any]:
    installed = packages()
    return {
        "python": platform.python_version(), "platform": _platform(), "host": socket.gethostname(),
        "cpus": _cpus(), "memory_bytes": _memory(), "executable": sys.executable, "packages": installed,
        "lock_hash": hashlib.sha256("\n".join(f"{n}=={v}" for n, v in installed.items()).encode()).hexdigest(),
    }  # fmt: skip


def packages() -> dict[str, str]:
    """Return every installed distribution and its version, read off the names of their folders.

    A hundred times faster than asking `importlib.metadata`, which opens and parses a file for each.
    """
    found: dict[str, str] = {}
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")  # noqa: PTH208 - one call; Path objects for thousands of entries are not
        except OSError:
            continue
        for name in names:
            match = _DIST.fullmatch(name) if name.endswith("-info") else None
            if match:  # the first on the path is the one that is imported
                found.setdefault(re.sub(r"[-_.]+", "-", match["name"]).lower(), match["version"])
    return dict(sorted(found.items()))


def _platform() -> str:
    named = ""
    try:
        named = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:  # macOS
        named = f"macOS {platform.mac_ver()[0]}" if sys.platform == "darwin" else ""
    return f"{platform.system()} {platform.release()} {platform.machine()}" + (f", {named}" if named else "")


def _cpus() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _memory() -> int | None:
    """Bytes of memory this process may use: the container's limit where there is one."""
    found: list[int] = []
    with contextlib.suppress(ValueError, OSError, AttributeError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            found.append(int(Path(limit).read_text(encoding="ascii")))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return min(found, default=None)


# -- git


def git(cwd: str) -> dict[str, Any]:
    """Return `git_commit`, `git_branch`, `git_dirty` of the checkout a folder lies in; nothing outside of one."""
    top = _checkout(cwd)
    if top is None:
        return {}
    commit, branch = head(top / ".git")
    return {"git_commit": commit, "git_branch": branch, "git_dirty": _is_dirty(str(top))}


def _checkout(cwd: str) -> Path | None:
    here = Path(cwd)
    return next((f for f in (here, *here.parents) if (f / ".git").exists()), None)


def head(dot_git: Path) -> tuple[str | None, str | None]:
    """Return commit and branch, read from git's own files."""
    if dot_git.is_file():  # a worktree, a submodule
        dot_git = (dot_git.parent / _text(dot_git).partition("gitdir:")[2].strip()).resolve()
    said = _text(dot_git / "HEAD").strip()
    if not said.startswith("ref:"):
        return _commit(said), None
    ref = said[4:].strip()
    folders = [dot_git]
    common = _text(dot_git / "commondir")
    if common:
        folders.append((dot_git / common.strip()).resolve())
    commits = (_commit(_text(folder / ref).strip()) or _packed(folder, ref) for folder in folders)
    return next(filter(None, commits), None), ref.removeprefix("refs/heads/")


def _packed(folder: Path, ref: str) -> str | None:
    for line in _text(folder / "packed-refs").splitlines():
        commit, _, name = line.partition(" ")
        if name == ref:
            return _commit(commit)
    return None


def _text(path: Path) -> str:
    """Return a file's text; nothing when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _commit(text: str) -> str | None:
    return text if re.fullmatch(r"[0-9a-f]{40,64}", text) else None


def _is_dirty(top: str) -> bool | None:
    """Whether tracked files differ from the commit; asked at most once in ten seconds for a checkout."""
    known = _dirty.get(top)
    if known is not None and time.monotonic() - known[0] < DIRTY_SECONDS:
        return known[1]
    command = [
        "git",
        "-c",
        "core.fsmonitor=false",
        "--no-optional-locks",
        "-C",
        top,
        "status",
        "--porcelain",
        "-uno",
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_GIT_TIMEOUT, check=False, stdin=subprocess.DEVNULL
        )
        answer = bool(done.stdout.strip()) if done.returncode == 0 else None
    except (OSError, subprocess.SubprocessError):
        answer = None
    _dirty[top] = (time.monotonic(), answer)
    return answer


# -- notebook


def notebook() -> str | None:
    """Return the path of the notebook this kernel belongs to, where the front end told it.

    JupyterLab and Notebook name it in `JPY_SESSION_NAME` or `__session__`, VS Code in `__vsc_ipynb_file__`.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None  # a process started from a notebook inherits the variable
    told = [shell.user_ns.get(name) for name in ("__vsc_ipynb_file__", "__session__")]
    told.append(os.environ.get("JPY_SESSION_NAME"))
    return next((n for n in told if isinstance(n, str) and n.endswith(".ipynb")), None)
