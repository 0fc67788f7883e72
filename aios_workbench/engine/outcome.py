"""How a run ended, from how its steps did."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from aios_workbench.engine.records import CANCELLED, COMPENSATED, FAILED, SKIPPED, SUCCEEDED, Record


@dataclass(frozen=True)
class Outcome:
    """A run's status, the error of its first failed step, and what else a person should know."""

    status: str
    error: dict[str, Any] | None = None
    message: str | None = None


def outcome(records: Iterable[Record], *, cancelled: bool, made_up: Collection[str] = ()) -> Outcome:
    """Return how a run with these steps, in topological order, has ended.

    Parameters
    ----------
    made_up : collection of str
        Failed steps that are no failure of the run; see `joins.made_up`.
    """
    records = list(records)
    failed = next((r for r in records if r.status == FAILED and r.step not in made_up), None)
    notes = [f"'{step}' failed, which others made up for" for step in made_up]
    message = "; ".join([*_notes(records), *notes]) or None
    if cancelled:
        return Outcome(CANCELLED, None, message)
    if failed is not None:
        return Outcome(FAILED, failed.error, message)
    return Outcome(SUCCEEDED, None, message)


def _notes(records: list[Record]) -> list[str]:
    notes = []
    without = [f"'{r.step}'" for r in records if r.status == SKIPPED and r.error]
    if without:
        notes.append(f"went on without {', '.join(without[:10])}{_more(without)}, skipped after an error")
    undone = [f"'{r.step}'" for r in records if r.status == COMPENSATED]
    if undone:
        notes.append(f"undid {', '.join(undone[:10])}{_more(undone)}")
    left = [f"'{r.step}'" for r in records if r.undo and r.undo["error"]]
    if left:
        notes.append(f"could not undo {', '.join(left[:10])}{_more(left)}: look at what they did")
    return notes


def _more(names: list[str]) -> str:
    return f" and {len(names) - 10} more" if len(names) > 10 else ""


def why_not(before: Record) -> str:
    """Say why what needs this step is not run."""
    if before.status == SKIPPED and before.error:
        return f"not run: '{before.step}' was skipped after an error"
    return f"not run: '{before.step}' {_BECAUSE[before.status]}"


_BECAUSE = {FAILED: "failed", SKIPPED: "was not run", CANCELLED: "was cancelled"}
