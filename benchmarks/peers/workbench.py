"""AIOS Workbench through its public API, in a workspace of its own (AIOS_HOME is set by the caller)."""

from __future__ import annotations

import linecache
import time
from typing import Any

from common import Options, options, per_step, report

import aios_workbench as aios

SETTLED = {"running", "succeeded", "success", "done", "cached", "completed"}


def workflow(name: str, source: str) -> Any:
    """Define steps from source text the way a notebook cell does, its lines known to inspect."""
    file = f"<{name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    names: dict[str, Any] = {"__name__": "__main__", "time": time}
    exec(compile(source, file, "exec"), names)
    made = aios.Workflow(name)
    for key, value in names.items():
        if key[0] == "s" and key[1:].isdigit():
            made.step(value)
    return made


def finish(made: Any) -> None:
    made.run().result()


def settle(made: Any) -> None:
    made.run().wait()


def first_state(made: Any) -> tuple[float, float]:
    """Return milliseconds from `run()` until `run()` has returned, and until a step is seen at work."""
    began = time.perf_counter()
    run = made.run()
    returned = time.perf_counter() - began
    while str(getattr(run["s0"].status, "value", run["s0"].status)).lower() not in SETTLED:
        if time.perf_counter() - began > 10:
            raise TimeoutError(f"s0 is still {run['s0'].status}")
        time.sleep(0.001)
    seen = time.perf_counter() - began
    run.result()
    return returned * 1e3, seen * 1e3


def milliseconds(o: Options, made: Any) -> list[float]:
    """Return submit-to-done of a small workflow."""
    found = []
    for _ in range(5 * o.repeats):
        began = time.perf_counter()
        finish(made)
        found.append((time.perf_counter() - began) * 1e3)
    return found


o = options()
small = workflow("one", "def s0(): return 1\n")
began = time.perf_counter()
finish(small)
cold = (time.perf_counter() - began) * 1e3
chain = workflow(
    "chain",
    "def s0(): return 1\n" + "".join(f"def s{i}(s{i - 1}): return s{i - 1} + 1\n" for i in range(1, o.steps)),
)
fan = workflow(
    "fan", "def s0(): return 0\n" + "".join(f"def s{i}(s0): return s0 + {i}\n" for i in range(1, o.steps + 1))
)
slow = workflow("slow", "def s0():\n    time.sleep(0.3)\n")
latency = [first_state(slow) for _ in range(2 + o.repeats)]
one = milliseconds(o, small)
report(
    version=aios.__version__,
    chain=per_step(o, lambda: finish(chain)),
    fan_out=per_step(o, lambda: finish(fan)),
    until_done={
        "chain": per_step(o, lambda: settle(chain)),
        "fan_out": per_step(o, lambda: settle(fan)),
    },
    run_returns=[a for a, _ in latency],
    first_state=[b for _, b in latency],
    one_step_run=one,
    first_run_of_process=[cold],
)
