"""The process a step's function is called in. It opens no database: what it has to say goes through a pipe."""

from __future__ import annotations

import contextlib
import faulthandler
import linecache
import os
import resource
import sys
import threading
import traceback
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from aios_workbench.engine import calls, capture
from aios_workbench.engine.context import Context, current
from aios_workbench.engine.executors import wire
from aios_workbench.engine.executors.base import Call
from aios_workbench.engine.failures import describe
from aios_workbench.engine.job import Job, Stored
from aios_workbench.engine.spending.spender import Spending
from aios_workbench.errors import AiosError
from aios_workbench.workflow import hooks
from aios_workbench.workflow.currencies import CURRENCIES
from aios_workbench.workspace import Artifact, ArtifactStore
from aios_workbench.workspace.remote import BlobStore

#: Address space a capped process may reserve beside what it may use: libraries reserve much that they never touch.
_RESERVED = 2**30
_MOST_OF_AN_ERROR = 1_000_000


def main(message: dict[str, Any], talk: int, listen: int) -> NoReturn:
    """Make the call, tell what came of it, end at once: nothing that the step left running is waited for."""
    line = Line(talk, listen)
    os.register_at_fork(
        after_in_child=line.hang_up
    )  # what a step forks writes to the pipes of stdout and stderr
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    faulthandler.enable(2, all_threads=False)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, write_through=True, errors="backslashreplace")  # type: ignore[union-attr]
    try:
        job, call = _prepared(message, line)
    except BaseException as e:  # noqa: BLE001 - the folder is gone, what was pickled cannot be loaded
        line.tell(
            "error",
            describe(e, message["spec"].name, None, message["spec"]),
            _pickled(e),
            None,
            isinstance(e, MemoryError),
        )
    else:
        _work(job, call, line)
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)


def _prepared(message: dict[str, Any], line: Line) -> tuple[Job, Call]:
    os.environ.clear()
    os.environ.update(message["env"])
    sys.path[:] = message["path"]
    os.chdir(message["cwd"])
    _limit(message)
    ws: Any = Space(message, line)
    spec = message["spec"]
    job = Job(ws, "", message["run_id"], message["leg"], message["workflow"], spec, message["inputs"],
              job_run_id=message["job_run_id"], purpose=message["purpose"], part=message["part"],
              inside=True)  # fmt: skip
    Stored.here = job
    ctx = Remote(ws, job.run_id, job.workflow, spec.name, message["attempt"], job_run_id=job.job_run_id,
                 part=job.part, _purpose=job.purpose)  # fmt: skip
    ctx.line, line.stop = line, ctx._cancelled
    ctx._log = lambda text: line.tell("record", "INFO", text)
    hooks.set_cells(Cells(line))
    capture.install()
    current.set(ctx)
    capture.sink.set(Log(line))  # type: ignore[arg-type]
    function = message["function"]
    if isinstance(function, bytes):
        import cloudpickle

        function = cloudpickle.loads(function)
    log: Any = None
    return job, Call(
        job, function, job.inputs, ctx.attempt, None, ctx, log, message["secrets"], calls.call_here
    )


def _work(job: Job, call: Call, line: Line) -> None:
    ctx = call.context
    function: Any = None
    try:
        if isinstance(call.function, Stored):
            call.function = function = call.function.load()
        output = call.here()
    except BaseException as e:  # noqa: BLE001 - sys.exit() too is a step that failed
        line.finish()
        _fetch_sources(e, line)
        described = describe(e, job.spec.name, function, job.spec)
        line.tell("error", described, _pickled(e), _kept(call, ctx), isinstance(e, MemoryError))
    else:
        line.tell("result", output, _kept(call, ctx))


def _kept(call: Call, ctx: Context) -> Artifact | None:
    if ctx._kept is None:
        return None
    try:
        return call.put(ctx._kept)
    except AiosError as e:
        ctx.log(f"what the step kept is lost: {e}")
        return None


