"""How a job does, in `aios jobs list` and `aios jobs show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aios_workbench.cli import output
from aios_workbench.workflow.durations import format_duration

if TYPE_CHECKING:
    from rich.text import Text


def state(health: dict[str, Any] | None) -> Text:
    """Return the state as symbol and word."""
    return output.state(str(health["state"]) if health else "unknown")


def lines(health: dict[str, Any] | None) -> list[tuple[str, object]]:
    """Return the rows of a table: state and why, how often it succeeds and how long it takes, open alarms."""
    if health is None:
        return []
    rows: list[tuple[str, object]] = [("health", f"{health['state']}: {health['why']}")]
    if health["success_share"] is not None:
        took = f", usually {format_duration(health['median_seconds'])}" if health["median_seconds"] else ""
        rows.append(("recent runs", f"{health['success_share']:.0%} succeeded{took}"))
    rows += [
        (
            "alarm",
            f"{alarm['kind']} {alarm['subject']} since {output.clock(alarm['since'])}".replace("  ", " "),
        )
        for alarm in health["alarms"]
    ]
    return rows
