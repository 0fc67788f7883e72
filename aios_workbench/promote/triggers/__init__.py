"""What starts a job: the clock, an event, the end of another job, or a person.

The clock is `plan` and `claims`; what is here says all of it in words.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aios_workbench.promote.triggers.words import describe

__all__ = ["describe"]

_HOME = {"describe": "words"}


def __getattr__(name: str) -> Any:
    # Lazily: whoever says a job in words needs none of what starts it.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
