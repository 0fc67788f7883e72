"""The widgets in a Panel app: the notebook's bundles, their states and their answers."""

from __future__ import annotations

import functools
from collections.abc import Callable
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
    from aios_workbench.widgets.answers import answer
    from aios_workbench.widgets.graph import GraphWidget

    return _component("graph", answer)(GraphWidget(target), **{"sizing_mode": "stretch_width", **options})


def tuning_pane(tuning: Any, **options: Any) -> Any:
    """Return a tuning of an index as a Panel component, live like the notebook's widget.

    Parameters
    ----------
    tuning : Tuning
        What `aios.knn.tune` gives.
    **options
        Panel's own: `sizing_mode`, `width`, `margin` …

    Examples
    --------
    >>> tuning_pane(tuning).servable()  # doctest: +SKIP
    """
    from aios_workbench.widgets.tuning import TuningWidget
    from aios_workbench.widgets.tuning_answers import answer

    return _component("tuning", answer)(TuningWidget(tuning), **{"sizing_mode": "stretch_width", **options})


def drift_pane(report: Any, **options: Any) -> Any:
    """Return a drift report as a Panel component, with slices and thresholds like the notebook's widget.

    Parameters
    ----------
    report : DriftReport
        What `aios.drift.compare` gives.
    **options
        Panel's own: `sizing_mode`, `width`, `margin` …

    Examples
    --------
    >>> drift_pane(report).servable()  # doctest: +SKIP
    """
    from aios_workbench.widgets.drift import DriftWidget
    from aios_workbench.widgets.drift_answers import answer

    return _component("drift", answer)(DriftWidget(report), **{"sizing_mode": "stretch_width", **options})


def explain_pane(explanation: Any, **options: Any) -> Any:
    """Return an explanation as a Panel component, with rows and what-if like the notebook's widget.

    Parameters
    ----------
    explanation : Explanation
        What `aios.explain` gives.
    **options
        Panel's own: `sizing_mode`, `width`, `margin` …

    Examples
    --------
    >>> explain_pane(explanation).servable()  # doctest: +SKIP
    """
    from aios_workbench.widgets.explain import ExplainWidget
    from aios_workbench.widgets.explain_answers import answer

    return _component("explain", answer)(
        ExplainWidget(explanation), **{"sizing_mode": "stretch_width", **options}
    )


@functools.cache
def _component(trait: str, answer: Callable[[Any, Any], Any]) -> type[Any]:
    """Make the class when it is first wanted: importing Panel takes a second.

    `trait` names the widget's whole state, and its bundle.
    """
    import param
    from panel.custom import AnyWidgetComponent

    class Pane(AnyWidgetComponent):
        # As a bundle: what Panel takes for a source it compiles as TSX, which minified code is not.
        _bundle = _STATIC / f"{trait}.js"
        # Panel's server hands bundles out below their module's folder only, and ours lies beside it: with a module
        # nobody can import, Panel puts the bundle into the page.
        __module__ = f"{__name__}.inline"
        __path__ = str(_STATIC)
        _stylesheets = (_STATIC / f"{trait}.css").read_text(encoding="utf-8").split("\0")
        patch = param.Dict(default={})
        asked = param.Dict(default={})  # a question of the browser; Panel lets no message through that way

        def __init__(self, widget: Any, **options: Any) -> None:
            whole = {trait: getattr(widget, trait)}
            super().__init__(**whole, patch=widget.patch, **options)  # type: ignore[no-untyped-call]
            self._widget = widget
            self._taken: dict[str, int] = {}
            self.param.watch(lambda event: self._take(**event.new), "asked")
            widget.observe(lambda change: setattr(self, change["name"], change["new"]), [trait, "patch"])

        def _take(self, browser: str, sent: int, messages: list[Any]) -> None:
            """Answer what a browser has asked since the last time: of several changes Panel hands on the last."""
            new = min(sent - self._taken.get(browser, 0), len(messages))
            self._taken[browser] = sent
            for message in messages[len(messages) - new :]:
                self._handle_msg(message)

        def _handle_msg(self, msg: Any) -> None:
            reply = answer(self._widget, msg)
            if reply is not None:
                self._send_msg(reply.model_dump(mode="json"))

    # Each trait is a class of its own: a browser tells components apart by their names.
    return type(f"{trait.capitalize()}Pane", (Pane,), {trait: param.Dict(), "__module__": Pane.__module__})
