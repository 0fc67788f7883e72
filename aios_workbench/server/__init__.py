"""The Jupyter server extension: authenticated handlers under `<base>/aios/` and the live event stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

__all__ = ["load"]


def load(server_app: ServerApp) -> None:
    """Add the handlers and the event schema to a Jupyter server. Writes nothing, opens nothing."""
    from aios_workbench.server.extension import attach

    attach(server_app)
