"""`aios runs`, `aios show`, `aios logs`: look at runs; nothing of theirs is executed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from aios_workbench.cli import compare, output, views
from aios_workbench.cli.state import State, find_run, json_option
from aios_workbench.workflow.durations import format_duration

if TYPE_CHECKING:
    from aios_workbench.workspace import Workspace

_STATUSES = ("queued", "running", "waiting", "succeeded", "failed", "cancelled", "interrupted")
_PAGE = 1000
_POLL_SECONDS = 0.2


@click.command(short_help="List runs, newest first.")
@click.option("--workflow", help="Only runs of this workflow.")
@click.option("--status", type=click.Choice(_STATUSES), help="Only runs in this state.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@json_option
@click.pass_obj
def runs(state: State, workflow: str | None, status: str | None, limit: int, as_json: bool) -> None:
    """List runs, newest first."""
    from aios_workbench.engine import control

    found = control.list_runs(state.workspace(), workflow=workflow, status=status, limit=limit)
    if as_json:
        output.emit({"runs": [views.run_data(r) for r in found]})
    elif not found:
        output.say(
            "no runs; `aios run` starts one" if workflow is None and status is None else "no such runs"
        )
    else:
        output.show(
            output.table(("run", "workflow", "state", "steps", "started", ">time"), map(_line, found))
        )


def _line(run: dict[str, Any]) -> tuple[object, ...]:
    total, done = sum(run["counts"].values()), run["counts"].get("succeeded", 0)
    return (
        run["run_id"], run["workflow"], output.state(run["status"]), f"{done} of {total}",
        output.clock(run["started_at"] or run["created_at"]), format_duration(output.took(run)),
    )  # fmt: skip


@click.command(short_help="Show a run: steps, times, gates, metrics, error.")
@click.argument("run")
@json_option
@click.pass_obj
def show(state: State, run: str, as_json: bool) -> None:
    """Show RUN: its steps, where the time went, gates that wait and how to decide them, metrics, what went wrong."""
    from aios_workbench.engine import control
    from aios_workbench.observe.timeline import timeline

    ws = state.workspace()
    found = control.get_run(ws, find_run(ws, run))
    if as_json:
        times = timeline(ws, found["run_id"]).model_dump()
        output.emit({**views.run_detail(found), "outputs": views.outputs(ws, found), "timeline": times})
    else:
        describe(ws, found)
        compare.timeline(timeline(ws, found["run_id"]))


def describe(ws: Workspace, run: dict[str, Any]) -> None:
    """Print a run for people."""
    line = f"   {format_duration(output.took(run))}   by {run['user']}, {run['source']}"
    output.say(f"{run['run_id']}  ", output.state(run["status"]), line)
    if run["params"]:
        output.say("parameters: " + ", ".join(f"{k}={output.short(v, 40)}" for k, v in run["params"].items()))
    if run["parent_run_id"]:
        output.say(
            f"reruns {run['parent_run_id']}" + (f" from {run['rerun_from']}" if run["rerun_from"] else "")
        )
    output.show(views.steps_table(run["steps"]))
    if run["message"]:
        output.say(run["message"])
    if run["metrics"]:
        rows = [(m["name"], _figure(m), m["unit"], m["step"]) for m in run["metrics"]]
        output.show(output.table(("metric", ">value", "unit", "step"), rows))
    for line in views.how_to_decide(run):
        output.say(line)
    results(ws, run)
    error = run["error"] if isinstance(run["error"], dict) else None
    if error:
        output.say(
            f"\nstep {error.get('step') or '?'}: {error.get('type')}: {error.get('message')}", lines=True
        )
        if error.get("traceback"):
            output.say(str(error["traceback"]).rstrip(), lines=True)
        output.say(f"after a fix outside of the code: aios resume {run['run_id']}")
    if run["status"] == "interrupted":
        output.say("its process is gone; `aios worker`, or any run started here, takes it up")


def results(ws: Workspace, run: dict[str, Any]) -> None:
    """Print what a run's last steps returned, in a line each."""
    for step, shown in views.outputs(ws, run).items():
        what = (
            output.short(repr(shown["value"]), 100)
            if "value" in shown
            else shown.get("type") or shown["error"]
        )
        shape = " x ".join(map(str, shown["shape"])) if shown.get("shape") and "value" not in shown else ""
        output.say(f"{step} = {what}{'  ' + shape if shape else ''}")


def _figure(metric: dict[str, Any]) -> str:
    return f"{metric['value']:,.6g}" if metric["value"] is not None else str(metric["text"])


@click.command(short_help="Print what steps wrote; -f follows.")
@click.argument("run")
@click.argument("step", required=False)
@click.option(
    "-f", "--follow", is_flag=True, help="Go on until the run is over; with --json one object per line."
)
@json_option
@click.pass_obj
def logs(state: State, run: str, step: str | None, follow: bool, as_json: bool) -> None:
    """Print what the steps of RUN, or one STEP, printed and logged."""
    from aios_workbench.engine import control
    from aios_workbench.errors import NotFoundError, hint

    ws = state.workspace()
    run_id = find_run(ws, run)
    rows = ws.catalog.query("select step from steps where run_id = :r order by position", r=run_id)
    steps = [row["step"] for row in rows]
    if step is not None and step not in steps:
        raise NotFoundError(
            f"run {run_id} has no step '{step}'{hint(step, steps)} (it has: {', '.join(steps)})"
        )
    width = 0 if step is not None else max(map(len, steps), default=0)
    after, collected = 0, []
    while True:
        over = not follow or control.run_status(ws, run_id) in ("succeeded", "failed", "cancelled")
        while page := control.logs(ws, run_id, step, after=after, limit=_PAGE):
            after = page[-1]["seq"]
            for row in page:
                if as_json and not follow:
                    collected.append(_log_data(row))
                elif as_json:
                    output.emit(_log_data(row), line=True)
                else:
                    click.echo(_log_line(row, width))
        if over:
            break
        _wait_for_change(ws)
    if as_json and not follow:
        output.emit({"run_id": run_id, "lines": collected})


def _log_data(row: dict[str, Any]) -> dict[str, Any]:
    return {k: row[k] for k in ("seq", "at", "step", "attempt", "stream", "level", "text")}


def _log_line(row: dict[str, Any], width: int) -> str:
    text = output.clean(row["text"].rstrip("\n"), lines=True)
    if not width:
        return text
    name = output.clean(row["step"]).ljust(width)
    return "\n".join(f"{name} │ {line}" for line in text.split("\n"))


def _wait_for_change(ws: Workspace, seconds: float = 1.0) -> None:
    """Return soon after somebody has written to the catalog."""
    version, deadline = ws.catalog.data_version(), time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        if ws.catalog.data_version() != version:
            return
