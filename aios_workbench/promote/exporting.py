"""A version as a folder for git: what a person reads, edits and promotes again; or its bundle, as it is."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path, PurePosixPath
from typing import Any

from aios_workbench.errors import ConflictError, WorkspaceError
from aios_workbench.promote import data, versions
from aios_workbench.promote.bundle import JOB, MANIFEST, NOTEBOOK, PROVENANCE, discard
from aios_workbench.promote.diff import of_version
from aios_workbench.promote.records import find_version, intact_bundle, job_row
from aios_workbench.promote.spec import JobSpec
from aios_workbench.workspace import Workspace

#: Made anew by every promotion; in git they would only say twice what is there.
_DERIVED = (MANIFEST, "sbom.json")


def export(
    ws: Workspace, job: str, folder: Path, version: int | None = None, *, as_bundle: bool = False
) -> list[Path]:
    """Write a version of a job into a folder; writing it again changes what differs, and no other byte.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    version : int, optional
        The one the job runs if not given.
    as_bundle : bool
        Write the bundle as it is, for `aios run-job`. Without it: `job.yaml`, the notebook under its own name, its
        modules and the data that was copied where the notebook looks for them, so that
        ``aios promote NOTEBOOK --spec job.yaml`` makes a version of it again.

    Returns
    -------
    list of Path
        The files of the version, relative to `folder`.

    Raises
    ------
    NotFoundError
        For an unknown job or version.
    ConflictError
        When a file is in the way that no export has written.
    JobError, WorkspaceError
        When the version is damaged beyond repair, or the folder cannot be written.

    Examples
    --------
    >>> export(workspace(), "claims", Path("jobs/claims"))  # doctest: +SKIP
    [PosixPath('claims.ipynb'), PosixPath('data.json'), PosixPath('job.yaml'), PosixPath('rules.py')]
    """
    row = job_row(ws, job)
    number = row["version"] if version is None else version
    found = find_version(ws, row, number)
    files = dict(of_version(ws, row, number))
    try:
        if as_bundle:
            _write_bundle(folder, intact_bundle(ws, row["job_id"], number)[0])
        else:
            files = _readable(files)
            if found["provenance"]:
                about = versions.statement(ws, row["job_id"], number)
                files[PROVENANCE] = (json.dumps(about, indent=2, ensure_ascii=False) + "\n").encode()
            _write(folder, files)
    except OSError as e:
        raise WorkspaceError(f"cannot write {e.filename or folder}: {e.strerror}; give another --out") from e
    return [Path(name) for name in sorted(files)]


def _readable(files: dict[str, bytes]) -> dict[str, bytes]:
    spec = JobSpec.from_yaml(files[JOB].decode())
    name = PurePosixPath(spec.notebook).name
    found = {
        n: c
        for n, c in files.items()
        if n not in (*_DERIVED, NOTEBOOK) and not n.startswith(f"{data.COPIES}/")
    }
    for entry in data.read_manifest(files.get(data.DATA)):
        if entry.copied:
            found.setdefault(str(PurePosixPath(entry.path)), files[entry.copy])
    found[name] = files[NOTEBOOK]
    found[JOB] = spec.model_copy(update={"notebook": name}).to_yaml().encode()
    return found


def _write_bundle(folder: Path, source: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise ConflictError(f"{folder} is there and is no bundle; move it away or give another --out")
    aside = folder.with_name(f".{folder.name}.new")
    discard(aside)
    shutil.copytree(source, aside, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (aside, *aside.rglob("*")):  # a scheduler, or the user of an image, is rarely who promoted
        path.chmod(0o755 if path.is_dir() else 0o444)
    discard(folder)
    aside.replace(folder)


def _write(folder: Path, files: dict[str, bytes]) -> None:
    written = _written(folder)
    for name, content in files.items():
        path = folder / name
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise ConflictError(f"{path} is in the way; move it away or give another --out")
        if path.is_file() and (there := path.read_bytes()) != content and written.get(name) != _hash(there):
            raise ConflictError(
                f"{path} is there and was not written by an export, or was edited since; move it away, promote it, or "
                "give another --out"
            )
    for name in written.keys() - files.keys():
        path = folder / name
        if path.is_file() and _hash(path.read_bytes()) == written[name]:
            path.unlink()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_bytes() != content:
            path.unlink(missing_ok=True)
            path.write_bytes(content)
    listed: dict[str, Any] = {"files": {name: _hash(files[name]) for name in sorted(files)}}
    (folder / _LIST).write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")


#: What an export wrote: what may be written over by the next one. Not in a bundle, which allows no file beside its own.
_LIST = ".aios-export.json"


def _written(folder: Path) -> dict[str, str]:
    try:
        listed = json.loads((folder / _LIST).read_text(encoding="utf-8"))["files"]
        return {
            str(k): str(v) for k, v in listed.items() if ".." not in PurePosixPath(k).parts and k[:1] != "/"
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
