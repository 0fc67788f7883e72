"""What tests leave open is closed, and what they share is not."""

from __future__ import annotations

from pathlib import Path

import left_open
import pytest

from aios_workbench.errors import WorkspaceError
from aios_workbench.workspace import Workspace, workspace


def test_what_a_test_left_is_closed(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    since = len(left_open._MADE)
    left, cached = Workspace(tmp_path / "a"), workspace(tmp_path / "b")
    common = workspace(tmp_path_factory.mktemp("common") / ".aios")
    before = left_open.open_files()
    left_open.leave_none_open(since, tmp_path)
    assert left_open.open_files() < before or before == 0
    for closed in (left, cached):
        with pytest.raises(WorkspaceError, match="closed"):
            closed.catalog.query("select 1")
    assert common.catalog.one("select 1 as n") == {"n": 1}
    assert workspace(tmp_path / "b") is not cached
    common.close()
