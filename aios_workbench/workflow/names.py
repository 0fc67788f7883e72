"""Names of workflows, steps and parameters: which will do."""

from __future__ import annotations

import inspect
import unicodedata
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import DefinitionError

if TYPE_CHECKING:
    from aios_workbench.workflow.written import Definition


def valid_name(name: Any, what: str) -> str:
    """Return a name that can be printed, or say why it cannot be one."""
    if not isinstance(name, str) or not name.strip() or len(name) > 200 or any(map(_is_control, name)):
        raise DefinitionError(f"a {what} needs a name of 1 to 200 printable characters, not {name!r}")
    if name == "<lambda>":
        raise DefinitionError(f"a lambda has no name ({what}); write wf.step(name='…')(lambda …) or use def")
    return name


def _is_control(character: str) -> bool:
    # line breaks, control characters, lone surrogates; joiners and directions of other scripts are fine
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def called(check: Any) -> str:
    """Return how a check is called on the screens."""
    return "" if check is None else str(getattr(check, "__name__", None) or repr(check))[:100]


def check_parameter(d: Definition, p: inspect.Parameter) -> None:
    """Refuse a parameter that no edge can lead to."""
    if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY):
        raise DefinitionError(
            f"{d.kind} '{d.name}' ({d.where}) takes '{p}': edges go by parameter name, so use plain named parameters"
        )
    if p.name.startswith("_"):
        raise DefinitionError(
            f"{d.kind} '{d.name}' ({d.where}): parameter '{p.name}' must not start with an underscore; rename it"
        )
