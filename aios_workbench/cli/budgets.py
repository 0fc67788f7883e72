"""`aios budgets`: what was spent, of how much, and giving a budget back."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import click

from aios_workbench.cli import output
from aios_workbench.cli.state import State, find_run, json_option
from aios_workbench.errors import NotFoundError

if TYPE_CHECKING:
    from aios_workbench.workspace import Workspace


@click.group(short_help="What runs and workflows spent, of how much.", invoke_without_command=True)
@click.option("--run", "run", metavar="RUN", help="What each step of a run spent.")
@click.option("--days", default=7, show_default=True, type=click.IntRange(1), help="How many days back.")
@json_option
@click.pass_context
def budgets(ctx: click.Context, run: str | None, days: int, as_json: bool) -> None:
    """Show what workflows spent by day and in all, or what the steps of a run spent; `reset` gives it back."""
    if ctx.invoked_subcommand is not None:
        return
    from aios_workbench.engine.spending import report

    state: State = ctx.obj
    ws = state.workspace()
    rows = report.of_workflows(ws, days) if run is None else report.of_run(ws, find_run(ws, run))
    if as_json:
        output.emit(rows)
    elif not rows:
        output.say("nothing was spent" + ("" if run is None else f" by {run}"))
    else:
        first = ("workflow", "day") if run is None else ("scope", "step")
        output.show(
            output.table(
                (*first, "unit", ">spent", ">counts", ">budget", ">left"), [_row(r, first) for r in rows]
            )
        )


def _row(row: dict[str, Any], first: tuple[str, str]) -> tuple[object, ...]:
    from aios_workbench.engine.spending.ledger import shown

    left = "" if row["budget"] is None else shown(max(row["budget"] - row["counts"], 0.0))
    budget = "" if row["budget"] is None else shown(row["budget"])
    return *(row[c] for c in first), row["unit"], shown(row["spent"]), shown(row["counts"]), budget, left


@budgets.command("reset", short_help="Give a budget back.")
@click.argument("target")
@click.option("--unit", help="Only this one: tokens, calls, EUR, …")
@click.option("--day", metavar="YYYY-MM-DD", help="The workflow's budget of this day.")
@click.option("--total", is_flag=True, help="The workflow's budget for all its runs.")
@json_option
@click.pass_obj
def reset(state: State, target: str, unit: str | None, day: str | None, total: bool, as_json: bool) -> None:
    """Let what TARGET has spent no longer count: a run, or a workflow with --day or --total.

    What was spent stays written down. Kept in the audit trail.
    """
    from aios_workbench.engine.spending.ledger import shown
    from aios_workbench.engine.spending.reset import reset as give_back

    if day is not None and total:
        raise click.UsageError("--day and --total are two budgets; reset one after the other")
    ws = state.workspace()
    name = target if day is not None or total else _run(ws, target)
    given = give_back(ws, name, unit=unit, day=day, total=total)
    if as_json:
        output.emit({"target": name, "day": day, "total": total, "given": given})
    else:
        output.say(f"given back to {name}: {', '.join(f'{shown(n)} {u}' for u, n in given.items())}")


def _run(ws: Workspace, target: str) -> str:
    with contextlib.suppress(NotFoundError):
        return find_run(ws, target)
    known = ws.catalog.one("select 1 as one from spend_totals where workflow = :w limit 1", w=target)
    if known is not None:
        raise click.UsageError(
            f"'{target}' is a workflow: say which budget of it, --day YYYY-MM-DD or --total"
        )
    return find_run(ws, target)
