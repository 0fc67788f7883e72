"""`aios jobs retry`: go on with a failed run of a job."""

from __future__ import annotations

import click

from aios_workbench.cli import output
from aios_workbench.cli.state import State, json_option


@click.command(short_help="Go on with a failed run from the step that failed.")
@click.argument("job_run")
@click.option("--from-start", is_flag=True, help="Do everything anew, finished steps too.")
@json_option
@click.pass_obj
def retry(state: State, job_run: str, from_start: bool, as_json: bool) -> None:
    """Run JOB_RUN again, with its version and its parameters, from the workflow step that failed.

    The notebook runs from the top; steps of its workflows that had finished are not executed again. A worker is
    started if none lives.
    """
    from aios_workbench.engine import control
    from aios_workbench.govern import actor
    from aios_workbench.promote import get_run
    from aios_workbench.promote.records import job_row
    from aios_workbench.promote.resuming import resume_run

    ws = state.workspace()
    made = resume_run(ws, job_run, actor(), from_start=from_start)
    control.ensure_worker(ws)
    found = get_run(ws, made)
    if as_json:
        output.emit(found)
        return
    before = found["resumed_from"]
    output.say(
        f"{made} is queued{f' and goes on with {before}' if before else ''}; `aios jobs logs {made} -f` follows it"
    )
    newest = job_row(ws, found["job_id"])["version"]
    if newest != found["version"]:
        output.say(
            f"it runs version {found['version']} again; the job is at version {newest}, which `aios jobs run` runs"
        )
