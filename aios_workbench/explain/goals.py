"""What a counterfactual is to reach, and which changes it may make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.errors import ExplainInputError, hint
from aios_workbench.explain import given, tabular
from aios_workbench.explain.rows import output_place

if TYPE_CHECKING:
    from aios_workbench.explain.explanation import Explanation
    from aios_workbench.explain.space import Space
    from aios_workbench.explain.tabular import Floats

#: Values of an amount that are tried first.
_PARTS = 24


@dataclass(frozen=True)
class Goal:
    """A prediction of output `place` from `low` to `high`, or, where both are None, that it is the largest."""

    place: int
    low: float | None
    high: float | None
    words: str

    def gap(self, predictions: Floats) -> Floats:
        """Return how far predictions, (n, K), are from it, (n,); 0 and less is reached."""
        own = predictions[:, self.place]
        if self.low is None and self.high is None:
            others = np.delete(predictions, self.place, axis=1).max(axis=1)
            behind: Floats = np.nextafter(others, np.inf) - own
            return behind
        below = -np.inf if self.low is None else self.low - own
        above = -np.inf if self.high is None else own - self.high
        found: Floats = np.maximum(below, above) + np.zeros(len(own))
        return found


def goal(explanation: Explanation, row: int, target: Any, output: int | str | None) -> Goal:
    """Return what is to be reached.

    Raises
    ------
    ExplainInputError
        When `target` is nothing this model can answer, or is needed and was not given.
    """
    data, own = explanation.data, explanation.arrays.predictions[row]
    if data.task == "multiclass" and (target is None or isinstance(target, str)):
        if target is None:
            order = np.argsort(-own, kind="stable")
            place = output_place(data, output) if output is not None else int(order[1])
        else:
            place = output_place(data, target)
        return Goal(place, None, None, f"{data.outputs[place]!r} is predicted")
    place = output_place(data, output)
    if data.task == "binary" and (target is None or isinstance(target, (str, bool))):
        middle = 0.5 if data.scale == "probability" else 0.0
        up = bool(own[place] <= middle) if target is None else _wanted(data.outputs[place], target)
        if up:
            return Goal(
                place, float(np.nextafter(middle, np.inf)), None, f"{data.outputs[place]!r} is predicted"
            )
        return Goal(place, None, middle, f"{data.outputs[place]!r} is not predicted")
    if target is None:
        raise ExplainInputError(
            f"which prediction is wanted? give target=(low, high) or a number to reach; now it is {own[place]:.4g}"
        )
    low, high = _bounds(target, float(own[place]))
    edge = "to ".join(
        ["" if low is None else f"from {low:.4g} ", "" if high is None else f"{high:.4g}"]
    ).strip()
    return Goal(
        place,
        low,
        high,
        f"the prediction is {edge.removesuffix('to').strip()}" + (" on" if high is None else ""),
    )


def _wanted(name: str, target: str | bool) -> bool:
    if isinstance(target, bool):
        return target
    if target == name:
        return True
    if target == f"not {name}":
        return False
    known = [name, f"not {name}"]
    raise ExplainInputError(
        f"target is {target!r}{hint(target, known)}; give {known[0]!r}, {known[1]!r}, or bounds"
    )


def _bounds(target: Any, own: float) -> tuple[float | None, float | None]:
    try:
        if isinstance(target, (tuple, list)):
            low, high = (None if b is None else float(b) for b in target)
        else:
            bound = float(target)
            low, high = (bound, None) if own < bound else (None, bound)
    except (TypeError, ValueError):
        raise ExplainInputError(f"target is {target!r}; give a number, or (low, high)") from None
    if (low is None and high is None) or (low is not None and high is not None and not low <= high):
        raise ExplainInputError(f"target is {target!r}; give a number, or (low, high) with low below high")
    return low, high


@dataclass(frozen=True)
class Freedom:
    """What a row may become: allowed values of each column by place, and how far they are.

    `options` are tried first; `values` are all that occur in the background.
    """

    options: dict[int, Floats]
    values: dict[int, Floats]
    ranks: dict[int, Floats]
    fixed: list[str]

    def distance(self, place: int, before: float, after: Floats) -> Floats:
        """Return how far values are from one: shares of the background's rows between, of categories 1."""
        ranks = self.ranks.get(place)
        if ranks is None or np.isnan(before):
            return np.where(after == before, 0.0, 1.0)
        at = [
            (np.searchsorted(ranks, v, "left") + np.searchsorted(ranks, v, "right")) / 2
            for v in (before, after)
        ]
        apart: Floats = np.abs(at[1] - at[0]) / len(ranks)
        return np.where(after == before, 0.0, np.maximum(apart, 1 / len(ranks)))


