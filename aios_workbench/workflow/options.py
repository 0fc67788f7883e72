"""What a decorator may be given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aios_workbench.errors import DefinitionError, ParameterError
from aios_workbench.workflow.budgets import check_flow
from aios_workbench.workflow.durations import parse_duration
from aios_workbench.workflow.isolation import check_isolation
from aios_workbench.workflow.joins import check_needs
from aios_workbench.workflow.loops import check_loop
from aios_workbench.workflow.mapping import check_map
from aios_workbench.workflow.policies import check_policies


def check_options(kind: str, name: str, where: str, options: Mapping[str, Any]) -> dict[str, Any]:  # noqa: C901 - one check an option
    """Return a decorator's options as they are kept: durations in seconds, lists as lists.

    Raises
    ------
    DefinitionError
        Naming the step, the option and what it takes.
    """
    out = check_isolation(f"{kind} '{name}' ({where})", options)
    try:
        for duration in ("timeout", "backoff"):
            if out.get(duration) is not None:
                out[duration] = parse_duration(out[duration])
    except ParameterError as e:
        raise DefinitionError(f"{kind} '{name}' ({where}), {duration}: {e}") from None
    retries = out.get("retries", 0)
    if not isinstance(retries, int) or isinstance(retries, bool) or not 0 <= retries <= 1000:
        raise DefinitionError(
            f"{kind} '{name}' ({where}): retries must be a whole number from 0 to 1000, not {retries!r}"
        )
    for listed in ("after", "tags"):
        if isinstance(out.get(listed), str):
            out[listed] = [out[listed]]
    out["after"] = [
        a if isinstance(a, str) else getattr(a, "__name__", str(a)) for a in out.get("after") or ()
    ]
    fallback = out.get("fallback")
    for f in (
        list(fallback) if isinstance(fallback, (list, tuple)) else [] if fallback is None else [fallback]
    ):
        if not callable(f):
            raise DefinitionError(
                f"{kind} '{name}' ({where}): fallback must be a function or a list of them, not {f!r}"
            )
    if out.get("when") is not None and not callable(out["when"]):
        raise DefinitionError(
            f"{kind} '{name}' ({where}): when must be a function that returns True or False"
        )
    if out.get("gate") is not None and not callable(out["gate"]):
        raise DefinitionError(
            f"{kind} '{name}' ({where}): gate must be a function that is called with the step's value, not "
            f"{out['gate']!r}; for a person's decision use @wf.gate"
        )
    if out.get("form") is not None and not hasattr(out["form"], "model_json_schema"):
        raise DefinitionError(
            f"gate '{name}' ({where}): form must be a pydantic model class, not {out['form']!r}"
        )
    check_needs(kind, name, where, out)
    if kind == "map":
        check_map(name, where, out)
    if kind == "loop":
        check_loop(name, where, out)
    if out.get("on_reject", "fail") not in ("fail", "continue"):
        raise DefinitionError(
            f"gate '{name}' ({where}): on_reject is 'fail' or 'continue', not {out['on_reject']!r}"
        )
    check_flow(kind, name, where, out)
    return out | check_policies(kind, name, where, out)
