"""`aios jobs preview`: when a job, a cron expression or an interval runs next."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

import click

from aios_workbench.cli import output
from aios_workbench.cli.state import State, json_option

if TYPE_CHECKING:
    from aios_workbench.promote.plan import Ticks
    from aios_workbench.promote.schedule import Upcoming


@click.command(short_help="Show when a job, a cron expression or an interval runs next.")
@click.argument("schedule", metavar="JOB|CRON|INTERVAL")
@click.option(
    "--timezone",
    metavar="ZONE",
    help="The zone of a cron expression, or to show an interval in.  [default: UTC]",
)
@click.option(
    "--starting",
    metavar="TIME",
    help="The first tick of an interval, no tick of a cron expression before it.",
)
@click.option(
    "-n", "--count", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many runs."
)
@click.option("--from", "start", metavar="TIME",
              help="Start there instead of now: 2026-03-28 or 2026-03-28T12:00, on the zone's own clock.")  # fmt: skip
@json_option
@click.pass_obj
def preview(
    state: State, schedule: str, timezone: str | None, starting: str | None, count: int, start: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Show the next runs of a job, of a cron expression such as '30 2 * * *', or of an interval such as 15m.

    Each with the time on the zone's clock, in UTC, and what a change of that clock does to it.
    """
    ticks = _ticks(state, schedule, timezone, starting)
    lines = ticks.preview(_instant(start, ticks.timezone), count)
    if as_json:
        output.emit({
            "schedule": getattr(ticks, "cron", None), "every": getattr(ticks, "every", None),
            "starting": ticks.starting, "timezone": ticks.timezone, "words": ticks.describe(),
            "upcoming": [line.to_dict() for line in lines],
        })  # fmt: skip
        return
    output.say(ticks.describe())
    show_ticks(lines)


def show_ticks(lines: list[Upcoming]) -> None:
    """Print the lines of a preview."""
    if not lines:
        output.say("never, in the next 50 years")
        return
    output.show(output.table(
        ("runs at", "UTC", "note"),
        [(u.local if u.runs else "-", u.utc if u.runs else "-", u.note or "") for u in lines],
    ))  # fmt: skip


def _ticks(state: State, schedule: str, timezone: str | None, starting: str | None) -> Ticks:
    from aios_workbench.errors import JobError
    from aios_workbench.promote import JobSpec, get
    from aios_workbench.promote.triggers import describe

    options = {"timezone": timezone, "starting": starting}
    given = {k: v for k, v in options.items() if v is not None}
    if len(schedule.split()) > 1 and not _is_interval(schedule):
        found = JobSpec(name="preview", notebook="-", schedule=schedule, **given).ticks
    elif _is_interval(schedule):
        found = JobSpec(name="preview", notebook="-", every=schedule, **given).ticks
    else:
        job = get(state.workspace(), schedule)
        found = JobSpec.from_dict({**job.to_dict()["spec"], **given}).ticks
        if found is None:
            raise JobError(
                f"job '{job.name}' has no schedule, it runs {describe(job.spec)}: `aios jobs run {job.name}` runs "
                "it now"
            )
    assert found is not None
    return found


def _is_interval(text: str) -> bool:
    from aios_workbench.errors import ParameterError
    from aios_workbench.workflow.durations import parse_duration

    try:
        return parse_duration(text) > 0
    except ParameterError:
        return False


def _instant(text: str | None, timezone: str) -> float:
    from aios_workbench.promote.schedule import zone

    if text is None:
        return time.time()
    try:
        start = dt.datetime.fromisoformat(text)
        return (start if start.tzinfo else start.replace(tzinfo=zone(timezone))).timestamp()
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r} is no time; write 2026-03-28 or 2026-03-28T12:00", param_hint="--from"
        ) from None
