"""A million small items through one function, in one of the ways: loop, pool, joblib, dask or aios."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TAG = "AIOS-BENCH "


def trivial(number: int) -> int:
    """Do next to nothing: the call is the cost."""
    return number * 2 + 1


def small(number: int) -> float:
    """A few operations, as a rule of a tariff has them."""
    amount = number * 1.07 + 3
    return round(amount, 2) if number % 3 else amount


def record(number: int) -> dict[str, int]:
    """Parse a text into a dict: the result is worth storing."""
    words = f"claim {number} of {number % 97}".split()
    return {"id": number, "n": len(words), "last": int(words[-1])}


WORK: dict[str, Callable[[int], Any]] = {"trivial": trivial, "small": small, "record": record}


def loop(work: Callable[[int], Any], n: int) -> Callable[[], Any]:
    def go() -> list[Any]:
        out = []
        for number in range(n):
            out.append(work(number))  # noqa: PERF401 - the loop that everybody writes
        return out

    return go


def pool(work: Callable[[int], Any], n: int) -> Callable[[], Any]:
    from multiprocessing import get_context

    def go() -> list[Any]:
        with get_context("fork").Pool(os.cpu_count()) as workers:
            return workers.map(work, range(n), chunksize=1000)

    return go


def joblib(work: Callable[[int], Any], n: int) -> Callable[[], Any]:
    from joblib import Parallel, delayed

    return lambda: Parallel(n_jobs=os.cpu_count(), batch_size=1000)(delayed(work)(i) for i in range(n))


def dask(work: Callable[[int], Any], n: int) -> Callable[[], Any]:
    import dask.bag

    return lambda: (
        dask.bag.from_sequence(range(n), partition_size=1000).map(work).compute(scheduler="threads")
    )


def aios(work: Callable[[int], Any], n: int) -> Callable[[], Any]:
    wf = mapping(work)
    wf.run(numbers=range(10)).wait()

    def go() -> None:
        if wf.run(numbers=range(n)).wait() != "succeeded":
            sys.exit("the map failed")

    return go


def mapping(work: Callable[[int], Any]) -> Any:
    import aios_workbench as workbench

    wf = workbench.Workflow("map benchmark")
    wf.map(over="numbers", batch=1000, name="m")(work)
    return wf


WAYS = {"loop": loop, "pool": pool, "joblib": joblib, "dask": dask, "aios": aios}


def dying(number: int) -> float:
    """Die in the middle the first time; tell when the first call was made."""
    import os
    import sys
    import time

    if number == int(os.environ.get("MAP_DIES_AT", "-1")):
        os.kill(os.getpid(), 9)
    if not hasattr(sys, "aios_first"):
        sys.aios_first, sys.aios_calls = time.perf_counter(), 0  # type: ignore[attr-defined]
    sys.aios_calls += 1  # type: ignore[attr-defined]
    return number * 1.07


def recovery(n: int) -> dict[str, float]:
    """Kill a process in the middle of a map; return seconds until its items go on, and the share that was redone."""
    env = {**os.environ, "MAP_DIES_AT": str(n // 2)}
    killed = subprocess.run([sys.executable, __file__, "--die", "--items", str(n)], env=env, check=False)
    if killed.returncode != -signal.SIGKILL:
        sys.exit(f"it was to be killed, but ended with {killed.returncode}")
    wf = mapping(dying)
    began = time.perf_counter()
    status = wf.run(_key="recovery", numbers=range(n)).wait()
    if status != "succeeded":
        sys.exit(f"the run that was killed is {status}")
    redone = sys.aios_calls - (n - n // 2)  # type: ignore[attr-defined]
    return {"seconds": sys.aios_first - began, "redone": redone / n}  # type: ignore[attr-defined]


def main() -> None:
    p = argparse.ArgumentParser()
    p.add_argument("--way", choices=WAYS, default="loop")
    p.add_argument("--items", type=int, default=1_000_000)
    p.add_argument("--repeats", type=int, default=3)
    p.add_argument("--home", type=Path)
    p.add_argument("--die", action="store_true")
    a = p.parse_args()
    if a.die:
        mapping(dying).run(_key="recovery", numbers=range(a.items)).wait()
        return
    found: dict[str, Any] = {"version": version(a.way)}
    for name, work in WORK.items():
        go = WAYS[a.way](work, a.items)
        found[name] = []
        for _ in range(a.repeats):
            began = time.perf_counter()
            go()
            found[name].append(time.perf_counter() - began)
    if a.way == "aios":
        found["recovery"] = recovery(a.items)
    print(TAG + json.dumps(found), flush=True)


def version(way: str) -> str:
    from importlib.metadata import version as of

    return (
        of({"aios": "aios-workbench"}.get(way, way))
        if way not in ("loop", "pool")
        else sys.version.split()[0]
    )


if __name__ == "__main__":
    main()
