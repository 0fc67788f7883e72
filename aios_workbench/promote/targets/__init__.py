"""Targets: the schedulers and orchestrators a promoted notebook can be handed to, behind one interface."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aios_workbench.promote.targets.base import Check, Target, Verification
    from aios_workbench.promote.targets.plan import Plan, Step
    from aios_workbench.promote.targets.registry import NAMES, all_targets, get
    from aios_workbench.promote.targets.writing import Export, export

__all__ = [
    "NAMES", "Check", "Export", "Plan", "Step", "Target", "Verification", "all_targets", "export", "get",
]  # fmt: skip

_HOME = {
    "Check": "base", "Target": "base", "Verification": "base", "Export": "writing", "export": "writing", "Plan": "plan",
    "Step": "plan", "NAMES": "registry", "all_targets": "registry", "get": "registry",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
