"""Sorting and paging as jupyter-scheduler asks for it; knows its queries by their attributes only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Page:
    """Some of many models.

    Attributes
    ----------
    next_token : str or None
        What asks for the rest; None when there is no more.
    """

    items: list[Any]
    total: int
    next_token: str | None


def matches(model: Any, query: Any) -> bool:
    """True when a model fits the query's name (a beginning), times and tags."""
    started = getattr(query, "start_time", None)
    created = getattr(query, "create_time", None)
    return (
        (not query.name or model.name.startswith(query.name))
        and (not started or (getattr(model, "start_time", None) or 0) >= started)
        and (not created or model.create_time >= created)
        and set(query.tags or ()) <= set(model.tags or ())
    )


def page(models: Sequence[Any], query: Any) -> Page:
    """Return the models that fit a query, in its order, from its token on.

    Examples
    --------
    >>> from types import SimpleNamespace as New
    >>> models = [New(name=n, create_time=t, tags=[]) for n, t in (("b", 1), ("a", 2), ("a", 3))]
    >>> by_name = New(name="name", direction=New(value="asc"))
    >>> query = New(name=None, tags=None, sort_by=[by_name], max_items=2, next_token=None)
    >>> first = page(models, query)
    >>> [(m.name, m.create_time) for m in first.items], first.total, first.next_token
    ([('a', 2), ('a', 3)], 3, '2')
    """
    found = [m for m in models if matches(m, query)]
    for field in reversed(query.sort_by or ()):  # the last one first: sorting keeps the order of equals
        found.sort(key=lambda m: _key(getattr(m, field.name, None)), reverse=field.direction.value == "desc")
    try:
        start = max(0, int(query.next_token or 0))
    except ValueError:
        start = 0
    most = len(found) if query.max_items is None else max(0, int(query.max_items))
    end = start + most
    return Page(found[start:end], len(found), str(end) if most and end < len(found) else None)


def _key(value: Any) -> tuple[bool, Any]:
    value = getattr(value, "value", value)
    return (value is not None, value if isinstance(value, int | float) else str(value or "").casefold())
