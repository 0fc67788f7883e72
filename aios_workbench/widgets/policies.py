"""How a step is run, in words: the facts below its code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aios_workbench.widgets.messages import Value
from aios_workbench.workflow.durations import format_duration


def policy(spec: Mapping[str, Any]) -> list[Value]:
    """Return what a step's decorator says, apart from what is as it would be unsaid."""
    said = {**_shaped(spec), **_tried(spec), **_failed(spec), **_placed(spec)}
    return [Value(name=n, source="policy", summary=str(v)) for n, v in said.items() if v]


def _shaped(s: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {"part of": s.get("group")}
    if s.get("over"):
        unit = "a batch" if s.get("batches") else "an item"
        said["for each"] = (
            f"{unit} of {s['over']}, {s['batch']:,} in one go, {many(s['concurrency'], 'batch', 'batches')} at once"
        )
    if s.get("bound"):
        end = "until its condition holds" if s.get("until") else "every time"
        bound = "then goes on" if s.get("on_bound") == "continue" else "then fails"
        said["repeated"] = f"{end}, at most {many(s['bound'], 'time')}" + (
            f", {bound}" if s.get("until") else ""
        )
    return said


def many(n: int, one: str, more: str = "") -> str:
    """Return "1 item", "2 items"."""
    return f"{n:,} {one if n == 1 else more or one + 's'}"


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
    memory, cpu = s.get("memory"), s.get("cpu")
    caps = [*([f"at most {binary(memory)}"] if memory else []), *([many(cpu, "processor")] if cpu else [])]
    process = s.get("executor", "thread") == "process"
    return {
        "executor": process and ", ".join(["a process of its own", *caps]),
        "limits": ", ".join(n if k == 1 else f"{k} of {n}" for n, k in (s.get("limits") or {}).items()),
        "priority": s.get("priority"),
        "budget": ", ".join(
            f"{amount:,.6g} {unit.replace('_', ' ')}" for unit, amount in (s.get("budget") or {}).items()
        ),
        "secrets": ", ".join((s.get("secrets") or {}).values()),
        "after": ", ".join(s.get("after") or ()),
        "needs": _NEEDS.get(s.get("needs", "all")),
    }


_NEEDS = {
    "any": "at least one of the steps before it",
    "done": "the steps before it to be over, however they ended",
}


def binary(size: int) -> str:
    """Return a size in bytes as the option `memory` reads it.

    Examples
    --------
    >>> binary(2 * 2**30), binary(1_500_000_000)
    ('2 GiB', '1500 MB')
    """
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (10**9, "GB"), (10**6, "MB")):
        if size % unit == 0:
            return f"{size // unit} {name}"
    return str(size)


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
