"""Lessons for the launcher: notebooks that came with the package, as copies without outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from aios_workbench.errors import NotFoundError
from aios_workbench.server.base import AiosHandler

_PACKAGE = Path(__file__).resolve().parents[1]
#: Where a wheel has put them, and where a checkout keeps them.
FOLDERS = (_PACKAGE / "tutorials", _PACKAGE.parent / "tutorials")


class LessonHandler(AiosHandler):
    """`GET tutorials/{name}`."""

    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        """Give the notebook."""
        await self.reply(lambda: lesson(name))


def lesson(name: str) -> dict[str, Any]:
    """Return a lesson as a notebook nobody has run yet.

    Raises
    ------
    NotFoundError
        When this installation has no such lesson.
    """
    from aios_workbench.promote.notebooks import read_notebook

    path = next((p for folder in FOLDERS if (p := folder / f"{name}.ipynb").is_file()), None)
    if path is None:
        raise NotFoundError(f"this installation has no lesson {name!r}")
    book = read_notebook(path)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return dict(book)
