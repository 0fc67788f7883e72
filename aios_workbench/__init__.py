"""AIOS Workbench: notebook functions become durable workflows, seen live, promoted to scheduled jobs.

>>> import aios_workbench as aios
>>> wf = aios.Workflow("hello")
>>> @wf.step
... def greeting(who: str = "world") -> str:
...     return f"Hello {who}"
>>> wf.run(who="Ana").result()
'Hello Ana'

Importing this package imports nothing heavy; each name brings in what it needs when it is first used.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Nothing of ours phones anybody, and neither do the libraries we start; a user's own setting wins.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

if TYPE_CHECKING:
    from aios_workbench import errors
    from aios_workbench.engine import Context, Run, context, history, in_step
    from aios_workbench.engine import find_run as run
    from aios_workbench.engine import find_runs as runs
    from aios_workbench.engine.flow import Limit, limit, limits
    from aios_workbench.explain.cards import ModelCard, model_card
    from aios_workbench.promote.logical import logical_time
    from aios_workbench.promote.promoted import promoted
    from aios_workbench.promote.shadow import is_shadow
    from aios_workbench.promote.telling import emit
    from aios_workbench.widgets.picture import save_picture
    from aios_workbench.workflow import Breaker, Decision, Workflow
    from aios_workbench.workspace import Workspace
    from aios_workbench.workspace import workspace as open_workspace
    from aios_workbench.workspace.sql import sql

_HOMES = {
    "Breaker": "workflow", "Context": "engine", "Decision": "workflow", "ModelCard": "explain.cards", "Run": "engine",
    "Workflow": "workflow", "Workspace": "workspace", "context": "engine", "history": "engine", "in_step": "engine",
    "model_card": "explain.cards", "save_picture": "widgets.picture", "sql": "workspace.sql",
    "Limit": "engine.flow", "limit": "engine.flow", "limits": "engine.flow", "promoted": "promote.promoted",
    "is_shadow": "promote.shadow", "logical_time": "promote.logical", "emit": "promote.telling",
}  # fmt: skip
# Not named `workspace`: importing the package of that name would put the module in the function's place.
_RENAMED = {
    "run": ("engine", "find_run"),
    "runs": ("engine", "find_runs"),
    "open_workspace": ("workspace", "workspace"),
}

__all__ = [
    "Breaker", "Context", "Decision", "Limit", "ModelCard", "Run", "Workflow", "Workspace", "context", "emit", "errors",
    "headless", "history", "in_step", "is_shadow", "limit", "limits", "logical_time", "model_card", "open_workspace",
    "promoted", "run", "runs", "save_picture", "sql",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "errors":
        return importlib.import_module("aios_workbench.errors")
    module, attribute = _RENAMED.get(name, (_HOMES.get(name, ""), name))
    if not module:
        raise AttributeError(f"module 'aios_workbench' has no attribute '{name}'")
    return getattr(importlib.import_module(f"aios_workbench.{module}"), attribute)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def headless() -> bool:
    """True when no person is watching: in a scheduled job, or with AIOS_HEADLESS=1 (`aios run`)."""
    return bool(os.environ.get("AIOS_JOB_RUN")) or os.environ.get("AIOS_HEADLESS", "") not in ("", "0")


def _connect() -> None:
    """Plug the layers together: the only place that knows them all."""
    from aios_workbench.workflow import hooks

    made: list[Any] = []

    def runner() -> Any:
        if not made:
            made.append(importlib.import_module("aios_workbench.engine").EngineRunner())
        return made[0]

    hooks.set_runner(runner)

    def step() -> Any:
        engine = sys.modules.get("aios_workbench.engine.context")
        return engine.current.get() if engine is not None else None

    def page(kind: str, target: Any) -> str:
        return str(importlib.import_module(f"aios_workbench.widgets.{kind}_report").html(target))

    def picture(target: Any, what: str, **of: Any) -> str:
        return str(importlib.import_module("aios_workbench.widgets.explain_picture").svg(target, what, **of))

    from aios_workbench import _hooks, drift, explain, knn  # noqa: F401 - they are there as aios.drift and so on

    key: list[bytes] = []  # of this process: what is shown or written for others needs no workspace

    def redact(value: Any) -> Any:
        import os

        if not key:
            key.append(os.urandom(32))
        return importlib.import_module("aios_workbench.govern").redact(value, key=key[0]).data

    _hooks.set_hooks(step, page, picture, redact)
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None:
        from aios_workbench.widgets import display

        display.register(shell)
        # While the first cells are read: so that the first run starts in milliseconds.
        import threading

        threading.Thread(target=_warm_up, daemon=True).start()


def _warm_up() -> None:
    import contextlib

    with contextlib.suppress(
        ImportError
    ):  # a job's locked kernel holds what its notebook needs: that may be no engine
        importlib.import_module("aios_workbench.engine.runtime")


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "aios-workbench"}]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "aios_workbench"}]


def _load_jupyter_server_extension(server_app: Any) -> None:
    from aios_workbench.server import load

    load(server_app)


_connect()
