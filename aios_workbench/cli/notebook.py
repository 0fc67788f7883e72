"""`aios run notebook.ipynb`: one execution in a fresh kernel, with the machinery that runs jobs."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.cli import exits, output
from aios_workbench.cli.interrupts import noted
from aios_workbench.workflow.durations import format_duration

if TYPE_CHECKING:
    from aios_workbench.workspace import Workspace

#: folder of the workspace that holds one folder per execution
FOLDER = "notebook-runs"


def execute(
    ws: Workspace, path: Path, given: Mapping[str, Any], gates: Mapping[str, Any] | None, *, as_json: bool,
    title: str | None = None, cwd: Path | None = None, modules: Path | None = None, timeout: float | None = None,
    settle: Callable[[dict[str, str]], dict[str, str]] | None = None,
    memory: int | None = None,
) -> int:  # fmt: skip
    """Execute a notebook once; return the command's exit code.

    Executed notebook, HTML page, parameters and log are kept in a folder of the workspace. Workflows that the
    notebook starts are waited for, up to a gate.

    Parameters
    ----------
    title : str, optional
        What it is called; the file's name if not given.
    cwd : Path, optional
        Where relative paths of the notebook start; its own folder if not given.
    modules : Path, optional
        A folder whose modules win over all others.
    timeout : float, optional
        Seconds after which the kernel is ended.
    settle : callable, optional
        Turns the variables the kernel is started with into those of a locked environment.
    memory : int, optional
        Bytes beyond which it and its children are killed.

    Raises
    ------
    NotFoundError, JobError, ParameterError
        Before a kernel is started.
    """
    from aios_workbench.promote.execution import Execution
    from aios_workbench.promote.memory import Meter
    from aios_workbench.promote.notebooks import code_cells, read_notebook
    from aios_workbench.promote.parameters import NotebookParameters, inject
    from aios_workbench.promote.report import Log, write_html

    path = path.expanduser().resolve()
    book = read_notebook(path)
    parameters = NotebookParameters(code_cells(book))
    values = parameters.coerce(given)
    parameters.require(values)
    if parameters.cell is not None:
        inject(book, parameters)
    folder = _new_folder(ws, title or path.stem)
    types = {p.name: p.type for p in parameters}
    (folder / "params.json").write_text(
        json.dumps({"values": values, "types": types}) + "\n", encoding="utf-8"
    )
    env = {
        **os.environ, "AIOS_HOME": str(ws.root), "AIOS_HEADLESS": "1", "AIOS_GATES": json.dumps(dict(gates or {})),
        "AIOS_PARAMETERS": str(folder / "params.json"),
    }  # fmt: skip
    env.pop("AIOS_JOB_RUN", None)
    if modules is not None:
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(modules), env.get("PYTHONPATH"))))
    env = env if settle is None else settle(env)
    started = time.time()
    kernel = _Kernel(ws, folder, started)
    with Log(folder / "log.txt") as log, noted(1) as asked, _progress(as_json=as_json) as progress:
        execution = Execution(
            book,
            folder,
            cwd or path.parent,
            env,
            log,
            timeout,
            lambda: "cancel" if asked() else None,
            progress,
            kernel.settled,
            meter=Meter(memory),
        )
        why, error = execution.run()
        execution.save()
        with contextlib.suppress(Exception):  # an output that cannot be shown must not fail what was done
            write_html(book, folder / "report.html", title or path.stem)
    if why == "timeout":
        error = {
            "type": "Timeout",
            "message": f"took longer than {format_duration(timeout)}",
            "traceback": "",
            "cell": error and error.get("cell"),
        }
    ended = {"timeout": "timeout", "memory": "failed", None: None}.get(why, "interrupted")
    return _conclude(
        ws, path, title or path.name, folder, kernel.runs(), ended, error, started, as_json=as_json
    )


def _new_folder(ws: Workspace, title: str) -> Path:
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", title).strip("-")[:40] or "notebook"
    name = f"{slug}-{time.strftime('%y%m%d-%H%M%S', time.gmtime())}-{uuid.uuid4().hex[:6]}"
    folder = ws.root / FOLDER / name
    folder.mkdir(parents=True, mode=0o700)
    return folder


def _conclude(
    ws: Workspace, path: Path, title: str, folder: Path, runs: list[dict[str, Any]], status: str | None,
    error: dict[str, Any] | None, started: float, *, as_json: bool,
) -> int:  # fmt: skip
    from aios_workbench.cli import views
    from aios_workbench.engine import control

    failed = [r for r in runs if r["status"] == "failed"]
    waiting = [r for r in runs if r["status"] == "waiting"]
    if status is None:
        status = "failed" if error or failed else "waiting" if waiting else "succeeded"
    files = {
        n: str(folder / n) for n in ("executed.ipynb", "report.html", "log.txt") if (folder / n).exists()
    }
    if as_json:
        output.emit({
            "notebook": str(path), "status": status, "duration": time.time() - started, "error": error,
            "folder": str(folder), "files": files,
            "runs": [{k: r[k] for k in ("run_id", "workflow", "status")} for r in runs],
        })  # fmt: skip
    else:
        if error:
            output.say(
                str(error["traceback"] or f"{error['type']}: {error['message']}").rstrip(),
                err=True,
                lines=True,
            )
            output.say(f"cell {error.get('cell') or '?'} failed", err=True)
        output.say(f"{title}  ", output.state(status), f"   {format_duration(time.time() - started)}")
        for run in runs:
            output.say(f"run {run['run_id']}  ", output.state(run["status"]))
        for run in waiting:
            for line in views.how_to_decide(control.get_run(ws, run["run_id"])):
                output.say(line)
        for file in files.values():
            output.say(file)
    return exits.INTERRUPTED if status == "interrupted" else exits.of_status(status)


class _Kernel:
    """The workflows a notebook started: `wf.run()` returns at once, the kernel must not go before they end."""

    def __init__(self, ws: Workspace, folder: Path, since: float) -> None:
        self._ws, self._file, self._since = ws, folder / "kernel.json", since
        self._pid: int | None = None

    def runs(self) -> list[dict[str, Any]]:
        """Return them, oldest first."""
        if self._pid is None:
            with contextlib.suppress(OSError, ValueError):
                self._pid = json.loads(self._file.read_text(encoding="utf-8"))["pid"]
        return self._ws.catalog.query(
            "select r.* from runs r join executors e on e.executor_id = r.owner where e.pid = :pid "
            "and e.started_at >= :since and r.created_at >= :since order by r.created_at",
            pid=self._pid or -1, since=self._since,
        )  # fmt: skip

    def settled(self) -> bool:
        """True when none is under way; one that waits at a gate is left to a worker."""
        return not any(r["status"] in ("queued", "running") for r in self.runs())


@contextlib.contextmanager
def _progress(*, as_json: bool) -> Iterator[Callable[[int, int], None]]:
    """Show how many cells are done: a bar on a terminal, else a line each."""
    screen = output.console(err=True)
    if as_json or not screen.is_terminal:
        yield lambda cell, count: None if as_json else output.say(f"cell {cell} of {count} done")
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("cells"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda cell, count: bar.update(task, completed=cell, total=count)
