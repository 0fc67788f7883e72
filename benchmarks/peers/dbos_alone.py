"""DBOS with nothing of ours around it, on the same journal settings (SQLite, WAL, synchronous=NORMAL)."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from common import options, per_step, report
from dbos import DBOS


def engine(path: Path) -> sa.Engine:
    """Return the engine that the workbench uses too: WAL, NORMAL, immediate transactions."""
    made = sa.create_engine(f"sqlite:///{path}", pool_size=20, max_overflow=0, pool_timeout=30)

    @sa.event.listens_for(made, "connect")
    def _(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("busy_timeout=30000", "foreign_keys=ON", "journal_mode=WAL", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {pragma}")

    return made


o = options()
DBOS(
    config={
        "name": "bench-app",
        "log_level": "ERROR",
        "application_version": "v1",
        "executor_id": "bench",
        "system_database_engine": engine(o.home / "dbos.db"),
    }
)


def add(x: int) -> int:
    return x + 1


@DBOS.workflow()
async def chain(n: int) -> int:
    x = 0
    for _ in range(n):
        x = await DBOS.run_step_async({"name": "add"}, add, x)
    return x


@DBOS.workflow()
async def fan_out(n: int) -> int:
    reserved = [DBOS.reserve_step() for _ in range(n)]
    slots = asyncio.Semaphore(8)

    async def go(i: int, r: Any) -> int:
        async with slots:
            return int(await r.run_async({"name": "add"}, add, i))

    return sum(await asyncio.gather(*[go(i, r) for i, r in enumerate(reserved)]))


DBOS.launch()
asyncio.run(chain(3))
report(
    version=version("dbos"),
    chain=per_step(o, lambda: asyncio.run(chain(o.steps)), o.steps),
    fan_out=per_step(o, lambda: asyncio.run(fan_out(o.steps)), o.steps * (o.steps + 1) // 2),
)
DBOS.destroy()
