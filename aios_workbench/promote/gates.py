"""What must hold when a notebook is promoted, and is found by doing: its tests pass, its drift monitors are quiet."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from aios_workbench.errors import JobError, hint
from aios_workbench.promote.spec import JobSpec
from aios_workbench.workspace import Workspace

#: Longest time of all tests together, seconds.
_PATIENCE = 1800.0
_LINES = 15


def require(ws: Workspace, notebook: Path, spec: JobSpec) -> dict[str, Any]:
    """Hold a notebook against the gates its job has, and return what was found, for the record.

    Parameters
    ----------
    notebook : Path
        The file; paths of tests are seen from its folder.

    Returns
    -------
    dict
        ``{"tests": {"paths", "passed"}, "drift": {monitor: state}}``; without what the job does not ask for.

    Raises
    ------
    JobError
        Naming each monitor that alerts or is not there, and the end of what failing tests said.

    Examples
    --------
    >>> import aios_workbench as aios
    >>> require(aios.open_workspace(), Path("claims.ipynb"), JobSpec(name="claims", notebook="claims.ipynb"))
    {}
    """
    found: dict[str, Any] = {}
    problems: list[str] = []
    if spec.drift:
        found["drift"] = {monitor: _state(ws, monitor, problems) for monitor in spec.drift}
    if spec.tests and not problems:  # tests take their time
        found["tests"] = {"paths": list(spec.tests), "passed": _tested(notebook.parent, spec.tests, problems)}
    if problems:
        raise JobError("the notebook cannot be promoted:\n  " + "\n  ".join(problems))
    return found


def _state(ws: Workspace, monitor: str, problems: list[str]) -> str:
    row = ws.catalog.one("select state from drift_monitors where monitor = :m", m=monitor)
    if row is None:
        known = [
            r["monitor"] for r in ws.catalog.query("select monitor from drift_monitors order by monitor")
        ]
        there = ", ".join(known[:10]) or "none; aios.drift.monitor(…) makes one"
        problems.append(f"no drift monitor {monitor!r}{hint(monitor, known)} (there is: {there})")
        return "missing"
    if row["state"] != "quiet":
        told = ws.catalog.one(
            "select message from drift_alerts where monitor = :m and kind = 'alert' order by seq desc limit 1",
            m=monitor,
        )
        why = f": {told['message']}" if told else ""
        problems.append(
            f"drift monitor {monitor!r} alerts{why}. Look at it, train on newer data or set a new reference, and "
            "promote again"
        )
    return str(row["state"])


def _tested(folder: Path, paths: list[str], problems: list[str]) -> bool:
    missing = [path for path in paths if not (folder / path.partition("::")[0]).exists()]
    if missing:
        problems.append(
            f"no tests {', '.join(missing)} in {folder}; paths are seen from the notebook's folder"
        )
        return False
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", *paths]
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = process.communicate(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        problems.append(f"the tests {', '.join(paths)} had not ended after {_PATIENCE / 60:.0f} min")
        return False
    finally:
        if process.poll() is None:  # too long, or somebody interrupted: their children go, too
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode:
        end = "\n    ".join(said.decode(errors="replace").rstrip().splitlines()[-_LINES:])
        problems.append(
            f"the tests {', '.join(paths)} do not pass (pytest's exit code {process.returncode}):\n    {end}"
        )
    return not process.returncode
