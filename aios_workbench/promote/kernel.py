"""A fresh kernel for one attempt: the worker's own Python or a locked one, and nothing of the user's Jupyter set-up."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

from aios_workbench.engine.executors import family
from aios_workbench.promote.environment.kernels import PYTHON

_NAME = "aios-job"
_PID_FILE = "kernel.json"
_SOCKET_PATH_LIMIT = 90  # a Unix socket's path ends at 107 bytes, on macOS at 103


@contextlib.contextmanager
def kernel_manager(env: dict[str, str]) -> Iterator[AsyncKernelManager]:
    """Give a manager whose kernel is `sys.executable`, whatever the installed kernel specs say.

    Where `env` names another interpreter (AIOS_KERNEL_PYTHON), that is taken.

    Connection file, sockets and IPython's profile lie in a private folder that goes away with it.
    """
    with tempfile.TemporaryDirectory(prefix="aios-", ignore_cleanup_errors=True) as folder:
        spec = Path(folder) / "kernels" / _NAME
        spec.mkdir(parents=True)
        argv = [
            env.pop(PYTHON, None) or sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}",
            "--HistoryManager.enabled=False",
        ]  # fmt: skip
        text = json.dumps({"argv": argv, "display_name": "Job", "language": "python"})
        (spec / "kernel.json").write_text(text, encoding="utf-8")
        env["IPYTHONDIR"] = str(Path(folder) / "ipython")
        manager = AsyncKernelManager(
            kernel_name=_NAME,
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(spec.parent)], ensure_native_kernel=False),
            connection_file=str(Path(folder) / "kernel.json"),
        )
        if os.name == "posix" and len(folder) < _SOCKET_PATH_LIMIT:
            # Sockets in a private folder: no port to race for, none that another user could reach.
            manager.transport, manager.ip = "ipc", str(Path(folder) / "k")
        yield manager


def note_pid(folder: Path, manager: Any) -> None:
    """Write down which process the kernel is, for whoever takes up the run should this worker be killed."""
    import psutil  # type: ignore[import-untyped]

    pid = getattr(manager.provisioner, "pid", None)
    if pid:
        started = psutil.Process(pid).create_time()
        (folder / _PID_FILE).write_text(json.dumps({"pid": pid, "started": started}), encoding="utf-8")


def forget_pid(folder: Path) -> None:
    """The kernel has ended."""
    (folder / _PID_FILE).unlink(missing_ok=True)


def bury(folder: Path) -> bool:
    """Kill the kernel a dead worker left behind; True when there was one.

    ipykernel notices within a second that its parent is gone, but not while a cell holds the interpreter's lock.
    """
    import psutil

    path = folder / _PID_FILE
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
        process = psutil.Process(noted["pid"])
        if abs(process.create_time() - noted["started"]) > 1:
            return False  # the number was given to another process
        for child in family.descendants(process.pid):
            with contextlib.suppress(OSError):
                os.kill(child, signal.SIGKILL)
        process.send_signal(signal.SIGKILL)
        with contextlib.suppress(psutil.TimeoutExpired):
            process.wait(10)
        return True
    except (OSError, ValueError, KeyError, psutil.Error):
        return False
    finally:
        path.unlink(missing_ok=True)
