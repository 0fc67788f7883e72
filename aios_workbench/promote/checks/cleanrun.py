"""AIOS14x: what a run from top to bottom in a clean kernel shows: does it end, twice alike, and as it was saved."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aios_workbench.errors import AiosError
from aios_workbench.promote.checks.compare import differences
from aios_workbench.promote.checks.finding import Finding
from aios_workbench.promote.checks.rules import Rule
from aios_workbench.promote.parameters import NotebookParameters, inject
from aios_workbench.workflow.durations import format_duration

if TYPE_CHECKING:
    from aios_workbench.promote.checks.context import Context
    from aios_workbench.promote.checks.source import Code

FAILED = Rule(
    "AIOS141",
    "clean-run-failed",
    "error",
    "The notebook fails when it is run from top to bottom in a clean kernel.",
    "So will the job.",
)
DIFFERS = Rule("AIOS142", "output-differs", "warning", "A cell gives another output than the saved one.",
               "What was looked at and approved is not what the job computes.")  # fmt: skip
FLAKY = Rule("AIOS143", "flaky-output", "warning", "Two clean runs give different outputs.",
             "No two nights can be compared.")  # fmt: skip
ENDLESS = Rule("AIOS144", "clean-run-timeout", "error", "The notebook had not ended when its time was up.",
               "A job without an end blocks its next ticks.")  # fmt: skip
RULES = (FAILED, DIFFERS, FLAKY, ENDLESS)

TIMEOUT = 600.0
_NAME = re.compile(
    r"name '(\w+)' is not defined|No module named '([\w.]+)'|No such file or directory: '([^']+)'"
)
_SKIPPED = re.compile(r"NBVAL_IGNORE_OUTPUT|NBVAL_SKIP", re.IGNORECASE)
_SKIP_TAGS = frozenset(("nbval-ignore-output", "nbval-skip", "skip-output-check"))


@dataclass
class CleanRun:
    """A notebook run twice in a clean kernel.

    Attributes
    ----------
    status : {"succeeded", "failed", "timeout"}
        Of the first run.
    seconds : float
        It took.
    peak_bytes : int or None
        Most memory its kernel held at a time.
    memory_limit : int or None
        What a job may take: its own limit, else what the machine has.
    error : dict or None
        Type, message and cell of what ended it.
    differs, flaky : dict
        Cell -> how its output differs from the saved one, and between the two runs.
    compared : int
        Cells whose saved outputs were compared.
    """

    status: str
    seconds: float
    peak_bytes: int | None
    memory_limit: int | None
    error: dict[str, Any] | None = None
    differs: dict[int, str] = field(default_factory=dict)
    flaky: dict[int, str] = field(default_factory=dict)
    compared: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-able dict."""
        return asdict(self)


#: Told cells done, how many there are, and which of the two runs it is.
Progress = Callable[[int, int, int], None]


def run_clean(ctx: Context, timeout: float | None = None, progress: Progress | None = None) -> CleanRun:
    """Run a notebook twice in a clean kernel and compare what it shows. Never raises for what it does."""
    given = ctx.spec.parameters if ctx.spec is not None else {}
    limit = timeout or (ctx.spec.timeout if ctx.spec is not None else None) or TIMEOUT
    try:
        first, run = _once(ctx, given, limit, lambda done, count: progress and progress(done, count, 1))
        if run.status != "succeeded":
            return run
        second, again = _once(ctx, given, limit, lambda done, count: progress and progress(done, count, 2))
    except AiosError as e:
        return CleanRun(
            "failed", 0.0, None, None, {"type": type(e).__name__, "message": str(e), "cell": None}
        )
    if again.status != "succeeded":
        cell = (again.error or {}).get("cell")
        run.flaky[cell or 0] = f"the second run {again.status}: {(again.error or {}).get('message', '')}"
        return run
    for code in ctx.codes:
        if _is_skipped(code):
            continue
        if (said := differences(first[code.number], second[code.number])) is not None:
            run.flaky[code.number] = said
        # Other values were given than those whose outputs were saved: nothing to compare.
        elif not given and (code.outputs or code.count):
            run.compared += 1
            if (said := differences(code.outputs, first[code.number])) is not None:
                run.differs[code.number] = said
    return run


def _is_skipped(code: Code) -> bool:
    return bool(_SKIP_TAGS & set(code.tags)) or bool(_SKIPPED.search(code.source))


