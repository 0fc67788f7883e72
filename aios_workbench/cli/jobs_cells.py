"""`aios jobs cells`, and the log of one cell."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from aios_workbench.cli import output
from aios_workbench.cli.state import State, json_option
from aios_workbench.errors import NotFoundError, hint
from aios_workbench.workflow.durations import format_duration

if TYPE_CHECKING:
    from aios_workbench.workspace import Workspace

_POLL_SECONDS = 0.25


@click.command(short_help="List the cells of a job's run.")
@click.argument("job_run")
@click.option("--attempt", type=click.IntRange(1), help="Of an earlier attempt.  [default: the newest]")
@json_option
@click.pass_obj
def cells(state: State, job_run: str, attempt: int | None, as_json: bool) -> None:
    """List the cells of JOB_RUN with their times, as far as it has come. Numbers are those of the notebook."""
    from aios_workbench.promote.cells import cells as of

    found = of(state.workspace(), job_run, attempt)
    if as_json:
        output.emit({"job_run_id": job_run, "cells": found})
    elif not found:
        output.say("nothing is known of its cells: it has not started, or an older version ran it")
    else:
        output.show(output.table(
            ("cell", "state", "started", ">time", ">log"),
            [(c["label"], output.state(c["status"]), output.clock(c["started_at"]), format_duration(c["seconds"]),
              "" if c["log"] is None else output.size(c["log"])) for c in found],
        ))  # fmt: skip


def print_log(ws: Workspace, job_run_id: str, cell: str, *, follow: bool, as_json: bool) -> None:
    """Print what one cell has written; with `follow` until it has ended."""
    from aios_workbench.promote.cells import cell_log

    position, place, text = _position(ws, job_run_id, cell, follow=follow), 0, ""
    while True:
        found = cell_log(ws, job_run_id, position, place)
        place = found["next"]
        if as_json:
            text += found["text"]
        else:
            click.echo(output.clean(found["text"], lines=True), nl=False)
        if found["over"] or (not follow and not found["text"]):
            break
        if not found["text"]:
            time.sleep(_POLL_SECONDS)
    if as_json:
        output.emit({"job_run_id": job_run_id, "cell": cell, "position": position, "log": text})


def _position(ws: Workspace, job_run_id: str, cell: str, *, follow: bool) -> int:
    from aios_workbench.promote import get_run
    from aios_workbench.promote.cells import cells as of
    from aios_workbench.promote.records import DONE

    while not (found := of(ws, job_run_id)) and follow and get_run(ws, job_run_id)["status"] not in DONE:
        time.sleep(_POLL_SECONDS)
    known: dict[str, Any] = {
        "parameters" if c["cell"] is None else str(c["cell"]): c["position"] for c in found
    }
    if cell not in known:
        has = f"it ran {', '.join(known)}" if known else "nothing is known of its cells"
        raise NotFoundError(f"job run {job_run_id} has no code cell {cell!r}{hint(cell, known)} ({has})")
    return int(known[cell])
