"""`aios limits`: shared resources, who has them and who waits."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import click

from aios_workbench.cli import output
from aios_workbench.cli.state import State, json_option
from aios_workbench.workflow.durations import format_duration


@click.group(
    short_help="Shared resources: how many there are, who has them, who waits.", invoke_without_command=True
)
@json_option
@click.pass_context
def limits(ctx: click.Context, as_json: bool) -> None:
    """List limits with their holders and waiting steps; `set` and `drop` change them."""
    if ctx.invoked_subcommand is None:
        _show(ctx.obj, as_json=as_json)


def _show(state: State, *, as_json: bool) -> None:
    from aios_workbench.engine.flow.limits import find_limits

    found = find_limits(state.workspace())
    if as_json:
        output.emit([asdict(one) | {"in_use": one.in_use} for one in found])
        return
    if not found:
        output.say(
            "no limits yet; `aios limits set gpu 2` declares one, a step that names one makes it with 1"
        )
        return
    output.show(
        output.table(("limit", ">in use", ">of", "rate", ">waiting", "held by"), [_row(one) for one in found])
    )


def _row(one: Any) -> tuple[object, ...]:
    now = time.time()
    held = ", ".join(
        f"{h['run_id']} {h['step']} ({format_duration(max(0.0, now - h['since']))})".replace("  ", " ")
        for h in one.holders[:3]
    )
    more = f" and {len(one.holders) - 3} more" if len(one.holders) > 3 else ""
    rate = "" if one.rate is None else f"{one.rate[0]} per {one.rate[1]:g} s"
    note = "" if one.declared else " (not declared)"
    return (
        one.name + note, one.in_use, "any" if one.concurrency is None else one.concurrency, rate, len(one.waiters),
        held + more,
    )  # fmt: skip


@limits.command("set", short_help="Say how many there are, or how often.")
@click.argument("name")
@click.argument("concurrency", type=click.IntRange(0), required=False)
@click.option("--rate", metavar="RATE", help="At most so many per time: 100/min, 5/s; none takes it away.")
@click.option("--unlimited", is_flag=True, help="No bound on how many at once.")
@json_option
@click.pass_obj
def set_(
    state: State, name: str, concurrency: int | None, rate: str | None, unlimited: bool, as_json: bool
) -> None:
    """Declare that there are CONCURRENCY permits of NAME; 0 closes it. Kept in the audit trail."""
    from aios_workbench.engine.flow.limits import set_limit

    if unlimited and concurrency is not None:
        raise click.UsageError("a number and --unlimited contradict each other")
    given: dict[str, Any] = {}
    if concurrency is not None or unlimited:
        given["concurrency"] = concurrency
    if rate is not None:
        given["rate"] = None if rate == "none" else rate
    if not given:
        raise click.UsageError("say how many (a number), --rate or --unlimited")
    done = set_limit(state.workspace(create=True), name, **given)
    if as_json:
        output.emit(asdict(done) | {"in_use": done.in_use})
    else:
        output.say(repr(done)[1:-1])


@limits.command("drop", short_help="Forget a limit.")
@click.argument("name")
@json_option
@click.pass_obj
def drop(state: State, name: str, as_json: bool) -> None:
    """Forget what was declared of NAME: the next step that wants it finds one permit."""
    from aios_workbench.engine.flow.limits import drop_limit

    drop_limit(state.workspace(), name)
    if as_json:
        output.emit({"dropped": name})
    else:
        output.say(f"limit {name} dropped")
