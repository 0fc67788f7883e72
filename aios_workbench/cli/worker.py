"""`aios worker`: executes runs put in its queue, adopts those of dead processes, fires the jobs' schedules."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import click

from aios_workbench.cli import exits, output
from aios_workbench.cli.state import State, json_option

if TYPE_CHECKING:
    from aios_workbench.engine.runtime import Runtime
    from aios_workbench.promote import Scheduler
    from aios_workbench.workspace import Workspace

_SETTLE_SECONDS = 2.0  # the queue is looked at every 0.3 s, orphans are adopted every 0.5 s
_GLANCE_SECONDS = 0.5
_LAST_WORDS_SECONDS = 0.1
_TOLD = frozenset(("run", "gate", "job.run"))


@click.command(short_help="Execute runs and scheduled jobs in the background.")
@click.option("--exit-when-idle", "idle", type=click.FloatRange(0.0), metavar="SECONDS",
              help="End when nothing was active for that long and no job is due within that time.")  # fmt: skip
@click.option("--once", is_flag=True, help="Do what is due and waiting now, then end.")
@click.option("--grace", default=5.0, show_default=True, type=click.FloatRange(0.0), metavar="SECONDS",
              help="What runs under way get to end in when the worker is told to stop.")  # fmt: skip
@click.option("--slots", default=2, show_default=True, type=click.IntRange(1, 64), help="Job runs at a time.")
@click.option("--install", "service", flag_value="install",
              help="Write a service of systemd instead, with these options, that keeps a worker running.")  # fmt: skip
@click.option("--uninstall", "service", flag_value="uninstall", help="Delete that service.")
@click.option(
    "--user/--system", "user", default=True, help="Of this user, or of the machine.  [default: --user]"
)
@click.option("--name", default="", help="The service's name.  [default: aios-worker-PROJECT]")
@click.option(
    "--env", "variables", multiple=True, metavar="NAME", help="A variable of now that the service gets, too."
)
@click.option("--dry-run", is_flag=True, help="Show what --install would write, or --uninstall delete.")
@json_option
@click.pass_obj
def worker(
    state: State, idle: float | None, once: bool, grace: float, slots: int, service: str | None, user: bool, name: str,
    variables: tuple[str, ...], dry_run: bool, as_json: bool,
) -> int:  # fmt: skip
    """Execute runs and scheduled jobs until told to stop (Ctrl-C, SIGTERM).

    What is unfinished then is handed back: another worker, or the next process that works here, goes on with
    it. With --json one object per line.
    """
    if service is not None:
        from aios_workbench.cli import worker_unit
        from aios_workbench.workspace import locate

        unit = worker_unit.Unit(locate(), not user, name, slots, grace, variables)
        change = worker_unit.install if service == "install" else worker_unit.uninstall
        change(unit, dry_run=dry_run, as_json=as_json)
        return exits.OK
    from aios_workbench.engine import runtime
    from aios_workbench.promote import Scheduler

    ws = state.workspace(create=True)
    os.chdir(ws.project)
    if str(ws.project) not in sys.path:
        sys.path.insert(0, str(ws.project))
    stop, hurry = threading.Event(), threading.Event()
    _listen(stop, hurry)
    teller = _Teller(as_json=as_json)
    engine = runtime.start(ws, kind="worker")
    jobs = ws.catalog.query(
        "select min(next_tick_at) as at, count(*) as n from jobs where status = 'active'"
    )[0]
    due = f", next at {output.clock(jobs['at'])}" if jobs["at"] else ""
    teller.say("started", f"{engine.executor_id} works on {ws.root}; {jobs['n']} active jobs{due}",
               executor=engine.executor_id, workspace=str(ws.root))  # fmt: skip
    unlisten = ws.catalog.listen(teller.events)
    scheduler = Scheduler(ws, engine.executor_id, slots=slots)
    thread = threading.Thread(
        target=_schedule, args=(scheduler, stop, engine.executor_id), name="aios-scheduler", daemon=True
    )
    thread.start()
    if once:
        idle = _SETTLE_SECONDS
    why = _serve(ws, engine, scheduler, stop, idle, ahead=0.0 if once else idle or 0.0)
    teller.say("stopping", why)
    stop.set()
    _finish(engine, scheduler, thread, grace if why == "told to stop" else 0.0, hurry)
    ws.catalog.flush()
    time.sleep(_LAST_WORDS_SECONDS)  # what has just ended is told by another thread
    unlisten()
    left = [a.run_id for a in list(engine.host.active.values())]
    teller.say(
        "stopped", f"handed back: {', '.join(left)}" if left else "nothing left undone", handed_back=left
    )
    return exits.FAILED if why == _FENCED else exits.OK


_FENCED = "taken for dead: it was stopped or cut off for longer than its lease; start it again"


def _schedule(scheduler: Scheduler, stop: threading.Event, executor_id: str) -> None:
    from aios_workbench.workspace import writer

    writer.set(executor_id)  # a worker that was taken for dead takes no more jobs, and ends none
    scheduler.run_forever(stop)


def _listen(stop: threading.Event, hurry: threading.Event) -> None:
    def note(_number: int, _frame: object) -> None:
        (hurry if stop.is_set() else stop).set()

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, note)


def _serve(
    ws: Workspace,
    engine: Runtime,
    scheduler: Scheduler,
    stop: threading.Event,
    idle: float | None,
    ahead: float,
) -> str:
    """Wait until there is a reason to end; the work is done by other threads."""
    since = time.monotonic()
    while not stop.wait(_GLANCE_SECONDS):
        if engine.fenced:
            return _FENCED
        if not ws.root.is_dir():
            return f"the workspace {ws.root} is gone"
        if idle is None:
            continue
        if _busy(ws, engine, scheduler, ahead):
            since = time.monotonic()
        elif time.monotonic() - since >= idle:
            return "idle"
    return "told to stop"


def _busy(ws: Workspace, engine: Runtime, scheduler: Scheduler, ahead: float) -> bool:
    # A run that waits at a gate needs no process, unless the gate is about to expire.
    if any(a.status == "running" for a in list(engine.host.active.values())) or not scheduler.idle:
        return True
    soon = ws.catalog.one(
        "select 1 from jobs where status = 'active' and next_tick_at <= :until union all "
        "select 1 from gates where status = 'waiting' and deadline_at <= :until limit 1", until=time.time() + ahead,
    )  # fmt: skip
    return soon is not None and ahead > 0


def _finish(
    engine: Runtime, scheduler: Scheduler, thread: threading.Thread, grace: float, hurry: threading.Event
) -> None:
    """Let runs end within the grace, and the scheduler put its job runs back in the queue."""
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline and not hurry.is_set():
        if not any(a.status == "running" for a in list(engine.host.active.values())) and not scheduler.active:
            break
        time.sleep(0.05)
    while thread.is_alive() and not hurry.is_set():
        thread.join(0.1)


class _Teller:
    """Prints what happens, from whichever thread."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._told: dict[str, str] = {}

    def say(self, kind: str, text: str, **data: Any) -> None:
        """Print one line, at once."""
        if self._as_json:
            output.emit({"at": time.time(), "kind": kind, "text": text, **data}, line=True)
        else:
            click.echo(f"{time.strftime('%H:%M:%S')}  {output.clean(text)}")
        sys.stdout.flush()

    def events(self, events: list[dict[str, Any]]) -> None:
        """Print what became of runs and of jobs' runs."""
        for event in events:
            data = event["data"]
            if event["kind"] not in _TOLD or "status" not in data:
                continue
            what = event["run_id"] or data.get("job_run_id") or ""
            if event["step"]:
                what += f" gate {event['step']}"
            if self._told.get(what) == data["status"]:
                continue
            self._told[what] = data["status"]
            error = data.get("error")
            why = (
                f": {error.get('type')}: {output.short(error.get('message'), 200)}"
                if isinstance(error, dict)
                else ""
            )
            self.say(event["kind"], f"{what} {data['status']}{why}", run_id=event["run_id"], step=event["step"],
                     job_run_id=data.get("job_run_id"), status=data["status"])  # fmt: skip
