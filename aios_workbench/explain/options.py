"""What `explain` may be asked for, checked before any work is done."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from aios_workbench.errors import ExplainInputError, hint
from aios_workbench.explain.models import MethodName, Scale, Task

#: Seconds of a unit of time.
_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_BUDGET = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|)\s*")


@dataclass(frozen=True)
class Options:
    """How to explain; see `entry.explain`."""

    scale: Scale | None = None
    task: Task | None = None
    method: MethodName | None = None
    lime: bool = True
    lime_rows: int | None = None
    seconds: float | None = 30.0
    tolerance: float = 0.02
    top: int = 5
    background_rows: int = 100
    accelerator: bool | None = None
    seed: int = 0


def seconds_of(budget: float | str | None) -> float | None:
    """Return a budget in seconds; None for none.

    Raises
    ------
    ExplainInputError
        When it is no time.

    Examples
    --------
    >>> seconds_of("30s"), seconds_of("2min"), seconds_of(1.5), seconds_of(None)
    (30.0, 120.0, 1.5, None)
    """
    if budget is None:
        return None
    if isinstance(budget, str):
        found = _BUDGET.fullmatch(budget)
        if found is None:
            raise ExplainInputError(
                f"budget is {budget!r}; give seconds, or a text such as '30s', '2min', '1h'"
            )
        budget = float(found[1]) * _UNITS[found[2]]
    if isinstance(budget, bool) or not budget > 0:
        raise ExplainInputError(f"budget is {budget!r}; give a time above 0, or None for no limit")
    return float(budget)


def checked(given: Mapping[str, Any], unknown: Iterable[str], known: Sequence[str]) -> Options:
    """Return options that can be used.

    Raises
    ------
    ExplainInputError
        When there is no such option, or one has a value it cannot have.
    """
    for name in unknown:
        raise ExplainInputError(f"explain has no option {name!r}{hint(name, known)}")
    method, budget = given["method"], seconds_of(given["budget"])
    if method is not None and method not in get_args(MethodName):
        raise ExplainInputError(
            f"there is no method {method!r}{hint(str(method), get_args(MethodName))}; there are: "
            f"{', '.join(get_args(MethodName))}"
        )
    if not 0 < given["tolerance"] < 1:
        raise ExplainInputError(
            f"tolerance is {given['tolerance']!r}; give a share between 0 and 1, such as 0.02"
        )
    for name, least in (("top", 1), ("background_rows", 2), ("lime_rows", 1)):
        value = given[name]
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
            raise ExplainInputError(f"{name} is {value!r}; give a whole number of {least} or more")
    return Options(
        scale=given["scale"], task=given["task"], method=method, lime=bool(given["lime"]), lime_rows=given["lime_rows"],
        seconds=budget, tolerance=float(given["tolerance"]), top=given["top"],
        background_rows=given["background_rows"], accelerator=given["accelerator"], seed=int(given["seed"]),
    )  # fmt: skip
