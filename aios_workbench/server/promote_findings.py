"""Findings as the browser gets them, and the changes that mend or ignore them. Nothing here writes the notebook.

The one who has the notebook open makes the changes, so that they can be undone there.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import dataclasses
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from aios_workbench.errors import AiosError, ConflictError, NotFoundError, ParameterError
from aios_workbench.server import bodies_promote as bodies
from aios_workbench.server import promote_spec
from aios_workbench.server.base import AiosHandler

#: A fix may uncover another: an import that nothing uses any more.
_ROUNDS = 5


class MendHandler(AiosHandler):
    """`POST promote/mend`."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Give the cells as they would be, mended or with a comment that says why a finding is right as it is."""
        body = self.body(bodies.Mend)

        def work() -> dict[str, Any]:
            notebook = self.places.notebook(body.notebook)
            options = promote_spec.said(body)
            wrong = promote_spec.problems(options)
            options = {k: v for k, v in options.items() if k not in wrong}
            return {"seen": promote_spec.seen_of(notebook), **mend(notebook, options, body)}

        await self.reply(work)


def finding_view(finding: Any) -> dict[str, Any]:
    """Return a finding with the reason for its rule."""
    from aios_workbench.promote.checks.registry import rule

    return {
        **finding.to_dict(), "why": rule(finding.rule).why if finding.rule else "",
        "ignorable": finding.rule[4:5] != "0",
    }  # fmt: skip


def ignored_view(finding: Any, reason: str) -> dict[str, Any]:
    """Return an ignored finding."""
    return {**finding_view(finding), "reason": reason}


def mend(notebook: Path, options: dict[str, Any], body: bodies.Mend) -> dict[str, Any]:
    """Return the changed cells, and the findings they mend.

    Raises
    ------
    NotFoundError
        When a finding that is named is there no more.
    """
    from aios_workbench.promote.notebooks import read_notebook

    book = read_notebook(notebook)
    before = copy.deepcopy(book)
    spec = None
    with contextlib.suppress(
        AiosError
    ):  # the check says what is wrong with the job; a fix of the notebook needs none
        spec = promote_spec.spec_of(notebook, options, {})
    if body.ignore is not None:
        made = _ignore(notebook, book, spec, body.ignore, body.reason)
    else:
        made = _fix(notebook, book, spec, body.findings)
    cells = [
        {
            "cell": n, "cell_id": old.get("id"), "before": old.source, "after": new.source,
            "clear_outputs": bool(old.get("outputs")) and not new.get("outputs"),
        }
        for n, (old, new) in enumerate(zip(before.cells, book.cells, strict=True), start=1)
        if old.source != new.source or old.get("outputs") != new.get("outputs")
    ]  # fmt: skip
    metadata = dict(book.metadata.get("aios", {})) if book.metadata != before.metadata else None
    return {"cells": cells, "metadata": metadata, "made": [finding_view(f) for f in made]}


def _found(notebook: Path, book: Any, spec: Any) -> list[Any]:
    from aios_workbench.promote.checks.context import Context
    from aios_workbench.promote.checks.report import inspect_book

    return inspect_book(Context(notebook, book, spec)).findings


def _is(finding: Any, ref: bodies.FindingRef) -> bool:
    return (finding.rule, finding.cell, finding.line) == (ref.rule, ref.cell, ref.line)


def _fix(notebook: Path, book: Any, spec: Any, refs: list[bodies.FindingRef] | None) -> list[Any]:
    from aios_workbench.promote.checks.fixes import apply

    if refs is not None:
        wanted = [f for f in _found(notebook, book, spec) if any(_is(f, ref) for ref in refs)]
        if not wanted:
            raise NotFoundError("what was to be mended is not found any more; check the notebook again")
        if not (made := apply(book, wanted)):
            raise ConflictError(
                "this cannot be mended by itself: the cell would no longer be Python; change it by hand"
            )
        return made
    made = []
    for _ in range(_ROUNDS):
        now = apply(book, _found(notebook, book, spec))
        made += now
        if not now:
            break
    return made


def _ignore(notebook: Path, book: Any, spec: Any, ref: bodies.FindingRef, reason: str) -> list[Any]:
    """Write the comment behind the line, else above the cell's code; for the whole notebook, into its metadata."""
    why = " ".join(reason.split())
    if not why or not why.isprintable():
        raise ParameterError("say in a line why this is right as it is; the next reader wants to know")
    finding = next((f for f in _found(notebook, book, spec) if _is(f, ref)), None)
    if finding is None:
        raise NotFoundError("what was to be ignored is not found any more; check the notebook again")
    count = _count(_found(notebook, book, spec), finding)
    comment = f"# aios: ignore {finding.rule} {why}"
    for write in (_behind, _above) if finding.cell is not None else ():
        cell = book.cells[finding.cell - 1]
        source = cell.source
        if cell.cell_type == "code" and (new := write(source, finding.line, comment)) is not None:
            cell.source = new
            if _count(_found(notebook, book, spec), finding) < count:
                return [finding]
            cell.source = source
    if finding.cell is None:
        aios = dict(book.metadata.get("aios", {}))
        book.metadata["aios"] = {**aios, "ignore": {**aios.get("ignore", {}), finding.rule: why}}
        if _count(_found(notebook, book, spec), finding) < count:
            return [finding]
    raise ConflictError(f"{finding.rule} cannot be ignored here: {finding.message}; {finding.fix}")


def _count(found: list[Any], finding: Any) -> int:
    """Return how often a finding is made; its line may have moved."""
    alike = dataclasses.replace(finding, line=None, column=None)
    return sum(dataclasses.replace(f, line=None, column=None) == alike for f in found)


def _behind(source: str, line: int | None, comment: str) -> str | None:
    """Return the source with a comment behind a line, or None where that would not be a comment."""
    from aios_workbench.promote.notebooks import parse_source

    if line is None:
        return None
    lines = source.split("\n")
    if line > len(lines) or lines[line - 1].lstrip().startswith(("%", "!")):
        return None
    lines[line - 1] = f"{lines[line - 1].rstrip()}  {comment}"
    new = "\n".join(lines)
    before, after = parse_source(source).tree, parse_source(new).tree
    if before is None or after is None:
        return None
    return new if ast.dump(before) == ast.dump(after) else None  # within a text it would be part of that


def _above(source: str, _line: int | None, comment: str) -> str | None:
    """Return the source with a comment of its own line at its top, below a cell magic."""
    if source.startswith("%%"):
        first, _, rest = source.partition("\n")
        return f"{first}\n{comment}\n{rest}"
    return f"{comment}\n{source}"
