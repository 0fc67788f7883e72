"""The catalog on bad disks: damaged, in the way, full. Each is named with its remedy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aios_workbench.errors import WorkspaceError
from aios_workbench.workspace import Catalog

PUT = "insert into settings values (:k, :v) on conflict (key) do update set value = :v"


@pytest.mark.parametrize(
    "content", [b"this is no database, only text\n" * 100, b"SQLite format 3\x00" + b"\xff" * 5000]
)
def test_a_damaged_file_is_named_with_a_remedy(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "catalog.db"
    path.write_bytes(content)
    with pytest.raises(WorkspaceError, match=r"catalog.db.*(damaged|encrypted).*(restore|move)"):
        Catalog(path)


def read_all(path: Path) -> None:
    catalog = Catalog(path)
    for query in ("select sum(length(value)) from settings", "select * from settings order by key desc"):
        catalog.query(query)


def test_damage_in_the_middle_is_named_when_it_is_met(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    good = Catalog(path)
    with good.transaction() as con:
        con.executemany("insert into settings values (?, ?)", [(f"k{i}", "x" * 500) for i in range(500)])
    good.connection().execute("pragma wal_checkpoint(truncate)")
    good.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(os.urandom(size // 4))
    with pytest.raises(WorkspaceError, match=r"damaged .*restore it"):
        read_all(path)


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "catalog.db").mkdir()
    with pytest.raises(WorkspaceError, match=r"cannot be opened.*AIOS_HOME"):
        Catalog(tmp_path / "catalog.db")


def test_a_full_disk_is_named_and_passes(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "catalog.db")
    pages = catalog.query("pragma page_count")[0]["page_count"]
    catalog.connection().execute(
        f"pragma max_page_count = {pages + 2}"
    )  # SQLite's own "database or disk is full"
    with pytest.raises(WorkspaceError, match=r"no space left.*free some disk space"):
        catalog.write(PUT, k="big", v="x" * 100_000)
    catalog.connection().execute("pragma max_page_count = 1000000")
    catalog.write(PUT, k="big", v="x" * 100_000)
    assert len(catalog.query("select value from settings")[0]["value"]) == 100_000
    catalog.close()
