"""A step as it stands in the notebook: its function and the options of its decorator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aios_workbench.workflow.edges import Constant

Functions = Callable[..., Any] | Sequence[Callable[..., Any]] | None


@dataclass(frozen=True)
class Definition:
    """A step as it was written: the function and its options."""

    name: str
    kind: str
    fn: Callable[..., Any]
    options: dict[str, Any]
    where: str
    cell_id: str = ""
    scope: Mapping[str, Any] = field(default_factory=dict)  # of an included step: name -> what it is here
    group: str = ""

    def constant(self, parameter: str) -> Any:
        """Return the value an include bound a parameter to."""
        found = self.scope.get(parameter)
        return (found if isinstance(found, Constant) else self.scope[self.options["over"]]).value

    @property
    def fallbacks(self) -> list[Callable[..., Any]]:
        """The functions tried after the step's own, in order."""
        given: Functions = self.options.get("fallback")
        if given is None:
            return []
        return list(given) if isinstance(given, Sequence) else [given]
