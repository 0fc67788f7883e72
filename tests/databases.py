"""What must hold wherever the catalog and the journal are: a file, or a schema of PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import pytest


def on_both(metafunc: pytest.Metafunc, modules: Collection[str]) -> None:
    """Run the tests of some modules on SQLite and on PostgreSQL; see `database` in conftest.py."""
    if metafunc.module.__name__ in modules and "database" in metafunc.fixturenames:
        metafunc.parametrize("database", ["sqlite", "postgres"], indirect=True, scope="module")


def fresh(address: str) -> str:
    """Return the address of a schema that nobody has used, in the same database; nothing for a file."""
    if not address:
        return ""
    assert urlsplit(address).scheme == "postgresql"
    return f"{address.rpartition('schema=')[0]}schema=t{uuid.uuid4().hex[:12]}"
