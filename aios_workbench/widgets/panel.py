"""The graph in a Panel app: the notebook widget's bundle, its states and its answers."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

_STATIC = Path(__file__).resolve().parent.parent / "static"


def graph_pane(target: Any, **options: Any) -> Any:
    """Return the live graph of a workflow or a run as a Panel component.

    In an app that is served it follows the run and opens steps; a page that is saved shows the state it was saved with.

    Parameters
    ----------
    target : Workflow or Run
        What to show.
    **options
        Panel's own: `sizing_mode`, `width`, `margin` …

    Raises
    ------
    NotFoundError
        When the run is not in the workspace.

    Examples
    --------
    >>> graph_pane(wf).servable()  # doctest: +SKIP
    """
    from aios_workbench.widgets.graph import GraphWidget

    return _component()(GraphWidget(target), **{"sizing_mode": "stretch_width", **options})


@functools.cache
def _component() -> type[Any]:
    """Make the class when it is first wanted: importing Panel takes a second."""
    import param
    from panel.custom import AnyWidgetComponent

    from aios_workbench.widgets.answers import answer

    class GraphPane(AnyWidgetComponent):
        # As a bundle: what Panel takes for a source it compiles as TSX, which minified code is not.
        _bundle = _STATIC / "graph.js"
        # Panel's server hands bundles out below their module's folder only, and ours lies beside it: with a module
        # nobody can import, Panel puts the bundle into the page.
        __module__ = f"{__name__}.inline"
        __path__ = str(_STATIC)
        _stylesheets = (_STATIC / "graph.css").read_text(encoding="utf-8").split("\0")
        graph = param.Dict()
        patch = param.Dict(default={})
        asked = param.Dict(default={})  # a question of the browser; Panel lets no message through that way

        def __init__(self, widget: Any, **options: Any) -> None:
            super().__init__(graph=widget.graph, patch=widget.patch, **options)  # type: ignore[no-untyped-call]
            self._widget = widget
            self.param.watch(lambda event: self._handle_msg(event.new), "asked")
            widget.observe(lambda change: setattr(self, change["name"], change["new"]), ["graph", "patch"])

        def _handle_msg(self, msg: Any) -> None:
            reply = answer(self._widget, msg)
            if reply is not None:
                self._send_msg(reply.model_dump(mode="json"))

    return GraphPane
