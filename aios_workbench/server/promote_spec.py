"""From what the dialog has been told so far to a job's description, each option's problem beside its field."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Any

from aios_workbench.errors import AiosError, ConflictError, NotFoundError
from aios_workbench.server import bodies_promote
from aios_workbench.server.base import Problem
from aios_workbench.workspace import Workspace

#: What a body holds besides the job's options.
_OTHER = frozenset(
    ("notebook", "note", "seen", "rollout", "findings", "ignore", "reason", "target", "grain", "folder")
)


def seen_of(notebook: Path) -> str:
    """Return the SHA-256 of the notebook's file: what a person looked at."""
    return hashlib.sha256(notebook.read_bytes()).hexdigest()


def unchanged(notebook: Path, seen: str | None) -> None:
    """Refuse when the file is no longer the one a person looked at.

    Raises
    ------
    ConflictError
        Saying what to do.
    """
    if seen is not None and seen_of(notebook) != seen:
        raise ConflictError(
            f"{notebook.name} was changed after it was checked; check it again, then promote what you have seen"
        )


def refuse(problems: dict[str, str]) -> None:
    """Answer with what is wrong, beside each field."""
    if problems:
        raise Problem(422, "; ".join(f"{name}: {text}" for name, text in problems.items()), fields=problems)


def said(body: bodies_promote.Options) -> dict[str, Any]:
    """Return the options that were sent; an empty text is none."""
    found = body.model_dump(exclude_unset=True, exclude=set(_OTHER))
    return {name: None if value == "" and name != "name" else value for name, value in found.items()}


def problems(options: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong with each option by itself."""
    from aios_workbench.promote import JobSpec

    found: dict[str, str] = {}
    for option, value in options.items():
        alone = {"name": "a job", "notebook": "a.ipynb", option: value}
        try:
            JobSpec(**alone)
        except AiosError as e:
            text = str(e).partition(" cannot be set up: ")[2] or str(e)
            found[option] = text.removeprefix(f"{option}: ")
    return found


def kept(ws: Workspace | None, name: str) -> dict[str, Any]:
    """Return the options of the job with that name, if there is one: what is not asked for stays as it was."""
    from aios_workbench.promote import jobs

    if ws is not None and name:
        with contextlib.suppress(NotFoundError):
            return dict(jobs.get(ws, name).spec.to_dict())
    return {}


def spec_of(notebook: Path, options: dict[str, Any], before: dict[str, Any]) -> Any:
    """Return the job's description.

    Raises
    ------
    JobError
        When the options do not fit together.
    """
    from aios_workbench.promote import JobSpec

    given = {**before, **options, "notebook": notebook.name}
    return JobSpec(**{**given, "name": given.get("name") or notebook.stem})
