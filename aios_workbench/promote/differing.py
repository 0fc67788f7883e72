"""Whether a notebook, as it is saved, is still the one that was promoted: asked often, so it is cheap."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aios_workbench.errors import JobError, NotFoundError
from aios_workbench.promote import data, objects
from aios_workbench.promote.bundle import NOTEBOOK, frozen_notebook
from aios_workbench.promote.cell_diff import cell_changes, pieces
from aios_workbench.promote.digests import Look, file_sha256, look
from aios_workbench.promote.modules import RESERVED, local_modules
from aios_workbench.promote.notebooks import code_cells, read_notebook
from aios_workbench.promote.promoting import relative
from aios_workbench.promote.spec import JobSpec
from aios_workbench.workspace import Workspace, dumps

_KEPT = 200
_SAID = 10


@dataclass(frozen=True)
class _Now:
    """A notebook and its modules as they are: valid while nothing that was looked at was written."""

    looks: dict[Path, Look]
    notebook: bytes
    modules: dict[str, str]


_now: OrderedDict[Path, _Now] = OrderedDict()
_said: OrderedDict[tuple[int, str], tuple[_Now, list[str]]] = OrderedDict()
_lock = threading.Lock()


def differs(ws: Workspace, notebook: str | Path) -> dict[str, Any] | None:
    """Return whether a notebook differs from the version of it that is promoted; None when it is no job.

    Compared are the notebook's cells, the modules it imports and, for a job that pins its data, the data files it was
    promoted with: what decides what a run does. The environment and the job's options are not: `diff` has them.

    Parameters
    ----------
    notebook : str or Path
        The file, as it is saved.

    Returns
    -------
    dict or None
        `job` (its name), `job_id`, `version` (what it runs), `differs`, and `what` in words: ``["cell 3 changed"]``.
        Of several jobs made of one notebook the one that was changed last.

    Raises
    ------
    NotFoundError, JobError
        When the file is not there, or no notebook.

    Examples
    --------
    >>> differs(workspace(), "claims.ipynb")  # doctest: +SKIP
    {'job': 'claims', 'job_id': 'job-1', 'version': 7, 'differs': True, 'what': ['cell 3 changed']}
    """
    path = Path(notebook).expanduser().resolve()
    row = _job(ws, relative(ws, path))
    if row is None:
        return None
    spec = JobSpec.from_dict(json.loads(row["spec"]))
    try:
        listed = objects.listed(ws, row["bundle_hash"])
        now = _read(path)
        key = (id(ws), f"{row['bundle_hash']} {path}")
        with _lock:
            known = _said.get(key)
        if known is None or known[0] is not now:
            known = now, _code(ws, listed, now)
            _keep(_said, key, known)
        what = [*known[1], *(_data(ws, listed, path.parent) if spec.data == "pin" else ())]
    except FileNotFoundError as e:
        raise NotFoundError(f"no notebook {path}; give the path of an .ipynb file") from e
    except OSError as e:
        raise JobError(f"{path} or a module beside it cannot be read: {e}") from e
    if len(what) > _SAID:
        what = [*what[:_SAID], f"and {len(what) - _SAID} more"]
    return {
        "job": row["name"], "job_id": row["job_id"], "version": row["version"], "differs": bool(what), "what": what,
    }  # fmt: skip


def _job(ws: Workspace, notebook: str) -> dict[str, Any] | None:
    pattern = dumps(notebook)
    for special in "!%_":
        pattern = pattern.replace(special, f"!{special}")
    rows = ws.catalog.query(
        "select j.job_id, j.name, j.version, j.spec, v.bundle_hash from jobs j "
        "join job_versions v on v.job_id = j.job_id and v.version = j.version "
        "where j.spec like :pattern escape '!' order by j.updated_at desc",
        pattern=f'%"notebook":{pattern}%',
    )
    return next((r for r in rows if json.loads(r["spec"]).get("notebook") == notebook), None)


def _read(path: Path) -> _Now:
    with _lock:
        known = _now.get(path)
    if known is not None and all(_same(p, before) for p, before in known.looks.items()):
        return known
    looks = {
        p: look(p) for p in (path, path.parent)
    }  # before they are read: a change meanwhile is seen next time
    book = read_notebook(path)
    found = local_modules(path.parent, [c.tree for c in code_cells(book) if c.tree is not None], exclude=path)
    for module in found.values():
        looks |= {p: look(p) for p in (module, module.parent)}
    modules = {name: file_sha256(p) for name, p in found.items()}
    now = _Now(looks, frozen_notebook(path, book), modules)
    _keep(_now, path, now)
    return now


def _same(path: Path, before: Look) -> bool:
    try:
        return look(path) == before
    except OSError:
        return False


def _keep(cache: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    with _lock:
        cache[key] = value
        cache.move_to_end(key)
        while len(cache) > _KEPT:
            cache.popitem(last=False)


def _code(ws: Workspace, listed: dict[str, str], now: _Now) -> list[str]:
    before = objects.read(ws, listed[NOTEBOOK], NOTEBOOK)
    what = []
    if before != now.notebook:
        changes = cell_changes(pieces(before), pieces(now.notebook))
        what = [f"cell {c['new'] or c['old']} {c['kind']}" for c in changes] or [
            "the notebook's metadata changed"
        ]
    modules = {
        n: h
        for n, h in listed.items()
        if n not in RESERVED and not n.startswith((f"{data.COPIES}/", "functions/"))
    }
    for name in sorted(modules.keys() | now.modules.keys()):
        if modules.get(name) != now.modules.get(name):
            kind = "added" if name not in modules else "removed" if name not in now.modules else "changed"
            what.append(f"{name} {kind}")
    return what


def _data(ws: Workspace, listed: dict[str, str], folder: Path) -> list[str]:
    if data.DATA not in listed:
        return []
    entries = data.read_manifest(objects.read(ws, listed[data.DATA], data.DATA))
    return data.compare_entries(entries, folder)
