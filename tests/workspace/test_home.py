"""Where the workspace is, who may read it, and that it is opened once."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from aios_workbench.errors import WorkspaceError
from aios_workbench.workspace import Workspace, locate, workspace


@pytest.fixture(autouse=True)
def _no_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AIOS_HOME")
    monkeypatch.chdir(tmp_path)


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOS_HOME", str(tmp_path / "there"))
    assert locate() == tmp_path / "there"


def test_the_nearest_workspace_above_is_found_else_one_is_made_here(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert locate(below) == below / ".aios"
    Workspace(tmp_path / ".aios").close()
    assert locate(below) == tmp_path / ".aios"
    (below / ".aios").mkdir()  # an empty folder of that name is no workspace
    assert locate(below) == tmp_path / ".aios"


def test_only_the_owner_may_look_into_it_and_git_does_not(ws: Workspace) -> None:
    assert stat.S_IMODE(ws.root.stat().st_mode) == 0o700
    assert (ws.root / ".gitignore").read_text() == "*\n"
    assert ws.project == ws.root.parent
    ws.root.chmod(0o755)
    Workspace(ws.root).close()
    assert stat.S_IMODE(ws.root.stat().st_mode) == 0o700


def test_a_process_opens_it_once_until_it_is_closed(tmp_path: Path) -> None:
    one = workspace(tmp_path / "w")
    assert workspace(str(tmp_path / "x" / ".." / "w")) is one
    one.close()
    two = workspace(tmp_path / "w")
    assert two is not one
    two.close()


@pytest.mark.parametrize("in_the_way", ["file", "catalog folder"])
def test_what_is_in_the_way_is_named(tmp_path: Path, in_the_way: str) -> None:
    root = tmp_path / "w"
    if in_the_way == "file":
        root.write_text("")
    else:
        (root / "catalog.db").mkdir(parents=True)
    with pytest.raises(WorkspaceError, match=r"w.*AIOS_HOME"):
        workspace(root)


def test_a_wrong_durability_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOS_DURABILITY", "some")
    with pytest.raises(WorkspaceError, match="'some'; use 'normal' or 'full'"):
        workspace(tmp_path / "w")
    monkeypatch.setenv("AIOS_DURABILITY", "FULL")
    ws = workspace(tmp_path / "w")
    assert ws.catalog.query("pragma synchronous")[0]["synchronous"] == 2
    ws.close()


def test_a_folder_that_cannot_be_written_is_named() -> None:
    # root may write everywhere else
    target = Path("/proc" if os.geteuid() == 0 else "/") / "aios-cannot-be-here"
    with pytest.raises(
        WorkspaceError, match=r"cannot use .*aios-cannot-be-here.*set AIOS_HOME to a writable folder"
    ):
        workspace(target)
