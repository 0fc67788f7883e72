"""`aios sql`: ask the workspace's tables anything."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any

import click

from aios_workbench.cli import output
from aios_workbench.cli.state import State, json_option

if TYPE_CHECKING:
    import pandas as pd


@click.command(short_help="Query runs, steps, jobs, audit… with SQL.")
@click.argument("query")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated, with a header.")
@click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(1), help="Rows of the table shown."
)
@json_option
@click.pass_obj
def sql(state: State, query: str, as_csv: bool, limit: int, as_json: bool) -> None:
    """Run one DuckDB statement; QUERY `-` is read from stdin.

    Tables: runs, steps, attempts, artifacts, gates, metrics, logs, events, jobs, job_versions, job_runs,
    executors, audit. They are copies: nothing can be changed.
    """
    from aios_workbench.workspace.sql import sql as ask

    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other")
    ws = state.workspace()
    frame = ask(sys.stdin.read() if query == "-" else query, ws)
    if as_csv:
        click.echo(frame.to_csv(index=False), nl=False)
    elif as_json:
        rows = json.loads(frame.to_json(orient="values", date_format="iso", default_handler=str))
        columns = [str(c) for c in frame.columns]
        output.emit({"columns": columns, "rows": [dict(zip(columns, row, strict=True)) for row in rows]})
    else:
        _show(frame, limit)


def _show(frame: pd.DataFrame, limit: int) -> None:
    import pandas as pd

    def cell(value: Any) -> str:
        missing = (
            value is None
            or value is pd.NaT
            or value is pd.NA
            or (isinstance(value, float) and math.isnan(value))
        )
        return "" if missing else output.short(value, 200)

    heads = [(">" if pd.api.types.is_numeric_dtype(t) else "") + str(c) for c, t in frame.dtypes.items()]
    shown = frame.head(limit)
    output.show(
        output.table(heads, ([cell(v) for v in row] for row in shown.itertuples(index=False, name=None)))
    )
    if len(frame) > limit:
        output.say(f"{limit} of {len(frame):,} rows; --limit shows more, --csv and --json all")
