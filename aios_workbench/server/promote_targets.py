"""A job written for another scheduler from the dialog: preview with diff, then the files, below the project only."""

from __future__ import annotations

import difflib
import os
import shlex
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from aios_workbench.errors import ConflictError, ParameterError
from aios_workbench.server import bodies_promote as bodies
from aios_workbench.server import promote_spec
from aios_workbench.server.base import AiosHandler
from aios_workbench.server.places import Places

if TYPE_CHECKING:
    from aios_workbench.promote.targets.writing import Draft
    from aios_workbench.workspace import Workspace

_MOST_TEXT = 200_000
#: Where a target's files usually go in a repository; the others get a folder of their own.
_USUAL = {"airflow": "dags", "github": ""}


class FilesHandler(AiosHandler):
    """`POST promote/files` and `POST promote/write`."""

    @web.authenticated
    @authorized
    async def post(self, action: str) -> None:
        """Say what would be written and how that differs from what lies there; or write it."""
        body = self.body(bodies.Files)

        def work() -> dict[str, Any]:
            notebook = self.places.notebook(body.notebook)
            ws = self.places.create(body.notebook)
            options = promote_spec.said(body)
            promote_spec.refuse(promote_spec.problems(options))
            promote_spec.unchanged(notebook, body.seen)
            before = promote_spec.kept(ws, options.get("name") or notebook.stem)
            spec = promote_spec.spec_of(notebook, options, before)
            base = base_folder(self.places, ws, notebook)
            given = drafted(ws, notebook, spec, body, inside(base, body.folder))
            shown = _view(given, base)
            return write(ws, given, shown, notebook, self.actor) if action == "write" else shown

        await self.reply(work)


def target_infos() -> list[dict[str, Any]]:
    """Return every target, how far it is proven, and where its files usually go."""
    from aios_workbench.adapters import LEVELS
    from aios_workbench.promote.targets import all_targets

    return [
        {
            "name": t.name, "title": t.title, "evidence": t.evidence, "evidence_words": LEVELS[t.evidence],
            "proof": t.proof, "grains": list(t.grains), "folder": _USUAL.get(t.name, f"deploy/{t.name}"),
        }
        for t in all_targets()
    ]  # fmt: skip


def base_folder(places: Places, ws: Workspace | None, notebook: Path) -> Path:
    """Return the folder below which files may be written: the project's, as far as this server serves it."""
    root = places.root
    project = (ws.project if ws is not None else places.locate(None).parent).resolve()
    if not notebook.is_relative_to(project):
        project = notebook.parent  # the workspace lies elsewhere (AIOS_HOME)
    return project if project.is_relative_to(root) else root


def inside(base: Path, folder: str) -> Path:
    """Return a folder below the project's, whether it is there or not.

    Raises
    ------
    ParameterError
        When the path is absolute, hidden, leads out (also by a link), or is a file.
    """
    path = PurePosixPath(folder.strip())
    parts = path.parts
    wrong = path.is_absolute() or ".." in parts or any(p.startswith((".", "~")) for p in parts)
    if wrong or any(ord(c) < 32 or c in "\\:" for c in folder):
        raise ParameterError(
            f"folder: {folder[:200]!r} is not a folder of this project; write it from the project's folder, such as "
            "'deploy/airflow'"
        )
    found = base.joinpath(*parts)
    if not _stays(base, found):
        raise ParameterError(
            f"folder: {folder[:200]!r} leads out of the project by a link; choose another folder"
        )
    if found.exists() and not found.is_dir():
        raise ParameterError(f"folder: {folder[:200]!r} is a file; choose another folder")
    return found


def _stays(base: Path, path: Path) -> bool:
    """Tell whether no link on the way leads out of the project; a path that cannot be followed does not stay."""
    try:
        return path.resolve().is_relative_to(base.resolve())
    except (OSError, RuntimeError):
        return False


def drafted(ws: Workspace, notebook: Path, spec: Any, body: bodies.Files, folder: Path) -> Draft:
    """Return what would be written.

    Raises
    ------
    JobError, NotFoundError, ConflictError
        When it cannot be.
    """
    from aios_workbench.promote.targets import get
    from aios_workbench.promote.targets.quoting import slug
    from aios_workbench.promote.targets.stored import stored_workflow
    from aios_workbench.promote.targets.writing import draft

    target = get(body.target)
    more = stored_workflow(ws, notebook) if body.grain == "steps" else {}
    bundle = folder / target.bundle.format(slug=slug(spec.name))
    again = again_command(notebook, folder, bundle, target.name, body.grain)
    return draft(notebook, spec, target, folder, again=again, workdir=str(notebook.parent), **more)


