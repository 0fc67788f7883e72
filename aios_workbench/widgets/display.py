"""Shows a `Workflow`, `Run`, `Tuning`, `DriftReport` or `Explanation` that ends a cell as its widget.

They know nothing of this.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable
from typing import Any

#: The classes by the names IPython knows them under; naming them imports nothing.
CLASSES = (
    ("aios_workbench.workflow.definition", "Workflow"),
    ("aios_workbench.engine.runs", "Run"),
    ("aios_workbench.knn.tuning", "Tuning"),
    ("aios_workbench.drift.report", "DriftReport"),
    ("aios_workbench.explain.explanation", "Explanation"),
)
_shown: weakref.WeakValueDictionary[object, Any] = weakref.WeakValueDictionary()
#: Display id -> the widget whose picture is shown there, and the state it shows.
_pictures: dict[str, tuple[weakref.ref[Any], int]] = {}


def register(ipython: Any) -> None:
    """Teach an IPython shell to show workflows, runs, tunings, drift reports and explanations.

    Parameters
    ----------
    ipython : InteractiveShell
        The shell; in a notebook, what ``get_ipython()`` gives.
    """
    kernel = getattr(ipython, "kernel", None) is not None
    formatter = ipython.display_formatter
    if kernel:
        ipython.events.register("post_run_cell", _follow)
        ipython.events.register("post_run_cell", _settle)
        from aios_workbench.widgets import cells
        from aios_workbench.workflow import hooks

        cells.remember(ipython)
        hooks.set_cells(cells)
    for module, name in CLASSES:
        if kernel:
            formatter.ipython_display_formatter.for_type_by_name(module, name, show)
        # A terminal has no widgets, but a summary says more than an object's address.
        formatter.formatters["text/plain"].for_type_by_name(module, name, _pretty)


def show(target: Any) -> None:
    """Display one of them under a display id, so that its picture can be brought up to date."""
    from IPython.display import display

    data, metadata = mimebundle(target)
    made = _shown.get(_key(target))
    handle = display(data, metadata=metadata, raw=True, display_id=True)  # type: ignore[no-untyped-call]
    if made is not None and handle is not None:
        _pictures[handle.display_id] = (weakref.ref(made), made.state.seq)


def _follow(_: Any = None) -> None:
    """Let graphs go on with a workflow whose cell was run again: ``wf = Workflow("x")`` has made a new object."""
    for made in [m for m in list(_shown.values()) if hasattr(m, "adopt")]:
        from aios_workbench.widgets import edit

        with contextlib.suppress(Exception):
            made.adopt(edit.successor(made.workflow))


def _settle(_: Any = None) -> None:
    """Bring the pictures in the notebook up to date after a cell, while nobody is looking.

    A scheduled job shows a run, then waits for it: its report must not say "running" for ever. Where a browser
    is there the widget is live instead, and a new picture would close what the reader has opened.
    """
    for display_id, (reference, shown) in list(_pictures.items()):
        made = reference()
        if made is None or made.heard:
            del _pictures[display_id]
            continue
        with contextlib.suppress(Exception):
            made.refresh()
            if made.state.seq != shown:
                from IPython.display import update_display

                _pictures[display_id] = (reference, made.state.seq)
                data, metadata = made._repr_mimebundle_()
                update_display(data, metadata=metadata, raw=True, display_id=display_id)  # type: ignore[no-untyped-call]


def mimebundle(target: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the display bundle of one of `CLASSES`: the live widget, the picture and the text.

    Where a widget cannot be made, the picture and the text are still shown.
    """
    with contextlib.suppress(Exception):
        made: tuple[dict[str, Any], dict[str, Any]] = widget(target)._repr_mimebundle_()
        return made
    html, plain = _still(target)
    return {"text/html": html(), "text/plain": plain()}, {}


def widget(target: Any) -> Any:
    """Return the widget of one of `CLASSES`; the same one while it is open and still shows that."""
    key = _key(target)
    found = _shown.get(key)
    if _is_analyst(target):
        if found is None or found.comm is None or found.target is not target:
            found = _shown[key] = _analyst(target)
        return found
    from aios_workbench.widgets.graph import GraphWidget

    if found is not None and found.comm is not None:
        same = found.run_id == target.id if hasattr(target, "id") else found.workflow is target
        if same:
            return found
    made = _shown[key] = GraphWidget(target)
    return made


def _analyst(target: Any) -> Any:
    if _is_tuning(target):
        from aios_workbench.widgets.tuning import TuningWidget

        return TuningWidget(target)
    if _is_explanation(target):
        from aios_workbench.widgets.explain import ExplainWidget

        return ExplainWidget(target)
    from aios_workbench.widgets.drift import DriftWidget

    return DriftWidget(target)


def _still(target: Any) -> tuple[Callable[[], str], Callable[[], str]]:
    """Return what writes HTML and what writes text for where there is no widget."""
    if _is_tuning(target):
        from aios_workbench.widgets import tuning_picture, tuning_view

        view = tuning_view.view(target.state)
        return lambda: tuning_picture.html(view), lambda: tuning_picture.plain(view)
    if _is_drift(target):
        from aios_workbench.widgets import drift_picture

        return lambda: drift_picture.html(target.data), lambda: drift_picture.plain(target.data)
    if _is_explanation(target):
        from aios_workbench.widgets import explain_picture
        from aios_workbench.widgets.explain_state import Looked

        looked = Looked(target)
        return lambda: explain_picture.html(looked), lambda: explain_picture.plain(looked)
    from aios_workbench.widgets import fallback, source

    state = source.static_state(target)
    return lambda: fallback.bundle(state)["text/html"], lambda: fallback.plain(state)


def _is_tuning(target: Any) -> bool:
    return callable(getattr(target, "cost_of", None))


def _is_drift(target: Any) -> bool:
    return callable(getattr(target, "gate_code", None))


def _is_explanation(target: Any) -> bool:
    return callable(getattr(type(target), "at_hand", None))


def _is_analyst(target: Any) -> bool:
    return _is_tuning(target) or _is_drift(target) or _is_explanation(target)


def _key(target: Any) -> object:
    if _is_analyst(target):
        return ("analyst", id(target))
    return ("run", target.id) if hasattr(target, "id") else ("workflow", id(target))


def _pretty(target: Any, printer: Any, cycle: bool) -> None:
    printer.text("…" if cycle else _still(target)[1]())
