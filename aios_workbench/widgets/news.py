"""A run's graph for a reader who comes back: whole, or only the steps that moved since an event.

Nothing is remembered about the reader; the event number they name says what they have.
"""

from __future__ import annotations

import json
import threading
import time
import weakref
from collections import OrderedDict

from aios_workbench.widgets.diff import change
from aios_workbench.widgets.protocol import GraphNews, GraphPatch
from aios_workbench.widgets.source import RunReader
from aios_workbench.workspace import Workspace

#: A run's graph never changes, so what was read of it is kept for the next question.
_KEPT = 8
#: More than a quarter of the steps, and more than these: the whole is not much larger, and simpler.
_FEW = 32
#: After a run event other than these, steps may have changed that no event of their own tells of.
_TOLD = frozenset(("running", "waiting", "succeeded"))

_readers: weakref.WeakKeyDictionary[Workspace, OrderedDict[str, RunReader]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def reader(ws: Workspace, run_id: str) -> RunReader:
    """Return a reader of a run, the last one where it is still known.

    Raises
    ------
    NotFoundError
        When the workspace has no such run.
    """
    with _lock:
        known = _readers.setdefault(ws, OrderedDict())
        found = known.get(run_id)
        if found is not None:
            known.move_to_end(run_id)
            return found
    made = RunReader(ws, run_id)
    with _lock:
        known[run_id] = made
        while len(known) > _KEPT:
            known.popitem(last=False)
    return made


def graph(ws: Workspace, run_id: str, since: int | None = None) -> GraphNews:
    """Return a run's graph, or what moved in it after event `since`.

    Parameters
    ----------
    since : int, optional
        The `seq` of the reader's last answer.

    Raises
    ------
    NotFoundError
        When the workspace has no such run.
    """
    ws.catalog.flush()
    run = reader(ws, run_id)
    # Read before the rows: what is stored in between is told twice, never missed.
    row = ws.catalog.one("select max(seq) as seq from events")
    seq = int(row["seq"] or 0) if row else 0
    if since is None or since > seq:  # a number of another workspace, or of one deleted and made anew
        return _whole(run, seq)
    moved: dict[str, None] = {}
    kinds: set[str] = set()
    for event in ws.catalog.query(
        "select kind, step, case kind when 'run' then json_extract(data, '$.status') end as status from events "
        "where run_id = :r and seq > :since and seq <= :seq and kind <> 'log' group by 1, 2, 3",
        r=run_id, since=since, seq=seq,
    ):  # fmt: skip
        if event["kind"] == "run" and event["status"] not in _TOLD:
            return _whole(run, seq)
        kinds.add(event["kind"])
        if event["step"] is not None:
            moved[event["step"]] = None
    if len(moved) > max(_FEW, run.size // 4):
        return _whole(run, seq)
    info, nodes = run.some(json.dumps(list(moved)))
    patch = GraphPatch(
        base=since, seq=seq, now=time.time(), logs=run.logs(), run=info, nodes=[change(n) for n in nodes],
        metrics=run.metrics() if "metric" in kinds else None,
        gates=run.gates() if kinds & {"gate", "step", "run"} else None,
    )  # fmt: skip
    return GraphNews(seq=seq, patch=patch)


def _whole(run: RunReader, seq: int) -> GraphNews:
    state = run.read()
    state.seq = seq
    return GraphNews(seq=seq, state=state)
