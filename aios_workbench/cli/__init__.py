"""The `aios` command."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit code; see `cli.exits`."""
    from aios_workbench.cli.app import call

    for stream in (sys.stdout, sys.stderr):
        if hasattr(
            stream, "reconfigure"
        ):  # a terminal that is not UTF-8 gets question marks, not a traceback
            stream.reconfigure(errors="backslashreplace")
    leave(call(argv))


def leave(code: int) -> NoReturn:
    """End the process. One that executed runs ends at once: a step's thread cannot be stopped, only left."""
    runtime = sys.modules.get("aios_workbench.engine.runtime")
    if runtime is None or not runtime.launched():
        sys.exit(code)
    engine = runtime.running()
    if engine is not None:  # one that was fenced has stopped itself
        engine.stop()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # whoever read it has gone
            code = code or 1
    os._exit(code)
