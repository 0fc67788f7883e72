"""From a notebook to a target's files on the disk: bundle beside them, nothing of anybody else's overwritten."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aios_workbench.errors import ConflictError, JobError
from aios_workbench.promote.bundle import MANIFEST, Bundle, discard, make_bundle, verify
from aios_workbench.promote.checks import checked_spec
from aios_workbench.promote.spec import JobSpec
from aios_workbench.promote.targets.base import Files, Target
from aios_workbench.promote.targets.plan import Plan, steps_of
from aios_workbench.promote.targets.quoting import slug

_OURS = "written by AIOS Workbench. Do not edit"
_SECRET = re.compile(
    r"(^|_)(password|passwd|pwd|secret|token|api_?key|private_?key|credentials?)($|_)", re.IGNORECASE
)


@dataclass(frozen=True)
class Export:
    """What was written.

    Attributes
    ----------
    files : list of Path
        Those that were new or changed come first in `written`.
    limits : list of str
        What the target cannot express of the job.
    """

    plan: Plan
    target: Target
    folder: Path
    bundle: Path
    files: list[Path]
    written: list[Path]
    limits: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict."""
        return {
            "target": self.target.name, "evidence": self.target.evidence, "grain": self.plan.grain,
            "bundle": str(self.bundle), "bundle_hash": self.plan.bundle_hash, "limits": self.limits,
            "files": [str(f) for f in self.files], "written": [str(f) for f in self.written],
        }  # fmt: skip


@dataclass(frozen=True)
class Draft:
    """What would be written.

    Attributes
    ----------
    where : Path
        Where the bundle goes.
    keep : bool
        Exactly this bundle lies there already.
    files : mapping
        Text by POSIX path below `folder`.
    """

    plan: Plan
    target: Target
    made: Bundle
    folder: Path
    where: Path
    keep: bool
    files: Files


def draft(
    notebook: Path, spec: JobSpec, target: Target, folder: Path, *, workflow: Any = None,
    functions: Mapping[str, bytes] | None = None, values: Mapping[str, Any] | None = None, **options: Any,
) -> Draft:  # fmt: skip
    """Check a notebook, freeze it and render it for a target. Nothing is written; parameters as for `export`.

    Raises
    ------
    JobError
        When the notebook cannot be promoted or the target cannot do what it needs.
    ConflictError
        When something else lies where the bundle goes.
    """
    from aios_workbench.promote.targets.graph import add_workflow

    spec, _ = checked_spec(notebook.expanduser().resolve(), spec)
    refuse_secrets(spec)
    made = make_bundle(notebook.expanduser().resolve(), spec)
    if workflow is not None:
        made = add_workflow(made, workflow, functions or {})
    folder = folder.expanduser().resolve()
    where = folder / target.bundle.format(slug=slug(spec.name))
    options = {k: v for k, v in options.items() if v}
    if target.name in ("crontab", "systemd"):
        options.setdefault("bundle", str(where))
    keep = _is(where, made.hash)
    if keep:
        plan = Plan.of(where, **options)
    else:
        _free(where)
        plan = Plan(spec, made.hash, dt.datetime.now(dt.UTC).date(), **options)
    if workflow is not None:
        known = {p["name"] for p in workflow.parameters}
        own = {**(values or {}), **{k: v for k, v in spec.parameters.items() if k in known}}
        plan = replace(plan, steps=steps_of(workflow), spec=spec.model_copy(update={"parameters": own}))
    return Draft(plan, target, made, folder, where, keep, target.render(plan))


def export(
    notebook: Path, spec: JobSpec, target: Target, folder: Path, *, workflow: Any = None,
    functions: Mapping[str, bytes] | None = None, values: Mapping[str, Any] | None = None, **options: Any,
) -> Export:  # fmt: skip
    """Check a notebook, freeze it and write it for a target.

    Parameters
    ----------
    folder : Path
        The folder of output; made if it is not there.
    workflow : WorkflowSpec, optional
        Its steps become the target's own tasks.
    functions : mapping, optional
        The workflow's stored functions by hash; they go into the bundle.
    values : mapping, optional
        Parameters of the workflow; the job's of the same name win.
    options
        Of `Plan`: `bundle`, `aios`, `image`, `again`, `workdir`.

    Raises
    ------
    JobError
        When the notebook cannot be promoted or the target cannot do what it needs.
    ConflictError
        When a file is in the way that this command did not write.

    Examples
    --------
    >>> from aios_workbench.promote.targets import get
    >>> spec = JobSpec(name="claims", notebook="claims.ipynb", schedule="0 6 * * *")
    >>> export(Path("claims.ipynb"), spec, get("airflow"), Path("dags")).files  # doctest: +SKIP
    [PosixPath('dags/claims/dag.py'), PosixPath('dags/claims/.airflowignore')]
    """
    given = draft(
        notebook, spec, target, folder, workflow=workflow, functions=functions, values=values, **options
    )
    return write(given, notebook.name)


def write(given: Draft, source: str) -> Export:
    """Write what was drafted; `source` names the notebook.

    Raises
    ------
    ConflictError
        When a file is in the way that this command did not write; nothing is written then.
    """
    folder, where, files = given.folder, given.where, given.files
    written = [path for name, text in files.items() if differs(path := folder / name, text)]
    if not given.keep:
        new = where.with_name(where.name + ".new")
        discard(new)
        given.made.write(new, job=given.plan.spec.name, source=source)
        _let_read(new)
        discard(where)
        new.replace(where)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    limits = given.target.limits(given.plan)
    return Export(given.plan, given.target, folder, where, [folder / name for name in files], written, limits)


def refuse_secrets(spec: JobSpec) -> None:
    """Keep what is called like a secret out of files that are meant for git.

    Raises
    ------
    JobError
        Naming the parameter.
    """
    for name, value in spec.parameters.items():
        if isinstance(value, str) and value and _SECRET.search(name):
            raise JobError(
                f"parameter {name!r} looks like a secret, and the files of a target are meant for git: let the "
                f"notebook read it from the environment (os.environ[{name.upper()!r}]) and set that where the job runs"
            )


def _is(where: Path, wanted: str) -> bool:
    """True when exactly this bundle lies there: its day of promotion stays, and with it every file."""
    try:
        verify(where, wanted)
    except JobError:
        return False
    return True


def _let_read(bundle: Path) -> None:
    """Let others read a bundle: a scheduler, or the user of an image, is rarely who promoted."""
    for path in (bundle, *bundle.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o444)


def _free(where: Path) -> None:
    if where.exists() and not (where / MANIFEST).is_file():
        raise ConflictError(f"{where} is there and is no bundle; move it away or give another --out")


def differs(path: Path, text: str) -> bool:
    """Tell whether writing a text changes a file.

    Raises
    ------
    ConflictError
        When the file there is not one of ours.
    """
    if not path.exists():
        return True
    there = path.read_text(encoding="utf-8", errors="replace")
    if there != text and _OURS not in there and path.name != ".airflowignore":
        raise ConflictError(
            f"{path} is there and was not written by this command; move it away or give another --out"
        )
    return there != text
