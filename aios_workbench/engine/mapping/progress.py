"""How far a map is, how fast, and how long it will take."""

from __future__ import annotations

import time
from collections import deque

from aios_workbench.engine.job import Job
from aios_workbench.engine.records import tell_progress
from aios_workbench.workflow import format_duration

_WINDOW = 10.0


class Progress:
    """Tells the catalog now and then; of a long map less often, so that its events stay few."""

    def __init__(self, job: Job, total: int | None, before: int) -> None:
        self._job, self._total = job, total
        self._seen: deque[tuple[float, int]] = deque([(time.monotonic(), before)])
        self._began = self._told = time.monotonic()

    def tell(self, done: int, total: int | None = None) -> None:
        """Hear how many items are done."""
        now = time.monotonic()
        if now - self._told < min(5.0, max(0.25, (now - self._began) / 200)):
            return
        self._told, self._total = now, total if total is not None else self._total
        self._seen.append((now, done))
        while now - self._seen[0][0] > _WINDOW and len(self._seen) > 2:
            self._seen.popleft()
        fraction = 0.0 if not self._total else min(1.0, done / self._total)
        tell_progress(
            self._job.ws.catalog, self._job.run_id, self._job.spec.name, fraction, self.message(done)
        )

    def message(self, done: int) -> str:
        """Return it in words.

        Examples
        --------
        >>> p = Progress.__new__(Progress)
        >>> p._total, p._seen = 1_000_000, deque([(0.0, 0), (10.0, 230_000)])
        >>> p.message(412_000)
        '412,000 of 1,000,000, 23,000/s, 25.6 s left'
        """
        (then, before), (now, latest) = self._seen[0], self._seen[-1]
        rate = (latest - before) / (now - then) if now > then else 0.0
        parts = [f"{done:,} of {self._total:,}" if self._total is not None else f"{done:,} so far"]
        if rate > 0:
            parts.append(f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.2g}/s")
            if self._total is not None and self._total > done:
                parts.append(f"{format_duration((self._total - done) / rate)} left")
        return ", ".join(parts)
