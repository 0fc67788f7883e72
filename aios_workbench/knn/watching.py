"""Recall over time: some of the queries that come are answered exactly as well, afterwards and elsewhere."""

from __future__ import annotations

import queue
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aios_workbench.errors import ParameterError
from aios_workbench.knn import upkeep
from aios_workbench.knn.upkeep import Recall

if TYPE_CHECKING:
    import pandas as pd

    from aios_workbench.knn.delta import Floats, Mask
    from aios_workbench.knn.index import Index
    from aios_workbench.knn.state import Found, State

#: Fewer checks prove nothing.
_ENOUGH = 30
_WAITING = 256
_KEPT = 10_000


@dataclass(frozen=True)
class Alert:
    """Recall is below what it should be: measured on `queries` queries, with bounds (95 %)."""

    recall: float
    low: float
    high: float
    queries: int
    target: float
    at: float
    message: str

    @classmethod
    def of(cls, found: Recall, target: float, message: str) -> Alert:
        """Return an alert of now."""
        return cls(found.recall, found.low, found.high, found.queries, target, time.time(), message)


class Watch:
    """Checks a part of an index's queries against exact search; made by `Index.watch`.

    A query is checked on the state of the index that answered it, so what is added or removed in between is no
    mistake. When more come than can be checked, they are left out and counted in `skipped`.

    Attributes
    ----------
    alerts : list of Alert
        All there were.
    skipped : int
        Queries that were chosen but not checked.
    """

    def __init__(
        self, index: Index, on_alert: Callable[[Alert], object] | None, *, fraction: float, target: float,
        window: int, retune: bool, seed: int,
    ) -> None:  # fmt: skip
        if not 0 < fraction <= 1:
            raise ParameterError(f"fraction is {fraction!r}; give a part of the queries, such as 0.01")
        if not 0 < target <= 1:
            raise ParameterError(f"target is {target!r}; give a recall, such as 0.95")
        if window < _ENOUGH:
            raise ParameterError(f"window is {window}; fewer than {_ENOUGH} checks prove nothing")
        self.target, self.fraction, self.window, self.retune = target, fraction, window, retune
        self.alerts: list[Alert] = []
        self.skipped = 0
        self._index = weakref.ref(index)
        self._on_alert = on_alert
        self._random = np.random.default_rng(seed)
        self._lock = threading.Lock()
        self._history: deque[tuple[float, float, int, int]] = deque(maxlen=_KEPT)
        self._recent: deque[float] = deque(maxlen=window)
        self._queue: queue.Queue[Any] = queue.Queue(_WAITING)
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="aios-knn-watch", daemon=True)
        self._thread.start()

    def offer(self, state: State, queries: Floats, k: int, allowed: Mask | None, found: Found) -> None:
        """Choose some of the queries just answered. The index calls it."""
        if self._stopped or not len(queries):
            return
        with self._lock:
            chosen = np.flatnonzero(self._random.random(len(queries)) < self.fraction)
        if not len(chosen):
            return
        try:
            self._queue.put_nowait((state, queries[chosen], k, allowed, found.squared[chosen]))
        except queue.Full:
            self.skipped += len(chosen)

    def tell(self, alert: Alert) -> None:
        """Pass an alert on."""
        self.alerts.append(alert)
        if self._on_alert is not None:
            self._on_alert(alert)

    @property
    def recall(self) -> Recall:
        """Of the latest `window` checks, since the last alert."""
        with self._lock:
            return Recall.of(list(self._recent))

    @property
    def history(self) -> pd.DataFrame:
        """Every check: when, its recall, `k`, and how many vectors the index had."""
        import pandas as pd

        with self._lock:
            frame = pd.DataFrame(list(self._history), columns=["at", "recall", "k", "vectors"])
        frame["at"] = pd.to_datetime(frame["at"], unit="s", utc=True)
        return frame

    def flush(self) -> None:
        """Wait until all chosen queries are checked."""
        self._queue.join()

    def stop(self) -> None:
        """End it; what waits is checked first."""
        if not self._stopped:
            self._stopped = True
            self._queue.put(None)
            self._thread.join()

    def _work(self) -> None:
        while True:
            try:
                given = self._queue.get(timeout=1.0)
            except queue.Empty:
                if self._index() is None:  # nobody has the index any more
                    return
                continue
            try:
                if given is None:
                    return
                self._check(*given)
            except Exception as e:  # noqa: BLE001 - a callback of the user's, or no memory: watching goes on
                self._note(f"watching: {type(e).__name__}: {e}")
            finally:
                del given
                self._queue.task_done()

    def _check(self, state: State, queries: Floats, k: int, allowed: Mask | None, squared: Any) -> None:
        each = upkeep.recalls(squared, state.exact(queries, k, allowed).squared)
        now = time.time()
        with self._lock:
            self._recent.extend(each.tolist())
            self._history.extend((now, float(r), k, len(state)) for r in each)
        found = self.recall
        if found.queries < min(_ENOUGH, self.window) or found.high >= self.target:
            return
        with self._lock:
            self._recent.clear()
        message = (
            f"recall is {found.recall:.3f} ({found.low:.3f} to {found.high:.3f}) on the last {found.queries} queries "
            f"checked, below {self.target:g}"
        )
        message += "; the effort is being turned up" if self.retune else "; call index.recalibrate()"
        try:
            self.tell(Alert.of(found, self.target, message))
        finally:
            index = self._index()
            if self.retune and index is not None:
                goal = index.target
                if index.recalibrate().recall < goal:
                    index.renew(anew=True)

    def _note(self, text: str) -> None:
        index = self._index()
        if index is not None:
            index.notes.append(text)
