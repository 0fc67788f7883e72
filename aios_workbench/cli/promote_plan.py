"""`aios promote --dry-run`: what a promotion would change; and how far the reading of large data files is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aios_workbench.cli import exits, output
from aios_workbench.cli.jobs_versions import show_diff

if TYPE_CHECKING:
    from aios_workbench.promote.digests import Told
    from aios_workbench.promote.spec import JobSpec

_LARGE = 200 * 2**20
_SECONDS = 0.5


def dry_run(notebook: Path, spec: JobSpec, *, as_json: bool) -> int:
    """Print what promoting the notebook would change; nothing is stored."""
    from aios_workbench.promote import diff
    from aios_workbench.promote.promoting import candidate
    from aios_workbench.workspace import Workspace, locate, workspace

    root = locate()
    if (root / "catalog.db").exists() or (root / "jobs").exists():
        ws = workspace(root)
        found = diff.preview(ws, candidate(ws, notebook, spec, reading()))
    else:  # looking leaves nothing behind
        import tempfile

        with tempfile.TemporaryDirectory() as nowhere:
            ws = Workspace(Path(nowhere) / ".aios", database="", artifacts="")
            try:
                made = candidate(ws, notebook, spec, reading())
                found = {"job": spec.name, "version": None, "next": 1, **diff.compare({}, made.bundle.files)}
            finally:
                ws.close()
    if as_json:
        output.emit(found)
        return exits.OK
    before, following = found["version"], found["next"]
    if before is None:
        output.say(f"{found['job']} would be a new job")
    elif before == following:
        output.say(f"{found['job']} runs this already: version {before}")
    else:
        older = " again" if following < before else ""
        output.say(f"{found['job']} runs version {before}; this would be version {following}{older}:")
    show_diff(found)
    return exits.OK


def reading(clock: Callable[[], float] = time.monotonic) -> Told | None:
    """Return what tells a person at a terminal how far the reading of a large file is; None when nobody looks."""
    if not sys.stderr.isatty():
        return None
    last = [clock()]

    def told(path: str, done: int, size: int) -> None:
        if size < _LARGE or (clock() - last[0] < _SECONDS and done < size):
            return
        last[0] = clock()
        end = "\n" if done >= size else ""
        name = output.short(Path(path).name, 40)
        sys.stderr.write(f"\rreading {name}: {100 * done // size} % of {output.size(size)}{end}")
        sys.stderr.flush()

    return told
