"""A workspace of a test's own, and worker processes on it that are gone when the test is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from job_kit import Start, workers, workspace

from aios_workbench.workspace import Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    with workspace(tmp_path) as made:
        yield made


@pytest.fixture
def worker(ws: Workspace) -> Iterator[Start]:
    with workers(ws) as start:
        yield start
