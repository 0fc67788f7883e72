"""`aios jobs backfill` and `backfills`: run ticks of the past."""

from __future__ import annotations

from typing import Any

import click

from aios_workbench.cli import output
from aios_workbench.cli.state import State, json_option
from aios_workbench.errors import ParameterError

_SHOWN = 20


@click.command(short_help="Run ticks of the past; or pause, resume, cancel that.")
@click.argument("job", metavar="JOB|BACKFILL")
@click.option("--from", "start", metavar="TIME",
              help="The first tick: 2026-01-01 or 2026-01-01T06:00, on the clock of the job's zone.")  # fmt: skip
@click.option("--to", "end", metavar="TIME", help="Up to here; a tick at this very time is left out.")
@click.option("--dry-run", is_flag=True, help="Show what would run, and change nothing.")
@click.option("--again", is_flag=True, help="Run ticks that have succeeded, too.")
@click.option("--newest-first", is_flag=True, help="Run the newest tick first.")
@click.option(
    "--concurrency", default=1, show_default=True, type=click.IntRange(1, 100), help="Runs at a time."
)
@click.option(
    "--limit", default=1000, show_default=True, type=click.IntRange(1, 100_000), help="The most ticks."
)
@click.option(
    "-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="Replaces a parameter in these runs."
)
@click.option("--pause", "action", flag_value="pause", help="Of BACKFILL: start no more runs.")
@click.option("--resume", "action", flag_value="resume", help="Of BACKFILL: go on.")
@click.option("--cancel", "action", flag_value="cancel", help="Of BACKFILL: stop it, and what runs of it.")
@json_option
@click.pass_obj
def backfill(
    state: State, job: str, start: str | None, end: str | None, dry_run: bool, again: bool, newest_first: bool,
    concurrency: int, limit: int, params: tuple[str, ...], action: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Run the ticks JOB had between two times, beside its schedule: those that have not succeeded.

    The notebook is told the tick a run stands for: `aios.logical_time()`. A worker is started if none lives.
    """
    from aios_workbench.cli.values import assignments
    from aios_workbench.engine import control
    from aios_workbench.govern import actor
    from aios_workbench.promote import backfill as of

    ws = state.workspace()
    if action is not None:
        if start or end:
            raise ParameterError(
                f"--{action} takes the id of a backfill and no times; `aios jobs backfills` lists them"
            )
        _tell(
            {"pause": of.pause, "resume": of.resume, "cancel": of.cancel}[action](ws, job, actor()), as_json
        )
        return
    if start is None or end is None:
        raise ParameterError("say --from and --to, such as --from 2026-01-01 --to 2026-02-01")
    if dry_run:
        _show(of.preview(ws, job, start, end, again=again, limit=limit), as_json)
        return
    found = of.start(
        ws, job, start, end, actor(), concurrency=concurrency, newest_first=newest_first, again=again, limit=limit,
        parameters=assignments(params, "-p", "limit=500"),
    )  # fmt: skip
    control.ensure_worker(ws)
    _tell(found, as_json)


def _show(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        output.emit(found)
        return
    ticks = found["ticks"]
    some = ticks if len(ticks) <= _SHOWN else [*ticks[: _SHOWN - 5], *ticks[-5:]]
    output.show(output.table(("tick", ""), [(t["local"], "done" if t["done"] else "runs") for t in some]))
    left = f" (shown: {len(some)})" if len(some) < len(ticks) else ""
    output.say(f"{found['total']} of {len(ticks)} ticks would run{left}")


def _tell(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        output.emit(found)
        return
    output.say(f"{found['backfill_id']}  ", output.state(found["status"]), f"   {_progress(found)}")


def _progress(found: dict[str, Any]) -> str:
    bad = f", {found['failed']} failed" if found["failed"] else ""
    return f"{found['succeeded']} of {found['total']} done{bad}"


@click.command(short_help="List backfills.")
@click.argument("job", required=False)
@json_option
@click.pass_obj
def backfills(state: State, job: str | None, as_json: bool) -> None:
    """List the backfills of JOB, or of all jobs, newest first, each with how far it is."""
    from aios_workbench.promote.backfill import list_backfills

    found = list_backfills(state.workspace(), job)
    if as_json:
        output.emit({"backfills": found})
    elif not found:
        output.say(
            "no backfills; `aios jobs backfill JOB --from 2026-01-01 --to 2026-02-01 --dry-run` previews one"
        )
    else:
        output.show(output.table(
            ("backfill", "job", "state", "from", "to", "progress", "running", "by"),
            [(b["backfill_id"], b["job"], output.state(b["status"]), output.clock(b["starts_at"]),
              output.clock(b["ends_at"]), _progress(b), b["running"], b["created_by"]) for b in found],
        ))  # fmt: skip
