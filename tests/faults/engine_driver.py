"""A kernel or a worker that kills itself at a named point, given as KILL in the environment.

Points are `before:<step>` and `after:<step>` (around a step's effect) and the engine's own: see `_hook_engine`.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import signal
import sys
import time
from typing import Any

import aios_workbench as aios
from aios_workbench.engine import (
    adoption,
    attempts,
    compensation,
    durable,
    execute,
    gates,
    retrying,
    runtime,
    submit,
)
from aios_workbench.engine.context import current
from aios_workbench.errors import ConflictError
from aios_workbench.workspace import catalog, workspace
from aios_workbench.workspace.artifacts import ArtifactStore


def die_at(*points: str) -> None:
    if os.environ.get("KILL") in points:
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)


def reach(point: str) -> None:
    if os.environ.get("SAY") == point:
        print(point, flush=True)
    die_at(point)


def effect(value: Any) -> Any:
    """Leave a line that survives everything, then return the value."""
    import os
    import signal
    import time

    import aios_workbench as aios

    ctx = aios.context()
    what = f"undo-{ctx.step}" if ctx.key.endswith("/undo") else ctx.step

    def reach(where: str) -> None:
        if os.environ.get("KILL") == f"{where}:{what}":
            time.sleep(0.1)  # the start of the attempt is in the catalog by now
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)

    reach("before")
    file = os.open(os.environ["EFFECTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{ctx.run_id} {what} {ctx.attempt} {os.getpid()}\n".encode())
    os.close(file)
    reach("after")
    return value


def diamond() -> aios.Workflow:
    wf = aios.Workflow("diamond")

    @wf.step
    def load(n: int = 10) -> list[int]:
        return effect(list(range(n)))

    @wf.step
    def left(load: list[int]) -> int:
        return effect(sum(load))

    @wf.step(retries=2, backoff="50ms")
    def right(load: list[int]) -> int:
        if aios.context().attempt == 1:
            raise ConnectionError("the first attempt always fails")
        return effect(len(load))

    @wf.step(timeout="60s")
    def join(left: int, right: int) -> int:
        return effect(left + right)

    @wf.step
    async def report(join: int) -> str:
        return effect(f"report {join}")

    return wf


def gated() -> aios.Workflow:
    wf = aios.Workflow("gated")

    @wf.step
    def load() -> int:
        return effect(55)

    @wf.gate
    def ask(load: int) -> int:
        return effect(load)

    @wf.step
    def report(ask: aios.Decision) -> str:
        return effect(f"report {ask.data} {ask.by}")

    return wf


def rescued() -> aios.Workflow:
    wf = aios.Workflow("rescued")

    def rules(load: int) -> int:
        return effect(load)

    @wf.step(cache=True)
    def load(salt: str = "") -> int:
        return effect(55)

    @wf.step(fallback=rules)
    def model(load: int) -> int:
        raise ConnectionError("down")

    @wf.step(when=lambda model: model > 100)
    def never(model: int) -> int:
        return effect(model)

    @wf.step
    def report(model: int) -> str:
        return effect(f"report {model}")

    return wf


def filling() -> aios.Workflow:
    wf = aios.Workflow("filling")

    @wf.step
    def load() -> int:
        return effect(55)

    @wf.step
    def big(load: int) -> bytes:
        import os
        from pathlib import Path

        home = Path(os.environ["AIOS_HOME"])
        if (
            os.environ.get("KILL") is not None and "RUN_KEY" in os.environ
        ):  # in the kernel: leave no room at all
            with (home.parent / "ballast").open("wb", buffering=0) as file:
                try:
                    while True:
                        file.write(b"x" * 4096)
                except OSError:
                    pass
        return effect(os.urandom(1_000_000))

    @wf.step
    def report(big: bytes) -> str:
        return effect(f"report {len(big)}")

    return wf


def trip(*, on_cancel: bool = False) -> aios.Workflow:
    wf = aios.Workflow("called-off" if on_cancel else "undone", compensate_on_cancel=on_cancel)

    def undo(output: str) -> None:
        effect(output)

    @wf.step(compensate=undo)
    def hotel() -> str:
        return effect("hotel")

    @wf.step(compensate=undo)
    def flight(hotel: str) -> str:
        return effect("flight")

    @wf.step
    def label(flight: str) -> str:
        return effect(flight)

    @wf.step
    def pay(label: str) -> str:
        while on_cancel and not aios.context().cancelled:
            time.sleep(0.01)
        raise ValueError("no money")

    return wf


def mapping() -> aios.Workflow:
    wf = aios.Workflow("mapping")

    @wf.step
    def load() -> list[int]:
        return effect(list(range(40)))

    @wf.map(over="load", batch=4, concurrency=1)
    def big(item: int) -> bytes:
        import aios_workbench as aios

        file = os.open(os.environ["EFFECTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, f"{aios.context().run_id} item-{item}\n".encode())
        os.close(file)
        time.sleep(0.05)
        return os.urandom(int(os.environ.get("ITEM_BYTES", "100000")))

    @wf.step
    def report(big: list[bytes]) -> str:
        return effect(f"report {sum(map(len, big))}")

    return wf


FLOWS = {
    "mapping": mapping,
    "undone": trip,
    "called-off": lambda: trip(on_cancel=True),
    "filling": filling,
    "diamond": diamond,
    "gated": gated,
    "rescued": rescued,
}


def _around(owner: Any, name: str, point: Any) -> None:
    """Put kill points before and after a function; `point(*args)` gives the middle of their names."""
    original = getattr(owner, name)
    inner = getattr(original, "__func__", original)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        which = point(*args)
        reach(f"before-{which}")
        out = inner(*args, **kwargs)
        die_at(f"after-{which}")
        return out

    async def wrapped_async(*args: Any, **kwargs: Any) -> Any:
        which = point(*args)
        reach(f"before-{which}")
        out = await inner(*args, **kwargs)
        die_at(f"after-{which}")
        return out

    made = wrapped_async if inspect.iscoroutinefunction(inner) else wrapped
    setattr(owner, name, classmethod(made) if inspect.ismethod(original) else made)


def _hook_engine() -> None:
    walk: Any = durable._Walk
    _around(compensation.Compensation, "_decide", lambda *_: "decide")
    _around(compensation, "undo", lambda job, *_: f"undo:{job.spec.name}")
    _around(submit, "write_run", lambda *_: "row")
    _around(runtime.Runtime, "begin", lambda *_: "begin")
    _around(walk, "open", lambda *_: "open")
    _around(walk, "_work", lambda _walk, step, *_: f"journal:{step.name}")
    _around(walk, "_ask", lambda _walk, step, *_: f"journal:{step.name}")
    _around(walk, "_conclude", lambda *_: "conclude")
    _around(durable, "execute", lambda job: f"execute:{job.spec.name}")
    _around(retrying, "backoff", lambda *_: "backoff")
    _around(execute, "find_cached", lambda *_: "cached")
    _around(attempts._Series, "fallbacks", lambda *_: "fallback")
    _around(gates, "_ask", lambda *_: "ask")
    _around(gates, "finish", lambda *_: "decided")
    _around(ArtifactStore, "put", lambda *_: f"put:{step_now()}")
    _around(runtime.Runtime, "_inherit", lambda *_: "inherit")
    _around(adoption, "_take_up", lambda *_: "take-up")
    _around(adoption, "conclude", lambda *_: "catch-up")


def step_now() -> str:
    ctx = current.get()
    return ctx.step if ctx is not None else "none"


def kernel(flow: str) -> None:
    runtime.ADOPT_SECONDS = 1e9  # a dying kernel leaves the others' runs alone
    if os.environ.get("LAZY"):
        catalog.FLUSH_SECONDS = 1000.0  # what is deferred dies with the process
    wf = FLOWS[flow]()
    params = {"salt": os.environ["RUN_KEY"]} if flow == "rescued" else {}
    run = wf.run(_key=os.environ["RUN_KEY"], **params)
    stop = time.monotonic() + 60
    if os.environ.get("CLOCK"):
        real = time.time
        time.time = lambda: real() + float(os.environ["CLOCK"])  # type: ignore[method-assign]
    while run.status not in ("succeeded", "failed", "cancelled") and time.monotonic() < stop:
        if run.status == "waiting" and not os.environ.get("HOLD"):
            die_at("waiting")
            with contextlib.suppress(ConflictError):  # approved already, and not taken up yet
                run.approve("ask", by="kernel")
        if flow == "called-off" and run["pay"].status == "running":
            run.cancel()
        time.sleep(0.01)
    if not os.environ["KILL"]:
        print("result", run.outputs.get("report"), run.error, flush=True)
        return
    raise RuntimeError(f"{os.environ['KILL']} was never reached: {run!r}")


def zygote() -> None:
    """Fork a kernel for every line of standard input, two at a time: imports are paid for once."""
    jobs, codes, alive = [json.loads(line) for line in sys.stdin], {}, {}
    while jobs or alive:
        if jobs and len(alive) < 3:
            job = jobs.pop(0)
            pid = os.fork()
            if pid == 0:
                os.environ.update(job["env"])
                try:
                    kernel(job["flow"])
                finally:
                    sys.excepthook(*sys.exc_info())
                    os._exit(7)
            alive[pid] = job["env"]["RUN_KEY"]
        else:
            pid, status = os.wait()
            codes[alive.pop(pid)] = os.waitstatus_to_exitcode(status)
    print(json.dumps(codes))


def worker() -> None:
    runtime.RECOVER_SECONDS = 1.0
    adoption.MAX_DEATHS = int(os.environ.get("MAX_DEATHS", adoption.MAX_DEATHS))
    engine = runtime.start(workspace(), kind="worker")
    print(json.dumps({"executor": engine.executor_id}), flush=True)
    if os.environ.get("SWEEP"):
        for _ in range(5):
            engine.adopt()
        print("swept 5", flush=True)
    sys.stdin.readline()
    engine.stop()


if __name__ == "__main__":
    _hook_engine()
    {"kernel": lambda: kernel(sys.argv[2]), "zygote": zygote, "worker": worker}[sys.argv[1]]()