def _once(
    ctx: Context, given: dict[str, Any], timeout: float, progress: Callable[[int, int], object]
) -> tuple[dict[int, list[Any]], CleanRun]:
    """Run it once, in its own folder but with a workspace of its own; returns outputs by cell."""
    from aios_workbench.promote.execution import Execution
    from aios_workbench.promote.report import Log

    book = copy.deepcopy(ctx.book)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    parameters = NotebookParameters([code.cell for code in ctx.codes])
    with tempfile.TemporaryDirectory(prefix="aios-check-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        if given:
            types = {p.name: p.type for p in parameters}
            (folder / "params.json").write_text(
                json.dumps({"values": parameters.coerce(given), "types": types}), encoding="utf-8"
            )
            inject(book, parameters)
        meter = _Meter(folder)

        def cell_done(done: int, count: int) -> None:
            meter.note()
            progress(done, count)

        with Log(folder / "log.txt") as log:
            execution = Execution(
                book, folder, ctx.folder.resolve(), _environment(ctx, folder), log, timeout, meter.watch,
                cell_done, _Settled(folder, meter),
            )  # fmt: skip
            started = time.monotonic()
            why, error = execution.run()
            seconds = time.monotonic() - started
    status = "timeout" if why == "timeout" else "failed" if error else "succeeded"
    if error is not None:
        error = {k: error.get(k) for k in ("type", "message", "cell")}
    # The cell that sets the job's values stands behind the parameters cell, and is not the author's.
    kept = [c for i, c in enumerate(book.cells) if not (given and i == parameters.cell)]
    outputs = {n: list(c.get("outputs", ())) for n, c in enumerate(kept, start=1)}
    allowed = getattr(ctx.spec, "memory", None)
    limit = int(allowed) if isinstance(allowed, (int, float)) and allowed else _memory()
    return outputs, CleanRun(status, seconds, meter.peak, limit, error)


def _environment(ctx: Context, folder: Path) -> dict[str, str]:
    """What a job's kernel gets, without what it would write into the project's own workspace."""
    env = {
        k: v
        for k, v in os.environ.items()
        if k not in ("AIOS_JOB_RUN", "AIOS_PARAMETERS", "AIOS_DATABASE_URL", "AIOS_ARTIFACTS")
    }
    paths = [str(ctx.folder.resolve()), *filter(None, [env.get("PYTHONPATH")])]
    env.update(
        AIOS_HOME=str(folder / "workspace"),
        AIOS_HEADLESS="1",
        DO_NOT_TRACK="1",
        MLFLOW_DISABLE_TELEMETRY="true",
        AIOS_GATES=json.dumps(dict(ctx.spec.gates) if ctx.spec is not None else {}, default=str),
        PYTHONPATH=os.pathsep.join(paths),
    )
    # What bytecode a run compiles is nobody's business in the folder that is checked.
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    if (folder / "params.json").exists():
        env["AIOS_PARAMETERS"] = str(folder / "params.json")
    return env if ctx.kernel is None else ctx.kernel(env)


class _Meter:
    """Most memory the kernel held, as the system counts it, else as seen four times a second."""

    def __init__(self, folder: Path) -> None:
        self._note = folder / "kernel.json"
        self.peak: int | None = None

    def watch(self) -> None:
        """Look, and let it go on."""
        self.note()

    def note(self) -> None:
        import psutil  # type: ignore[import-untyped]

        with contextlib.suppress(OSError, ValueError, KeyError, psutil.Error):
            pid = json.loads(self._note.read_text(encoding="utf-8"))["pid"]
            self.peak = max(self.peak or 0, _high_water(pid) or psutil.Process(pid).memory_info().rss)


def _high_water(pid: int) -> int | None:
    """Return what Linux keeps as the highest resident size of a process."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def _memory() -> int | None:
    import psutil

    with contextlib.suppress(OSError, ValueError):
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
        if limit.isdigit():
            return min(int(limit), int(psutil.virtual_memory().total))
    return int(psutil.virtual_memory().total)


class _Settled:
    """Says whether the workflows a notebook started have ended, before its kernel is told to go."""

    def __init__(self, folder: Path, meter: _Meter) -> None:
        self._root, self._meter = folder / "workspace", meter

    def __call__(self) -> bool:
        self._meter.note()
        if not (self._root / "catalog.db").exists():
            return True
        from aios_workbench.workspace import Workspace

        ws = Workspace(self._root)
        try:
            return not ws.catalog.query("select 1 from runs where status in ('queued', 'running') limit 1")
        finally:
            ws.close()


def find(ctx: Context) -> Iterator[Finding]:
    """Yield what the clean run showed, where one was made."""
    run = ctx.run
    if run is None:
        return
    codes = {code.number: code for code in ctx.codes}
    cell = codes.get((run.error or {}).get("cell") or 0)
    if run.status == "timeout":
        yield ENDLESS.at(
            cell, None, f"the run had not ended after {format_duration(max(run.seconds, 0.001))}",
            "make it faster, or give the job a longer timeout",
        )  # fmt: skip
    elif run.error is not None:
        message = str(run.error.get("message", "")).partition("\n")[0][:200]
        found = _NAME.search(message)
        yield FAILED.at(
            cell, None, f"a run from top to bottom fails with {run.error.get('type')}: {message}",
            "restart the kernel, run all cells, and correct the first that fails",
            variable=next(filter(None, found.groups()), None) if found else None,
        )  # fmt: skip
    for number, said in run.flaky.items():
        yield FLAKY.at(
            codes.get(number),
            None,
            f"two clean runs differ: {said}",
            "seed what is random, sort what has no order, and leave out the clock",
        )
    for number, said in run.differs.items():
        yield DIFFERS.at(
            codes.get(number),
            None,
            f"a clean run gives another output than the saved one: {said}",
            "run all cells and save the notebook",
        )
