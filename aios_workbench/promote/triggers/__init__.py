"""What starts a job: the clock, an event, the end of another job, or a person.

The clock is `plan` and `claims`; what is here starts jobs on events and after others, and says all of it in words.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aios_workbench.promote.triggers.arming import arm
    from aios_workbench.promote.triggers.firing import fire
    from aios_workbench.promote.triggers.upstream import check_circle, dependents, problems
    from aios_workbench.promote.triggers.words import describe

__all__ = ["arm", "check_circle", "dependents", "describe", "fire", "problems"]

_HOME = {
    "arm": "arming", "fire": "firing", "check_circle": "upstream", "dependents": "upstream", "problems": "upstream",
    "describe": "words",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    # Lazily: whoever says a job in words needs none of what starts it.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
