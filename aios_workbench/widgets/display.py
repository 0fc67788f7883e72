"""Shows a `Workflow` or a `Run` that ends a cell as its graph. The classes themselves know nothing of this."""

from __future__ import annotations

import contextlib
import weakref
from typing import Any

#: The classes by the names IPython knows them under; naming them imports nothing.
CLASSES = (
    ("aios_workbench.workflow.definition", "Workflow"),
    ("aios_workbench.engine.runs", "Run"),
)
_shown: weakref.WeakValueDictionary[object, Any] = weakref.WeakValueDictionary()


def register(ipython: Any) -> None:
    """Teach an IPython shell to show workflows and runs.

    Parameters
    ----------
    ipython : InteractiveShell
        The shell; in a notebook, what ``get_ipython()`` gives.
    """
    kernel = getattr(ipython, "kernel", None) is not None
    formatter = ipython.display_formatter
    for module, name in CLASSES:
        if kernel:
            formatter.mimebundle_formatter.for_type_by_name(module, name, mimebundle)
        # A terminal has no widgets, but a summary says more than an object's address.
        formatter.formatters["text/plain"].for_type_by_name(module, name, _pretty)


def mimebundle(target: Any, include: Any = None, exclude: Any = None) -> Any:
    """Return the display bundle of a workflow or a run: the live widget, the picture and the text.

    Where a widget cannot be made, the picture and the text are still shown.
    """
    with contextlib.suppress(Exception):
        made = widget(target)._repr_mimebundle_(include=include, exclude=exclude)
        if made is not None:
            return made
    from aios_workbench.widgets import fallback, source

    return fallback.bundle(source.static_state(target))


def widget(target: Any) -> Any:
    """Return the widget of a workflow or a run; the same one while it is open and still shows that run."""
    from aios_workbench.widgets.graph import GraphWidget

    key = ("run", target.id) if hasattr(target, "id") else ("workflow", id(target))
    found = _shown.get(key)
    if found is not None and found.comm is not None:
        same = found.run_id == target.id if hasattr(target, "id") else found.workflow is target
        if same:
            return found
    made = _shown[key] = GraphWidget(target)
    return made


def _pretty(target: Any, printer: Any, cycle: bool) -> None:
    from aios_workbench.widgets import fallback, source

    printer.text("…" if cycle else fallback.plain(source.static_state(target)))
