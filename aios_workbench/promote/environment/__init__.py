"""The environment a notebook was promoted in: locked, tried, rebuilt for its runs.

`requirements.lock` and `environment.json` say what the notebook needs of what was installed; nothing is installed for
them. A job with ``environment: locked`` runs in an environment that is made from them.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.promote.environment.lock import ENVIRONMENT, REQUIREMENTS, Lock, Package, read_lock

if TYPE_CHECKING:
    from aios_workbench.promote.environment.clean import try_clean
    from aios_workbench.promote.environment.kernels import python_for
    from aios_workbench.promote.notebooks import Cell
    from aios_workbench.promote.spec import JobSpec

__all__ = [
    "ENVIRONMENT", "REQUIREMENTS", "SBOM", "Lock", "Package", "files", "python_for", "read_lock", "try_clean",
]  # fmt: skip

SBOM = "sbom.json"
_HOME = {"python_for": "kernels", "try_clean": "clean"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def files(
    folder: Path, cells: Iterable[Cell], others: Mapping[str, bytes] | None = None, *, spec: JobSpec | None = None,
    modules: dict[str, Path] | None = None, python: str | Path | None = None,
) -> dict[str, bytes]:  # fmt: skip
    """Return what a bundle says about its environment: lock, description, bill of materials.

    The same notebook in the same environment gives the same bytes. Only for a job that runs in the locked environment
    is a package index asked, for hashes; it is remembered what it said.

    Parameters
    ----------
    folder : Path
        Where the notebook lies.
    cells : iterable of Cell
        Its code.
    others : mapping, optional
        The bundle's other files, which the bill of materials lists.
    spec : JobSpec, optional
        The job: its name, its `packages`, its `environment`.
    modules : dict, optional
        Files beside the notebook that it imports; found if not given.
    python : str or Path, optional
        The kernel's interpreter; this process's own if not given.

    Returns
    -------
    dict
        "requirements.lock", "environment.json" and "sbom.json".

    Raises
    ------
    JobError
        When the kernel's interpreter does not answer, or a package that the job asks for is not installed.

    Examples
    --------
    >>> from aios_workbench.promote.notebooks import parse_source
    >>> made = files(Path("."), [parse_source("import yaml")])
    >>> "pyyaml==" in made["requirements.lock"].decode()
    True
    """
    from aios_workbench.promote.environment.capture import capture
    from aios_workbench.promote.sbom import sbom

    asked = spec.packages if spec is not None else ()
    lock = capture(folder, cells, python=python, modules=modules, packages=asked)
    if spec is not None and spec.environment == "locked":
        from aios_workbench.promote.environment.hashes import hashed

        lock = hashed(lock)
    made = {REQUIREMENTS: lock.requirements.encode(), ENVIRONMENT: lock.document.encode()}
    made[SBOM] = sbom(lock, {**(others or {}), **made}, spec.name if spec is not None else "notebook")
    return made
