"""A project folder with a workspace, and notebooks written on the spot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from databases import fresh, on_both

from aios_workbench.workspace import Workspace


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    both = (
        "test_job_scheduler",
        "test_job_admin",
        "test_job_alerts",
        "test_job_versions",
        "test_job_overlap",
        "test_job_lateness",
        "test_job_health",
        "test_backfill",
        "test_job_cells",
        "test_job_retry",
        "test_approvals",
        "test_rollout",
        "test_job_events",
        "test_job_after",
    )
    on_both(metafunc, both)


@pytest.fixture
def ws(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("AIOS_DATABASE_URL", fresh(database))  # kernels are told as well
    project = tmp_path / "project"
    project.mkdir()
    workspace = Workspace(project / ".aios")
    yield workspace
    workspace.close()


@pytest.fixture
def write(ws: Workspace) -> Callable[..., Path]:
    """Write a notebook of code cells; `parameters=` becomes its first, tagged cell."""

    def make(name: str, *sources: str, parameters: str | None = None, **metadata: Any) -> Path:
        book = nbformat.v4.new_notebook(metadata=metadata)
        if parameters is not None:
            book.cells.append(nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
        book.cells += [nbformat.v4.new_code_cell(source) for source in sources]
        path = ws.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(book, path)
        return path

    return make
