"""A rule: its id, its name, and why it is there. Those of a family stand in the family's file."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aios_workbench.promote.checks.finding import Finding, QuickFix, Severity

if TYPE_CHECKING:
    from aios_workbench.promote.checks.source import Code

FAMILIES = {"0": "readable", "1": "reproducible", "2": "complete", "3": "safe", "4": "fit"}


@dataclass(frozen=True)
class Rule:
    """What is looked for.

    Attributes
    ----------
    id : str
        Stable: suppressions and reports name it. The first digit is the family.
    name : str
        Stable too, for people.
    severity : {"error", "warning", "note"}
        The usual one; a finding may be milder or graver where the code shows that it is.
    what : str
        What is found.
    why : str
        What happens in production.
    fixable : bool
        Whether `aios promote --fix` mends some of its findings.
    """

    id: str
    name: str
    severity: Severity
    what: str
    why: str
    fixable: bool = False

    @property
    def family(self) -> str:
        """The kind of trouble: readable, reproducible, complete, safe or fit."""
        return FAMILIES[self.id[4]]

    def at(
        self, code: Code | None, where: ast.AST | int | None, message: str, fix: str, *, variable: str | None = None,
        severity: Severity | None = None, quick: QuickFix | None = None,
    ) -> Finding:  # fmt: skip
        """Return a finding of this rule in a cell, at a node of its tree or a line of its source."""
        line, column = where if isinstance(where, int) else None, None
        if code is not None and isinstance(where, ast.AST):
            line, column = code.place(where)
        return Finding(
            severity or self.severity, self.name, message, fix,
            code.number if code else None, line, self.id, column, variable, code.id if code else None, quick,
        )  # fmt: skip
