"""Workspaces that a test opened and left are closed behind it; how many files a test process has open is shown."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aios_workbench.workspace import Workspace

_MADE: list[Workspace] = []


def _note_workspaces() -> None:
    from aios_workbench.workspace import Workspace

    original = Workspace.__init__

    def noted(self: Workspace, *arguments: Any, **options: Any) -> None:
        _MADE.append(self)
        original(self, *arguments, **options)

    if not hasattr(original, "__wrapped__"):
        noted.__wrapped__ = original  # type: ignore[attr-defined]
        Workspace.__init__ = noted  # type: ignore[method-assign]


def _close(ws: Workspace) -> None:
    runtime = sys.modules.get("aios_workbench.engine.runtime")
    engine = runtime.running() if runtime is not None else None
    if engine is not None and engine.ws is ws:
        engine.stop()
    ws.close()


def leave_none_open(since: int, folder: Path | None) -> None:
    """Close what was opened since then, unless it is this process's workspace of a folder others share."""
    from aios_workbench.workspace import home

    made, _MADE[since:] = _MADE[since:], []
    for ws in (found for found in made if hasattr(found, "catalog")):
        shared = any(ws is space for space in home._open.values())
        if not shared or (folder is not None and ws.root.is_relative_to(folder)):
            _close(ws)


def open_files() -> int:
    """Return how many file descriptors this process has open; 0 where the system does not say."""
    try:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are enough
    except OSError:
        return 0


class LeftOpen:
    """A plugin. Fixtures of a wider scope are set up before it looks, so that theirs stay theirs."""

    def __init__(self) -> None:
        self.counted: dict[str, int] = {}

    @pytest.fixture(autouse=True)
    def _workspaces_are_closed(self, request: pytest.FixtureRequest) -> Iterator[None]:
        _note_workspaces()
        since = len(_MADE)
        folder: Path | None = (
            request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
        )
        yield
        leave_none_open(since, folder)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Count, in every test process."""
        gc.collect()
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["open_files"] = open_files()
        elif not self.counted:
            self.counted["main"] = open_files()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what one of xdist's processes has counted."""
        count = getattr(node, "workeroutput", {}).get("open_files")
        if count is not None:
            self.counted[node.gateway.id] = count

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Show the counts: a test that leaves files open is found before there are too many."""
        counts = ", ".join(f"{name} {count}" for name, count in sorted(self.counted.items()))
        terminalreporter.write_line(f"open files at the end: {counts}")