def again_command(notebook: Path, folder: Path, bundle: Path, target: str, grain: str) -> str:
    """Return the command that writes the files anew from the bundle's own job.yaml, in the notebook's folder."""
    out, job = (
        Path(os.path.relpath(path, notebook.parent)).as_posix() for path in (folder, bundle / "job.yaml")
    )
    words = ["aios", "promote", notebook.name, "--spec", job, "--target", target, "--out", out]
    return shlex.join([*words, "--grain", grain] if grain != "notebook" else words)


def _view(given: Draft, base: Path) -> dict[str, Any]:
    bundle, problem = ("same" if given.keep else "changed" if given.where.exists() else "new"), None
    if not _stays(base, given.where):
        bundle, problem = "blocked", "a link leads out of the project"
    files = [_file(given, base, name, text) for name, text in given.files.items()]
    folder = given.folder.relative_to(base).as_posix()
    return {
        "target": given.target.name, "title": given.target.title, "evidence": given.target.evidence,
        "grain": given.plan.grain, "folder": "" if folder == "." else folder,
        "bundle": given.where.relative_to(base).as_posix() + (f" ({problem})" if problem else ""),
        "bundle_hash": given.made.hash, "bundle_status": bundle, "limits": given.target.limits(given.plan),
        "files": files, "written": False, "commands": commands(given, base),
    }  # fmt: skip


def _file(given: Draft, base: Path, name: str, text: str) -> dict[str, Any]:
    from aios_workbench.promote.targets.writing import differs

    path = given.folder / name
    out = {"path": path.relative_to(base).as_posix(), "text": text[:_MOST_TEXT], "diff": "", "problem": None}
    if not _stays(base, path) or path.is_symlink():
        return {**out, "status": "blocked", "problem": "a link lies there; nothing is written through links"}
    try:
        if not path.exists():
            return {**out, "status": "new"}
        if path.is_dir():
            return {**out, "status": "blocked", "problem": "a folder lies there"}
        changed = differs(path, text)
    except ConflictError:
        problem = (
            "a file lies there that was not written by AIOS Workbench; move it away or choose another folder"
        )
        return {**out, "status": "blocked", "problem": problem}
    except OSError as e:
        return {**out, "status": "blocked", "problem": f"it cannot be read: {e.strerror}"}
    if not changed:
        return {**out, "status": "same"}
    there = path.read_text(encoding="utf-8", errors="replace")
    lines = difflib.unified_diff(
        there.splitlines(), text.splitlines(), "what lies there", "what is written", lineterm=""
    )
    return {**out, "status": "changed", "diff": "\n".join(lines)[:_MOST_TEXT]}


def write(ws: Workspace, given: Draft, shown: dict[str, Any], notebook: Path, actor: str) -> dict[str, Any]:
    """Write the files and say what was written.

    Raises
    ------
    ConflictError
        When one of them is in the way; nothing is written then.
    """
    from aios_workbench.govern import audit
    from aios_workbench.promote.targets.writing import write as put

    blocked = [f"{f['path']}: {f['problem']}" for f in shown["files"] if f["status"] == "blocked"]
    if shown["bundle_status"] == "blocked":
        blocked.append(shown["bundle"])
    if blocked:
        raise ConflictError(f"nothing was written: {'; '.join(blocked)}")
    put(given, notebook.name)
    audit(
        ws, actor, "job.export", given.plan.spec.name, target=given.target.name,
        bundle_hash=given.plan.bundle_hash, folder=shown["folder"],
    )  # fmt: skip
    return {**shown, "written": True}


def commands(given: Draft, base: Path) -> list[str]:
    """Return what a person does next in a terminal, in the project's folder."""
    paths = [(given.folder / name).relative_to(base).as_posix() for name in given.files]
    bundle = given.where.relative_to(base).as_posix()
    found = [shlex.join(["git", "add", *paths, bundle])]
    if given.target.name in ("kubernetes", "argo"):
        manifests = [p for p in paths if p.endswith((".yaml", ".yml"))]
        found += [shlex.join(["kubectl", "apply", "-f", p]) for p in manifests]
    found.append(shlex.join(["aios", "run-job", bundle]))
    return found