def freedom(
    space: Space, row: Floats, background: Floats, immutable: Sequence[str], monotone: Mapping[str, str],
    ranges: Mapping[str, Any],
) -> Freedom:  # fmt: skip
    """Return which values columns may take: those that occur in the background, within what the person allows.

    Raises
    ------
    ExplainInputError
        When a rule names no column, or does not fit one.
    """
    _check(space, immutable, monotone, ranges)
    options: dict[int, Floats] = {}
    values: dict[int, Floats] = {}
    ranks: dict[int, Floats] = {}
    fixed = []
    for at, column in enumerate(space.columns):
        name, there = column.name, background[np.isfinite(background[:, at]), at]
        amount = tabular.is_amount(space, at)
        if amount:
            ranks[at] = np.sort(there)
        if name in immutable or column.kind == "text" or not len(there):
            fixed.append(name)
            continue
        allowed = np.unique(there)
        if name in ranges:
            allowed = _within(space, at, allowed, ranges[name])
        if name in monotone:
            allowed = _onward(name, monotone[name], amount or column.kind == "boolean", row[at], allowed)
        allowed = allowed[allowed != row[at]]
        if len(allowed):
            values[at] = allowed
            options[at] = tabular.quantile_values(allowed, _PARTS) if amount else allowed[:200]
        else:
            fixed.append(name)
    return Freedom(options, values, ranks, fixed)


def _check(
    space: Space, immutable: Sequence[str], monotone: Mapping[str, str], ranges: Mapping[str, Any]
) -> None:
    if isinstance(immutable, str):
        raise ExplainInputError(f"immutable is a list of columns: [{immutable!r}]")
    for rule, names in (("immutable", immutable), ("monotone", monotone), ("ranges", ranges)):
        for name in names:
            if name not in space.names:
                raise ExplainInputError(f"{rule}: there is no column {name!r}{hint(str(name), space.names)}")


def _within(space: Space, at: int, allowed: Floats, rule: Any) -> Floats:
    name = tabular.told(space.columns[at].name)
    if tabular.is_amount(space, at):
        if not isinstance(rule, (tuple, list)) or len(rule) != 2:
            raise ExplainInputError(f"ranges: {name} needs (low, high), not {rule!r}")
        low, high = (None if b is None else given.number_for(space, at, b) for b in rule)
        return allowed[
            (allowed >= (-np.inf if low is None else low)) & (allowed <= (np.inf if high is None else high))
        ]
    if isinstance(rule, str) or not hasattr(rule, "__iter__"):
        raise ExplainInputError(f"ranges: {name} needs a list of values, not {rule!r}")
    return allowed[np.isin(allowed, [given.number_for(space, at, v) for v in rule])]


def _onward(name: str, way: str, ordered: bool, own: float, allowed: Floats) -> Floats:
    if way not in ("up", "down"):
        raise ExplainInputError(f"monotone: {tabular.told(name)} is to go {way!r}; give 'up' or 'down'")
    if not ordered:
        raise ExplainInputError(f"monotone: {tabular.told(name)} has categories, which have no up and down")
    if np.isnan(own):
        return allowed
    return allowed[allowed > own] if way == "up" else allowed[allowed < own]
