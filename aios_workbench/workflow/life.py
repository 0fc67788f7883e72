"""What a workflow is told to do when a run starts, ends or is late: hooks and the time it may take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from aios_workbench.errors import DefinitionError, ParameterError
from aios_workbench.workflow.code import cell_of, code_hash
from aios_workbench.workflow.durations import parse_duration
from aios_workbench.workflow.parameters import signature_of

HOOKS = ("on_start", "on_success", "on_failure", "on_sla_miss")
Hook = Callable[..., Any] | Sequence[Callable[..., Any]] | None


class Life:
    """The hooks of a workflow, by name, and its `sla` in seconds.

    Raises
    ------
    DefinitionError
        When a hook is no function of one argument, or the time cannot be read.
    """

    def __init__(self, workflow: str, sla: str | float | None, hooks: dict[str, Hook]) -> None:
        try:
            self.sla = None if sla is None else parse_duration(sla)
        except ParameterError as e:
            raise DefinitionError(f"workflow '{workflow}', sla: {e}") from None
        if self.sla is not None and self.sla <= 0:
            raise DefinitionError(f"workflow '{workflow}': sla must be longer than nothing, not {sla!r}")
        self.hooks = {name: _functions(workflow, name, given) for name, given in hooks.items() if given}
        if "on_sla_miss" in self.hooks and self.sla is None:
            raise DefinitionError(f"workflow '{workflow}': on_sla_miss needs sla=, such as sla='2h'")

    def fields(self) -> dict[str, Any]:
        """Return the fields of a `WorkflowSpec` that these are; the functions are stored when it is compiled."""
        return {
            "sla": self.sla,
            "hooks": {
                name: [
                    {"name": _called(f), "code_hash": code_hash(f), "where": cell_of(f)} for f in functions
                ]
                for name, functions in self.hooks.items()
            },
        }


def _functions(workflow: str, hook: str, given: Hook) -> list[Callable[..., Any]]:
    functions: list[Any] = list(given) if isinstance(given, (list, tuple)) else [given]
    for f in functions:
        if not callable(f):
            raise DefinitionError(f"workflow '{workflow}': {hook} is a function or a list of them, not {f!r}")
        needed = [p for p in signature_of(f).parameters.values() if p.default is p.empty]
        if not signature_of(f).parameters or len(needed) > 1:
            raise DefinitionError(
                f"workflow '{workflow}': {hook} {_called(f)} ({cell_of(f)}) is called with one argument, what is "
                "known of the run (run_id, workflow, status, error, …); write def f(run): …"
            )
    return functions


def _called(function: Any) -> str:
    return str(getattr(function, "__name__", None) or repr(function))[:100]
