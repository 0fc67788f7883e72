"""`aios breakers`: which circuit breakers are open, and closing one by hand."""

from __future__ import annotations

import time
from typing import Any

import click

from aios_workbench.cli import output
from aios_workbench.cli.state import State, json_option


@click.group(short_help="List circuit breakers, close one.")
def breakers() -> None:
    """Look after circuit breakers: steps share them (`breaker=`), over all workflows and processes of the workspace."""


@breakers.command("list", short_help="All breakers with their state.")
@json_option
@click.pass_obj
def list_(state: State, as_json: bool) -> None:
    """List breakers: state, failures counted, since when and until when they are open, the last error."""
    from aios_workbench.engine.breakers import list_breakers

    found = list_breakers(state.workspace())
    if as_json:
        output.emit({"breakers": found})
        return
    rows = [
        (b["breaker"], output.state(b["state"]), f"{b['failures']} of {b['settings']['failures']}",
         output.clock(b["opened_at"]), _until(b), output.short(_error(b)))
        for b in found
    ]  # fmt: skip
    if rows:
        output.show(
            output.table(("breaker", "state", ">failures", "open since", "until", "last error"), rows)
        )
    else:
        output.say("no breaker yet: one is there once a step with breaker='…' has run")


@breakers.command(short_help="Close a breaker now.")
@click.argument("name")
@json_option
@click.pass_obj
def reset(state: State, name: str, as_json: bool) -> None:
    """Close the breaker NAME now and forget its failures. Kept in the audit trail."""
    from aios_workbench.engine import breakers as engine
    from aios_workbench.govern import actor

    engine.reset(state.workspace(), name, by=actor())
    if as_json:
        output.emit({"breaker": name, "state": "closed"})
    else:
        output.say(f"breaker '{name}' is closed")


def _until(breaker: dict[str, Any]) -> str:
    if breaker["state"] == "half-open":
        return f"{breaker['probe_by']} tries one call"
    if breaker["state"] == "open" and breaker["until_at"] <= time.time():
        return "the next call tries"
    return output.clock(breaker["until_at"])


def _error(breaker: dict[str, Any]) -> str:
    error = breaker["error"]
    return "" if error is None else f"{error['type']}: {error['message']}"
