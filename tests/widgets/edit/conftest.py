"""A real IPython shell to run cells in, and what one asks of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from aios_workbench.widgets import edit
from aios_workbench.widgets.messages import CodeEdit, StepPolicy


@dataclass
class Notebook:
    """Cells and the shell they run in."""

    shell: InteractiveShell

    def run(self, source: str) -> str:
        """Run a cell that must succeed."""
        result = self.shell.run_cell(source, store_history=True, silent=False)
        result.raise_error()
        return source

    def __getitem__(self, name: str) -> Any:
        return self.shell.user_ns[name]

    def ask(self, step: str, **settings: Any) -> CodeEdit:
        """Ask for the code that changes these settings and keeps the others."""
        now = edit.settings(self["wf"], step).settings
        return edit.edit_step(self["wf"], step, StepPolicy(**(now.model_dump() | settings)))


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    """An empty notebook in which a workflow `wf` is made."""
    import sys

    monkeypatch.setattr(sys, "displayhook", sys.displayhook)  # the shell puts its own there
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    shell = InteractiveShell.instance(config=config)
    notebook = Notebook(shell)
    notebook.run("import aios_workbench as aios\nwf = aios.Workflow('made by hand')")
    yield notebook
    shell.reset(new_session=False)
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()
