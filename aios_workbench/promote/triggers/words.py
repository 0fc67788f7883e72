"""What starts a job, in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aios_workbench.promote.spec import JobSpec
    from aios_workbench.promote.spec_parts import After, EventTrigger

NOTHING = "only when triggered"
#: Events that the workbench tells itself.
_SYSTEM = {
    "drift.alert": "a drift monitor alerts",
    "run.succeeded": "a workflow run succeeds",
    "run.failed": "a workflow run fails",
}
_SHORT = 60


def describe(spec: JobSpec) -> str:
    """Return everything that starts a job, in words.

    Examples
    --------
    >>> from aios_workbench.promote.spec import JobSpec
    >>> options = {"every": "15m", "on_event": [{"event": "orders.ready"}], "after": [{"job": "extract"}]}
    >>> describe(JobSpec(name="load", notebook="load.ipynb", **options))
    'Every 15 minutes; when orders.ready is told; after extract succeeded'
    >>> describe(JobSpec(name="load", notebook="load.ipynb"))
    'only when triggered'
    """
    parts = [] if spec.ticks is None else [spec.ticks.describe()]
    parts += [_on(trigger) for trigger in spec.on_event]
    if spec.after:
        word = " or " if spec.after_mode == "any" else " and "
        parts.append(f"after {word.join(map(_after, spec.after))}")
    if not parts:
        return NOTHING
    said = "; ".join(parts)
    return said[0].upper() + said[1:]


def _on(trigger: EventTrigger) -> str:
    said = f"when {_SYSTEM.get(trigger.event, f'{trigger.event} is told')}"
    where = [f"{path} = {_short(value)}" for path, value in trigger.where.items()]
    return f"{said} with {' and '.join(where)}" if where else said


def _after(other: After) -> str:
    return f"{other.job} {other.on}"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"
