"""`aios doctor`: versions, workspace, front end, adapters; says what is broken and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from aios_workbench.adapters import ADAPTERS, LEVELS
from aios_workbench.cli import exits, output
from aios_workbench.cli.state import json_option


@click.command(short_help="Check the installation and the workspace.")
@json_option
def doctor(as_json: bool) -> int:
    """Check versions, workspace, server extension and front end, and list adapters with what proves them.

    Changes nothing. Exit code 1 when something is broken.
    """
    from aios_workbench.cli import checks

    versions = checks.versions()
    found = [*checks.workspace(), *checks.front_end()]
    broken = [c for c in found if c.status == "broken"]
    if as_json:
        output.emit({
            "ok": not broken, "versions": versions, "checks": [c.to_dict() for c in found],
            "adapters": [a.to_dict() for a in ADAPTERS],
        })  # fmt: skip
        return exits.FAILED if broken else exits.OK
    _section("Versions", ("package", "version"), versions.items())
    _section(
        "Checks",
        ("check", "state", "finding"),
        [(c.name, output.state(c.status), _finding(c)) for c in found],
    )
    _section("Adapters", ("adapter", "for", "evidence", "what was run"),
             [(a.name, a.purpose, a.level, a.evidence) for a in ADAPTERS])  # fmt: skip
    output.say("; ".join(f"{level}: {meaning}" for level, meaning in LEVELS.items()))
    output.say("")
    output.say(f"broken: {', '.join(c.name for c in broken)}" if broken else "nothing is broken")
    return exits.FAILED if broken else exits.OK


def _finding(check: Any) -> str:
    return f"{check.detail}. {check.fix}" if check.fix else check.detail


def _section(title: str, columns: tuple[str, ...], rows: Iterable[Any]) -> None:
    output.say(title)
    output.show(output.table(columns, [list(row) for row in rows]))
    output.say("")
