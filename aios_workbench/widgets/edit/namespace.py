"""What the notebook's variables say about a workflow."""

from __future__ import annotations

import builtins
import inspect
import keyword
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from aios_workbench.errors import ConflictError
from aios_workbench.widgets.cells import shell
from aios_workbench.workflow import Workflow


def variables(workflow: Workflow) -> Mapping[str, Any]:
    """Return the names a workflow's cells can use."""
    ipython = shell()
    if ipython is not None and any(v is workflow for v in list(ipython.user_ns.values())):
        return dict(ipython.user_ns)
    for definition in workflow._definitions.values():
        namespace = getattr(inspect.unwrap(definition.fn), "__globals__", {})
        if any(v is workflow for v in list(namespace.values())):
            return dict(namespace)
    return {}


def variable(workflow: Workflow) -> str:
    """Return the variable a workflow is in.

    Raises
    ------
    ConflictError
        When it is in none.
    """
    for name, value in variables(workflow).items():
        if value is workflow and name.isidentifier() and not name.startswith("_"):
            return name
    raise ConflictError(
        f"no variable of this notebook holds workflow '{workflow.name}', so no code can be written for it; "
        f"run the cell that makes it, such as wf = aios.Workflow({workflow.name!r})"
    )


def successor(workflow: Any) -> Any:
    """Return the workflow of the same name that has taken this one's place in the notebook, or the same.

    A cell that says ``wf = Workflow("x")`` makes a new object each time it is run.
    """
    if not isinstance(workflow, Workflow):
        return workflow
    found = _of_name(workflow.name)
    if any(w is workflow for w in found) or len(found) != 1:
        return workflow
    return found[0]


def named(name: str) -> Workflow | None:
    """Return the only workflow of the notebook with a name: what a run opened by its id was made of."""
    found = _of_name(name)
    return found[0] if len(found) == 1 else None


def _of_name(name: str) -> list[Workflow]:
    ipython = shell()
    if ipython is None:
        return []
    found = {
        id(value): value
        for variable, value in list(ipython.user_ns.items())
        if isinstance(value, Workflow) and value.name == name and not variable.startswith("_")
    }
    return list(found.values())


def identifier(text: str, prefix: str) -> str:
    """Return a text as a Python name.

    Examples
    --------
    >>> identifier("Clean data!", "step"), identifier("2nd", "step"), identifier("class", "step")
    ('clean_data', 'step_2nd', 'class_')
    """
    plain = unicodedata.normalize("NFKC", text)
    words = plain.lower() if not plain.isidentifier() else plain
    name = re.sub(r"\W+", "_", words).strip("_")[:60].rstrip("_")
    if not name:
        name = prefix
    if not name.isidentifier():
        name = f"{prefix}_{name}"
    if not name.isidentifier():
        name = re.sub(r"[^a-z0-9_]+", "_", f"{prefix}_{name}").strip("_")
    return f"{name}_" if keyword.iskeyword(name) else name


def free(name: str, taken: set[str]) -> str:
    """Return a name nobody has: this one, or with a number."""
    if name not in taken and not hasattr(builtins, name):
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"
