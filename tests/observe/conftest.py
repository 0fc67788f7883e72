"""One engine and one workspace for all tests here; runs are made by the real engine, or written as rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from observed import Rows

import aios_workbench as aios
from aios_workbench.engine import runtime
from aios_workbench.workspace import Workspace, workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

settings.register_profile("aios", database=None, derandomize=True, deadline=None)
settings.load_profile("aios")


@pytest.fixture(scope="session")
def observe_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("observe") / ".aios"


@pytest.fixture
def ws(observe_home: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("AIOS_HOME", str(observe_home))
    for name in ("AIOS_JOB_RUN", "AIOS_GATES"):
        monkeypatch.delenv(name, raising=False)
    space = workspace()
    runtime.start(space)
    return space


@pytest.fixture
def wf(ws: Workspace, request: pytest.FixtureRequest) -> aios.Workflow:
    return aios.Workflow(request.node.name[:100])


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Rows]:
    space = Workspace(tmp_path / "rows" / ".aios")
    yield Rows(space)
    space.close()
