"""Paths and readers that the hygiene tests share."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNTRACKED = {
    ".git",
    ".venv",
    "node_modules",
    "lib",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".aios",
    "dist",
}


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def kept(root: Path) -> list[Path]:
    """Every file that git keeps or would keep; without git, every file outside the built and cached folders."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if listing.returncode == 0:
        files = [root / name for name in listing.stdout.split("\0") if name]
    else:
        files = [p for p in root.rglob("*") if not UNTRACKED & set(p.relative_to(root).parts)]
    return sorted(p for p in files if p.is_file())
