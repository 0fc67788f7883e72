"""Drift: how one data set differs from another, as a report, a gate in a workflow, or a monitor over time."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aios_workbench.drift import evidently_engine as evidently
    from aios_workbench.drift.comparison import compare as compare
    from aios_workbench.drift.gates import GateVerdict as GateVerdict
    from aios_workbench.drift.gates import check as check
    from aios_workbench.drift.gates import gate as gate
    from aios_workbench.drift.importance import importance_drift as importance_drift
    from aios_workbench.drift.models import Rules as Rules
    from aios_workbench.drift.monitor import Monitor as Monitor
    from aios_workbench.drift.monitor import MonitorAlert as MonitorAlert
    from aios_workbench.drift.profiles import Profile as Profile
    from aios_workbench.drift.profiles import load_profile as load_profile
    from aios_workbench.drift.profiles import profile as profile
    from aios_workbench.drift.report import DriftReport as DriftReport
    from aios_workbench.drift.report import load_report as load_report
    from aios_workbench.drift.sources import Source as Source
    from aios_workbench.drift.sources import open_source as open_source
    from aios_workbench.drift.streams import Stream as Stream

#: Public name of a module -> its file.
_MODULES = {"evidently": "evidently_engine"}
#: Public name -> module; each is imported when it is first used.
_HOMES = {
    "DriftReport": "report",
    "GateVerdict": "gates",
    "Monitor": "monitor",
    "MonitorAlert": "monitor",
    "Profile": "profiles",
    "Rules": "models",
    "Source": "sources",
    "Stream": "streams",
    "check": "gates",
    "compare": "comparison",
    "gate": "gates",
    "importance_drift": "importance",
    "load_profile": "profiles",
    "load_report": "report",
    "open_source": "sources",
    "profile": "profiles",
}

__all__ = [
    "DriftReport",
    "GateVerdict",
    "Monitor",
    "MonitorAlert",
    "Profile",
    "Rules",
    "Source",
    "Stream",
    "check",
    "compare",
    "evidently",
    "gate",
    "importance_drift",
    "load_profile",
    "load_report",
    "open_source",
    "profile",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{_MODULES[name]}")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return list(__all__)
