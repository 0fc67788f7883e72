"""One engine and one workspace for all tests here; every test has a box that its steps can reach."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from databases import on_both
from hypothesis import settings
from kit import Box

import aios_workbench as aios
from aios_workbench.engine import runtime
from aios_workbench.workspace import Workspace, workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

settings.register_profile("aios", database=None, derandomize=True, deadline=None)
settings.load_profile("aios")


#: Run on SQLite and on PostgreSQL: what is told to the catalog, and what processes ask of it at the same time.
ON_BOTH = (
    "test_runs", "test_continue", "test_gates", "test_cache", "test_breakers", "test_compensation", "test_flow_runs",
    "test_budgets", "test_maps_failures", "test_continuing",
)  # fmt: skip


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    on_both(metafunc, ON_BOTH)


@pytest.fixture(scope="session")
def engine_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("engine") / ".aios"


@pytest.fixture
def ws(engine_home: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("AIOS_HOME", str(engine_home))
    monkeypatch.setenv("AIOS_DATABASE_URL", database)
    for name in ("AIOS_JOB_RUN", "AIOS_GATES"):
        monkeypatch.delenv(name, raising=False)
    space = workspace()
    runtime.start(space)
    return space


@pytest.fixture
def wf(ws: Workspace, request: pytest.FixtureRequest) -> aios.Workflow:
    return aios.Workflow(request.node.name[:100])


@pytest.fixture
def box() -> Iterator[Box]:
    with Box() as made:
        yield made
