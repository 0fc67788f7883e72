"""A tuning at work: its state, who wants to hear of it, and the process that measures."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Self

from aios_workbench import _hooks
from aios_workbench.errors import ConflictError
from aios_workbench.knn import choice, journal, summary
from aios_workbench.knn.models import Constraints, Point, Pruned, TuningState
from aios_workbench.knn.remote import Remote, death
from aios_workbench.workspace import Workspace

KEPT = "What it measured is kept: call tune() again with the same vectors to go on from there."
#: Seconds between looks whether the step that waits was cancelled.
_LOOK = 0.2
_log = logging.getLogger(__name__)
_live: weakref.WeakSet[Running] = weakref.WeakSet()


class Running:
    """The part of `Tuning` that runs."""

    def __init__(self, ws: Workspace, state: TuningState, vectors: dict[str, Any]) -> None:
        self._ws, self._state = ws, state
        # Entered again by a listener that asks or changes something.
        self._changed = threading.Condition(threading.RLock())
        self._listeners: list[Callable[[TuningState], None]] = []
        self._journal = journal.Journal(ws, state, vectors)
        self._remote: Remote | None = None
        self._lock: int | None = None
        self._said: dict[str, Any] | None = None
        self._stopping = False
        self._memory_limit: int | None = None

    # -- how it stands

    @property
    def state(self) -> TuningState:
        """How it stands, a snapshot; `seq` counts up with every change."""
        return self._state

    @property
    def id(self) -> str:
        """Its name in the catalog, as in `knn.reopen(id)`."""
        return self._state.id

    @property
    def over(self) -> bool:
        """True when nothing more will be measured."""
        return self._state.status not in ("running", "paused")

    def __repr__(self) -> str:
        return summary.text(self._state)

    def on_change(self, listener: Callable[[TuningState], None]) -> Callable[[], None]:
        """Call `listener(state)` after each change, mostly from another thread; returns the undo."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def _change(self, *, last: bool = False, **changes: Any) -> None:
        """Change the state and tell; with `last` it is stored before anybody hears of it."""
        with self._changed:
            if "points" in changes or "constraints" in changes:
                self._rechoose(changes)
            before = self._state.chosen
            state = self._state.model_copy(update={**changes, "seq": self._state.seq + 1})
            self._journal.state(state)
            if last and (why := self._journal.flush()) is not None:
                state.notes.append(f"not stored in the workspace: {why}")
            self._state = state
            self._changed.notify_all()
        if state.chosen != before:
            _log.info("tuning %s: %s", state.id, summary.line(state))
        for listener in list(self._listeners):
            try:
                listener(state)
            except Exception:  # noqa: BLE001 - a broken screen must not stop the tuning
                _log.exception("a listener of tuning %s failed", state.id)

    def _rechoose(self, changes: dict[str, Any]) -> None:
        state = self._state
        points = changes.get("points", state.points)
        constraints = changes.get("constraints", state.constraints)
        changes["front"] = choice.front(points, constraints, state.problem)
        if not changes.get("picked_by_hand", state.picked_by_hand):
            found = choice.choose(points, constraints, state.problem)
            changes["chosen"] = found.id if found else None

    # -- the process

    def _start(self, job: dict[str, Any]) -> None:
        """Start the worker."""
        self._memory_limit = job["memory_limit"]
        self._lock = journal.lock(self._ws, self.id)
        self._change(points=self._state.points)
        try:
            self._remote = Remote(
                journal.folder_of(self._ws, self.id), job, self._state.problem.threads, self._lock,
                heard=self._hear, ended=self._end,
            )  # fmt: skip
        except BaseException as e:
            self._change(last=True, status="failed", error=f"the tuning's process could not be started: {e}")
            self._release()
            raise
        _live.add(self)

    def _hear(self, message: dict[str, Any]) -> None:
        kind, data = message["kind"], message["data"]
        state = self._state
        changes: dict[str, Any] = {"elapsed": message["elapsed"]}
        if kind == "point":
            point = Point.model_validate(data)
            self._journal.point(point)
            changes["points"] = [*(p for p in state.points if p.id != point.id), point]
        elif kind == "pruned":
            changes["pruned"] = [*state.pruned, Pruned.model_validate(data)]
        elif kind == "doing":
            changes |= {"phase": data["phase"], "doing": data["text"]}
        elif kind == "note":
            if data["text"] in state.notes:
                return
            changes["notes"] = [*state.notes, data["text"]]
        elif kind == "ended":
            self._said = data
            return
        self._change(**changes)

    def _end(self, code: int, log: str) -> None:
        notes = [*self._state.notes]
        said = self._said or {"status": "failed", "error": None}
        if self._said is None and code == -signal.SIGALRM:  # see `Worker.arm`
            said = {"status": "finished", "error": None}
            notes.append("the time is over: a call that cannot be interrupted was ended with the process")
        status = "stopped" if self._stopping else said["status"]
        error = None
        if status == "failed":
            if said.get("memory"):
                said["error"] = (
                    f"the tuning's process took {choice.size(said['memory'])}, more than its bound of "
                    f"{choice.size(self._memory_limit or 0)}, and was ended; raise worker_memory=, or tune on fewer "
                    "vectors"
                )
            error = f"{(said['error'] or death(code, log)).rstrip('. ')}. {KEPT}"
            _log.warning("tuning %s: %s", self.id, error)
        self._change(last=True, status=status, phase="", doing="", error=error, notes=notes)
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        _live.discard(self)

    def _tell(self, kind: str, data: Any = None) -> None:
        if self._remote is not None:
            self._remote.send({"kind": kind, "data": data})

    # -- what a person may do

    def stop(self) -> Self:
        """End the search within a second; what is measured is kept and can be used."""
        with self._changed:
            self._stopping = not self.over
        if self._remote is not None:
            self._remote.end()
        return self

    def pause(self) -> Self:
        """Let the search rest after what it is at; the time it rests does not count.

        Raises
        ------
        ConflictError
            When it is over.
        """
        return self._switch("pause", "paused")

    def resume(self) -> Self:
        """End a pause.

        Raises
        ------
        ConflictError
            When the tuning is over.
        """
        return self._switch("resume", "running")

    def _switch(self, order: str, status: str) -> Self:
        with self._changed:
            if self.over:
                raise ConflictError(
                    f"cannot {order} tuning {self.id}: it is {self._state.status}. Call tune() again with the same "
                    "vectors to go on from what is measured"
                )
            if self._state.status != status:
                self._tell(order)
                self._change(status=status)
        return self

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """Let the search rest while this process works hard: its times would suffer."""
        resting = self._state.status == "running"
        if resting:
            self._tell("pause")
        try:
            yield
        finally:
            if resting and self._state.status == "running":
                self._tell("resume")

    def wait(self, timeout: float | None = None, *, progress: bool = True) -> Self:
        """Wait until the tuning is over, or for so many seconds; an interrupt ends the waiting only.

        In a step of a workflow the run shows the progress, and a run that is cancelled stops the tuning.

        Parameters
        ----------
        timeout : float, optional
            Seconds.
        progress : bool
            Write how it stands to standard output: one line that changes on a terminal, elsewhere a line
            whenever something better is found.
        """
        self._wait(lambda: self.over, timeout, progress=progress)
        return self

    def _wait(
        self, done: Callable[[], bool], timeout: float | None = None, *, progress: bool = False
    ) -> None:
        end = None if timeout is None else time.monotonic() + timeout
        said = summary.Progress() if progress else None
        step = _hooks.step()
        try:
            while not done():
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    return
                with self._changed:
                    if not done():
                        self._changed.wait(left if step is None else min(_LOOK, left or _LOOK))
                    state = self._state
                if said:
                    said.show(state)
                if step is not None:
                    step.progress(min(1.0, state.elapsed / state.problem.budget_seconds), summary.line(state))
                    if step.cancelled:
                        self.stop()
        finally:
            if said:
                said.close(self._state)

    def constrain(self, constraints: Constraints) -> None:
        """Ask for something else: the choice follows at once from what is measured, a running search too."""
        self._change(constraints=constraints, picked_by_hand=False)
        self._tell("constraints", constraints.model_dump())


def live() -> list[Running]:
    """Return the tunings of this process that run."""
    return list(_live)


@atexit.register
def _stop_all() -> None:
    """Leave no process behind, and no row that says it runs."""
    for tuning in live():
        with contextlib.suppress(Exception):
            tuning.stop()
