"""Try a bundle in an environment that holds its lock and nothing else: is it made, does it import, does it run."""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from aios_workbench.errors import AiosError, EnvironmentFailed, JobError
from aios_workbench.promote.environment import installer
from aios_workbench.promote.environment.build import build, environments
from aios_workbench.promote.environment.installer import Progress
from aios_workbench.promote.environment.kernels import kernel_environment
from aios_workbench.promote.environment.lock import Lock, read_lock
from aios_workbench.workspace import Workspace

_IMPORT_SECONDS = 300.0
_IMPORTS = """
import importlib, json, sys
for module in json.loads(sys.argv[1]):
    print("\\n" + json.dumps({"module": module}), flush=True)
    try:
        importlib.import_module(module)
        said = None
    except BaseException as e:
        said = f"{type(e).__name__}: {e}"
    print("\\n" + json.dumps({"module": module, "said": said}), flush=True)
"""


def try_clean(
    folder: Path, progress: Progress = installer.silent, *, ws: Workspace | None = None, run: bool = False,
    notebook: Path | None = None, timeout: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Make the environment a bundle is locked to, import there what the notebook imports, and run it if asked.

    Parameters
    ----------
    folder : Path
        The bundle.
    progress : callable, optional
        Told what is going on, a few times a second; what it raises ends the work, and nothing half-made is left.
    ws : Workspace, optional
        Keeps the environment for the job's runs; the project's own if not given.
    run : bool
        Run the notebook too, twice, from top to bottom.
    notebook : Path, optional
        The notebook as it lies in its folder, with its data; the bundle's if not given.
    timeout : float, optional
        Seconds one such run may take.

    Returns
    -------
    dict
        "ok"; "seconds"; "problems", in words; "key", "python" and "packages" of the environment; "run", what the run
        showed. Never raises for what the environment or the notebook is.

    Raises
    ------
    JobError
        When the folder holds no lock.
    """
    from aios_workbench.workspace import workspace

    started = time.monotonic()
    lock = read_lock(folder)
    if lock is None:
        raise JobError(f"{folder} holds no environment.json; promote the notebook again")
    root = environments(ws if ws is not None else workspace()).absolute()
    found: dict[str, Any] = {
        "ok": False, "seconds": 0.0, "problems": _known(lock), "key": lock.key, "python": lock.python,
        "packages": len(lock.packages), "run": None,
    }  # fmt: skip
    try:
        python = build(root, lock, progress)
        found["problems"] += _imports(folder, lock, python, root, progress)
        if run and not found["problems"]:
            progress("running the notebook")
            problems, found["run"] = _run(folder, python, root, notebook, timeout)
            found["problems"] += problems
    except EnvironmentFailed as e:
        found["problems"].append(str(e))
    found["ok"] = not found["problems"]
    found["seconds"] = time.monotonic() - started
    return found


def _known(lock: Lock) -> list[str]:
    """Return what is wrong without a look."""
    problems = [
        f"{p.name} {p.version} is installed {p.told}: no package index has it, so it cannot be made again elsewhere. "
        "Put its modules beside the notebook, or publish it"
        for p in lock.stuck
    ]
    needed = [m for m in lock.not_found if m not in lock.optional]
    return problems + [
        f"{m} is imported, but was not installed where the notebook was promoted" for m in needed
    ]


def _imports(folder: Path, lock: Lock, python: Path, root: Path, progress: Progress) -> list[str]:
    stuck = {p.name for p in lock.stuck}
    modules = [m for m, names in lock.imports.items() if m not in lock.optional and not stuck & set(names)]
    modules += _local(folder)
    if not modules:
        return []
    doing = f"importing {len(modules)} module{'s' if len(modules) != 1 else ''}"
    env = kernel_environment({**os.environ, "AIOS_HEADLESS": "1"}, python, folder, root)
    with tempfile.TemporaryDirectory(prefix="aios-try-") as empty:
        out = Path(empty) / "said.txt"
        command = [str(python), "-B", "-c", _IMPORTS, json.dumps(modules)]
        installer.run(command, {**env, "AIOS_HOME": empty}, out, progress, doing, _IMPORT_SECONDS)
        lines = out.read_text(encoding="utf-8", errors="replace").splitlines()
    return _answers(modules, lines)


def _answers(modules: list[str], lines: list[str]) -> list[str]:
    """Return what failed; where the process itself ended or was ended, the module it was at did it."""
    answers: dict[str, str | None] = {}
    for line in lines:
        try:
            answer = json.loads(line)
            answers[answer["module"]] = answer.get("said", "")
        except (ValueError, TypeError, KeyError):
            continue  # modules print
    problems = [f"{m} cannot be imported in the locked environment: {s}" for m, s in answers.items() if s]
    broken = [m for m in modules if answers.get(m, "") == ""]
    if broken:
        problems.append(
            f"{broken[0]} ends Python, or takes for ever, when it is imported in the locked environment"
        )
    return problems


def _local(folder: Path) -> list[str]:
    """Return the bundle's own modules that the notebook imports for sure."""
    from aios_workbench.promote.environment.needs import needs_of
    from aios_workbench.promote.notebooks import code_cells, read_notebook

    path = folder / "notebook.ipynb"
    if not path.exists():
        return []
    needs = needs_of([c.tree for c in code_cells(read_notebook(path)) if c.tree is not None])
    roots = {
        p.stem if p.suffix == ".py" else p.name for p in folder.iterdir() if p.suffix == ".py" or p.is_dir()
    }
    return sorted(m for m, soft in needs.modules.items() if not soft and m.partition(".")[0] in roots)


def _run(
    folder: Path, python: Path, root: Path, notebook: Path | None, timeout: float | None
) -> tuple[list[str], dict[str, Any] | None]:
    from aios_workbench.promote.checks.cleanrun import find, run_clean
    from aios_workbench.promote.checks.context import Context
    from aios_workbench.promote.notebooks import read_notebook
    from aios_workbench.promote.spec import JobSpec

    path = notebook or folder / "notebook.ipynb"
    try:
        spec = JobSpec.from_yaml((folder / "job.yaml").read_text(encoding="utf-8"))
        ctx = Context(path, read_notebook(path), spec)
        ctx.kernel = lambda env: kernel_environment(env, python, ctx.folder.resolve(), root)
    except (AiosError, OSError) as e:
        return [str(e)], None
    ctx.run = run_clean(ctx, timeout)
    bad = [str(f) for f in find(ctx) if f.severity == "error"]
    return [f"run in the locked environment: {b}" for b in bad], ctx.run.to_dict()
