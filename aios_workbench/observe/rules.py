"""What a run was held to, and how it stands: the overview's sections that only some runs have."""

from __future__ import annotations

import json
from typing import Literal

from aios_workbench.observe.models import RuleLine, Rules
from aios_workbench.observe.stored import Row, Stored

_MOST = 50
Tone = Literal["", "succeeded", "failed", "waiting"]
_TONES: dict[str, Tone] = {"compensated": "succeeded", "failed": "failed", "running": "waiting"}


def rules(run: Stored) -> list[Rules]:
    """Return the sections there is something to say in."""
    sections = [
        Rules(title="Attempts", lines=_attempts(run)),
        Rules(title="Undone", lines=_undone(run)),
    ]
    return [s for s in sections if s.lines]


def _attempts(run: Stored) -> list[RuleLine]:
    allowed = run.row["attempts_allowed"]
    if allowed is None:
        return []
    used = run.row["attempts_used"]
    return [
        RuleLine(
            name="of all steps together",
            text=f"{used:,} of {allowed:,}",
            tone="failed" if used >= allowed else "",
        )
    ]


def _undone(run: Stored) -> list[RuleLine]:
    rows = run.ws.catalog.query(
        "select * from compensations where run_id = :r order by leg, position limit :n", r=run.run_id, n=_MOST
    )
    return [
        RuleLine(name=r["step"], step=r["step"], text=_undo(r), tone=_TONES.get(r["status"], ""))
        for r in rows
    ]


def _undo(row: Row) -> str:
    text = f"{row['status']} by {row['function']}"
    if row["error"]:
        error = json.loads(row["error"])
        text += f": {error.get('type')}: {error.get('message')}"
    return text
