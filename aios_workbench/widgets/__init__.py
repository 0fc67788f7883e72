"""The screens. Nothing heavy is imported until a widget is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aios_workbench.widgets.display import register
from aios_workbench.widgets.picture import save_picture, svg

if TYPE_CHECKING:
    from aios_workbench.widgets.graph import GraphWidget

__all__ = ["GraphWidget", "register", "save_picture", "svg"]


def __getattr__(name: str) -> Any:
    if name == "GraphWidget":
        from aios_workbench.widgets.graph import GraphWidget

        return GraphWidget
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
