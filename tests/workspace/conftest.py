"""A workspace of its own for every test here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from aios_workbench.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

settings.register_profile("aios", database=None, derandomize=True, deadline=None)
settings.load_profile("aios")


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    space = Workspace(tmp_path / ".aios")
    yield space
    space.close()
