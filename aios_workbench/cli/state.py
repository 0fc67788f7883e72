"""What every command shares: the workspace, `--json`, and how runs are named."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from aios_workbench.errors import NotFoundError, ParameterError, WorkspaceError

if TYPE_CHECKING:
    from aios_workbench.workspace import Workspace

F = TypeVar("F", bound=Callable[..., Any])
AS_JSON = "aios.json"
LAST = "@last"


@dataclass
class State:
    """The options before the command."""

    path: str | None = None
    debug: bool = False

    def choose(self) -> None:
        """Make the given workspace the one of this process and of those it starts."""
        if self.path is None:
            return
        root = Path(self.path).expanduser().resolve()
        if not (root / "catalog.db").exists() and (root / ".aios" / "catalog.db").exists():
            root = root / ".aios"
        os.environ["AIOS_HOME"] = str(root)

    def workspace(self, *, create: bool = False) -> Workspace:
        """Open the workspace.

        Raises
        ------
        WorkspaceError
            When it cannot be used; without `create` also when there is none: looking leaves nothing behind.
        """
        from aios_workbench.workspace import locate, workspace

        root = locate()
        if not create and not (root / "catalog.db").exists():
            raise WorkspaceError(
                f"there is no workspace at {root}; go to the project's folder, give --workspace PATH, or start "
                "something with `aios run`"
            )
        return workspace(root)


def json_option(command: F) -> F:
    """Give a command `--json`."""

    def remember(ctx: click.Context, _parameter: click.Parameter, value: bool) -> bool:
        ctx.meta[AS_JSON] = value
        return value

    return click.option("--json", "as_json", is_flag=True, callback=remember, help="For programs.")(command)


def find_run(ws: Workspace, text: str) -> str:
    """Return the id of the run a person means: its id, an unambiguous start of it, or @last.

    Raises
    ------
    NotFoundError, ParameterError
        When there is none, or several; naming the nearest, or the newest of them.
    """
    from aios_workbench.engine import control

    if text == LAST:
        newest = ws.catalog.one("select run_id from runs order by created_at desc, rowid desc limit 1")
        if newest is None:
            raise NotFoundError(f"there is no run in {ws.root} yet; `aios run` starts one")
        return str(newest["run_id"])
    found = ws.catalog.query(
        "select run_id from runs where substr(run_id, 1, length(:text)) = :text order by run_id = :text desc, "
        "created_at desc limit 6", text=text,
    )  # fmt: skip
    if found and (len(found) == 1 or found[0]["run_id"] == text) and text:
        return str(found[0]["run_id"])
    if found:
        names = ", ".join(r["run_id"] for r in found[:5]) + (", …" if len(found) > 5 else "")
        raise ParameterError(f"'{text}' is the start of several runs: {names}; write more of it")
    return str(control.read_run(ws, text)["run_id"])
