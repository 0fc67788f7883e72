"""Which vectors a filter keeps, and how hard to look for them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.knn import upkeep
from aios_workbench.knn.delta import Floats, Mask
from aios_workbench.knn.metadata import Metadata
from aios_workbench.knn.state import State

if TYPE_CHECKING:
    from aios_workbench.knn.keeping import Kept

_REMEMBERED = 32


class Filters:
    """Filters of an index asked lately: what they keep, and the effort that finds enough of it."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Any, ...], Any] = OrderedDict()

    def clear(self) -> None:
        """Forget them: rows have other numbers now."""
        self._known.clear()

    def allowed(self, index: Kept, text: str | None) -> tuple[State, Mask | None]:
        """Return a state and the slots that a filter keeps, both of one moment."""
        if text is None:
            return index._state, None
        metadata = index._metadata
        for _ in range(3):
            before, state = index._writes, index._state
            if before % 2 == 0:
                key = ("mask", text, before, id(state.base), len(state.delta.ids))
                mask = self._kept(key, partial(_mask, state, metadata, text))
                if index._writes == before:
                    return state, mask
        with index._lock:  # somebody writes all the time: they wait this once
            return index._state, _mask(index._state, metadata, text)

    def effort(
        self, index: Kept, state: State, text: str | None, allowed: Mask | None, queries: Floats, k: int
    ) -> float | None:
        """Return the effort that finds enough of what a filter keeps, measured when it is first used."""
        if allowed is None or not len(queries):
            return None
        count = int((state.live & allowed[: len(state.base)]).sum())
        if count == 0 or state.answers_exactly(count, k, filtered=True):
            return None
        rough = round(np.log2(count))  # measured anew when the filter keeps twice as much

        def measure() -> float:
            given = upkeep.probes(state, [*index._asked, *queries[:32]], 64)
            effort, recall, fine = upkeep.calibrate(state, given, k, index._goal(), allowed)
            if not fine:
                index.notes.append(
                    f"with the filter {text!r} recall is {recall.recall:.3f} at the most effort"
                )
            return max(effort, state.effort)

        found: float = self._kept(("effort", text, id(state.base), rough, k), measure)
        return found

    def _kept(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        try:
            return self._known[key]
        except KeyError:
            made = self._known[key] = make()
            while len(self._known) > _REMEMBERED:
                try:
                    self._known.popitem(last=False)
                except KeyError:
                    break
            return made


def _mask(state: State, metadata: Metadata, text: str) -> Mask:
    return state.allowed(metadata.match(text))
