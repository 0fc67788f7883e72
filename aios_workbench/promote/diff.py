"""What differs between two versions of a job, or between a version and what a promotion would make now."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aios_workbench.errors import JobError, NotFoundError
from aios_workbench.promote import data, objects
from aios_workbench.promote.bundle import JOB, NOTEBOOK, make_bundle
from aios_workbench.promote.cell_diff import cell_changes, pieces, unified
from aios_workbench.promote.environment import REQUIREMENTS, SBOM
from aios_workbench.promote.promoting import Candidate, relative
from aios_workbench.promote.records import find_version, intact_bundle, job_row
from aios_workbench.promote.spec import JobSpec
from aios_workbench.promote.verifying import MANIFEST
from aios_workbench.workspace import Workspace

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*==\s*([^\s;\\]+)")
_TEXT_LIMIT = 1_000_000


def diff(
    ws: Workspace, job: str, old: int | None = None, new: int | str | Path | None = None, *, spec: JobSpec | None = None
) -> dict[str, Any]:  # fmt: skip
    r"""Return what differs between two versions of a job.

    Parameters
    ----------
    job : str
        Id or name.
    old : int, optional
        A version; the one the job runs if not given.
    new : int, str or Path, optional
        Another version, or a notebook: what promoting it now would change. The job's own notebook if not given.
    spec : JobSpec, optional
        For a notebook: the job it shall become, if that is to differ too.

    Returns
    -------
    dict
        `spec`: options as ``{"option", "old", "new"}``. `cells`: see `cell_diff.cell_changes`. `files`, `data`:
        ``{"path", "kind", "old", "new", "diff"}`` with the hashes; `packages`: ``{"package", "old", "new"}`` with the
        versions. `same`: True when the two are equal to the byte.

    Raises
    ------
    NotFoundError
        For an unknown job, version or notebook.
    JobError
        When a version is damaged and cannot be restored, or the notebook cannot be read.

    Examples
    --------
    >>> diff(workspace(), "claims", 6, 7)["cells"]  # doctest: +SKIP
    [{'kind': 'changed', 'old': 3, 'new': 3, 'diff': '--- cell 3\n+++ cell 3\n@@ -1 +1 @@\n-x = 1\n+x = 2'}]
    """
    row = job_row(ws, job)
    before = of_version(ws, row, row["version"] if old is None else old)
    if isinstance(new, int):
        return compare(before, of_version(ws, row, new))
    path = (ws.project / JobSpec.from_dict(json.loads(row["spec"])).notebook) if new is None else Path(new)
    path = path.expanduser().resolve()
    if not path.is_file():
        raise NotFoundError(
            f"no notebook {path}; give the path of an .ipynb file, or a version to compare with"
        )
    given = spec or JobSpec.from_dict(json.loads(row["spec"]))
    return compare(before, make_bundle(path, given.model_copy(update={"notebook": relative(ws, path)})).files)


def preview(ws: Workspace, made: Candidate) -> dict[str, Any]:
    """Return what promoting would change, and change nothing.

    Parameters
    ----------
    made : Candidate
        See `promoting.candidate`.

    Returns
    -------
    dict
        Like `diff`, with `job`, `version` (what it runs; None for a new job) and `next`: the version it would be, an
        older one where the content is the same.
    """
    row = ws.catalog.one("select * from jobs where name = :name", name=made.spec.name)
    if row is None:
        return {"job": made.spec.name, "version": None, "next": 1, **compare({}, made.bundle.files)}
    known = ws.catalog.query(
        "select version, status, bundle_hash from job_versions where job_id = :id order by version desc",
        id=row["job_id"],
    )
    equal = [
        v["version"] for v in known if v["bundle_hash"] == made.bundle.hash and v["status"] != "rejected"
    ]
    following = row["version"] if row["version"] in equal else (equal or [known[0]["version"] + 1])[0]
    found = compare(of_version(ws, row, row["version"]), made.bundle.files)
    return {"job": row["name"], "version": row["version"], "next": following, **found}


def of_version(ws: Workspace, job: dict[str, Any], version: int) -> Mapping[str, bytes]:
    """Return the files of a version, verified.

    Parameters
    ----------
    job : dict
        The row of `jobs`.

    Raises
    ------
    NotFoundError
        Naming the versions there are.
    """
    row = find_version(ws, job, version)
    try:
        return objects.load(ws, row["bundle_hash"])
    except JobError:
        folder, _ = intact_bundle(ws, job["job_id"], version)  # of before there were objects
        names = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        return {name: (folder / name).read_bytes() for name in names}


def compare(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> dict[str, Any]:
    """Return what differs between the files of two bundles; see `diff`."""
    packages = _packages(old.get(REQUIREMENTS), new.get(REQUIREMENTS))
    return {
        "spec": _options(old[JOB], new[JOB]) if JOB in old else _options(b"", new[JOB]),
        "cells": cell_changes(pieces(old.get(NOTEBOOK, b"{}")), pieces(new[NOTEBOOK])),
        "files": _files(old, new, without=(REQUIREMENTS,) if packages else ()),
        "packages": packages,
        "data": _data(old.get(data.DATA), new.get(data.DATA)),
        "same": dict(old) == dict(new),
    }  # fmt: skip


def _options(old: bytes, new: bytes) -> list[dict[str, Any]]:
    before = JobSpec.from_yaml(old.decode()).to_dict() if old else {}
    after = JobSpec.from_yaml(new.decode()).to_dict()
    defaults = JobSpec(name="-", notebook="-").to_dict() if not old else {}
    return [
        {"option": name, "old": before.get(name, defaults.get(name)), "new": value}
        for name, value in after.items()
        if value != before.get(name, defaults.get(name))
    ]


def _files(
    old: Mapping[str, bytes], new: Mapping[str, bytes], without: tuple[str, ...]
) -> list[dict[str, Any]]:
    shown = (NOTEBOOK, JOB, data.DATA, SBOM, *without)  # the bill of materials repeats all of them
    names = sorted(
        n for n in old.keys() | new.keys()
        if n not in shown and not n.startswith(f"{data.COPIES}/") and old.get(n) != new.get(n)
    )  # fmt: skip
    return [
        {
            "path": name, "kind": _kind(old.get(name), new.get(name)), "old": _hash(old.get(name)),
            "new": _hash(new.get(name)), "diff": _text_diff(name, old.get(name), new.get(name)),
        }
        for name in names
    ]  # fmt: skip


def _data(old: bytes | None, new: bytes | None) -> list[dict[str, Any]]:
    before = {e.path: e for e in data.read_manifest(old)}
    after = {e.path: e for e in data.read_manifest(new)}
    found = []
    for path in sorted(before.keys() | after.keys()):
        a, b = before.get(path), after.get(path)
        if (a and a.sha256) != (b and b.sha256):
            size = f"{a.bytes:,} bytes" if a else "not there", f"{b.bytes:,} bytes" if b else "not there"
            found.append({
                "path": path, "kind": _kind(a, b), "old": a.sha256 if a else None, "new": b.sha256 if b else None,
                "diff": f"{size[0]} -> {size[1]}",
            })  # fmt: skip
    return found


def _packages(old: bytes | None, new: bytes | None) -> list[dict[str, Any]]:
    before, after = _pins(old), _pins(new)
    return [
        {"package": name, "old": before.get(name), "new": after.get(name)}
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _pins(lock: bytes | None) -> dict[str, str]:
    lines = (lock or b"").decode("utf-8", errors="replace").splitlines()
    found = [m for m in map(_PIN.match, lines) if m]
    return {re.sub(r"[-_.]+", "-", m[1]).lower(): m[2] for m in found}


def _kind(old: object, new: object) -> str:
    return "added" if old is None else "removed" if new is None else "changed"


def _hash(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()


def _text_diff(name: str, old: bytes | None, new: bytes | None) -> str:
    try:
        texts = [(content or b"").decode() for content in (old, new)]
    except UnicodeDecodeError:
        return "(no text)"
    if max(map(len, texts)) > _TEXT_LIMIT or "\x00" in "".join(texts):
        return "(too long to compare)" if "\x00" not in "".join(texts) else "(no text)"
    return unified(texts[0], texts[1], name, name)
