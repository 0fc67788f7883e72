"""The snapshot, the events over Jupyter's websocket, catching up, and idling when nobody listens."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from aios_workbench.server.watch import Watcher, Watchers
from aios_workbench.workspace import Workspace, workspace

from .conftest import add_run

pytest_plugins = ["pytest_jupyter.jupyter_server"]

SCHEMA = "urn:aios-workbench:changed"


async def next_change(socket: Any, seconds: float = 10) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while True:
        message = json.loads(await asyncio.wait_for(socket.read_message(), end - time.monotonic()))
        if message["schema_id"] == SCHEMA:
            return dict(message)


async def test_events_reach_the_browser_and_can_be_caught_up(
    ask: Any, jp_ws_fetch: Any, ws: Workspace
) -> None:
    socket = await jp_ws_fetch("api", "events", "subscribe")
    _, shot = await ask("GET", "snapshot")
    assert shot["seq"] == 0
    await asyncio.sleep(0.3)  # the watcher has taken its first look
    for n in range(3):
        ws.catalog.event("step", "r1", f"s{n}", status="running")
    ws.catalog.event("job", None, None, job_id="j1")
    await asyncio.to_thread(ws.catalog.flush)
    seen: set[str] = set()
    while not {"job", "step"} <= seen:
        message = await next_change(socket)
        seen |= set(message["kinds"])
        assert message["workspace"] == shot["workspace"]["path"]
        assert set(message["runs"]) <= {"r1"}
    assert message["seq"] == 4

    _, first = await ask("GET", "events", after=shot["seq"], limit=3)
    assert ([e["seq"] for e in first["events"]], first["more"]) == ([1, 2, 3], True)
    assert first["events"][0]["data"] == {"status": "running"}
    _, rest = await ask("GET", "events", after=first["seq"])
    assert ([e["kind"] for e in rest["events"]], rest["seq"], rest["more"]) == (["job"], 4, False)
    _, none = await ask("GET", "events", after=4)
    assert {**none, "workspace": ""} == {"workspace": "", "events": [], "seq": 4, "more": False}
    socket.close()


async def test_looking_writes_nothing(ask: Any, jp_root_dir: Path, monkeypatch: Any) -> None:
    monkeypatch.delenv("AIOS_HOME")
    before = tree(jp_root_dir)
    status, shot = await ask("GET", "snapshot")
    assert status == 200
    assert shot["workspace"] == {"path": str(jp_root_dir / ".aios"), "shown": ".aios", "exists": False}
    assert (shot["runs"], shot["jobs"], shot["gates"], shot["seq"]) == ([], [], [], 0)
    for path in ("runs", "jobs", "events"):
        assert (await ask("GET", path))[0] == 200
    assert (await ask("GET", "runs/r1"))[0] == 404
    assert tree(jp_root_dir) == before


async def test_the_workspace_is_that_of_the_focus(ask: Any, jp_root_dir: Path, monkeypatch: Any) -> None:
    monkeypatch.delenv("AIOS_HOME")
    for folder in ("", "team/deep"):
        opened = workspace(jp_root_dir / folder / ".aios")
        add_run(opened, f"run-of-{folder.partition('/')[0] or 'root'}")
        opened.close()
    for focus, shown, run in (
        ("", ".aios", "run-of-root"),
        ("x.ipynb", ".aios", "run-of-root"),
        ("team/x.ipynb", ".aios", "run-of-root"),
        ("team/deep/x.ipynb", "team/deep/.aios", "run-of-team"),
        ("team/deep/gone/x.ipynb", "team/deep/.aios", "run-of-team"),
    ):
        _, shot = await ask("GET", "snapshot", path=focus)
        assert (shot["workspace"]["shown"], [r["run_id"] for r in shot["runs"]]) == (shown, [run]), focus


async def test_a_workspace_made_anew_is_noticed(ask: Any, ws: Workspace) -> None:
    import shutil

    add_run(ws, "old")
    assert [r["run_id"] for r in (await ask("GET", "runs"))[1]["runs"]] == ["old"]
    root = ws.root
    shutil.rmtree(root)
    assert (await ask("GET", "runs"))[1]["runs"] == []
    fresh = Workspace(root)
    add_run(fresh, "new")
    fresh.catalog.close()
    assert [r["run_id"] for r in (await ask("GET", "runs"))[1]["runs"]] == ["new"]


async def test_the_filter_leaves_counts_and_newest_alone(ask: Any, ws: Workspace) -> None:
    add_run(ws, "a", "succeeded", created_at=1.0)
    add_run(ws, "b", "failed", created_at=2.0)
    _, shot = await ask("GET", "snapshot", status="succeeded")
    assert [r["run_id"] for r in shot["runs"]] == ["a"]
    assert shot["counts"] == {"failed": 1, "succeeded": 1}
    assert shot["newest"]["run_id"] == "b"


def test_a_watcher_ends_when_its_lease_does(ws: Workspace) -> None:
    seen: list[dict[str, Any]] = []
    watcher = Watcher(ws.root, lambda _: ws, seen.append, poll=0.01, lease=0.3)
    assert not watcher.alive
    watcher.touch()
    time.sleep(0.1)
    ws.catalog.event("run", "r1")
    ws.catalog.flush()
    until(lambda: seen)
    until(lambda: not watcher.alive)
    ws.catalog.event("run", "r2")
    ws.catalog.flush()
    assert [m["runs"] for m in seen] == [["r1"]]
    watcher.touch()  # a client is back: it asks for what it missed, and hears what comes
    time.sleep(0.1)
    ws.catalog.event("run", "r3")
    ws.catalog.flush()
    until(lambda: len(seen) == 2)
    assert seen[1]["runs"] == ["r3"]
    watcher.stop()
    until(lambda: not watcher.alive)


def test_a_watcher_waits_for_a_workspace_and_survives_its_end(tmp_path: Path) -> None:
    root = tmp_path / ".aios"
    held: list[Workspace] = []
    seen: list[dict[str, Any]] = []
    watcher = Watcher(root, lambda _: held[0] if held else None, seen.append, poll=0.01)
    watcher.touch()
    time.sleep(0.1)
    assert not root.exists()
    for n in (1, 2):
        held[:] = [Workspace(root)]
        until(lambda n=n: len(seen) == n)  # type: ignore[misc]
        assert seen[-1] == {"workspace": str(root), "seq": 0, "after": 0, "runs": [], "kinds": []}
        held[0].catalog.close()
        time.sleep(0.1)
        assert watcher.alive
        held.clear()
        time.sleep(0.1)
    watcher.stop()
    until(lambda: not watcher.alive)


async def test_the_first_run_of_all_is_told(
    ask: Any, jp_ws_fetch: Any, jp_root_dir: Path, monkeypatch: Any
) -> None:
    monkeypatch.delenv("AIOS_HOME")
    socket = await jp_ws_fetch("api", "events", "subscribe")
    _, shot = await ask("GET", "snapshot")
    assert not shot["workspace"]["exists"]
    await asyncio.sleep(0.3)
    made = await asyncio.to_thread(Workspace, jp_root_dir / ".aios")
    assert (await next_change(socket))["workspace"] == shot["workspace"]["path"]
    _, shot = await ask("GET", "snapshot")
    assert shot["workspace"]["exists"]
    made.catalog.close()
    socket.close()


async def test_one_watcher_per_workspace(ws: Workspace) -> None:
    watchers = Watchers(lambda _: ws, lambda _: None, poll=0.01)
    watchers.touch(ws.root)
    watchers.touch(ws.root)
    assert len(watchers._all) == 1
    watchers.stop()
    assert watchers._all == {}


def tree(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def until(condition: Any, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
