"""Runs a production notebook as a job or a person would, for the tests of what it must have done."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from aios_workbench.engine import Run
from aios_workbench.workspace import Workspace, workspace

ROOT = Path(__file__).resolve().parent.parent
CLAIMS = ROOT / "notebooks" / "claims_triage.ipynb"
SUPPORT = ROOT / "notebooks" / "support_retrieval.ipynb"
CATALOG = ROOT / "notebooks" / "catalog_enrichment.ipynb"


@dataclass
class Executed:
    """An executed notebook and the workspace it left."""

    book: Any
    ws: Workspace

    @property
    def run(self) -> Run:
        rows = self.ws.catalog.query("select run_id from runs order by created_at desc limit 1")
        return Run(self.ws, rows[0]["run_id"])

    def text(self, cell: str) -> str:
        outputs = next(c for c in self.book.cells if c["id"] == cell).outputs
        return "".join(o.get("text", "") + o.get("data", {}).get("text/plain", "") for o in outputs)


def execute(
    folder: Path, parameters: dict[str, Any] | None = None, *, headless: bool = True, more: str = "",
    notebook: Path = CLAIMS, before: dict[str, str] | None = None,
) -> Executed:  # fmt: skip
    """Run a production notebook in `folder`; `more` is a cell for its end, `before` are cells to put before others."""
    book = nbformat.read(notebook, as_version=4)
    place = next(i for i, c in enumerate(book.cells) if "parameters" in c.metadata.get("tags", ()))
    given = "\n".join(f"{name} = {value!r}" for name, value in (parameters or {}).items())
    book.cells.insert(place + 1, nbformat.v4.new_code_cell(given))
    for name, code in (before or {}).items():
        at = next(i for i, c in enumerate(book.cells) if c["id"] == name)
        book.cells.insert(at, nbformat.v4.new_code_cell(code))
    if more:
        book.cells.append(nbformat.v4.new_code_cell(more))
    drop = ("AIOS_JOB_RUN", "AIOS_GATES", "AIOS_HEADLESS", "PYTHONDONTWRITEBYTECODE")
    env = {k: v for k, v in os.environ.items() if k not in drop} | {"AIOS_HOME": str(folder / ".aios")}
    if headless:
        env |= {"AIOS_HEADLESS": "1", "AIOS_GATES": json.dumps({"review": "approve"})}
    client = NotebookClient(book, timeout=120, resources={"metadata": {"path": str(folder)}})
    client.execute(env=env)
    return Executed(book, workspace(folder / ".aios"))
