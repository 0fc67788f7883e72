"""The engine in this process: launched once, on a thread and an event loop of its own.

It executes the runs this process starts, adopts those of processes that died, and carries decisions and
cancellations from the catalog to the runs they are for.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import logging
import os
import threading
import time
from collections.abc import Coroutine
from typing import Any

from aios_workbench.engine import adoption, capture, durable, leases, run_hooks
from aios_workbench.engine.journal import (
    APP,
    QUEUE,
    VERSION,
    WORKER_QUEUE,
    close,
    journal_engine,
    journal_schema,
    leg_id,
    place,
)
from aios_workbench.errors import WorkspaceError
from aios_workbench.observe import environment
from aios_workbench.workspace import Workspace, workspace, writer

WATCH_SECONDS = 0.25
ADOPT_SECONDS = 0.75
RECOVER_SECONDS = 10.0
BEAT_SECONDS = 5.0
CLOSE_SECONDS = 5.0

_current: Runtime | None = None
_launched = False
_lock = threading.Lock()


class Runtime:
    """Use `start()`."""

    def __init__(self, ws: Workspace, kind: str) -> None:
        self.ws, self.kind, self._pid = ws, kind, os.getpid()
        self.fenced = False
        self.lease = leases.Lease(ws, kind, self._give_up)
        self.executor_id = self.lease.executor_id
        self.changed = threading.Condition()
        self.host = durable.Host(ws, self.executor_id, ended=self._notify, sure=self.lease.sure)
        self._stop = threading.Event()
        self._poke = threading.Event()
        self._signal = int((ws.catalog.one("select max(seq) as n from signals") or {})["n"] or 0)
        self._journal: Any = None
        self._loop = asyncio.new_event_loop()
        self._adopting = threading.Lock()
        ready: list[BaseException | None] = []
        started = threading.Event()
        self._server = threading.Thread(
            target=self._serve, args=(ready, started), name="aios-engine", daemon=True
        )
        self._server.start()
        started.wait()
        if ready[0] is not None:
            self.lease.release()
            raise WorkspaceError(f"the engine could not start on {place(ws)}: {ready[0]}") from ready[0]
        self._unlisten = ws.catalog.listen(self._on_events)
        capture.install()
        threading.Thread(target=self._watch, name="aios-watch", daemon=True).start()

    # -- starting work

    def submit(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the engine's loop and wait for it, from any other thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def begin(self, run_id: str, leg: int, seed: dict[str, dict[str, Any]]) -> None:
        """Start executing a leg of a run in this process; returns when it has started."""
        from dbos import DBOS, SetWorkflowID

        async def go() -> None:
            with SetWorkflowID(leg_id(run_id, leg)):
                await DBOS.start_workflow_async(durable.run_graph, run_id, leg, seed)

        self.submit(go())

    def cancel(self, run_id: str) -> bool:
        """Cancel a run this process executes; False when it does not."""
        active = self.host.active.get(run_id)
        if active is None:
            return False
        active.cancel()
        return True

    def poke(self) -> None:
        """Look at the catalog now."""
        self._poke.set()

    # -- life

    def stop(self) -> None:
        """Stop serving. Runs in progress stay where they are, for the next process."""
        global _current  # noqa: PLW0603 - one engine per process, as DBOS has it
        with _lock:
            if _current is self:
                _current = None
        if self._stop.is_set():
            return
        self._stop.set()
        self._poke.set()
        self._unlisten()
        environment.drain()
        with contextlib.suppress(Exception):
            self.ws.catalog.flush()
        with contextlib.suppress(Exception):
            self._destroy()
        durable.set_host(None)
        self.lease.release()
        self._loop.call_soon_threadsafe(self._loop.stop)
        if threading.current_thread() is not self._server:
            self._server.join(2 * CLOSE_SECONDS)

    def _destroy(self) -> None:
        from dbos import DBOS

        DBOS.destroy()
        if self._journal is not None:
            close(self._journal)

    def _serve(self, ready: list[BaseException | None], started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)

        async def launch() -> None:
            from dbos import DBOS

            durable.set_host(self.host)
            self._journal = journal_engine(self.ws, self.executor_id)
            dbos = DBOS(config={
                "name": APP, "system_database_engine": self._journal, "application_version": VERSION,
                "executor_id": self.executor_id, "log_level": "CRITICAL",
                "dbos_system_schema": journal_schema(self.ws),
            })  # fmt: skip
            logging.getLogger("dbos").propagate = False
            with contextlib.suppress(AttributeError):  # private; nothing of ours is ever in that queue
                dbos._registry.get_internal_queue()._polling_interval_sec = 3600.0
            DBOS.listen_queues([QUEUE, WORKER_QUEUE] if self.kind == "worker" else [QUEUE])
            DBOS.launch()  # adopts this loop, the engine's own; never the kernel's
            await asyncio.to_thread(_register_queues)

        try:
            self._loop.run_until_complete(launch())
            ready.append(None)
        except BaseException as e:  # noqa: BLE001 - raised again in the thread that waits
            ready.append(e)
            return
        finally:
            started.set()
        try:
            self._loop.run_forever()
        finally:
            self._end_tasks()
            self._loop.close()

    def _end_tasks(self) -> None:
        """Cancel what the loop still does and let it end: a task may have to wait for a thread before it can."""
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self._loop.run_until_complete(asyncio.wait(tasks, timeout=CLOSE_SECONDS))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())

    # -- watching

    def _on_events(self, events: list[dict[str, Any]]) -> None:
        if any(e["kind"] == "run" for e in events):
            self._notify()

    def _notify(self) -> None:
        with self.changed:
            self.changed.notify_all()

    def _watch(self) -> None:
        writer.set(self.executor_id)
        version, swept, recovered, seen = -1, 0.0, 0.0, 0.0
        while not self._stop.is_set():
            try:
                now = self.ws.catalog.data_version()
                if now != version or self._poke.is_set():
                    self._poke.clear()
                    version = now
                    self._signals()
                if time.monotonic() - swept >= ADOPT_SECONDS:
                    swept = time.monotonic()
                    self.adopt()
                    run_hooks.look(self.ws, self.executor_id)
                if time.monotonic() - seen >= BEAT_SECONDS:
                    seen = time.monotonic()
                    self.lease.beat()
                if time.monotonic() - recovered >= RECOVER_SECONDS:
                    recovered = time.monotonic()
                    adoption.recover_lost(self.ws)
                    run_hooks.recover(self.ws, self.executor_id)
            except Exception:  # a locked or full disk passes; the watch must not end with it
                logging.getLogger("aios_workbench").debug("watch", exc_info=True)
            self._poke.wait(WATCH_SECONDS)

    def _signals(self) -> None:
        for row in self.ws.catalog.query("select * from signals where seq > :s order by seq", s=self._signal):
            self._signal = row["seq"]
            active = self.host.active.get(row["run_id"])
            if active is not None and row["kind"] == "cancel":
                if json.loads(row["data"]).get("leg") == active.leg:  # not of the leg before a resume
                    active.cancel()
            elif active is not None:
                active.wake(row["step"])
        with self.changed:
            self.changed.notify_all()

    def adopt_now(self) -> None:
        """Take up what dead processes left unfinished; from any thread, a kernel's with its running loop too."""
        thread = threading.Thread(target=self.adopt, name="aios-adopt")
        thread.start()
        thread.join()

    def adopt(self) -> list[str]:
        """Take up what dead processes left unfinished; returns the runs' ids. Not beside a running loop.

        One thread of a process at a time: who comes second returns when the first has taken up everything.
        """
        token = writer.set(self.executor_id)  # an adopter that is stopped midway is fenced like anybody else
        try:
            with self._adopting:
                return self._adopt()
        finally:
            writer.reset(token)

    def _adopt(self) -> list[str]:
        return adoption.adopt(self.ws, self.lease, self._inherit)

    def _inherit(self, dead: str) -> list[str]:
        return adoption.inherit(self.ws, dead)

    # -- fenced

    def _give_up(self) -> None:
        """The process was taken for dead: its runs are others' now. Stop working, write nothing.

        The next run starts a new engine, under a new name.
        """
        self.fenced = True
        for active in list(self.host.active.values()):
            active.stop.set()  # whoever looks at context().cancelled
        threading.Thread(target=self.stop, name="aios-fenced", daemon=True).start()


def start(ws: Workspace | None = None, kind: str = "kernel") -> Runtime:
    """Return this process's engine, launched on first use.

    Raises
    ------
    WorkspaceError
        When it cannot be launched.
    """
    global _current, _launched
    ws = ws or workspace()
    with _lock:
        if _current is not None and _current._pid != os.getpid():
            raise WorkspaceError(
                "this process was forked from one that runs workflows; start it with multiprocessing's 'spawn' instead"
            )
        if _current is not None and _current.ws is not ws:
            stale, _current = _current, None
        else:
            stale = None
    if stale is not None:
        stale.stop()
    with _lock:
        if _current is None:
            _current, _launched = Runtime(ws, kind), True
            atexit.register(_current.stop)
        return _current


def launched() -> bool:
    """True when an engine was launched here, whether it still runs or not: a thread of a step may go on."""
    return _launched


def running() -> Runtime | None:
    """Return this process's engine if it was launched."""
    return _current


def _register_queues() -> None:
    from dbos import DBOS

    # A poll costs about a millisecond: often enough to take a dead process's run within two seconds.
    DBOS.register_queue(QUEUE, polling_interval_sec=0.7)
    DBOS.register_queue(WORKER_QUEUE, polling_interval_sec=1.0)
