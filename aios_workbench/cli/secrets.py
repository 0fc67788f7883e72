"""`aios secrets`: which secrets workflows and jobs need, and whether they are there. Never their values."""

from __future__ import annotations

import click

from aios_workbench.cli import exits, output
from aios_workbench.cli.state import State, json_option


@click.command(short_help="List the secrets workflows need, and whether they are there.")
@click.argument("name", required=False)
@json_option
@click.pass_obj
def secrets(state: State, name: str | None, as_json: bool) -> int:
    """List the secrets that workflow or job NAME (or every one) refers to, and where each is found.

    Values are never shown. Ends with an error when one is missing in this environment.
    """
    from aios_workbench.engine.needs import secrets_needed

    found = secrets_needed(state.workspace(), name)
    missing = sorted({row["secret"] for row in found if row["found"] is None})
    if as_json:
        output.emit({"secrets": found, "missing": missing})
    elif not found:
        output.say("no secrets needed")
    else:
        rows = [(r["secret"], r["workflow"], ", ".join(r["steps"]), r["found"] or "missing") for r in found]
        output.show(output.table(("secret", "workflow", "steps", "found in"), rows))
    return exits.FAILED if missing else exits.OK
