"""`aios jobs …`: look after promoted notebooks."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aios_workbench.cli import exits, jobs_health, output
from aios_workbench.cli.jobs_preview import preview
from aios_workbench.cli.state import LAST, State, json_option
from aios_workbench.errors import NotFoundError
from aios_workbench.workflow.durations import format_duration

if TYPE_CHECKING:
    from aios_workbench.workspace import Workspace

_POLL_SECONDS = 0.25


@click.group(short_help="List, show, run, pause, cancel and remove jobs.")
def jobs() -> None:
    """Look after jobs. JOB is a job's name or id, JOB_RUN the id of one of its runs."""


@jobs.command("list", short_help="List jobs.")
@json_option
@click.pass_obj
def list_(state: State, as_json: bool) -> None:
    """List jobs by name, each with its health, its next tick and its last run."""
    from aios_workbench.promote import list_jobs
    from aios_workbench.promote.health import health

    ws = state.workspace()
    how = health(ws)
    found = [{**j.to_dict(), "health": how.get(j.job_id)} for j in list_jobs(ws)]
    if as_json:
        output.emit({"jobs": found})
    elif not found:
        output.say("no jobs; `aios promote notebook.ipynb --schedule '0 6 * * *'` makes one")
    else:
        output.show(
            output.table(
                ("job", "state", "health", "schedule", "next", "last run", "ended"), map(_line, found)
            )
        )


def _line(job: dict[str, Any]) -> tuple[object, ...]:
    last = job["last_run"]
    return (
        job["name"], output.state(job["status"]), jobs_health.state(job["health"]), job["schedule"],
        output.clock(job["next_tick_at"]),
        output.state(last["status"]) if last else "", output.clock(last["ended_at"]) if last else "",
    )  # fmt: skip


@jobs.command(short_help="Show a job and its newest runs.")
@click.argument("job")
@json_option
@click.pass_obj
def show(state: State, job: str, as_json: bool) -> None:
    """Show JOB: how it does, notebook, schedule, parameters, newest runs."""
    from aios_workbench.promote import get, history
    from aios_workbench.promote.health import health
    from aios_workbench.promote.triggers import problems

    ws = state.workspace()
    job_ = get(ws, job)
    found = job_.to_dict()
    runs = history(ws, found["job_id"], limit=5)
    if as_json:
        how = health(ws).get(found["job_id"])
        output.emit({**found, "health": how, "problems": problems(ws, job_.spec), "runs": runs})
        return
    output.say(
        f"{found['name']}  ",
        output.state(found["status"]),
        f"  version {found['version']}  {found['job_id']}",
    )
    spec = {
        k: v for k, v in found["spec"].items() if v not in (None, {}, "") and k not in ("name", "schedule")
    }
    rows = [
        *jobs_health.lines(health(ws).get(found["job_id"])), ("schedule", found["schedule"]),
        ("next", output.clock(found["next_tick_at"])), *spec.items(),
    ]  # fmt: skip
    output.show(output.table(("setting", "value"), rows))
    for problem in problems(ws, job_.spec):
        output.warn(problem)
    _show_runs(runs)


@jobs.command(short_help="List the runs of a job, or of all jobs.")
@click.argument("job", required=False)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@json_option
@click.pass_obj
def history(state: State, job: str | None, limit: int, as_json: bool) -> None:
    """List runs of JOB, newest first, skipped ones too."""
    from aios_workbench.promote import history as runs_of

    found = runs_of(state.workspace(), job, limit=limit)
    if as_json:
        output.emit({"job_runs": found})
    elif found:
        _show_runs(found)
    else:
        output.say("no runs yet")


def _show_runs(found: list[dict[str, Any]]) -> None:
    output.show(output.table(
        ("job run", "job", "state", "why", "due", ">time", ">memory", "note"),
        [(r["job_run_id"], r["job"], output.state(r["status"]), r["trigger"],
          output.clock(r["tick_at"] or r["queued_at"]), format_duration(output.took(r)),
          output.size(r["peak_bytes"]) if r["peak_bytes"] else "", output.short(r["reason"] or "", 100))
         for r in found],
    ))  # fmt: skip


jobs.add_command(preview)


@jobs.command(short_help="Fire no more ticks.")
@click.argument("job")
@json_option
@click.pass_obj
def pause(state: State, job: str, as_json: bool) -> None:
    """Pause JOB: what runs goes on, no further tick fires."""
    from aios_workbench.govern import actor
    from aios_workbench.promote import pause as stop

    _tell(stop(state.workspace(), job, actor()).to_dict(), as_json)


@jobs.command(short_help="Fire ticks again.")
@click.argument("job")
@json_option
@click.pass_obj
def resume(state: State, job: str, as_json: bool) -> None:
    """Let JOB fire again, from its next tick on."""
    from aios_workbench.govern import actor
    from aios_workbench.promote import resume as go_on

    _tell(go_on(state.workspace(), job, actor()).to_dict(), as_json)


def _tell(job: dict[str, Any], as_json: bool) -> None:
    if as_json:
        output.emit(job)
        return
    due = f"   next {output.clock(job['next_tick_at'])}" if job["next_tick_at"] else ""
    output.say(f"{job['name']}  ", output.state(job["status"]), due)


