"""What an index holds and how it is kept good: writing, taking in, building anew, checking recall.

One writer at a time changes the state, under `_lock`; one thread at a time makes a renewed one, under `_renewing`,
and only puts it in place under `_lock`. Searches take no lock: they use the state there is.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from aios_workbench.errors import KnnError, ParameterError
from aios_workbench.knn import upkeep
from aios_workbench.knn.delta import Delta, Floats
from aios_workbench.knn.filtering import Filters
from aios_workbench.knn.metadata import Metadata
from aios_workbench.knn.models import Params
from aios_workbench.knn.rows import norms
from aios_workbench.knn.space import Space
from aios_workbench.knn.state import State
from aios_workbench.knn.upkeep import Recall, Renewed
from aios_workbench.knn.watching import Alert, Watch

if TYPE_CHECKING:
    import pyarrow as pa

#: The buffer is taken in when it has more rows than this, and than this part of the index.
DELTA_ROWS, DELTA_PART = 2_000, 0.05
_REST = 60.0  # seconds after upkeep that failed


class Kept:
    """The part of `Index` that holds it and keeps it; see there."""

    def __init__(
        self, state: State, metadata: Metadata, params: Params, *, target: float, k: int,
        baseline: float | None = None, tuned_for: int | None = None, threads: int | None = None,
        folder: str | Path | None = None,
    ) -> None:  # fmt: skip
        upkeep.check_params(params)
        if not 0 < target <= 1:
            raise ParameterError(f"recall is {target!r}; give a part of 1, such as 0.95")
        self.params, self.target, self.k = params, target, k
        self.tuned_for = tuned_for or state.base.trained
        self.notes: list[str] = []
        self._state, self._metadata = state, metadata
        self._threads, self._folder = threads, Path(folder) if folder else None
        self._lock = threading.RLock()  # held by writers, and for putting another state in place
        self._renewing = threading.Lock()  # held by whoever makes another state to put in place
        self._writes = 0  # odd while metadata and state are being changed together
        self._next_key = int(max(state.base.keys.max(initial=-1), state.delta.keys.max(initial=-1))) + 1
        self._where = {state.delta.ids[r]: int(r) for r in np.flatnonzero(state.delta.live)}
        self._asked: deque[Floats] = deque(maxlen=256)
        self._filters = Filters()
        self._tending: threading.Thread | None = None
        self._trouble: BaseException | None = None
        self._rests_until = 0.0
        self._changed = 0  # vectors added and removed since recall was last checked
        self._watches: weakref.WeakSet[Watch] = weakref.WeakSet()
        self.baseline = baseline if baseline is not None else self._measure_baseline()
        if (why := upkeep.no_inserts(params)) is not None:
            self.notes.append(f"{why}: what is added is searched exactly until the index is built anew")

    # ------------------------------------------------------------ writing

    def _write(self, ids: npt.NDArray[Any], raw: npt.NDArray[Any], table: pa.Table | None) -> None:
        with self._lock:
            state = self._state
            inside, squares = inside_of(state.space, raw)
            keys = np.arange(self._next_key, self._next_key + len(raw))
            self._writes += 1
            try:
                self._metadata.put(keys, table)
                self._next_key += len(raw)
                state, _ = self._without(state, ids)
                at = len(state.delta.ids)
                delta = state.delta.with_added(ids, inside, squares, keys)
                self._where.update((i, at + n) for n, i in enumerate(delta.ids[at:]))
                self._state = replace(state, delta=delta, version=state.version + 1)
                self._changed += len(raw)
            finally:
                self._writes += 1
            self._tend_if_needed()

    def _erase(self, ids: npt.NDArray[Any]) -> int:
        with self._lock:
            self._writes += 1
            try:
                state, gone = self._without(self._state, ids)
                if gone:
                    self._state = replace(state, version=state.version + 1)
                    self._changed += gone
            finally:
                self._writes += 1
            self._tend_if_needed()
            return gone

    def _without(self, state: State, ids: npt.NDArray[Any]) -> tuple[State, int]:
        rows = state.base.rows_of(ids)
        rows = rows[rows >= 0]
        rows = rows[state.live[rows]]
        waiting = np.array([r for i in ids.tolist() if (r := self._where.pop(i, None)) is not None], np.int64)
        keys = np.concatenate([state.base.keys[rows], state.delta.keys[waiting]])
        if not len(keys):
            return state, 0
        self._metadata.drop(keys)
        live = state.live
        if len(rows):
            live = live.copy()
            live[rows] = False
        delta = state.delta.without(waiting) if len(waiting) else state.delta
        return replace(state, live=live, delta=delta), len(keys)

    # ------------------------------------------------------------ upkeep

    def _measure_baseline(self) -> float:
        state = self._state
        if len(state) < 2:
            return 1.0
        given = upkeep.probes(state, [], 200)
        return float(upkeep.check(state, given, self.k).mean()) if len(given.queries) else 1.0

    def _goal(self) -> float:
        return max(self.target, self.baseline - 0.005)

    def _needs_tending(self) -> bool:
        state = self._state
        dead = len(state.base) - state.alive
        full = len(state.delta.ids) > max(DELTA_ROWS, DELTA_PART * len(state.base))
        rotten = dead > max(DELTA_ROWS, upkeep.DEAD_PART * len(state.base))
        stale = self._changed > max(DELTA_ROWS, 0.1 * len(state))
        return full or rotten or stale

    def _tend_if_needed(self) -> None:
        if self._tending is None and time.monotonic() >= self._rests_until and self._needs_tending():
            self._tending = threading.Thread(target=self._tend, name="aios-knn-upkeep", daemon=True)
            self._tending.start()

    def _tend(self) -> None:
        while True:
            try:
                self.renew()
            except BaseException as e:  # noqa: BLE001 - told by settle() and in the notes; searches go on as before
                self._trouble = e
                self._rests_until = (
                    time.monotonic() + _REST
                )  # a full disk is not emptied by trying again at once
                self.notes.append(f"upkeep failed: {e}")
            with self._lock:
                if self._trouble is not None or not self._needs_tending():
                    self._tending = None
                    return

    def settle(self, timeout: float | None = None) -> bool:
        """Wait until upkeep has nothing more to do; False when it took longer than `timeout` seconds.

        Raises
        ------
        KnnError
            When upkeep failed; the index itself is as it was.
        """
        thread = self._tending
        if thread is not None:
            thread.join(timeout)
            if thread.is_alive():
                return False
        trouble, self._trouble = self._trouble, None
        if trouble is not None:
            raise KnnError(f"upkeep of the index failed: {trouble}; it goes on as it was") from trouble
        return True

    def renew(self, *, anew: bool = False) -> Recall:
        """Take the buffer in (or build everything `anew`), put the result in place, and check recall.

        Searches and changes go on meanwhile. Upkeep calls it by itself.
        """
        with self._renewing:
            state = self._state
            asked = list(self._asked)
            for how in ["anew"] if anew or not upkeep.grows(state) else ["take in", "anew"]:
                if how == "take in":
                    new = upkeep.take_in(state, self._folder)
                else:
                    new = upkeep.rebuild(
                        state, self.params, self.tuned_for, threads=self._threads, folder=self._folder
                    )
                same = asked if new.state.space == state.space else []
                effort, recall, fine = self._calibrated(new.state, same)
                if fine:
                    break
            self._put(state, replace(new, state=new.state.with_effort(effort)))
        self._tell(new.said, recall, effort, fine=fine)
        return recall

    def recalibrate(self) -> Recall:
        """Check recall on some 200 queries, those asked lately and some vectors, and turn the effort to fit.

        Returns
        -------
        Recall
            Against exact search. When it is below what it should be at the most effort, watchers are alerted.
        """
        effort, recall, fine = self._calibrated(self._state, list(self._asked))
        with self._lock:
            self._state = self._state.with_effort(effort)
        self._tell("checked", recall, effort, fine=fine)
        return recall

    def _calibrated(self, state: State, asked: Sequence[Floats]) -> tuple[float, Recall, bool]:
        given = upkeep.probes(state, asked)
        if len(state) < 2 or not len(given.queries):
            return 1.0, Recall(1.0, 0.0, 1.0, 0), True
        return upkeep.calibrate(state, given, self.k, self._goal())

    def _put(self, before: State, new: Renewed) -> None:
        """Put a renewed state in place, with what was added and removed since it was begun."""
        with self._lock:
            now, mark = self._state, len(before.delta.ids)
            alive = np.concatenate([now.live, now.delta.live[:mark]])
            rest = now.delta.after(mark)
            if new.state.space != now.space:
                rest = moved(rest, now.space, new.state.space)
            self._where = {rest.ids[r]: int(r) for r in np.flatnonzero(rest.live)}
            self._state = replace(
                new.state, live=alive[new.origin] & new.state.live, delta=rest, version=now.version
            )
            self._changed = 0
            self._filters.clear()

    def _tell(self, done: str, recall: Recall, effort: float, *, fine: bool) -> None:
        said = f"{done}: recall {recall.recall:.3f} at effort {effort:g}"
        if not fine:
            said += f", below {self._goal():.3f}; tune again on these vectors"
            alert = Alert.of(recall, self._goal(), said)
            for watch in list(self._watches):
                watch.tell(alert)
        self.notes.append(said)
        del self.notes[:-100]


def inside_of(space: Space, raw: npt.NDArray[Any]) -> tuple[Floats, npt.NDArray[np.float64]]:
    """Return vectors in the space and what counts as their squared lengths, also those it has no room for."""
    if space.metric != "ip":
        inside = space.vectors(raw)
        return inside, squares_of(space, inside)
    if space.fits(raw):
        inside = space.vectors(raw)
    else:
        length = norms(raw)
        inside = replace(space, bound=max(space.bound, 2 * float(length.max()))).vectors(raw)
        inside[:, space.dimensions] = space.lift(length)  # 0 for those too long; see `Delta`
    return inside, squares_of(space, inside)


def squares_of(space: Space, inside: Floats) -> npt.NDArray[np.float64]:
    """Return what counts as the squared lengths of vectors; see `Delta`."""
    if space.metric == "ip":
        return np.full(len(inside), space.bound**2)
    return np.asarray(np.einsum("ij,ij->i", inside, inside, dtype=np.float64))


def moved(delta: Delta, old: Space, new: Space) -> Delta:
    """Return a buffer as another space holds it."""
    inside, squares = inside_of(new, delta.vectors[:, : old.dimensions])
    out = Delta.empty(new.inner).with_added(delta.ids, inside, squares, delta.keys)
    return out.without(np.flatnonzero(~delta.live))