def _fetch_sources(error: BaseException | None, line: Line) -> None:
    """Get the text of the notebook cells that an error's traceback goes through."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        for frame in traceback.extract_tb(error.__traceback__):
            name = frame.filename
            if name not in linecache.cache and not Path(name).exists():
                lines = line.ask("source", name) or []
                linecache.cache[name] = (sum(map(len, lines)), None, lines, name)
        error = error.__cause__ or error.__context__


def _pickled(error: BaseException) -> bytes | None:
    """Return the exception itself, where it can travel: who decides whether to try again may ask for its class."""
    import cloudpickle

    try:
        blob = cloudpickle.dumps(error)
    except Exception:  # noqa: BLE001 - described is enough
        return None
    return blob if len(blob) <= _MOST_OF_AN_ERROR else None


def _limit(message: dict[str, Any]) -> None:
    if message["memory"] is not None:
        # Asking for far too much at once is refused at once; whatever grows is seen by the keeper.
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        most = message["memory"] + _RESERVED
        resource.setrlimit(resource.RLIMIT_DATA, (most if hard == -1 else min(most, hard), hard))
    if message["cpus"]:
        os.sched_setaffinity(0, message["cpus"])
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(name, str(len(message["cpus"])))


class Line:
    """The pipes to the run's process; safe to use from any thread."""

    def __init__(self, talk: int, listen: int) -> None:
        self._talk, self._listen = talk, listen
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._answers: list[Any] = []
        self._answered = threading.Semaphore(0)
        self.stop = threading.Event()
        self.connected = True
        threading.Thread(target=self._hear, name="aios-line", daemon=True).start()

    def tell(self, kind: str, *data: Any) -> None:
        """Send a message."""
        if self.connected:
            frame = wire.pack((kind, *data))
            with self._lock, contextlib.suppress(BrokenPipeError):
                wire.write_all(self._talk, frame)

    def ask(self, kind: str, *data: Any) -> Any:
        """Send a question and wait for its answer; an exception for an answer is raised."""
        if not self.connected:
            return None
        with self._asking:
            self.tell("ask", kind, *data)
            self._answered.acquire()
            answer = self._answers.pop()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def finish(self) -> None:
        """Give back what a step that failed may hold: there may be no memory left to say so."""
        with contextlib.suppress(ValueError, OSError):
            hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
            resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))

    def hang_up(self) -> None:
        """In a process that the step forked: it has no part in the conversation."""
        self.connected = False
        capture.sink.set(None)
        for fd in (self._talk, self._listen):
            with contextlib.suppress(OSError):
                os.close(fd)

    def _hear(self) -> None:
        while (message := wire.read_frame(self._listen)) is not None:
            kind, answer = message
            if kind == "cancel":
                self.stop.set()
            else:
                self._answers.append(answer)
                self._answered.release()


class Remote(Context):
    """The step's context, over there: shows and figures are written down by the run's process."""

    line: Line

    def progress(self, fraction: float, message: str | None = None) -> None:
        """Show how far the step is."""
        if self._due(fraction):
            self.line.tell("call", "progress", (float(fraction), message), {})

    def metric(self, name: str, value: float | str, unit: str | None = None, *, kpi: bool = False) -> None:
        """Record a figure of this run."""
        plain = float(value) if not isinstance(value, str) and hasattr(value, "__float__") else str(value)
        given = (str(name), plain, unit), {"kpi": kpi}
        if unit in CURRENCIES and not kpi:  # a cost: it may be too much, which only the run's process knows
            self.line.ask("metric", *given)
        else:
            self.line.tell("call", "metric", *given)

    @cached_property
    def _spender(self) -> Spending:
        return RemoteSpender(self.line)


class RemoteSpender:
    """Asks the run's process, where the ledger is."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def spend(self, given: Mapping[str, Any]) -> None:
        """Write down what was spent."""
        self._line.ask("spending", "spend", dict(given))

    def left(self, unit: str) -> float:
        """Return how much of a unit may still be spent."""
        return float(self._line.ask("spending", "left", unit))

    def hold(self, given: Mapping[str, Any]) -> str:
        """Keep amounts until they are let go."""
        return str(self._line.ask("spending", "hold", dict(given)))

    def let_go(self, name: str) -> None:
        """End a reservation."""
        self._line.ask("spending", "let_go", name)

    def cost(self, name: str, value: float, currency: str) -> None:
        """Count a figure that is a cost."""
        self._line.ask("spending", "cost", name, value, currency)


class Log:
    """Stands in for the step's log."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def write(self, stream: str, text: str) -> None:
        """Take text as a stream gives it."""
        self._line.tell("write", stream, text)

    def record(self, level: str, text: str) -> None:
        """Take a logging record."""
        self._line.tell("record", level, text)


class Cells:
    """The notebook's cells, asked for where an error needs them: they live in the kernel."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._known: dict[str, dict[str, str] | None] = {}

    def identity(self, filename: str) -> str:
        """Return the front end's id of a cell."""
        return str((self.describe(filename) or {}).get("cell_id", ""))

    def describe(self, filename: str) -> dict[str, str] | None:
        """Return what the kernel says of a cell."""
        if filename not in self._known:
            self._known[filename] = None if Path(filename).exists() else self._line.ask("cell", filename)
        return self._known[filename]


class Space:
    """What a step needs of the workspace: its artifacts. Their descriptions are written down by the run's process."""

    def __init__(self, message: dict[str, Any], line: Line) -> None:
        self.root = Path(message["root"])
        self.catalog = Deferred(line)
        catalog: Any = self.catalog
        self.artifacts = ArtifactStore(
            Path(message["folder"]), catalog, message["durability"],
            BlobStore(message["blobs"]) if message["blobs"] else None,
        )  # fmt: skip

    def __getattr__(self, name: str) -> Any:
        from aios_workbench.workspace import workspace

        return getattr(workspace(self.root), name)


class Deferred:
    """Stands in for the catalog: rows are handed on; a question opens the real one."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def defer(self, sql: str, params: dict[str, Any], key: object = None, *, always: bool = False) -> None:  # noqa: ARG002
        """Hand a row on; in whose name it is written is the run's process's business."""
        self._line.tell("defer", sql, dict(params), key)

    def event(self, kind: str, run_id: str | None = None, step: str | None = None, **data: Any) -> None:
        """Hand on something that happened."""
        self._line.tell("event", kind, run_id, step, data)

    def __getattr__(self, name: str) -> Any:
        from aios_workbench.workspace import workspace

        return getattr(workspace(os.environ["AIOS_HOME"]).catalog, name)
