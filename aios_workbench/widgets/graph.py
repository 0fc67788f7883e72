"""The live graph of a workflow or a run, as a widget."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from aios_workbench.widgets import fallback, protocol
from aios_workbench.widgets.answers import Asked, receive
from aios_workbench.widgets.diff import Differ
from aios_workbench.widgets.source import RunReader, definition_state, overlay
from aios_workbench.widgets.watch import Watcher, watcher
from aios_workbench.workspace import Workspace, workspace

_STATIC = Path(__file__).resolve().parent.parent / "static"
#: What is stored last (metrics, the last log line) may follow a run's end by a moment.
_LINGER_SECONDS = 1.0


def bundle_text(name: str) -> str:
    """Return a built file's text. Text, not the path: anywidget keeps every widget made from a path for ever."""
    try:
        return (_STATIC / name).read_text(encoding="utf-8")
    except OSError:
        if name.endswith(".css"):
            return ""
        return (
            "export default { render({ el }) { el.textContent = 'The front end of aios-workbench is not built: "
            "run `python -m aios_workbench.bootstrap lab`, or `jlpm build` in labextension/.' } }"
        )


def answer_while_busy(widget: anywidget.AnyWidget) -> None:
    """Let a widget answer while a cell blocks, in ``run.result()`` for one.

    JupyterLab sends widget messages to a subshell, a thread of its own; ipykernel 7.4 hands them back to the
    shell that last *sent* on this comm, which is the main one, busy with the cell. Ours are safe on any thread.
    """
    comm = widget.comm
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _, asked: asked


class GraphWidget(anywidget.AnyWidget):
    """The graph of a workflow or of a run, live.

    Made for a workflow it shows the definition, marks what is stale, and follows the runs this kernel starts.
    Made for a run it shows that run, and after "rerun from here" the new one.

    Parameters
    ----------
    target : Workflow or Run
        What to show.
    ws : Workspace, optional
        Where its runs are; default: this process's.

    Raises
    ------
    NotFoundError
        When the run is not in the workspace.

    Examples
    --------
    >>> GraphWidget(wf)  # doctest: +SKIP
    """

    _esm = bundle_text("graph.js")
    _css = bundle_text("graph.css")
    #: Written by the kernel only. The picture is `graph`, plus `patch` when that has graph's `seq` as its base.
    graph = traitlets.Dict().tag(sync=True)
    patch = traitlets.Dict().tag(sync=True)

    def __init__(self, target: Any, *, ws: Workspace | None = None, **kwargs: Any) -> None:
        self.ws: Workspace = ws or getattr(target, "workspace", None) or workspace()
        self._guard = threading.RLock()
        self._ended: float | None = None
        self.heard = False  # of a browser
        self.asked = Asked()
        self.workflow: Any = target if hasattr(target, "spec") and callable(target.spec) else None
        self.run: Any = None if self.workflow is not None else target
        self.reader: RunReader | None = RunReader(self.ws, self.run.id) if self.run is not None else None
        self._definition: protocol.GraphState | None = None
        self._foreign: set[str] = set()
        self._watcher: Watcher | None = None
        state = self._read()
        self._differ = Differ(state)
        super().__init__(graph=state.model_dump(mode="json"), **kwargs)
        answer_while_busy(self)
        self.on_msg(self._on_request)
        self._undo = None if self.workflow is None else self.workflow.on_change(self._redefined)
        self._watcher = watcher(self.ws)
        self._watcher.add(self)

    # -- what it shows

    @property
    def run_id(self) -> str | None:
        """The run now shown."""
        return None if self.reader is None else self.reader.run_id

    @property
    def state(self) -> protocol.GraphState:
        """What a viewer sees now."""
        return self._differ.state

    @property
    def live(self) -> bool:
        """True while the run shown can still move."""
        run = self._differ.state.run
        if run is None or self._watcher is None:
            return False
        if run.status not in protocol.TERMINAL:
            self._ended = None
            return True
        self._ended = self._ended or time.monotonic()
        return time.monotonic() - self._ended < _LINGER_SECONDS

    def follow(self, run: Any) -> None:
        """Show another run from now on."""
        reader = RunReader(self.ws, run.id)
        with self._guard:
            self.run, self.reader, self._ended, self._definition = run, reader, None, None
        self.refresh()
        self.poke()

    def adopt(self, workflow: Any) -> None:
        """Show another definition of the workflow from now on; the last run still says what is stale."""
        with self._guard:
            if workflow is self.workflow or self._watcher is None or self._undo is None:
                return
            if workflow.last_spec is None:
                workflow.last_spec = self.workflow.last_spec
            self._undo()
            self.workflow, self._undo = workflow, workflow.on_change(self._redefined)
        self._redefined()

    def poke(self) -> None:
        """Look for news soon."""
        if self._watcher is not None:
            self._watcher.poke(self)

    def refresh(self) -> None:
        """Read the state and send what changed. Called on the watcher's thread, and safe on any."""
        with self._guard:
            if self._watcher is None:
                return  # closed meanwhile
            news = self._differ.update(self._read())
            # Sent from here even while a cell runs: ipykernel's socket takes messages from any thread, and a comm
            # message finds its widget by comm id, so it never lands in another cell's output.
            if isinstance(news, protocol.GraphState):
                self.graph = news.model_dump(mode="json")
            elif news is not None:
                self.patch = news.model_dump(mode="json")

    def concerns(self, events: list[dict[str, Any]]) -> bool:
        """True when one of these events is about the run shown, or about a newer one of the workflow."""
        ids = {e["run_id"] for e in events if e["run_id"]}
        if self.run_id in ids:
            return True
        if self.workflow is None:
            return False
        return any(self._take_up(i) for i in ids - self._foreign)

    def close(self) -> None:
        """Stop following and take the widget off the page."""
        with self._guard:
            if self._watcher is not None:
                self._watcher.remove(self)
            self._watcher = None
        if self._undo is not None:
            self._undo()
        super().close()

    # -- inside

    def _read(self) -> protocol.GraphState:
        if self.workflow is None:
            assert self.reader is not None
            return self.reader.read()
        if self._definition is None:
            self._definition = definition_state(self.workflow)
        state = self._definition.model_copy()
        return state if self.reader is None else overlay(state, self.reader.read())

    def _redefined(self) -> None:
        self._definition = None
        self.poke()

    def _take_up(self, run_id: str) -> bool:
        """Follow a run of this workflow that this process has started."""
        row = self.ws.catalog.one("select workflow, created_at from runs where run_id = :r", r=run_id)
        shown = self._differ.state.run
        if row is None:
            return False
        if row["workflow"] != self.workflow.name or (shown and shown.created_at >= row["created_at"]):
            self._foreign.add(run_id)
            return False
        from aios_workbench.engine import Run

        with self._guard:
            self.run, self.reader = Run(self.ws, run_id, self.workflow), RunReader(self.ws, run_id)
            self._ended, self._definition = None, None
        return True

    def _on_request(self, _: Any, content: Any, __: Any) -> None:
        self.heard = True
        receive(self, content)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        return {**data, **fallback.bundle(self.state)}, metadata

    def __repr__(self) -> str:
        return fallback.plain(self.state) if hasattr(self, "_differ") else super().__repr__()
