"""A kernel, or a worker, in the middle of several random runs, that dies at the n-th boundary the engine passes.

KILL_AT is the boundary; KILL_AFTER are the seconds from there to the death, which falls where it falls.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import time
from typing import Any

import engine_driver as base
from random_flows import ITEMS, ROUNDS, Node, Plan, plan

import aios_workbench as aios
from aios_workbench.engine import looping, runtime

_passed = itertools.count(1)


def boundary(*_points: str) -> None:
    """Count a boundary; die at the one that was drawn."""
    if next(_passed) == int(os.environ.get("KILL_AT") or 0):
        if after := float(os.environ.get("KILL_AFTER") or 0):
            signal.setitimer(
                signal.ITIMER_REAL, after
            )  # nobody handles SIGALRM: the process ends there and then
        else:
            os.kill(os.getpid(), signal.SIGKILL)


def effect(value: Any, what: str = "") -> Any:
    """Leave a line that survives everything, then return the value."""
    import os

    import aios_workbench as aios

    ctx = aios.context()
    part = f"#{ctx.part}" if ctx.part is not None else ""
    file = os.open(os.environ["EFFECTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{ctx.run_id} {what}{ctx.step}{part} {ctx.attempt} {os.getpid()}\n".encode())
    os.close(file)
    return value


def undo(output: int) -> None:
    effect(output, "undo-")


def _function(name: str, arguments: list[str], *body: str) -> Any:
    scope: dict[str, Any] = {"effect": effect, "__name__": "__main__"}
    lines = [f"def {name}({', '.join(arguments)}):", *(f"    {line}" for line in body)]
    exec("\n".join(lines), scope)
    return scope[name]


def _define(wf: aios.Workflow, node: Node, gates: set[str]) -> None:
    terms = [f"{d}.data" if d in gates else d for d in node.deps]
    result = f"return effect({' + '.join([*terms, str(node.constant)])})"
    step = _function(node.name, list(node.deps), result)
    if node.kind == "gate":
        wf.gate(step)
    elif node.kind == "loop":
        before = node.deps[0]
        at = "at.data if hasattr(at, 'data') else at"
        turn = _function(node.name, ["at"], f"at = {at}", f"return effect(at + {node.constant})")
        wf.loop(max=ROUNDS, inputs={"at": before})(turn)
    elif node.kind == "map":
        total, items = " + ".join([*terms, "0"]), f"{node.name}_items"
        wf.step(_function(items, list(node.deps), f"return [{total} + i for i in range({ITEMS})]"))
        wf.map(over=items, batch=2)(_function(f"{node.name}_each", ["item"], "return 2 * item"))
        last = f"return effect(sum({node.name}_each) + {node.constant})"
        wf.step(_function(node.name, [f"{node.name}_each"], last))
    elif node.kind == "retry":
        flaky = (
            "import aios_workbench as aios",
            "if aios.context().attempt == 1: raise ConnectionError('first')",
        )
        wf.step(retries=3, backoff="10ms")(_function(node.name, list(node.deps), *flaky, result))
    elif node.kind == "fallback":
        wf.step(fallback=step)(_function(node.name, list(node.deps), "raise ConnectionError('down')"))
    elif node.kind == "cached":
        wf.step(cache=True)(step)
    elif node.kind == "skip":
        wf.step(when=lambda: False)(step)
    elif node.kind == "undo":
        wf.step(compensate=undo)(step)
    elif node.kind == "process":
        wf.step(executor="process")(step)
    else:
        wf.step(step)


def build(drawn: Plan) -> aios.Workflow:
    """Make the workflow; what nothing needs is needed by the last step."""
    wf = aios.Workflow(drawn.name)
    gates = {n.name for n in drawn.nodes if n.kind == "gate"}
    for node in drawn.nodes:
        _define(wf, node, gates)
    needed = {d for n in drawn.nodes for d in n.deps}
    ends = [n.name for n in drawn.nodes if n.name not in needed and n.kind != "skip"]
    body = "raise ValueError('no money')" if drawn.doomed else "return effect(0)"
    wf.step(_function("last", ends, body))
    return wf


def kernel(seeds: list[int]) -> None:
    """Start the runs, all at once, and wait for death; say so when all were over before it came."""
    runtime.ADOPT_SECONDS = 1e9  # a dying kernel leaves the others' runs alone
    runs = [build(plan(seed)).run(_key="random", _gates={"*": "approve"}) for seed in seeds]
    for run in runs:
        run.wait(60)
    os.kill(os.getpid(), signal.SIGKILL)


def zygote() -> None:
    """Fork a kernel for every line of standard input, a few at a time: imports are paid for once."""
    jobs, codes, alive = [json.loads(line) for line in sys.stdin], [], 0
    while jobs or alive:
        if jobs and alive < 3:
            job = jobs.pop(0)
            if os.fork() == 0:
                os.environ.update(job["env"])
                try:
                    kernel(job["seeds"])
                finally:
                    sys.excepthook(*sys.exc_info())
                    os._exit(7)
            alive += 1
        else:
            codes.append(os.waitstatus_to_exitcode(os.wait()[1]))
            alive -= 1
    print(json.dumps(codes))


if __name__ == "__main__":
    base.die_at = boundary
    base._hook_engine()
    base._around(looping, "_store", lambda *_: "iteration")
    {"zygote": zygote, "worker": base.worker}[sys.argv[1]]()
    time.sleep(0)
