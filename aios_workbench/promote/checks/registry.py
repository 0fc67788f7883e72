"""Every rule, by family. A rule is added in its family's file and is here of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType

from aios_workbench.errors import NotFoundError, hint
from aios_workbench.promote.checks import (
    cleanrun,
    danger,
    determinism,
    files,
    fit,
    hidden,
    modules,
    outputs,
    readable,
    rewrites,
    secrets,
    surroundings,
)
from aios_workbench.promote.checks.context import Context
from aios_workbench.promote.checks.finding import Finding
from aios_workbench.promote.checks.rules import Rule

_MODULES: tuple[ModuleType, ...] = (
    readable, hidden, rewrites, determinism, cleanrun, modules, files, surroundings, secrets, danger, outputs, fit,
)  # fmt: skip


def finders() -> Iterator[Callable[[Context], Iterator[Finding]]]:
    """Give every family's `find`."""
    for module in _MODULES:
        yield module.find


def all_rules() -> list[Rule]:
    """Return every rule, by id.

    Examples
    --------
    >>> [rule.name for rule in all_rules()][:3]
    ['unreadable', 'kernel', 'syntax']
    """
    return sorted((rule for module in _MODULES for rule in module.RULES), key=lambda r: r.id)


def rule(name: str) -> Rule:
    """Return a rule by id or name.

    Raises
    ------
    NotFoundError
        Naming the nearest.

    Examples
    --------
    >>> rule("absolute-path").id
    'AIOS203'
    """
    known = {key: r for r in all_rules() for key in (r.id, r.name)}
    if (found := known.get(name) or known.get(name.upper())) is None:
        raise NotFoundError(
            f"there is no rule {name!r}{hint(name, known)}; `aios promote --rules` lists them"
        )
    return found
