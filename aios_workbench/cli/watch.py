"""A run as it goes: a live table on a terminal, a line per step elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Self

from aios_workbench.cli import exits, output, views
from aios_workbench.errors import ConflictError
from aios_workbench.workflow.durations import format_duration

if TYPE_CHECKING:
    from aios_workbench.workspace import Workspace

OVER = frozenset(("succeeded", "failed", "cancelled"))
_POLL_SECONDS = 0.1
_REDRAW_SECONDS = 0.5
_WORKER_SECONDS = 20.0
_TOLD = frozenset((*OVER, "waiting", "retrying"))


def watch(
    ws: Workspace,
    run_id: str,
    *,
    as_json: bool,
    wait_gates: bool = False,
    pressed: Callable[[], int] | None = None,
) -> int:
    """Show a run until it is over, or waits for a person; return the command's exit code.

    Parameters
    ----------
    pressed : callable, optional
        Given when this process executes the run: says how often Ctrl-C was pressed. Once ends the watching, twice
        leaves the run to a worker. Otherwise Ctrl-C ends the command.
    """
    follow = _Follow(ws, run_id, wait_gates, pressed)
    try:
        with _Screen() if as_json else _screen(run_id) as screen:
            status = follow.until(screen, 1)
        if status is None:
            output.warn(
                f"\n{run_id} goes on in this process, unwatched; `aios cancel {run_id}` cancels it.\n"
                "Ctrl-C again leaves now: a worker in the background takes the run over, steps in progress start anew."
            )
            status = follow.until(_Screen(), 2)
    except KeyboardInterrupt:
        output.warn(f"{run_id} goes on; `aios cancel {run_id}` cancels it")
        return exits.INTERRUPTED
    if status is None:
        from aios_workbench.engine import control

        control.ensure_worker(ws)
        output.warn(f"left; `aios logs {run_id} -f` follows the run")
        return exits.INTERRUPTED
    return conclude(ws, run_id, status, as_json=as_json)


def conclude(ws: Workspace, run_id: str, status: str, *, as_json: bool) -> int:
    """Print how a run ended, or where it waits; return the command's exit code."""
    from aios_workbench.cli.runs import results
    from aios_workbench.engine import control

    run = control.get_run(ws, run_id)
    if as_json:
        output.emit({**views.run_detail(run), "outputs": views.outputs(ws, run)})
        return exits.of_status(status)
    output.say(f"{run_id}  ", output.state(run["status"]), f"   {format_duration(output.took(run))}")
    for metric in run["metrics"]:
        value = metric["text"] if metric["value"] is None else f"{metric['value']:,.6g}"
        output.say(f"{metric['name']}: {value} {metric['unit'] or ''}")
    results(ws, run)
    if run["message"]:
        output.say(run["message"], err=True)
    error = run["error"] if isinstance(run["error"], dict) else None
    if error:
        trace = str(error.get("traceback") or f"{error.get('type')}: {error.get('message')}")
        output.say(trace.rstrip(), err=True, lines=True)
        output.say(f"step {error.get('step') or '?'} failed; `aios show {run_id}` tells more", err=True)
    for line in views.how_to_decide(run):
        output.say(line)
    return exits.of_status(status)


def wait_until(ws: Workspace, run_id: str, wanted: Collection[str], seconds: float) -> str:
    """Return the run's status once it is one of `wanted` or over, at the latest after `seconds`."""
    from aios_workbench.engine import control

    deadline = time.monotonic() + seconds
    while True:
        status = control.run_status(ws, run_id)
        if status in wanted or status in OVER or time.monotonic() > deadline:
            return status
        time.sleep(_POLL_SECONDS)


class _Follow:
    """Looks at a run until it is over."""

    def __init__(
        self, ws: Workspace, run_id: str, wait_gates: bool, pressed: Callable[[], int] | None
    ) -> None:
        self._ws, self._run_id, self._wait_gates, self._pressed = ws, run_id, wait_gates, pressed
        self._help = Help(ws)

    def until(self, screen: _Screen, presses: int) -> str | None:
        """Return the status in which the run is over or waits; None when Ctrl-C was pressed that often."""
        from aios_workbench.engine import control

        version, drawn = -1, 0.0
        while self._pressed is None or self._pressed() < presses:
            now = self._ws.catalog.data_version()
            if now != version or time.monotonic() - drawn > _REDRAW_SECONDS:
                version, drawn = now, time.monotonic()
                status = control.run_status(self._ws, self._run_id)
                steps = "select * from steps where run_id = :r order by position"
                screen.draw(self._ws.catalog.query(steps, r=self._run_id))
                if status in OVER or (
                    status == "waiting" and not self._wait_gates and _asked(self._ws, self._run_id)
                ):
                    return status
                if self._pressed is None and status in ("queued", "interrupted"):
                    self._help.check()
            time.sleep(_POLL_SECONDS)
        return None


class Help:
    """Notices that the worker which was to do the work never came to life, or died."""

    def __init__(self, ws: Workspace) -> None:
        self._ws, self._since, self._looked = ws, time.monotonic(), 0.0

    def check(self) -> None:
        """Return while a worker lives, or may still be starting.

        Raises
        ------
        ConflictError
            When there has been none for a while.
        """
        from aios_workbench.engine import leases

        now = time.monotonic()
        if now - self._looked < 1:
            return
        self._looked = now
        if leases.workers_alive(self._ws):
            self._since = now
        elif now - self._since > _WORKER_SECONDS:
            log = self._ws.root / "worker.log"
            raise ConflictError(
                f"no worker is there to do it; {log} may say why. Start one with `aios worker`"
            )


def _asked(ws: Workspace, run_id: str) -> bool:
    asked = "select 1 from gates where run_id = :r and status = 'waiting' limit 1"
    return ws.catalog.one(asked, r=run_id) is not None


class _Screen:
    """Shows a run's steps; this one nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def draw(self, steps: list[dict[str, Any]]) -> None:
        """Nothing."""


class _Lines(_Screen):
    """A line for each step that ends, waits or tries again."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[str, int]] = {}

    def draw(self, steps: list[dict[str, Any]]) -> None:
        """Print what has changed."""
        for step in sorted(steps, key=lambda s: s["ended_at"] or float("inf")):
            now = (step["status"], step["attempts"] if step["status"] == "retrying" else 0)
            if (step["status"] in _TOLD or step["status"] in ("skipped", "compensated")) and self._told.get(
                step["step"]
            ) != now:
                self._told[step["step"]] = now
                told = "  ".join(filter(None, (format_duration(output.took(step)), views.note(step))))
                output.say(output.state(step["status"]), f"  {step['step']}  {told}")


class _Live(_Screen):
    """The steps' table, redrawn in place."""

    def __init__(self, run_id: str) -> None:
        from rich.live import Live

        self._console, self._run_id = output.console(), run_id
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._last: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
        self._console.print(views.steps_table(self._last))

    def draw(self, steps: list[dict[str, Any]]) -> None:
        """Redraw; of many steps those at work, and the first of the others."""
        self._last = steps
        room = max(self._console.height - 4, 3)
        done = sum(s["status"] == "succeeded" for s in steps)
        if len(steps) > room:
            first = [s for s in steps if s["status"] not in ("pending", "succeeded", "skipped")]
            steps = (first + [s for s in steps if s not in first])[:room]
        title = f"{self._run_id}  {done} of {len(self._last)} steps done"
        self._live.update(views.steps_table(steps, title), refresh=True)


def _screen(run_id: str) -> _Screen:
    return _Live(run_id) if output.console().is_terminal else _Lines()
