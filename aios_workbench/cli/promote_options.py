"""The options of `aios promote` that describe the job, one for each of JobSpec's, and `--spec job.yaml`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from aios_workbench.promote import JobSpec

Command = Callable[..., Any]

_OPTIONS = (
    click.option("--spec", "spec_file", metavar="FILE", type=click.Path(path_type=Path),
                 help="A job.yaml to begin with; options given beside it win."),
    click.option("--name", help="The job's name; the notebook's if not given. An existing job gets a new version."),
    click.option("--schedule", help="Cron, five fields; a job that nothing starts runs when triggered."),
    click.option("--every", metavar="TIME", help="Instead: an interval of real time, such as 15m."),
    click.option("--starting", metavar="TIME",
                 help="The first tick of an interval; no tick of a schedule before it: 2026-01-31T06:00."),
    click.option("--timezone", metavar="ZONE", help="The schedule's zone, such as Europe/Berlin.  [default: UTC]"),
    click.option("--on-event", "on_event", multiple=True, metavar="EVENT",
                 help="An event that starts it: a name such as orders.*, or JSON with event, where and parameters."),
    click.option("--after", multiple=True, metavar="JOB[=END]",
                 help="A job after which it starts; END is succeeded (if not given), failed or ended."),
    click.option("--after-mode", type=click.Choice(["all", "any"]),
                 help="Whether all of these must have ended anew, or one.  [default: all]"),
    click.option("-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter of the notebook."),
    click.option("--missed", type=click.Choice(["skip", "latest", "all"]),
                 help="What becomes of ticks that passed while no worker lived.  [default: latest]"),
    click.option("--catch-up", type=click.IntRange(1, 1000), help="The most ticks `all` makes up for.  [default: 24]"),
    click.option("--overlap", type=click.Choice(["forbid", "queue", "replace"]),
                 help="What becomes of a run that is due while others go on.  [default: forbid]"),
    click.option("--concurrency", type=click.IntRange(1, 100), help="How many may go on side by side.  [default: 1]"),
    click.option("--retries", type=click.IntRange(0, 100), help="How often a failed run starts again.  [default: 0]"),
    click.option("--retry-delay", metavar="TIME", help="Wait before that, such as 30s or 5m.  [default: 1m]"),
    click.option("--timeout", metavar="TIME", help="Longest time of one attempt, such as 30m."),
    click.option("--memory", metavar="SIZE", help="The most memory its kernel may hold, such as 2GB."),
    click.option("--late-after", metavar="TIME", help="Tell when a run has not ended this long after it was due."),
    click.option("--absent-after", metavar="TIME", help="Tell when no run has succeeded for so long."),
    click.option("--slo-failures", type=click.FloatRange(0, 1, max_open=True),
                 help="The largest share of runs that may fail, such as 0.05."),
    click.option("--slo-within", metavar="TIME", help="The longest a run may take, such as 20m."),
    click.option("--approvals", type=click.IntRange(0, 10),
                 help="How many others must agree to a version before it runs.  [default: 0]"),
    click.option("--gate", "gates", multiple=True, metavar="GATE=DECISION", help="approve, reject, wait, or JSON."),
    click.option("--alert", "alerts", multiple=True, metavar="CHANNEL",
                 help="Who is told when it fails: an apprise address, or $NAME of a variable that holds one."),
    click.option("--retention", type=click.IntRange(1), help="How many runs keep their files.  [default: 50]"),
    click.option("--retention-for", metavar="TIME", help="How long they keep them, such as 90d."),
    click.option("--retention-bytes", metavar="SIZE", help="How much room they may take together, such as 5GB."),
    click.option("--environment", type=click.Choice(["worker", "locked"]),
                 help="Which Python runs it: the worker's, or one of the locked packages.  [default: worker]"),
    click.option("--package", "packages", multiple=True, metavar="NAME",
                 help="A package to lock that no import shows: a driver, a plugin."),
    click.option("--data", type=click.Choice(["warn", "pin"]),
                 help="What becomes of a run when a data file is not as it was promoted.  [default: warn]"),
    click.option("--data-limit", metavar="SIZE",
                 help="The largest data file that is copied into the bundle.  [default: 10MB]"),
    click.option("--card", metavar="FILE", help="A model card that must be there and complete."),
    click.option("--drift", multiple=True, metavar="MONITOR", help="A drift monitor that must be quiet."),
    click.option("--tests", multiple=True, metavar="PATH", help="Tests of pytest that are run, and must pass."),
)  # fmt: skip
_NAMES = (
    "spec_file", "name", "schedule", "every", "starting", "timezone", "on_event", "after", "after_mode", "params",
    "missed", "catch_up", "overlap", "concurrency", "retries", "retry_delay", "timeout", "memory", "late_after",
    "absent_after", "slo_failures", "slo_within", "approvals", "gates", "alerts", "retention", "retention_for",
    "retention_bytes", "environment", "packages", "data", "data_limit", "card", "drift", "tests",
)  # fmt: skip
_PLAIN = frozenset(_NAMES) - {
    "spec_file", "on_event", "after", "params", "slo_failures", "slo_within", "gates", "alerts",
    "packages", "drift", "tests",
}  # fmt: skip
_ENDS = ("succeeded", "failed", "ended")


def job_options(command: Command) -> Command:
    """Give a command the options of a job; it gets what was given as `job`, for `spec_of`."""

    @functools.wraps(command)
    def gathered(*args: Any, **options: Any) -> Any:
        return command(*args, job={name: options.pop(name) for name in _NAMES}, **options)

    for option in reversed(_OPTIONS):
        option(gathered)
    return gathered


def spec_of(notebook: Path | None, job: dict[str, Any]) -> tuple[Path, JobSpec]:
    """Return the notebook and the job that the options, and the file of `--spec`, describe.

    Raises
    ------
    NotFoundError
        When the notebook, or the file, is not there.
    JobError, ParameterError
        When the file is no job.yaml, or an option does not fit.
    """
    from aios_workbench.errors import NotFoundError
    from aios_workbench.promote import JobSpec

    file = _read(job["spec_file"]) if job["spec_file"] is not None else {}
    if notebook is None and file.get("notebook"):
        notebook = _beside(job["spec_file"], str(file["notebook"]))
    if notebook is None:
        raise click.UsageError("which notebook? Give the path of an .ipynb file")
    if not notebook.is_file():
        raise NotFoundError(f"no notebook {notebook}; give the path of an .ipynb file")
    options = {"name": notebook.stem, **file, **_given(job, file), "notebook": str(notebook)}
    for one, other in (("schedule", "every"), ("every", "schedule")):
        if job[one] is not None and job[other] is None:
            options.pop(other, None)  # it takes the place of what the file has
    return notebook, JobSpec(**options)


def _given(job: dict[str, Any], file: dict[str, Any]) -> dict[str, Any]:
    from aios_workbench.cli.values import assignments, gate_policies

    given = {name: job[name] for name in _PLAIN if job[name] is not None}
    given["parameters"] = {**_named(file, "parameters"), **assignments(job["params"], "-p", "limit=500")}
    if job["on_event"]:
        given["on_event"] = [_event(text) for text in job["on_event"]]
    if job["after"]:
        given["after"] = [_after(text) for text in job["after"]]
    given |= {name: list(job[name]) for name in ("alerts", "packages", "drift", "tests") if job[name]}
    if (gates := gate_policies(job["gates"])) is not None:
        given["gates"] = {**_named(file, "gates"), **gates}
    slo = {name: job[f"slo_{name}"] for name in ("failures", "within") if job[f"slo_{name}"] is not None}
    if slo:
        given["slo"] = {**_named(file, "slo"), **slo}
    return given


def _named(file: dict[str, Any], option: str) -> dict[str, Any]:
    """Return an option of the file that holds names and values; what is none is for JobSpec to refuse."""
    value = file.get(option) or {}
    return value if isinstance(value, dict) else {}


def _event(text: str) -> dict[str, Any]:
    from aios_workbench.cli.values import parse

    found = parse(text) if text.lstrip().startswith("{") else {"event": text}
    if not isinstance(found, dict) or "event" not in found:
        raise click.BadParameter(
            f"{text!r} is no event; give a name, or JSON such as "
            '{"event": "orders.ready", "where": {"region": "eu"}, "parameters": {"day": "day"}}',
            param_hint="--on-event",
        )
    return found


def _after(text: str) -> dict[str, str]:
    job, equals, end = text.rpartition("=")
    return {"job": job, "on": end} if equals and job and end in _ENDS else {"job": text}


def _read(path: Path) -> dict[str, Any]:
    import yaml

    from aios_workbench.errors import JobError, NotFoundError

    if not path.is_file():
        raise NotFoundError(f"no file {path}; give the path of a job.yaml")
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as e:
        raise JobError(f"{path} cannot be read as YAML: {e}") from None
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise JobError(
            f"{path} must be a list of options, such as 'schedule: 0 6 * * *'; `aios jobs export` writes one"
        )
    return data


def _beside(spec_file: Path, notebook: str) -> Path:
    """Return where the notebook of a job.yaml lies: beside it, or seen from the folder one is in."""
    beside = spec_file.parent / notebook
    return beside if beside.is_file() else Path(notebook)
