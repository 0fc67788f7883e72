"""A query whose asker has gone ends, and its thread is free for the next."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from aios_workbench.errors import ConflictError
from aios_workbench.workspace import Workspace
from aios_workbench.workspace.stop import Stop, stoppable
from aios_workbench.workspace.tables import sql_page

#: Takes far longer than a question may.
SLOW = "select sum(a.range * b.range % 7) as n from range(1000000) a, range(1000000) b"
QUICK = 'select max("0") as top from output'


def test_a_slow_query_is_interrupted_and_its_thread_is_free(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = ws.artifacts.put(np.arange(10))
    stop, begun = Stop(), threading.Event()
    running = stop.running

    def noted(con: object) -> object:
        begun.set()
        return running(con)

    monkeypatch.setattr(stop, "running", noted)

    def slow() -> object:
        with stoppable(stop):
            return sql_page(ws, stored, SLOW)

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(slow)
        assert begun.wait(60)
        stop.stop()  # perhaps before the statement has begun: it is said again
        with pytest.raises(ConflictError, match="nobody waited"):
            asked.result(20)
        assert pool.submit(sql_page, ws, stored, QUICK).result(20).rows == [[9]]


def test_what_was_stopped_before_it_began_runs_nothing(ws: Workspace) -> None:
    stored = ws.artifacts.put(np.arange(10))
    stop = Stop()
    stop.stop()
    with stoppable(stop), pytest.raises(ConflictError, match="nobody waited"):
        sql_page(ws, stored, QUICK)
