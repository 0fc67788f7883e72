"""The screens. Importing this package imports nothing heavy; a name brings in what it needs when it is used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from aios_workbench.widgets.display import register

if TYPE_CHECKING:
    from aios_workbench.widgets.graph import GraphWidget
    from aios_workbench.widgets.picture import save_picture, svg

__all__ = ["GraphWidget", "register", "save_picture", "svg"]

_HOMES = {"GraphWidget": "graph", "save_picture": "picture", "svg": "picture"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"aios_workbench.widgets.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
