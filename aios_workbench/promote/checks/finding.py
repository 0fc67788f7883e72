"""What a check says: a finding, and the edit that would mend it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from aios_workbench.errors import JobError

Severity = Literal["error", "warning", "note"]
ORDER: dict[str, int] = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True)
class Edit:
    """A piece of a cell's source and what to put in its place.

    Attributes
    ----------
    cell : int
        Counted from 1, among all cells.
    line, end_line : int
        Counted from 1, in the cell as saved.
    column, end_column : int
        Counted from 0, in characters.
    """

    cell: int
    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@dataclass(frozen=True)
class QuickFix:
    """A safe change of the notebook, made only when somebody asks for it.

    Attributes
    ----------
    title : str
        What it does, as an imperative.
    edits : tuple of Edit
        Changes of the source.
    clear_outputs : int or None
        A cell whose outputs are removed.
    """

    title: str
    edits: tuple[Edit, ...] = ()
    clear_outputs: int | None = None


@dataclass(frozen=True)
class Finding:
    """Something a person should know before the notebook is promoted.

    Attributes
    ----------
    severity : {"error", "warning", "note"}
        An error stops the promotion.
    code : str
        The rule's name, such as "absolute-path".
    cell, line : int or None
        Counted from 1, among all cells; None where the whole notebook is meant.
    fix : str
        What to do about it.
    rule : str
        The rule's id, such as "AIOS203".
    column : int or None
        Counted from 0, in characters.
    variable : str or None
        The name it is about.
    cell_id : str or None
        The cell's id in the file.
    quick_fix : QuickFix or None
        The change that would mend it, where one is safe.
    """

    severity: Severity
    code: str
    message: str
    fix: str
    cell: int | None = None
    line: int | None = None
    rule: str = ""
    column: int | None = None
    variable: str | None = None
    cell_id: str | None = None
    quick_fix: QuickFix | None = field(default=None, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict."""
        return asdict(self)

    @property
    def place(self) -> str:
        """Where it is, in words; "" for the whole notebook."""
        if self.cell is None:
            return ""
        return f"cell {self.cell}" + (f", line {self.line}" if self.line else "")

    @property
    def sort_key(self) -> tuple[int, int, int, int, str]:
        """Gravest first, then by place."""
        return ORDER[self.severity], self.cell or 0, self.line or 0, self.column or 0, self.rule

    def __str__(self) -> str:
        place = f" {self.place}" if self.place else ""
        return f"{self.severity}{place}: {self.message}. {self.fix[:1].upper()}{self.fix[1:]}"


def require(findings: list[Finding]) -> None:
    """Raise when a finding is an error.

    Raises
    ------
    JobError
        Listing the errors.
    """
    if errors := [f for f in findings if f.severity == "error"]:
        raise JobError("the notebook cannot be promoted:\n" + "\n".join(f"  {f}" for f in errors))
