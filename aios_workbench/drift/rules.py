"""Rules as a person changes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, get_args

from aios_workbench.drift.models import Rules, RulesKind
from aios_workbench.errors import DriftInputError, hint


def as_rules(rules: Rules | RulesKind | Mapping[str, Any] | None = None, **changes: Any) -> Rules:
    """Return rules from what a person gives: rules, their kind, or a mapping; `changes` on top.

    Raises
    ------
    DriftInputError
        For an unknown kind, rule or statistic, with the nearest name; for a value out of its range.

    Examples
    --------
    >>> as_rules("honest", columns={"income": {"PSI": 0.2}}).columns
    {'income': {'psi': 0.2}}
    """
    if isinstance(rules, Rules):
        return changed_rules(rules, changes)
    given = {"kind": rules} if isinstance(rules, str) else dict(rules or {})
    return changed_rules(Rules(), {**given, **changes})


def changed_rules(rules: Rules, changes: Mapping[str, Any]) -> Rules:
    """Return rules with some fields changed.

    Raises
    ------
    DriftInputError
        For a field that does not exist, or a value it does not take.

    Examples
    --------
    >>> changed_rules(Rules(), {"effect": 0.2}).effect
    0.2
    """
    for name in changes:
        if name not in Rules.model_fields:
            raise DriftInputError(
                f"there is no rule {name!r}{hint(name, Rules.model_fields)}; rules are "
                f"{', '.join(Rules.model_fields)}"
            )
    kind = changes.get("kind", rules.kind)
    if kind not in get_args(RulesKind):
        near = hint(str(kind), get_args(RulesKind))
        raise DriftInputError(f"there are no rules {kind!r}{near}; choose {' or '.join(get_args(RulesKind))}")
    try:
        made = Rules.model_validate({**rules.model_dump(), **changes})
    except ValueError as e:
        said = str(e).splitlines()
        raise DriftInputError(f"rules: {' '.join(s.strip() for s in said[1:3]) or said[0]}") from e
    for field_, low, high in (("alpha", 0.0, 1.0), ("effect", 0.0, math.inf), ("max_share", 0.0, 1.0)):
        value = getattr(made, field_)
        if value is not None and not low <= value <= high:
            raise DriftInputError(f"rules: {field_} is {value:g}; it lies between {low:g} and {high:g}")
    for field_ in ("min_rows", "in_a_row"):
        if getattr(made, field_) < 1:
            raise DriftInputError(f"rules: {field_} is {getattr(made, field_)}; it is at least 1")
    return made
