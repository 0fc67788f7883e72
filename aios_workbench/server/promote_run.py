"""Clean-kernel runs started from the promote dialog: each in a process of its own, watched, cancellable."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
import uuid
from collections import OrderedDict
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from aios_workbench.errors import ConflictError, NotFoundError
from aios_workbench.server import bodies, bodies_promote, promote_spec
from aios_workbench.server.base import AiosHandler

_AT_ONCE = 2
_KEPT = 20
_GRACE = 15.0
_TOLD = 4000


class StartHandler(AiosHandler):
    """`POST promote/clean-run`."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Run the saved notebook twice in a clean kernel; ask for the result by the id."""
        body = self.body(bodies_promote.Draft)

        def work() -> dict[str, Any]:
            notebook, options = self.places.notebook(body.notebook), promote_spec.said(body)
            promote_spec.refuse(promote_spec.problems(options))
            promote_spec.spec_of(notebook, options, {})
            return runs_of(self).start(notebook, options)

        await self.reply(work)


class StateHandler(AiosHandler):
    """`GET promote/clean-run/{id}`."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        """Say how far it is, and at the end what was found."""
        await self.reply(lambda: runs_of(self).get(run_id).view())


class CancelHandler(AiosHandler):
    """`POST promote/clean-run/{id}/cancel`."""

    @web.authenticated
    @authorized
    async def post(self, run_id: str) -> None:
        """End it, and its kernel; one that is over stays as it is."""
        self.body(bodies.Nothing)

        def work() -> dict[str, Any]:
            run = runs_of(self).get(run_id)
            run.cancel()
            return run.view()

        await self.reply(work)


def runs_of(handler: AiosHandler) -> CleanRuns:
    """Return the runs of this server."""
    found: CleanRuns = handler.settings["aios_clean_runs"]
    return found


class Going:
    """A run in a process of its own."""

    def __init__(self, notebook: Path, options: dict[str, Any]) -> None:
        self.id = uuid.uuid4().hex[:12]
        self.started = time.time()
        self.ended: float | None = None
        self.status = "running"
        self.progress: dict[str, Any] | None = None
        self.result: dict[str, Any] = {}
        self.error: str | None = None
        self._process = subprocess.Popen(
            [sys.executable, "-m", "aios_workbench.server.clean_child"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace",
        )  # fmt: skip
        self._complaints: list[str] = []
        order = json.dumps({"notebook": str(notebook), "options": options})
        with contextlib.suppress(OSError):  # it ended at once; what it said is read below
            assert self._process.stdin is not None
            self._process.stdin.write(order + "\n")
            self._process.stdin.flush()
        self._threads = [threading.Thread(target=f, daemon=True) for f in (self._complain, self._listen)]
        for thread in self._threads:
            thread.start()

    def _complain(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._complaints = [*self._complaints[-20:], line]

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            if said.pop("kind") == "progress":
                self.progress = said
            else:
                self.result = said
        code = self._process.wait()
        self._threads[0].join()
        self._process.stdout.close()
        if self._process.stderr is not None:
            self._process.stderr.close()
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        self.ended = time.time()
        if self.status == "running":
            self.status = "done" if self.result else "failed"
        if self.status == "failed":
            self.error = f"the run ended with code {code}: {''.join(self._complaints)[-_TOLD:].strip()}"

    def cancel(self) -> None:
        """End the process and its kernel; by force when it does not listen."""
        if self.status != "running":
            return
        self.status = "cancelled"
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        timer = threading.Timer(_GRACE, self._process.kill)
        timer.daemon = True
        timer.start()

    def wait(self, seconds: float) -> None:
        """Wait until its process is gone."""
        self._threads[1].join(seconds)

    def view(self) -> dict[str, Any]:
        """Return what the dialog is told."""
        run = self.result.get("run") or {}
        return {
            "run_id": self.id, "status": self.status, "started_at": self.started,
            "seconds": (self.ended or time.time()) - self.started, "progress": self.progress,
            "findings": self.result.get("findings", []), "run_status": run.get("status"),
            "run_seconds": run.get("seconds"), "peak_bytes": run.get("peak_bytes"), "compared": run.get("compared"),
            "error": self.error,
        }  # fmt: skip


class CleanRuns:
    """The runs of a server: few at once, the last ones kept."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Going] = OrderedDict()
        self._lock = threading.Lock()

    def start(self, notebook: Path, options: dict[str, Any]) -> dict[str, Any]:
        """Start one.

        Raises
        ------
        ConflictError
            While as many as may go at once are going.
        """
        with self._lock:
            if sum(run.status == "running" for run in self._runs.values()) >= _AT_ONCE:
                raise ConflictError(
                    f"{_AT_ONCE} notebooks are being run in clean kernels already; wait for one, or cancel it"
                )
            run = Going(notebook, options)
            self._runs[run.id] = run
            for over in [i for i, r in self._runs.items() if r.status != "running"][:-_KEPT]:
                del self._runs[over]
        return run.view()

    def get(self, run_id: str) -> Going:
        """Return one.

        Raises
        ------
        NotFoundError
            When the server does not know it (any more).
        """
        if (run := self._runs.get(run_id)) is None:
            raise NotFoundError(
                f"there is no clean run {run_id!r}; the server was restarted, so start it again"
            )
        return run

    def stop(self) -> None:
        """Cancel all and wait for their kernels to end."""
        for run in list(self._runs.values()):
            run.cancel()
        for run in list(self._runs.values()):
            run.wait(_GRACE)
