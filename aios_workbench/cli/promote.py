"""`aios promote`: from notebook to scheduled job."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aios_workbench.cli import exits, output
from aios_workbench.cli.promote_options import job_options, spec_of
from aios_workbench.cli.state import State, json_option

if TYPE_CHECKING:
    from aios_workbench.promote import Job

_TICKS = 5


@click.command(short_help="Make a notebook a scheduled job.")
@click.argument("notebook", type=click.Path(path_type=Path), required=False)
@job_options
@click.option("--target", metavar="TARGET",
              help="Write it for another scheduler instead; `aios targets` lists them.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path),
              help="Where a target's files go (default: here), or with --fix the mended notebook.")  # fmt: skip
@click.option("--grain", type=click.Choice(["notebook", "steps"]), default="notebook", show_default=True,
              help="For a target: the notebook as one task, or its workflow's steps.")  # fmt: skip
@click.option(
    "--workflow", metavar="NAME", help="For --grain steps: which; that of the newest run of the notebook."
)
@click.option("--verify", "verified", is_flag=True, help="Let the target's own tool read the files.")
@click.option("--execute", is_flag=True, help="And run the job once with it, where that can be done here.")
@click.option("--image", help="The container image of a target that starts containers.")
@click.option("--bundle-path", metavar="PATH", help="Where the bundle lies when the job runs.")
@click.option("--command", "aios", metavar="PATH", help="The aios command where the job runs.")
@click.option("--note", help="What is new in this version, for people.")
@click.option("--canary", metavar="SHARE",
              help="Try the version first: it gets a share of the runs, such as 20%.")  # fmt: skip
@click.option("--shadow", is_flag=True, help="Try the version first: it runs beside the one that counts.")
@click.option("--dry-run", is_flag=True, help="Show what would change in the job, and change nothing.")
@click.option("--check", "only_check", is_flag=True, help="Only say what stands in the way.")
@click.option("--try", "tried", is_flag=True,
              help="Rebuild its environment from the lock first, and import there what it imports.")  # fmt: skip
@click.option("--run", "clean_run", is_flag=True,
              help="With --check or --try: run it twice in a clean kernel too, and compare the outputs.")  # fmt: skip
@click.option(
    "--fix", "mend", is_flag=True, help="Make the safe fixes in the notebook; the old one is kept beside it."
)
@click.option("--only", "rules", multiple=True, metavar="RULE", help="With --fix: fixes of this rule only.")
@click.option("--rules", "list_rules", is_flag=True, help="List the rules of the check.")
@json_option
@click.pass_obj
def promote(
    state: State, notebook: Path | None, job: dict[str, Any], target: str | None, out: Path | None, grain: str,
    workflow: str | None, verified: bool, execute: bool, image: str | None, bundle_path: str | None, aios: str | None,
    note: str | None, canary: str | None, shadow: bool, dry_run: bool, only_check: bool, tried: bool,
    clean_run: bool, mend: bool, rules: tuple[str, ...], list_rules: bool, as_json: bool,
) -> int:  # fmt: skip
    """Check NOTEBOOK and freeze it, with the modules beside it, as a job that `aios worker` runs.

    With --target the job is written for another scheduler, bundle and all, and is not scheduled here.
    """
    from aios_workbench.cli import bundle, promote_check, promote_plan, rollout
    from aios_workbench.govern import actor
    from aios_workbench.promote import inspect
    from aios_workbench.promote import promote as make
    from aios_workbench.promote.triggers import problems

    if list_rules:
        return promote_check.show_rules(as_json=as_json)
    notebook, spec = spec_of(notebook, job)
    if mend:
        return promote_check.fix(notebook, rules, out, as_json=as_json)
    seen = inspect(notebook, spec, run=clean_run and not tried)
    findings = seen.findings
    if not seen.ok or only_check:
        ticks = spec.ticks.preview(time.time(), _TICKS) if spec.ticks is not None else []
        return promote_check.report(seen, ticks, as_json=as_json)
    attempt = bundle.try_first(state, notebook, spec, run=clean_run, as_json=as_json) if tried else None
    if attempt is not None and not attempt["ok"]:
        return bundle.show_try(attempt, as_json=as_json)
    if dry_run:
        return promote_plan.dry_run(notebook, spec, as_json=as_json)
    if target is not None:
        from aios_workbench.cli import targets

        wanted = targets.Wanted(
            target, out or Path(), grain, workflow, verified or execute, execute, image, bundle_path, aios
        )
        return targets.write(state, notebook, spec, wanted, as_json=as_json)
    trial = rollout.wanted(canary, shadow=shadow)
    ws = state.workspace(create=True)
    made = make(ws, notebook, spec, actor(), note=note, trial=trial, told=promote_plan.reading())
    wrong = problems(ws, made.spec)
    if as_json:
        told = {"changed": made.changed, "promoted": made.promoted, "again": made.again, "problems": wrong}
        output.emit(made.to_dict() | told | {"findings": [f.to_dict() for f in findings], "tried": attempt})
        return exits.OK
    if findings:
        promote_check.show_findings(findings)
    _tell(ws, made, wrong)
    return exits.OK


def _tell(ws: Any, job: Job, wrong: list[str]) -> None:
    """Say what starts the job, and when it runs next."""
    from aios_workbench.cli.jobs_preview import show_ticks

    output.say(f"{job.name}  ", output.state(job.status), f"  {_what(job)}  {job.to_dict()['schedule']}")
    for problem in wrong:
        output.warn(problem)
    if job.status == "waiting":
        output.say("it begins when others agree; `aios jobs approvals` says how many")
    elif job.next_tick_at and job.spec.ticks is not None:
        show_ticks(job.spec.ticks.preview(time.time(), _TICKS))
        output.say(f"next run {output.clock(job.next_tick_at)}{_who(ws)}")
    elif job.spec.starts_itself and job.status == "active":
        output.say(f"it waits for that{_who(ws)}; `aios jobs run {job.name}` runs it now")
    else:
        output.say(f"`aios jobs run {job.name}` runs it")


def _what(job: Any) -> str:
    if job.promoted is not None and job.promoted != job.version:
        if job.rollout_id:
            return f"version {job.promoted} is on trial beside version {job.version}"
        return f"version {job.promoted} is made; the job goes on with version {job.version}"
    if not job.changed:
        return f"version {job.version}, nothing changed"
    return f"version {job.version}" + (" again" if job.again else "")


def _who(ws: Any) -> str:
    from aios_workbench.engine import leases

    return "" if leases.workers_alive(ws) else "; no worker is running: start `aios worker`"
