"""What `aios run` is pointed at: a Python file, a notebook, or the name of a workflow that has run before."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from aios_workbench.errors import AiosError, DefinitionError, NotFoundError, ParameterError, hint

if TYPE_CHECKING:
    from aios_workbench.workflow import Workflow

_FILE = re.compile(r"(?P<path>.+\.py)(?::(?P<name>.+))?", re.DOTALL)


def split(target: str) -> tuple[Path, str | None] | None:
    """Return file and workflow's name of ``file.py`` or ``file.py:name``; None for anything else.

    Examples
    --------
    >>> split("flows/claims.py:triage")[1], split("claims-triage")
    ('triage', None)
    """
    found = _FILE.fullmatch(target)
    return (Path(found["path"]).expanduser(), found["name"]) if found else None


def load(path: Path, name: str | None) -> Workflow:
    """Import a file, its folder on `sys.path`, and return its workflow.

    Raises
    ------
    NotFoundError
        When there is no such file, or no workflow of that name in it.
    DefinitionError
        When the file cannot be imported, or has no workflow.
    ParameterError
        When it has several and none was named.
    """
    from aios_workbench.workflow import Workflow

    if not path.is_file():
        raise NotFoundError(f"there is no file {path}")
    found: dict[int, tuple[str, Workflow]] = {}
    for variable, value in vars(_import(path.resolve())).items():
        if isinstance(value, Workflow):
            found.setdefault(id(value), (variable, value))
    workflows = list(found.values())
    listed = ", ".join(f"{path.name}:{v}" + (f" ({w.name})" if w.name != v else "") for v, w in workflows)
    if not workflows:
        raise DefinitionError(
            f"{path} defines no workflow; write wf = aios.Workflow('name') at its top level"
        )
    if name is None:
        if len(workflows) > 1:
            raise ParameterError(f"{path} defines several workflows; name one: {listed}")
        return workflows[0][1]
    for variable, workflow in workflows:
        if name in (variable, workflow.name):
            return workflow
    known = [n for v, w in workflows for n in (v, w.name)]
    raise NotFoundError(f"{path} has no workflow '{name}'{hint(name, known)} (it has: {listed})")


def _import(path: Path) -> object:
    os.environ["AIOS_HEADLESS"] = "1"
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    # Under its own name, so that a module beside it that imports it gets the same one; never over another's.
    name = (
        path.stem if path.stem.isidentifier() and path.stem not in sys.modules else f"_aios_{abs(hash(path))}"
    )
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise DefinitionError(f"{path} cannot be imported; is it a Python file?")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except AiosError:
        raise
    except SystemExit as e:
        raise DefinitionError(f"{path} ended itself while it was imported (exit {e.code}); guard that with "
                              'if __name__ == "__main__":') from e  # fmt: skip
    except Exception as e:
        lines = traceback.TracebackException.from_exception(e).format()
        own = "".join(line for line in lines if "importlib" not in line and "cli/target.py" not in line)
        raise DefinitionError(f"{path} cannot be imported:\n{own.rstrip()}") from e
    return module
