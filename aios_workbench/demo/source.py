"""The workflow of the claims notebook, and the hook that makes a kill hit the middle of a step."""

from __future__ import annotations

import ast
import functools
import linecache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from aios_workbench.workflow import Workflow

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "claims_triage.ipynb"


def notebook_workflow(path: Path) -> Workflow:
    """Return the workflow a notebook defines: its cells are executed, except those tagged `run`."""
    from aios_workbench.promote.notebooks import code_cells, read_notebook

    # No importable module of that name: the functions travel by value, as from a kernel.
    namespace: dict[str, Any] = {"__name__": f"{path.stem}_notebook"}
    for cell in code_cells(read_notebook(path)):
        if "run" not in cell.tags:
            name = f"{path.name}, cell {cell.number}"
            linecache.cache[name] = (len(cell.python), None, cell.python.splitlines(keepends=True), name)
            for statement in ast.parse(cell.python).body:
                # One by one as a kernel does: CPython writes other instructions for a module imported in the
                # same unit, and the code's hash, hence the cache, must be the kernel's.
                unit = ast.Module([statement], type_ignores=[])
                exec(compile(unit, name, "exec", dont_inherit=True), namespace)  # noqa: S102 - our own notebook
    workflow: Workflow = namespace["wf"]
    return workflow


def held(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a step report and then wait for its end in a worker that has AIOS_DEMO_HOLD; elsewhere it just runs."""

    @functools.wraps(function)
    def hold(*args: Any, **kwargs: Any) -> Any:
        import os  # here, because this function travels to the worker without this module
        import time

        folder = os.environ.get("AIOS_DEMO_HOLD")
        if folder:
            with open(os.path.join(folder, "reached"), "w", encoding="utf-8") as file:  # noqa: PTH118, PTH123
                file.write(str(os.getpid()))
            time.sleep(300)
            raise RuntimeError("this worker was to be killed while it waited here")
        return function(*args, **kwargs)

    return hold
