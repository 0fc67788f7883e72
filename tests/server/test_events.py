"""The push keeps coming while a page is connected, tells gaps and dead processes, and costs next to nothing."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from aios_workbench.server import watch
from aios_workbench.server.watch import Watcher
from aios_workbench.workspace import Workspace

from .conftest import add_run

pytest_plugins = ["pytest_jupyter.jupyter_server"]

SCHEMA = "urn:aios-workbench:changed"


async def test_a_connected_page_needs_to_ask_nothing(
    ask: Any, jp_ws_fetch: Any, jp_serverapp: Any, ws: Workspace, monkeypatch: Any
) -> None:
    monkeypatch.setattr(watch.Watcher.__init__, "__kwdefaults__", {"poll": 0.02, "lease": 0.2})
    logger = jp_serverapp.event_logger
    assert not watch.listening(logger, SCHEMA)
    socket = await jp_ws_fetch("api", "events", "subscribe")
    await until(lambda: watch.listening(logger, SCHEMA))
    _, missed = await ask("GET", "events")
    watchers = jp_serverapp.web_app.settings["aios_watchers"]
    (watcher,) = watchers._all.values()
    await asyncio.sleep(1)  # five leases
    assert watcher.alive
    ws.catalog.event("step", "r1", "s")
    await asyncio.to_thread(ws.catalog.flush)
    message = json.loads(await asyncio.wait_for(socket.read_message(), 10))
    assert (message["after"], message["seq"], message["runs"]) == (missed["seq"], missed["seq"] + 1, ["r1"])
    socket.close()
    await until(lambda: not watcher.alive)  # the page is gone: nobody is watched for


async def test_events_say_how_far_they_go(ask: Any, ws: Workspace) -> None:
    for n in range(3):
        ws.catalog.event("run", f"r{n}")
    ws.catalog.flush()
    _, newest = await ask("GET", "events")
    assert newest == {"workspace": str(ws.root), "events": [], "seq": 3, "more": False}
    _, other = await ask("GET", "events", after=99)  # known from a workspace that is no more
    assert (other["seq"], other["events"]) == (3, [])


def test_a_dead_process_is_told_without_an_event(ws: Workspace, monkeypatch: Any) -> None:
    from aios_workbench.engine.leases import Lease

    monkeypatch.setattr(watch, "HONESTY_SECONDS", 0.05)
    lease = Lease(ws, "kernel")
    add_run(ws, "r1", "running", owner=lease.executor_id)
    seen: list[dict[str, Any]] = []
    watcher = Watcher(ws.root, lambda _: ws, seen.append, poll=0.01)
    watcher.touch()
    time.sleep(0.3)
    assert seen == []
    lease.release()
    end = time.monotonic() + 10
    while not [m for m in seen if m["runs"] == ["r1"] and m["kinds"] == ["owner"]]:
        assert time.monotonic() < end, seen
        time.sleep(0.01)
    watcher.stop()


def test_watching_an_idle_workspace_is_nearly_free(ws: Workspace) -> None:
    add_run(ws, "r1", "succeeded")
    looks = 0

    def find(_: Any) -> Workspace:
        nonlocal looks
        looks += 1
        return ws

    watcher = Watcher(ws.root, find, lambda _: None, poll=0.001)
    read: list[str] = []
    query = ws.catalog.query
    ws.catalog.query = lambda sql, **p: (read.append(sql), query(sql, **p))[1]  # type: ignore[method-assign]
    watcher.touch()
    end = time.monotonic() + 10
    while looks < 200:
        assert time.monotonic() < end
        time.sleep(0.01)
    watcher.stop()
    assert len(read) <= 4, read  # the first look, and one for dead processes: no query per poll


async def until(condition: Any, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
