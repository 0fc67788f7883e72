"""A check from the file to the list of findings."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aios_workbench.errors import AiosError
from aios_workbench.promote.checks import registry
from aios_workbench.promote.checks.cleanrun import CleanRun, Progress, run_clean
from aios_workbench.promote.checks.context import Context
from aios_workbench.promote.checks.files import DataFile, data_files
from aios_workbench.promote.checks.finding import Finding, require
from aios_workbench.promote.checks.ignore import ignores_of, split, unused
from aios_workbench.promote.checks.modules import bundled_modules
from aios_workbench.promote.checks.readable import UNREADABLE
from aios_workbench.promote.notebooks import read_notebook
from aios_workbench.promote.parameters import NotebookParameters
from aios_workbench.promote.spec import JobSpec


@dataclass(frozen=True)
class Inspection:
    """What is known of a notebook before it is promoted.

    Attributes
    ----------
    findings : list of Finding
        Errors first, then by place.
    ignored : list of (Finding, str)
        What the notebook's author has looked at, with the reason.
    run : CleanRun or None
        The run in a clean kernel, where one was made.
    """

    path: Path
    findings: list[Finding]
    ignored: list[tuple[Finding, str]]
    run: CleanRun | None = None
    context: Context | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing stands in the way of promoting it."""
        return all(f.severity != "error" for f in self.findings)

    @functools.cached_property
    def modules(self) -> dict[str, str]:
        """Files beside the notebook that it imports, through one another -> SHA-256."""
        if self.context is None:
            return {}
        paths = bundled_modules(self.context)
        return {name: hashlib.sha256(paths[name].read_bytes()).hexdigest() for name in sorted(paths)}

    @functools.cached_property
    def data(self) -> list[DataFile]:
        """Files it reads that are there, with their hashes."""
        return data_files(self.context) if self.context is not None else []

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of the notebook's parameters: a form, and what a program may send."""
        return self.context.parameters.json_schema() if self.context is not None else {}

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict."""
        return {
            "ok": self.ok,
            "findings": [f.to_dict() for f in self.findings],
            "ignored": [{**f.to_dict(), "reason": reason} for f, reason in self.ignored],
            "modules": self.modules,
            "data": [d.to_dict() for d in self.data],
            "parameters": self.schema,
            "run": self.run.to_dict() if self.run is not None else None,
        }


def inspect(
    notebook: str | Path, spec: JobSpec | None = None, *, run: bool = False, timeout: float | None = None,
    progress: Progress | None = None,
) -> Inspection:  # fmt: skip
    """Return what is known of a notebook before it is promoted.

    Parameters
    ----------
    notebook : Path
        The file; it is not changed.
    spec : JobSpec, optional
        The job it shall become; its parameters, schedule, gates and alerts are then checked too.
    run : bool
        Run it as well, twice, from top to bottom in a clean kernel of this environment, in its own folder. What it
        does to other systems it does; its own outputs are thrown away after they were compared.
    timeout : float, optional
        Seconds one such run may take; the job's timeout, or ten minutes.
    progress : callable, optional
        Told after each cell of such a run: cells done, how many there are, and which of the two runs it is.

    Returns
    -------
    Inspection
        Never raises for what the notebook is or does.

    Examples
    --------
    >>> import nbformat
    >>> book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(total)")])
    >>> nbformat.write(book, "report.ipynb")
    >>> for finding in inspect(Path("report.ipynb")).findings:
    ...     print(finding.rule, finding)
    AIOS101 error cell 1, line 1: 'total' is not defined. Define it in a cell above, or import it
    """
    notebook = Path(notebook)
    try:
        book = read_notebook(notebook)
    except AiosError as e:
        return Inspection(
            notebook, [UNREADABLE.at(None, None, str(e), "promote a notebook that opens in JupyterLab")], []
        )
    return inspect_book(Context(notebook, book, spec), run=run, timeout=timeout, progress=progress)


def inspect_book(
    ctx: Context, *, run: bool = False, timeout: float | None = None, progress: Progress | None = None
) -> Inspection:
    """Return what is known of a notebook that is in memory; see `inspect`."""
    static = [f for find in registry.finders() for f in find(ctx)]
    if run and not any(f.rule in ("AIOS001", "AIOS002", "AIOS003", "AIOS004") for f in static):
        ctx.run = run_clean(ctx, timeout, progress)
        static = [f for find in registry.finders() for f in find(ctx)]
    ignores, wrong = ignores_of(ctx, registry.all_rules())
    stands, ignored = split(static, ignores)
    findings = sorted({*stands, *wrong, *unused(ignores, ran=ctx.run is not None)}, key=lambda f: f.sort_key)
    return Inspection(ctx.path, findings, ignored, ctx.run, ctx)


def check(notebook: str | Path, spec: JobSpec | None = None) -> list[Finding]:
    """Return what keeps a notebook from being promoted, errors first, then by place. It is read, never run.

    Parameters
    ----------
    notebook : str or Path
        The file.
    spec : JobSpec, optional
        The job it shall become; its parameters and schedule are then checked too.

    Examples
    --------
    >>> for finding in check(Path("notebooks/claims_triage.ipynb")):  # doctest: +SKIP
    ...     print(finding)
    """
    return inspect(notebook, spec).findings


def checked_spec(notebook: Path, spec: JobSpec) -> tuple[JobSpec, list[Finding]]:
    """Return the spec with its parameters made to fit their types, and what was found.

    Raises
    ------
    JobError
        When a finding is an error.
    """
    findings = check(notebook, spec)
    require(findings)
    parameters = NotebookParameters.of(notebook)
    if spec.parameters:
        spec = spec.model_copy(update={"parameters": parameters.coerce(spec.parameters)})
    return spec, findings
