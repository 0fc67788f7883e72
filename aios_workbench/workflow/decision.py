"""What a person (or a policy) said at a gate."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from aios_workbench.errors import hint


@dataclass(frozen=True)
class Decision:
    """The output of a gate.

    The values of the gate's form are attributes too: ``review.note`` is ``review.values["note"]``.

    Attributes
    ----------
    auto : bool
        True when no person was asked: the gate's `when` said it was not needed, or a policy decided.
    data : object
        What the gate's function showed to the reviewer.

    Examples
    --------
    >>> d = Decision(True, by="ana", values={"note": "fine"})
    >>> d.approved, d.note
    (True, 'fine')
    """

    approved: bool
    by: str = ""
    at: dt.datetime | None = None
    reason: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    auto: bool = False
    data: Any = None

    def __getattr__(self, name: str) -> Any:
        values = self.__dict__.get("values", {})  # empty while it is being unpickled
        if name in values and not name.startswith("__"):
            return values[name]
        raise AttributeError(f"this decision has no value '{name}'{hint(name, values)}")

    def __bool__(self) -> bool:
        return self.approved
