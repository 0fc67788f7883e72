"""AIOS0xx: what cannot be read, and suppressions that say too little."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aios_workbench.promote.checks.context import Context
from aios_workbench.promote.checks.finding import Finding
from aios_workbench.promote.checks.rules import Rule
from aios_workbench.promote.notebooks import SOURCE_LIMIT

UNREADABLE = Rule("AIOS001", "unreadable", "error", "The file is no notebook.",
                  "Nothing in it can be checked, and no job can run it.")  # fmt: skip
KERNEL = Rule(
    "AIOS002", "kernel", "error", "The notebook's language is not Python.", "Jobs run in a Python kernel."
)
SYNTAX = Rule(
    "AIOS003", "syntax", "error", "A cell is not valid Python.", "The job fails when it comes to the cell."
)
EMPTY = Rule("AIOS004", "empty", "error", "There is no code.", "A job of nothing succeeds every night.")
REASON = Rule("AIOS005", "ignore-without-reason", "warning", "A finding is ignored, and nobody says why.",
              "Whoever reads it next year cannot know whether it still holds. Until there is a reason, it is not "
              "ignored.")  # fmt: skip
UNKNOWN = Rule("AIOS006", "ignore-unknown", "warning", "A rule is ignored that does not exist.",
               "What was meant is not ignored.")  # fmt: skip
UNUSED = Rule("AIOS007", "ignore-unused", "note", "A suppression suppresses nothing.",
              "It will hide the next finding of that rule, which nobody has looked at.")  # fmt: skip
LARGE = Rule("AIOS008", "large-cell", "error", "A cell is too large to be looked into.",
             "What it imports, reads and gives away is not found, nor bundled: data belongs in a file.")  # fmt: skip
RULES = (UNREADABLE, KERNEL, SYNTAX, EMPTY, REASON, UNKNOWN, UNUSED, LARGE)


def find(ctx: Context) -> Iterator[Finding]:
    """Yield what cannot be read."""
    yield from _kernel(ctx.book)
    for code in ctx.codes:
        error = code.cell.error
        if len(code.source) > SOURCE_LIMIT:
            yield LARGE.at(
                code, 1, f"the cell is {len(code.source) / 1e6:.1f} MB of source, and was not checked",
                "keep the data in a file and read it",
            )  # fmt: skip
        elif error is not None:
            line = min(error.lineno or 1, max(1, len(code.lines)))
            yield SYNTAX.at(
                code, line, f"the cell is not valid Python: {error.msg}", "correct it and run the cell"
            )  # fmt: skip
    if not any(code.source.strip() for code in ctx.codes):
        yield EMPTY.at(None, None, "the notebook has no code", "write a cell first")


def _kernel(book: Any) -> Iterator[Finding]:
    spec, info = book.metadata.get("kernelspec", {}), book.metadata.get("language_info", {})
    language = spec.get("language") or info.get("name") or "python"
    if str(language).lower() not in ("python", "ipython"):
        yield KERNEL.at(
            None, None, f"the notebook is written in {language}, jobs run in Python",
            "choose a Python kernel and save the notebook",
        )  # fmt: skip
