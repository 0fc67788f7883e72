"""What a step's policy says to an error: try again, and when, or give up, and why. Decides only; does nothing."""

from __future__ import annotations

import datetime as dt
import email.utils
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aios_workbench.errors import EffectInDoubt, SecretExposed, SecretMissing, StepTimeout
from aios_workbench.workflow import StepSpec, error_name, format_duration

MAX_BACKOFF = 60.0
#: An error that asks for a longer wait is not waited for: the step keeps a thread meanwhile.
MAX_RETRY_AFTER = 3600.0
_THE_SAME_AGAIN = (SecretMissing, SecretExposed, EffectInDoubt)


@dataclass(frozen=True)
class Verdict:
    """Whether an attempt is followed by another, after how many seconds, and why."""

    retry: bool
    wait: float = 0.0
    why: str | None = None


def judge(spec: StepSpec, error: BaseException, made: int) -> Verdict:
    """Say what follows the failure of the step's own function.

    Parameters
    ----------
    made : int
        Attempts made so far in this series, the failed one included.
    """
    if spec.retries == 0:
        return Verdict(retry=False)
    against = unworthy(spec, error)
    if against is not None:
        return Verdict(retry=False, why=f"not retried: {against}")
    if made > spec.retries:
        return Verdict(retry=False, why=f"not retried: all {spec.retries + 1} attempts are used up")
    asked = retry_after(error)
    if asked is None:
        wait = backoff(spec.backoff, made)
        return Verdict(retry=True, wait=wait, why=f"tried again after {format_duration(wait)}")
    if asked > MAX_RETRY_AFTER:
        return Verdict(retry=False, why=(
            f"not retried: {type(error).__name__} asks for a wait of {format_duration(asked)}, longer than "
            f"{format_duration(MAX_RETRY_AFTER)}"
        ))  # fmt: skip
    return Verdict(
        retry=True, wait=asked, why=f"tried again after {format_duration(asked)}, as the error asks"
    )


def unworthy(spec: StepSpec, error: BaseException) -> str | None:
    """Say why an error of this class is not retried; None when it is."""
    name = type(error).__name__
    if isinstance(error, _THE_SAME_AGAIN):
        return f"{name} would come again"
    found = matched(error, spec.give_up_on)
    if found is not None:
        return f"{name} is in give_up_on" + ("" if _last(found) == name else f" as {_last(found)}")
    if spec.retry_on and matched(error, spec.retry_on) is None:
        return f"{name} is not in retry_on"
    return None


def matched(error: BaseException, wanted: Sequence[str]) -> str | None:
    """Return which of the named classes an error is of.

    By name, not by identity: an error of a class that travelled by value has no class in common with this process.
    A name of another module that hands the class on (`requests.Timeout`) is known once that module is imported.
    """
    if not wanted:
        return None
    classes = type(error).__mro__
    names = {error_name(c) for c in classes} | {f"{c.__module__}.{c.__qualname__}" for c in classes}
    described = getattr(error, "aios_described", None)  # a stand-in for one raised in another process
    names.update(described.get("classes", ()) if isinstance(described, dict) else ())
    if isinstance(error, StepTimeout):
        names.add("builtins.TimeoutError")
    return next((w for w in wanted if w in names or _handed_on(w) in classes), None)


def _handed_on(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(sys.modules.get(module), attribute, None)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def retry_after(error: BaseException) -> float | None:
    """Return the seconds an error asks to wait: its `retry_after`, or that header of its response."""
    response = getattr(error, "response", None)
    for given in (
        getattr(error, "retry_after", None), _header(response), _header(error),
    ):  # fmt: skip
        seconds = _seconds(given)
        if seconds is not None:
            return seconds
    return None


def _header(of: Any) -> Any:
    headers: Any = getattr(of, "headers", None)
    try:
        return headers.get("Retry-After") or headers.get("retry-after")
    except Exception:  # noqa: BLE001 - anything, or nothing, may be called headers
        return None


def _seconds(given: Any) -> float | None:
    """Read seconds, a timedelta or the two forms of RFC 9110 section 10.2.3: seconds and a date."""
    if isinstance(given, dt.timedelta):
        given = given.total_seconds()
    try:
        seconds = float(given)
    except (TypeError, ValueError):
        if not isinstance(given, str):
            return None
        try:
            seconds = email.utils.parsedate_to_datetime(given).timestamp() - time.time()
        except (TypeError, ValueError):
            return None
    return max(0.0, seconds) if seconds == seconds and seconds != float("inf") else None  # noqa: PLR0124 - no NaN


def backoff(first: float, attempt: int) -> float:
    """Return seconds to wait after the given failed attempt: exponential, at most 60 s, plus up to 25 % jitter."""
    return float(min(MAX_BACKOFF, first * 2 ** min(attempt - 1, 30)) * (1 + 0.25 * random.random()))  # noqa: S311