@jobs.command(short_help="Run a job now.")
@click.argument("job")
@click.option(
    "-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="Replaces a parameter once."
)
@click.option("--wait", is_flag=True, help="Wait until the run is over.")
@json_option
@click.pass_obj
def run(state: State, job: str, params: tuple[str, ...], wait: bool, as_json: bool) -> int:
    """Run JOB now, or as soon as its current run has ended. A worker is started if none lives."""
    from aios_workbench.cli.values import assignments
    from aios_workbench.engine import control
    from aios_workbench.govern import actor
    from aios_workbench.promote import get_run, trigger

    ws = state.workspace()
    job_run_id = trigger(ws, job, actor(), assignments(params, "-p", "limit=500"))
    control.ensure_worker(ws)
    if not wait:
        if as_json:
            output.emit(get_run(ws, job_run_id))
        else:
            output.say(f"{job_run_id} is queued; `aios jobs logs {job_run_id} -f` follows it")
        return exits.OK
    try:
        found = _wait(ws, job_run_id)
    except KeyboardInterrupt:
        output.warn(f"{job_run_id} goes on; `aios jobs cancel {job_run_id}` cancels it")
        return exits.INTERRUPTED
    if as_json:
        output.emit(found)
    else:
        reason = f"   {output.short(found['reason'], 200)}" if found["reason"] else ""
        output.say(
            f"{job_run_id}  ",
            output.state(found["status"]),
            f"   {format_duration(found['duration'])}{reason}",
        )
        for path in found["files"].values():
            output.say(path)
    return exits.of_status(found["status"])


def _wait(ws: Workspace, job_run_id: str) -> dict[str, Any]:
    from aios_workbench.cli.watch import Help
    from aios_workbench.promote import get_run
    from aios_workbench.promote.records import DONE

    helped = Help(ws)
    while True:
        found = get_run(ws, job_run_id)
        if found["status"] in DONE:
            return found
        helped.check()
        time.sleep(_POLL_SECONDS)


@jobs.command(short_help="Stop a run of a job.")
@click.argument("job_run")
@json_option
@click.pass_obj
def cancel(state: State, job_run: str, as_json: bool) -> None:
    """Stop JOB_RUN: at once when it waits, within about a second when it runs."""
    from aios_workbench.govern import actor
    from aios_workbench.promote import cancel as stop

    found = stop(state.workspace(), job_run, actor())
    if as_json:
        output.emit(found)
    elif found["status"] == "cancelled":
        output.say(f"{found['job_run_id']}  ", output.state("cancelled"))
    else:
        output.say(f"{found['job_run_id']} is told to stop")


@jobs.command(short_help="Delete a job, its versions and its runs.")
@click.argument("job")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def remove(state: State, job: str, yes: bool, as_json: bool) -> None:
    """Delete JOB with its versions, its history and their files. The audit trail keeps that it was there."""
    from aios_workbench.govern import actor
    from aios_workbench.promote import get
    from aios_workbench.promote import remove as delete
    from aios_workbench.promote.triggers import dependents

    ws = state.workspace()
    found = get(ws, job)
    if not yes and (as_json or not _agreed(found.name)):
        raise click.UsageError("nothing was removed; --yes removes without asking")
    with ws.catalog.transaction() as con:
        left = dependents(con, found.name)
    delete(ws, found.job_id, actor())
    if as_json:
        output.emit({"job_id": found.job_id, "name": found.name, "removed": True, "starts_no_more": left})
        return
    output.say(f"job {found.name} is removed")
    if left:
        output.warn(f"after it nothing starts any more: {', '.join(left)}")


def _agreed(name: str) -> bool:
    try:
        return click.confirm(f"delete job {output.clean(name)} and the files of all its runs?")
    except click.Abort:  # nobody is there to answer
        return False


@jobs.command(short_help="Print the log of a job's run; -f follows.")
@click.argument("run", metavar="JOB_RUN|JOB")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run is over.")
@click.option(
    "--cell", metavar="N", help="Only what this cell has written; `parameters` for that of the parameters."
)
@json_option
@click.pass_obj
def logs(state: State, run: str, follow: bool, cell: str | None, as_json: bool) -> None:
    """Print the log of JOB_RUN, of the newest run of JOB, or of @last."""
    from aios_workbench.promote import get_run, history
    from aios_workbench.promote.records import DONE

    ws = state.workspace()
    if run == LAST or not ws.catalog.one("select 1 from job_runs where job_run_id = :r", r=run):
        newest = [r for r in history(ws, None if run == LAST else run, limit=200) if r["status"] != "skipped"]
        if not newest:
            raise NotFoundError("no job has run yet" if run == LAST else f"job {run!r} has not run yet")
        run = newest[0]["job_run_id"]
    if cell is not None:
        from aios_workbench.cli.jobs_cells import print_log

        print_log(ws, run, cell, follow=follow, as_json=as_json)
        return
    place, text = 0, ""
    while True:
        found = get_run(ws, run)
        over = not follow or found["status"] in DONE
        if path := found["files"].get("log.txt"):
            with Path(path).open(encoding="utf-8", errors="replace") as file:
                file.seek(place)
                more, place = file.read(), file.tell()
            if as_json:
                text += more
            else:
                click.echo(output.clean(more, lines=True), nl=False)
        if over:
            break
        time.sleep(_POLL_SECONDS)
    if as_json:
        output.emit({"job_run_id": run, "status": found["status"], "log": text})
    elif not place:
        output.warn(f"{run} is {found['status']} and has written nothing")
