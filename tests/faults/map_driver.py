"""A process that maps over many items and is killed from outside at any moment; every call leaves a line."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import aios_workbench as aios
from aios_workbench.engine import runtime

ITEMS, BATCH, CONCURRENCY = 1200, 20, 3


def flow() -> aios.Workflow:
    wf = aios.Workflow("mapped")

    @wf.map(over="numbers", batch=BATCH, concurrency=CONCURRENCY, on_error="dead_letter")
    def work(number: int) -> int:
        file = os.open(os.environ["EFFECTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, f"{number}\n".encode())
        os.close(file)
        time.sleep(0.005)
        if number % 100 == 42:
            raise ValueError(f"never {number}")
        return number * 2

    @wf.step
    def report(work: list[Any]) -> list[Any]:
        return work

    return wf


def main() -> None:
    runtime.RECOVER_SECONDS = 1.0
    run = flow().run(_key="map", numbers=range(ITEMS))
    print("started", flush=True)
    result = run.result(120)
    wanted = [None if n % 100 == 42 else n * 2 for n in range(ITEMS)]
    print("right" if result == wanted else "wrong", run.id, flush=True)


if __name__ == "__main__":
    sys.exit(main())
