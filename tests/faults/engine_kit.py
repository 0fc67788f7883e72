"""Start drivers, read what they left, wait with patience."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from aios_workbench.engine import submit

DRIVER = Path(__file__).with_name("engine_driver.py")
PATIENCE = 60  # seconds before a wait counts as hung; never a measure of speed


class Place:
    """A workspace folder with an effects file beside it."""

    def __init__(self, folder: Path) -> None:
        self.home, self.effects_file = folder / ".aios", folder / "effects"
        self.effects_file.touch()
        self.processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def start(
        self, *arguments: str, kill: str = "", driver: Path = DRIVER, **env: str
    ) -> subprocess.Popen[str]:
        """Start a driver that kills itself at a point."""
        process = subprocess.Popen(
            [sys.executable, str(driver), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, cwd=self.home.parent,
            env={**os.environ, "AIOS_HOME": str(self.home), "EFFECTS": str(self.effects_file), "KILL": kill, **env},
        )  # fmt: skip
        self.processes.append(process)
        return process

    def worker(self, kill: str = "", **env: str) -> subprocess.Popen[str]:
        """Start a worker and wait until it serves."""
        process = self.start("worker", kill=kill, **env)
        assert process.stdout is not None
        if not process.stdout.readline() and not kill:
            raise AssertionError(process.communicate()[1])
        return process

    def effects(self, run_id: str) -> Counter[str]:
        """How often each step of a run has had its effect."""
        lines = self.effects_file.read_text().splitlines()
        return Counter(line.split()[1] for line in lines if line.split()[0] == run_id)

    def journaled(self, run_id: str, leg: int = 0) -> set[str]:
        """Steps whose outcome is in the journal, whatever the catalog knows."""
        with sqlite3.connect(self.home / "journal.db", timeout=30) as con:
            tables = [
                r[0]
                for r in con.execute("select name from sqlite_master where name like '%operation_outputs'")
            ]
            if not tables:
                return set()
            rows = con.execute(
                f'select function_name from "{tables[0]}" where workflow_uuid = ?', (f"{run_id}.{leg}",)
            ).fetchall()
        con.close()
        return {r[0] for r in rows}


def run_id(flow: str, key: str) -> str:
    """The id a driver's run has: it follows from its key."""
    return submit.new_run_id(flow, key)


def end(process: subprocess.Popen[str]) -> None:
    """Stop a worker in good order."""
    process.communicate("stop\n", timeout=PATIENCE)


def until(true: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Wait until `true()` is; return what it returned."""
    stop = time.monotonic() + patience
    while not (found := true()):
        assert time.monotonic() < stop, f"waited {patience:g} s in vain for {what}"
        time.sleep(0.02)
    return found
