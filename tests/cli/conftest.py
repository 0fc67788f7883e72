"""A project folder with a workflow file, the command in this process, and nobody left behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aios_workbench.workspace import Workspace

FLOWS = """
import time
from pathlib import Path

import aios_workbench as aios
from pydantic import BaseModel

hello = aios.Workflow("hello")

@hello.step
def greeting(who: str = "world", times: int = 1, where: Path = Path("a.csv")):
    print(f"greeting {who}")
    return f"Hello {who} " * times + type(where).__name__

@hello.step
def shout(greeting):
    aios.context().metric("length", len(greeting), "chars")
    return greeting.upper()


class Form(BaseModel):
    amount: int
    note: str = ""

gated = aios.Workflow("gated")

@gated.gate(form=Form)
def review():
    return {"claims": 3}

@gated.step
def final(review):
    return [review.approved, review.amount, review.note]


slow = aios.Workflow("slow")

@slow.step
def first(log: str):
    with open(log, "a") as f:
        f.write("first\\n")
    return 1

@slow.step
def second(first, log: str, seconds: float = 60.0):
    with open(log, "a") as f:
        f.write("second\\n")
    deadline = time.time() + seconds
    while time.time() < deadline and not Path(log + ".go").exists():
        time.sleep(0.05)
    return 2


bad = aios.Workflow("bad [red]x[/red]")

@bad.step(name="st[bold]ep")
def boom():
    print("log \\x1b[31mred\\x1b[0m \\x1b]0;title\\x07 [blue]end")
    raise ValueError("nope \\x1b[2J\\x9b1m [blink]")
"""


@dataclass
class Project:
    """A folder with `flows.py`, and the command run in it."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / ".aios"

    @property
    def ws(self) -> Workspace:
        from aios_workbench.workspace import workspace

        return workspace(self.root)

    def __call__(self, *args: object, code: int | None = 0, text: str | None = None) -> Result:
        """Run the command in this process; `code` is the exit code expected."""
        from aios_workbench.cli.app import app

        result = CliRunner().invoke(app, [str(a) for a in args], input=text)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        told = f"{args}: exit code {result.exit_code}, not {code}\n{result.stdout}\n{result.stderr}"
        assert code is None or result.exit_code == code, told
        return result

    def json(self, *args: object, code: int | None = 0) -> Any:
        """Run the command with --json and return what it printed."""
        result = self(*args, "--json", code=code)
        return json.loads(result.stdout)

    def error(self, *args: object, code: int) -> str:
        """Run the command, which must fail, and return its message."""
        data = json.loads(self(*args, "--json", code=code).stderr)
        assert data["error"]["exit_code"] == code
        return str(data["error"]["message"])

    def popen(self, *args: object, **options: Any) -> subprocess.Popen[str]:
        """Start the command as a process of its own."""
        command = [sys.executable, "-m", "aios_workbench.cli", *map(str, args)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options}
        return subprocess.Popen(command, cwd=self.folder, text=True, start_new_session=True, **pipes)

    def until(self, condition: Callable[[], Any], seconds: float = 30.0) -> Any:
        """Wait until a condition holds; return what it returned."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, "that never happened"
            time.sleep(0.05)
        return found

    def status(self, run_id: str) -> str:
        from aios_workbench.engine import control

        return control.run_status(self.ws, run_id)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project of its own, in the current directory."""
    from aios_workbench.workspace import home

    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "flows.py").write_text(FLOWS)
    made = Project(folder)
    monkeypatch.setenv("AIOS_HOME", str(made.root))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("AIOS_HEADLESS", "1")  # `aios run` sets it; put back what was there
    monkeypatch.chdir(folder)
    modules, path = set(sys.modules), list(sys.path)
    yield made
    runtime = sys.modules.get("aios_workbench.engine.runtime")
    if runtime is not None and runtime.running() is not None:
        runtime.running().stop()
    end_workers(made.root)
    home._open.clear()  # not closed: the engine's threads may still be writing their last rows
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def end_workers(root: Path) -> None:
    """Kill the workers that commands of a test have started in the background."""
    for lock in (root / "executors").glob("worker-*.lock"):
        pid = int(lock.stem.split("-")[1])
        with contextlib.suppress(ProcessLookupError, OSError):
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"aios_workbench.cli" in command and pid != os.getpid():
                os.kill(pid, signal.SIGKILL)
