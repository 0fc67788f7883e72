"""`aios events …`: tell that something happened, and see what has, and which jobs it started."""

from __future__ import annotations

import json
from typing import Any

import click

from aios_workbench.cli import output
from aios_workbench.cli.state import State, json_option

_WIDTH = 80


@click.group(short_help="Tell of events that start jobs, and list them.")
def events() -> None:
    """Tell of events, and see which there were: jobs promoted with --on-event start on them, once each."""


@events.command(short_help="Tell that something happened.")
@click.argument("name")
@click.option(
    "-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="A value that belongs to it."
)
@click.option("--data", metavar="JSON", help="All its values at once; -p adds to them.")
@click.option("--key", help="An event of this name and key is told once, however often this is called.")
@json_option
@click.pass_obj
def emit(
    state: State, name: str, params: tuple[str, ...], data: str | None, key: str | None, as_json: bool
) -> None:
    """Tell that NAME happened, such as orders.ready. Every job that listens for it starts, once.

    A value is read as JSON where it is JSON, else it is text.
    """
    from aios_workbench.cli.values import assignments, parse
    from aios_workbench.engine import control
    from aios_workbench.govern import actor
    from aios_workbench.promote import emit as tell

    ws = state.workspace()
    values = _data(data)
    values |= {k: parse(text) for k, text in assignments(params, "-p", "day=2026-01-31").items()}
    seq = tell(ws, name, values, actor(), key)
    control.ensure_worker(ws)
    if as_json:
        output.emit({"seq": seq, "name": name, "key": key})
    else:
        output.say(f"{name} is told, event {seq}; `aios events list` shows what it starts")


def _data(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except ValueError as e:
        raise click.BadParameter(f"{output.short(text, 60)!r} is no JSON: {e}", param_hint="--data") from None
    if not isinstance(found, dict):
        raise click.BadParameter('give named values, such as \'{"day": "2026-01-31"}\'', param_hint="--data")
    return found


@events.command("list", short_help="List what happened lately.")
@click.argument("name", required=False)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@json_option
@click.pass_obj
def list_(state: State, name: str | None, limit: int, as_json: bool) -> None:
    """List events, newest first, with the job runs they started; of NAME only, where * stands for any characters."""
    from aios_workbench.promote import list_events

    found = list_events(state.workspace(), limit, name)
    if as_json:
        output.emit({"events": found})
    elif found:
        output.show(output.table((">event", "name", "at", "by", "data", "started"), map(_line, found)))
    else:
        output.say("no events yet; `aios events emit orders.ready` tells one")


def _line(event: dict[str, Any]) -> tuple[object, ...]:
    return (
        event["seq"], event["name"], output.clock(event["at"]), event["by"] or "aios",
        output.short(json.dumps(event["data"], ensure_ascii=False), _WIDTH), ", ".join(event["started"]),
    )  # fmt: skip
