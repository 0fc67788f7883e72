"""What stands between a notebook and production, found without running it."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast

from aios_workbench.errors import AiosError, JobError
from aios_workbench.promote.card_gate import card_findings
from aios_workbench.promote.channels import is_known, is_open
from aios_workbench.promote.notebooks import Cell, code_cells, read_notebook
from aios_workbench.promote.parameters import NotebookParameters
from aios_workbench.promote.spec import JobSpec

Severity = Literal["error", "warning"]
_ABSOLUTE = re.compile(
    r"^(/(home|Users|root|tmp|var|opt|mnt|data|srv|work|content|Volumes)/.+|[A-Za-z]:[\\/].+|~/.+)"
)
_ORDER = {"error": 0, "warning": 1}


@dataclass(frozen=True)
class Finding:
    """Something a person should know before the notebook is promoted.

    Attributes
    ----------
    severity : {"error", "warning"}
        An error stops the promotion.
    code : str
        A stable name of the rule.
    cell, line : int or None
        Counted from 1, among all cells; None where the whole notebook is meant.
    fix : str
        What to do about it.
    """

    severity: Severity
    code: str
    message: str
    fix: str
    cell: int | None = None
    line: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict."""
        return asdict(self)

    def __str__(self) -> str:
        place = (
            "" if self.cell is None else f" cell {self.cell}" + (f", line {self.line}" if self.line else "")
        )
        return f"{self.severity}{place}: {self.message}. {self.fix[:1].upper()}{self.fix[1:]}"


def check(notebook: Path, spec: JobSpec | None = None) -> list[Finding]:
    """Return what keeps a notebook from being promoted, errors first, then by place.

    Parameters
    ----------
    notebook : Path
        The file; it is read, never run.
    spec : JobSpec, optional
        The job it shall become; its parameters and schedule are then checked too.

    Examples
    --------
    >>> for finding in check(Path("notebooks/claims_triage.ipynb")):  # doctest: +SKIP
    ...     print(finding)
    """
    try:
        book = read_notebook(notebook)
    except AiosError as e:
        return [Finding("error", "unreadable", str(e), "promote a notebook that opens in JupyterLab")]
    cells = code_cells(book)
    findings = [*_kernel(book), *(f for cell in cells for f in _cell(cell)), *_parameters(cells, spec)]
    if spec is not None:
        findings += [*_schedule(spec), *_alerts(spec)]
    findings += [
        Finding(cast("Severity", f[0]), f[1], f[2], f[3], f[4], f[5])
        for f in card_findings(notebook, cells, spec)
    ]
    if not any(cell.source.strip() for cell in cells):
        findings.append(Finding("error", "empty", "the notebook has no code", "write a cell first"))
    return sorted(findings, key=lambda f: (_ORDER[f.severity], f.cell or 0, f.line or 0))


def require(findings: list[Finding]) -> None:
    """Raise when a finding is an error.

    Raises
    ------
    JobError
        Listing the errors.
    """
    if errors := [f for f in findings if f.severity == "error"]:
        raise JobError("the notebook cannot be promoted:\n" + "\n".join(f"  {f}" for f in errors))


def _kernel(book: Any) -> Iterator[Finding]:
    spec = book.metadata.get("kernelspec", {})
    language = spec.get("language") or book.metadata.get("language_info", {}).get("name") or "python"
    if str(language).lower() not in ("python", "ipython"):
        yield Finding(
            "error", "kernel", f"the notebook is written in {language}, jobs run in Python",
            "choose a Python kernel and save the notebook",
        )  # fmt: skip


def _cell(cell: Cell) -> Iterator[Finding]:
    if cell.error is not None:
        yield Finding(
            "error", "syntax", f"the cell is not valid Python: {cell.error.msg}", "correct it and run the cell",
            cell.number, cell.error.lineno,
        )  # fmt: skip
    if cell.tree is None:
        return
    for node in ast.walk(cell.tree):
        match node:
            case ast.Constant(value=str() as text) if _ABSOLUTE.match(text):
                yield Finding(
                    "warning", "absolute-path", f"the path {text[:80]!r} exists on this machine only",
                    "use a path relative to the notebook, or make it a parameter", cell.number, node.lineno,
                )  # fmt: skip
            case ast.Call(func=ast.Name(id="input") | ast.Attribute(attr="getpass") | ast.Name(id="getpass")):
                yield Finding(
                    "warning", "interactive", "the cell asks for input; in a job nobody answers and it fails",
                    "make it a parameter, or a gate of the workflow", cell.number, node.lineno,
                )  # fmt: skip


def _parameters(cells: list[Cell], spec: JobSpec | None) -> Iterator[Finding]:
    parameters = NotebookParameters(cells)
    for p in parameters.problems:
        yield Finding("warning", "parameters-cell", p.message, p.fix, p.cell, p.line)
    if spec is None:
        return
    try:
        parameters.coerce(spec.parameters)
    except AiosError as e:
        yield Finding("error", "parameters", str(e), "correct the value given to the job", parameters.cell)
    for wanted in parameters.missing(spec.parameters):
        yield Finding(
            "error", "parameters", f"parameter {wanted.name!r} ({wanted.type}) has no value and no default",
            f"give the job -p {wanted.name}=…", wanted.cell, wanted.line,
        )  # fmt: skip


def _schedule(spec: JobSpec) -> Iterator[Finding]:
    # Whether cron and zone can be read is JobSpec's own check; that they ever come true is not.
    if spec.ticks is not None and spec.ticks.next_after(time.time()) is None:
        yield Finding(
            "error", "schedule", f"schedule {spec.schedule!r} never comes true in the next 50 years",
            "correct day and month",
        )  # fmt: skip


def _alerts(spec: JobSpec) -> Iterator[Finding]:
    for channel in filter(is_open, spec.alerts):
        scheme = channel.partition("://")[0]
        if is_known(channel):
            yield Finding(
                "warning", "alert-address", f"a {scheme} address with its password stands in the job's file",
                f"keep it in a variable of the worker's environment, and give the job its name: '$MY_{scheme.upper()}'",
            )  # fmt: skip
        else:
            yield Finding(
                "error", "alert-address", f"no alert can be sent to {scheme}://…", "see apprise's list of addresses",
            )  # fmt: skip


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
