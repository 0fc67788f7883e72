"""`aios promote`: from notebook to scheduled job."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from aios_workbench.cli import exits, output
from aios_workbench.cli.state import State, json_option

_TICKS = 5


@click.command(short_help="Make a notebook a scheduled job.")
@click.argument("notebook", type=click.Path(path_type=Path), required=False)
@click.option(
    "--name", help="The job's name; the notebook's if not given. An existing job gets a new version."
)
@click.option("--schedule", help="Cron, five fields; without it the job only runs when triggered.")
@click.option(
    "--timezone", metavar="ZONE", help="The schedule's zone, such as Europe/Berlin.  [default: UTC]"
)
@click.option(
    "-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter of the notebook."
)
@click.option("--missed", type=click.Choice(["skip", "latest", "all"]),
              help="What becomes of ticks that passed while no worker lived.  [default: latest]")  # fmt: skip
@click.option(
    "--retries", type=click.IntRange(0, 100), help="How often a failed run starts again.  [default: 0]"
)
@click.option("--retry-delay", metavar="TIME", help="Wait before that, such as 30s or 5m.  [default: 1m]")
@click.option("--timeout", metavar="TIME", help="Longest time of one attempt, such as 30m.")
@click.option(
    "--gate", "gates", multiple=True, metavar="GATE=DECISION", help="approve, reject, wait, or JSON."
)
@click.option("--alert", "alerts", multiple=True, metavar="CHANNEL",
              help="Who is told when it fails: an apprise address, or $NAME of a variable that holds one.")  # fmt: skip
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
@click.option("--dry-run", is_flag=True, help="Show what would change in the job, and change nothing.")
@click.option("--check", "only_check", is_flag=True, help="Only say what stands in the way.")
@click.option("--run", "clean_run", is_flag=True,
              help="With --check: run it twice in a clean kernel too, and compare the outputs.")  # fmt: skip
@click.option(
    "--fix", "mend", is_flag=True, help="Make the safe fixes in the notebook; the old one is kept beside it."
)
@click.option("--only", "rules", multiple=True, metavar="RULE", help="With --fix: fixes of this rule only.")
@click.option("--rules", "list_rules", is_flag=True, help="List the rules of the check.")
@json_option
@click.pass_obj
def promote(
    state: State, notebook: Path | None, name: str | None, schedule: str | None, timezone: str | None,
    params: tuple[str, ...], missed: str | None, retries: int | None, retry_delay: str | None, timeout: str | None,
    gates: tuple[str, ...], alerts: tuple[str, ...], target: str | None, out: Path | None, grain: str,
    workflow: str | None, verified: bool, execute: bool, image: str | None, bundle_path: str | None, aios: str | None,
    note: str | None, dry_run: bool, only_check: bool,
    clean_run: bool, mend: bool, rules: tuple[str, ...], list_rules: bool, as_json: bool,
) -> int:  # fmt: skip
    """Check NOTEBOOK and freeze it, with the modules beside it, as a job that `aios worker` runs.

    With --target the job is written for another scheduler, bundle and all, and is not scheduled here.
    """
    from aios_workbench.cli import promote_check, promote_plan
    from aios_workbench.cli.values import assignments, gate_policies
    from aios_workbench.errors import NotFoundError
    from aios_workbench.govern import actor
    from aios_workbench.promote import JobSpec, inspect
    from aios_workbench.promote import promote as make

    if list_rules:
        return promote_check.show_rules(as_json=as_json)
    if notebook is None:
        raise click.UsageError("which notebook? Give the path of an .ipynb file")
    if not notebook.is_file():
        raise NotFoundError(f"no notebook {notebook}; give the path of an .ipynb file")
    given: dict[str, Any] = {
        "schedule": schedule, "timezone": timezone, "missed": missed, "retries": retries, "retry_delay": retry_delay,
        "timeout": timeout, "gates": gate_policies(gates), "alerts": list(alerts),
    }  # fmt: skip
    options = {k: v for k, v in given.items() if v is not None}
    spec = JobSpec(name=name or notebook.stem, notebook=str(notebook), **options,
                   parameters=assignments(params, "-p", "limit=500"))  # fmt: skip
    if mend:
        return promote_check.fix(notebook, rules, out, as_json=as_json)
    seen = inspect(notebook, spec, run=clean_run)
    findings = seen.findings
    if not seen.ok or only_check:
        ticks = spec.ticks.preview(time.time(), _TICKS) if spec.ticks is not None else []
        return promote_check.report(seen, ticks, as_json=as_json)
    if dry_run:
        return promote_plan.dry_run(notebook, spec, as_json=as_json)
    if target is not None:
        from aios_workbench.cli import targets

        wanted = targets.Wanted(
            target, out or Path(), grain, workflow, verified or execute, execute, image, bundle_path, aios
        )
        return targets.write(state, notebook, spec, wanted, as_json=as_json)
    ws = state.workspace(create=True)
    job = make(ws, notebook, spec, actor(), note=note, told=promote_plan.reading())
    _tell(ws, job, findings, as_json=as_json)
    return exits.OK


def _tell(ws: Any, job: Any, findings: list[Any], *, as_json: bool) -> None:
    from aios_workbench.cli import promote_check

    if as_json:
        made = {"changed": job.changed, "promoted": job.promoted, "again": job.again}
        output.emit({**job.to_dict(), **made, "findings": [f.to_dict() for f in findings]})
        return
    if findings:
        promote_check.show_findings(findings)
    output.say(f"{job.name}  ", output.state(job.status), f"  {_what(job)}  {job.to_dict()['schedule']}")
    if job.next_tick_at:
        output.say(f"next run {output.clock(job.next_tick_at)}{_who(ws)}")
    else:
        output.say(f"`aios jobs run {job.name}` runs it")


def _what(job: Any) -> str:
    if job.promoted is not None and job.promoted != job.version:
        return f"version {job.promoted} is made; the job goes on with version {job.version}"
    if not job.changed:
        return f"version {job.version}, nothing changed"
    return f"version {job.version}" + (" again" if job.again else "")


def _who(ws: Any) -> str:
    from aios_workbench.engine import leases

    return "" if leases.workers_alive(ws) else "; no worker is running: start `aios worker`"
