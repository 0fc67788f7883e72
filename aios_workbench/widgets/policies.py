"""How a step is run, in words: the facts below its code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aios_workbench.widgets.messages import Value
from aios_workbench.workflow.durations import format_duration


def policy(spec: Mapping[str, Any]) -> list[Value]:
    """Return what a step's decorator says, apart from what is as it would be unsaid."""
    said = {**_tried(spec), **_failed(spec), **_placed(spec)}
    return [Value(name=n, source="policy", summary=str(v)) for n, v in said.items() if v]


def _tried(s: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "retries": s.get("retries") and f"{s['retries']}, first after {s.get('backoff', 0):g} s",
        "retry on": ", ".join(named(s.get("retry_on") or ())),
        "give up on": ", ".join(named(s.get("give_up_on") or ())),
        "timeout": s.get("timeout") and format_duration(s["timeout"]),
        "hedge": s.get("hedge") and f"a second call after {format_duration(s['hedge'])}",
        "cache": s.get("cache") and "by code and inputs",
        "gate": s.get("check_name"),
    }


def _failed(s: Mapping[str, Any]) -> dict[str, Any]:
    error = s.get("on_error", "fail")
    return {
        "fallback": ", ".join(s.get("fallback_names") or ()),
        "breaker": breaker(s.get("breaker")),
        "on error": "" if error == "fail" else _ON_ERROR.get(error, error),
        "undone by": s.get("compensate_name"),
        "on reject": s.get("kind") == "gate" and s.get("on_reject"),
    }


_ON_ERROR = {"skip": "go on without it", "dead_letter": "go on without it, keep what failed"}


def _placed(s: Mapping[str, Any]) -> dict[str, Any]:
    return {"after": ", ".join(s.get("after") or ())}


def named(classes: Iterable[str]) -> list[str]:
    """Return error classes as people name them: built-in ones without their module.

    Examples
    --------
    >>> named(["builtins.OSError", "requests.exceptions.Timeout"])
    ['OSError', 'requests.exceptions.Timeout']
    """
    return [c.removeprefix("builtins.") for c in classes]


def breaker(told: Mapping[str, Any] | None) -> str:
    """Return a breaker's settings in a line."""
    if not told:
        return ""
    return (
        f"{told['name']}: opens after {told['failures']} failures within {format_duration(told['within'])}, "
        f"for {format_duration(told['cool_down'])}"
    )
