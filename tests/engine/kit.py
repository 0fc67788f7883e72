"""What steps and tests share. Steps travel by value, so what both must see hangs on `sys`."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

PATIENCE = 60  # seconds before a wait counts as hung; never a measure of speed


class Box:
    """Reached from inside a step with `from sys import aios_box as box`."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.go = threading.Event()
        self.started = threading.Event()
        self.barrier = threading.Barrier(2)
        self.values: dict[str, Any] = {}

    def __enter__(self) -> Self:
        sys.aios_box = self  # type: ignore[attr-defined]
        return self

    def __exit__(self, *_exc: object) -> None:
        self.go.set()

    def hold(self) -> None:
        """Say that the step is here and wait until the test lets it go on."""
        self.started.set()
        assert self.go.wait(PATIENCE)


def until(true: Callable[[], Any], what: str = "it") -> Any:
    """Wait until `true()` is; return what it returned."""
    end = time.monotonic() + PATIENCE
    while not (found := true()):
        assert time.monotonic() < end, f"waited {PATIENCE} s in vain for {what}"
        time.sleep(0.01)
    return found


def statuses(run: Any) -> dict[str, str]:
    """Status of every step."""
    return {name: run[name].status for name in run}


HEADER = """
import json, os, sys, time
import aios_workbench as aios
from aios_workbench.engine import control, runtime
wf = aios.Workflow("other")
"""


def script(home: Path, source: str, *arguments: str, **env: str) -> subprocess.Popen[str]:
    """Start another process on the workspace."""
    return subprocess.Popen(
        [sys.executable, "-c", HEADER + textwrap.dedent(source), *arguments],
        env={**os.environ, "AIOS_HOME": str(home), **env}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finished(process: subprocess.Popen[str]) -> str:
    """Wait for a script; return what it printed."""
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    return out


def line(process: subprocess.Popen[str]) -> str:
    """Return the next line a script prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str], text: str = "go") -> None:
    """Give a script a line on its standard input."""
    assert process.stdin is not None
    process.stdin.write(text + "\n")
    process.stdin.flush()
