"""A process of its own that runs a notebook in a clean kernel for the promote dialog.

Reads one line of JSON (`notebook`, `options`), writes lines of JSON: `progress` while it runs, `result` at the end.
The end of its input means that nobody wants the result any more: the kernel is shut down, and the process ends.
"""

from __future__ import annotations

import _thread
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, TextIO


def main(given: TextIO, told: TextIO) -> int:
    """Run what the first line names."""
    from aios_workbench.promote import inspect
    from aios_workbench.server.promote_findings import finding_view
    from aios_workbench.server.promote_spec import spec_of

    # A server that was started in the background ignores SIGINT, and so would this process.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    order = json.loads(given.readline())
    threading.Thread(target=_wait_for_end, args=(given,), daemon=True).start()

    def say(kind: str, data: dict[str, Any]) -> None:
        told.write(json.dumps({"kind": kind, **data}, default=str) + "\n")
        told.flush()

    notebook = Path(order["notebook"])
    os.chdir(notebook.parent)
    try:
        found = inspect(
            notebook, spec_of(notebook, order["options"], {}), run=True,
            progress=lambda done, count, turn: say("progress", {"done": done, "count": count, "round": turn}),
        )  # fmt: skip
    except KeyboardInterrupt:
        return 130
    run = found.run.to_dict() if found.run is not None else None
    say("result", {"findings": [finding_view(f) for f in found.findings], "run": run})
    return 0


def _wait_for_end(given: TextIO) -> None:
    given.read()
    _thread.interrupt_main()


if __name__ == "__main__":
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    code = main(sys.stdin, out)
    out.close()
    os._exit(code)  # the thread that reads the input would keep the process
