"""A fan-out of thousands of steps, once: seconds and memory of the whole process. WIDE_ENGINE is "aios" or "dbos"."""

from __future__ import annotations

import asyncio
import linecache
import os
import resource
import time
from pathlib import Path
from typing import Any

from common import options, report

o = options()


def resident() -> float:
    """Return the megabytes this process holds now."""
    with Path("/proc/self/statm").open(encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def workbench() -> tuple[float, float]:
    """Run it through the public API; give the seconds and the memory before."""
    import aios_workbench as aios

    source = "def s0(): return 0\n" + "".join(
        f"def s{i}(s0): return s0 + {i}\n" for i in range(1, o.steps + 1)
    )
    linecache.cache["<wide>"] = (len(source), None, source.splitlines(keepends=True), "<wide>")
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, "<wide>", "exec"), names)
    first = aios.Workflow("one")
    first.step(names["s0"])
    first.run().result()
    wf = aios.Workflow("wide")
    for i in range(o.steps + 1):
        wf.step(names[f"s{i}"])
    before, began = resident(), time.perf_counter()
    run = wf.run()
    assert run.wait() == "succeeded", run.error
    return time.perf_counter() - began, before


def dbos_alone() -> tuple[float, float]:
    """Run as many DBOS steps, with nothing of ours around them, on the same journal settings."""
    import sqlalchemy as sa
    from dbos import DBOS

    engine = sa.create_engine(
        f"sqlite:///{o.home / 'dbos.db'}", pool_size=20, max_overflow=0, pool_timeout=30
    )

    @sa.event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("busy_timeout=30000", "foreign_keys=ON", "journal_mode=WAL", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {pragma}")

    DBOS(config={"name": "bench-wide", "log_level": "ERROR", "application_version": "v1", "executor_id": "bench",
                 "system_database_engine": engine})  # fmt: skip

    @DBOS.workflow()
    async def fan_out(n: int) -> int:
        reserved = [DBOS.reserve_step() for _ in range(n)]
        slots = asyncio.Semaphore(8)

        async def go(i: int, r: Any) -> int:
            async with slots:
                return int(await r.run_async({"name": "add"}, lambda: i + 1))

        return sum(await asyncio.gather(*[go(i, r) for i, r in enumerate(reserved)]))

    DBOS.launch()
    asyncio.run(fan_out(3))
    before, began = resident(), time.perf_counter()
    assert asyncio.run(fan_out(o.steps)) == o.steps * (o.steps + 1) // 2
    took = time.perf_counter() - began
    DBOS.destroy()
    return took, before


seconds, before = workbench() if os.environ["WIDE_ENGINE"] == "aios" else dbos_alone()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
report(seconds=seconds, ms=seconds * 1e3 / o.steps, peak_mb=peak, grown_mb=peak - before)
os._exit(0)
