"""One notebook in one kernel: cells in order, watched, logged as they go, saved after each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from aios_workbench.promote.cells import Recorder
from aios_workbench.promote.kernel import forget_pid, kernel_manager, note_pid
from aios_workbench.promote.memory import Meter
from aios_workbench.promote.report import Log, plain

_POLL_SECONDS = 0.25
_UNWIND_SECONDS = 5.0
INJECTED = "injected-parameters"

Stop = Literal["cancel", "stop", "timeout", "memory"]


@dataclass
class Execution:
    """What to run, and who is told about it.

    Attributes
    ----------
    watch : callable
        Asked four times a second; says "cancel" or "stop" to end the run early.
    progress : callable
        Told number and count of cells after each cell.
    settle : callable
        Awaited after the last cell, with the kernel still alive.
    cells : Recorder, optional
        Writes down how each cell fares.
    meter : Meter
        Watches the memory of the kernel and its children, and kills them when it is more than its cap.
    """

    book: Any
    folder: Path
    cwd: Path
    env: dict[str, str]
    log: Log
    timeout: float | None
    watch: Callable[[], Stop | None]
    progress: Callable[[int, int], None]
    settle: Callable[[], bool]
    cells: Recorder | None = None
    meter: Meter = field(default_factory=Meter)

    def run(self) -> tuple[Stop | None, dict[str, Any] | None]:
        """Run all cells; returns why it was stopped early, and the error that ended it."""
        return asyncio.run(self._run())

    async def _run(self) -> tuple[Stop | None, dict[str, Any] | None]:
        with kernel_manager(self.env) as manager:
            client = _Client(self, manager)
            cells = asyncio.ensure_future(client.cells())
            try:
                return await self._watched(client, cells)
            finally:
                cells.cancel()
                await asyncio.gather(cells, return_exceptions=True)
                self.meter.stop()
                await client.end()
                forget_pid(self.folder)
                if self.cells is not None:
                    self.cells.close()

    async def _watched(
        self, client: _Client, cells: asyncio.Future[Any]
    ) -> tuple[Stop | None, dict[str, Any] | None]:
        started = time.monotonic()
        while not (await asyncio.wait({cells}, timeout=_POLL_SECONDS))[0]:
            if self.meter.over is not None:
                break
            why = self.watch()
            if why is None and self.timeout is not None and time.monotonic() - started > self.timeout:
                why = "timeout"
            if why is not None:
                await self._interrupt(client, cells, why)
                return why, None
        if self.meter.over is not None:
            client.shutdown_kernel = "immediate"
            self.save_meanwhile()
            return "memory", client.error("MemoryLimit", self.meter.explain())
        return None, client.explain(cells.exception())

    async def _interrupt(self, client: _Client, cells: asyncio.Future[Any], why: Stop) -> None:
        self.log.say(f"{why}: interrupting the kernel")
        await client.interrupt()
        # `finally` blocks of the notebook get their chance, then the kernel is killed.
        await asyncio.wait({cells}, timeout=_UNWIND_SECONDS)
        client.shutdown_kernel = "graceful" if cells.done() else "immediate"
        self.save_meanwhile()

    def save_meanwhile(self) -> None:
        """Save what there is; a disk that is full now may have room at the end, and then all of it is saved."""
        try:
            self.save()
        except OSError as e:
            self.log.say(f"the executed notebook could not be saved: {e}")

    def save(self) -> None:
        """Write the notebook as far as it has come."""
        path = self.folder / "executed.ipynb"
        temporary = path.with_suffix(".tmp")
        nbformat.write(self.book, temporary)  # type: ignore[no-untyped-call]
        temporary.replace(path)


class _Client(NotebookClient):
    """nbclient, with the parts of a run that a person wants to see while it goes on."""

    def __init__(self, execution: Execution, manager: Any) -> None:
        super().__init__(
            execution.book, km=manager, timeout=None, store_widget_state=False, startup_timeout=120
        )
        self.execution = execution
        self.on_notebook_start = self._started
        self.on_cell_execute = self._begin
        self.on_cell_executed = self._end
        self._at = 0.0
        code = [i for i, c in enumerate(self.nb.cells) if c.cell_type == "code" and c.source.strip()]
        self._count, self._order = len(code), {index: n for n, index in enumerate(code, start=1)}
        extra = [i for i, c in enumerate(self.nb.cells) if INJECTED in c.metadata.get("tags", ())]
        # As counted in the notebook the author knows: without the cell that sets the parameters.
        self._number = {
            i: None if i in extra else i + 1 - sum(e < i for e in extra) for i in range(len(self.nb.cells))
        }
        self._now: int | None = None

    async def cells(self) -> None:
        await self.async_execute(cwd=str(self.execution.cwd), env=self.execution.env)
        while not self.execution.settle():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(_POLL_SECONDS)

    async def interrupt(self) -> None:
        if self.km is not None and self.km.has_kernel:
            await self.km.interrupt_kernel()  # type: ignore[misc]

    async def end(self) -> None:
        if self.km is not None and self.km.has_kernel:
            await self._async_cleanup_kernel()

    def output(self, outs: Any, msg: Any, display_id: Any, cell_index: int) -> Any:
        content = msg["content"]
        if msg["msg_type"] == "stream":
            self.execution.log.write(content["text"])
        elif msg["msg_type"] in ("execute_result", "display_data"):
            text = content["data"].get("text/plain", "")
            self.execution.log.write("".join(text).rstrip("\n") + "\n" if text else "")
        elif msg["msg_type"] == "error":
            self.execution.log.write("\n".join(content["traceback"]) + "\n")
        return super().output(outs, msg, display_id, cell_index)

    def explain(self, error: BaseException | None) -> dict[str, Any] | None:
        """Return what ended the run, as data."""
        if error is None:
            return None
        if isinstance(error, CellExecutionError):
            return {
                "type": error.ename, "message": plain(error.evalue), "traceback": plain(error.traceback),
                "cell": self._number.get(self._now) if self._now is not None else None,
            }  # fmt: skip
        if isinstance(error, DeadKernelError):
            message = "the kernel died; was it killed, or did the machine run out of memory?"
        else:
            message = str(error) or repr(error)
        return self.error(type(error).__name__, message)

    def error(self, kind: str, message: str) -> dict[str, Any]:
        """Return an error that is not the notebook's own, as data."""
        number = self._number.get(self._now) if self._now is not None else None
        return {"type": kind, "message": message, "traceback": "", "cell": number}

    def _started(self, **_: Any) -> None:
        note_pid(self.execution.folder, self.km)
        if self.km is not None and (pid := getattr(self.km.provisioner, "pid", None)):
            self.execution.meter.start(pid)
        if self.execution.cells is not None:
            self.execution.cells.plan([self._number[index] for index in self._order])

    def _label(self, index: int) -> str:
        number = self._number[index]
        return "parameters" if number is None else f"cell {number}"

    def _begin(self, cell_index: int, **_: Any) -> None:
        self._now, self._at = cell_index, time.monotonic()
        if self.execution.cells is not None:
            self.execution.cells.begin(self._order[cell_index])
        self.execution.log.say(f"{self._label(cell_index)} ({self._order[cell_index]} of {self._count})")

    def _end(self, cell_index: int, execute_reply: Any, **_: Any) -> None:
        ok = execute_reply["content"]["status"] == "ok"
        took = time.monotonic() - self._at
        self.execution.log.say(f"{self._label(cell_index)} {'done' if ok else 'failed'} after {took:.1f} s")
        if self.execution.cells is not None:
            self.execution.cells.end(self._order[cell_index], ok=ok)
        self.execution.save_meanwhile()
        self.execution.progress(self._order[cell_index], self._count)
