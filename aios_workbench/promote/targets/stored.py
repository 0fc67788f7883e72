"""The workflow of a notebook as its newest run has stored it: what the grain of steps is made of."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from aios_workbench.errors import NotFoundError
from aios_workbench.workspace import Artifact, Workspace


def stored_workflow(ws: Workspace, notebook: Path, name: str | None = None) -> dict[str, Any]:
    """Return `workflow`, `functions` by hash and `values` it must be given, as `export` takes them.

    Parameters
    ----------
    name : str, optional
        Which workflow; that of the newest run of the notebook if not given.

    Raises
    ------
    NotFoundError
        When it has not run in this workspace.
    """
    from aios_workbench.engine import Run, submit
    from aios_workbench.promote.targets.graph import references

    names = [name] if name is not None else workflows_in(notebook)
    rows = [
        row
        for row in ws.catalog.query("select run_id, workflow, spec_hash from runs order by created_at desc")
        if row["workflow"] in names
    ]
    if not rows:
        what = f"workflow {name!r}" if name else f"a workflow of {notebook.name}"
        raise NotFoundError(f"{what} has not run in {ws.root}; run it once, or name another with --workflow")
    spec = submit.read_spec(ws, rows[0])
    required = {p["name"] for p in spec.parameters if p["required"]}
    given = Run(ws, rows[0]["run_id"]).params if required else {}
    values = {
        n: v for n, v in given.items() if n in required and isinstance(v, str | int | float | bool | None)
    }
    functions = {
        r["hash"]: ws.artifacts.read(Artifact.from_dict({**r, "meta": {}})) for r in references(spec)
    }
    return {"workflow": spec, "functions": functions, "values": values}


def workflows_in(notebook: Path) -> list[str]:
    """Return the names of the workflows that a notebook defines, as far as they are written down as text."""
    from aios_workbench.promote.notebooks import code_cells, read_notebook

    return [
        call.args[0].value
        for cell in code_cells(read_notebook(notebook))
        for call in ast.walk(cell.tree or ast.Module([], []))
        if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] == "Workflow"
        and call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    ]  # fmt: skip
