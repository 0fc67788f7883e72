"""The limits: plain Python calls, and one committed SQLite row per step."""

from __future__ import annotations

import pickle
import platform
import sqlite3

from common import Options, options, per_step, report


def step(x: int) -> int:
    return x + 1


def plain(o: Options) -> int:
    x = 0
    for _ in range(o.steps):
        x = step(x)
    return x


def sqlite(o: Options, journal: str, synchronous: str) -> list[float]:
    """Commit each step's pickled value; fan-out and chain cost the same, there is one writer."""
    db = sqlite3.connect(o.home / f"raw-{journal}-{synchronous}.db", isolation_level=None)
    db.execute(f"pragma journal_mode={journal}")
    db.execute(f"pragma synchronous={synchronous}")
    db.execute("create table if not exists step(run integer, i integer, output blob, primary key(run, i))")
    run = 0

    def chain() -> int:
        nonlocal run
        run += 1
        x = 0
        for i in range(o.steps):
            x = step(x)
            db.execute("begin immediate")
            db.execute("insert into step values(?, ?, ?)", (run, i, pickle.dumps(x)))
            db.execute("commit")
        return x

    found = per_step(o, chain, o.steps)
    db.close()
    return found


if __name__ == "__main__":
    o = options()
    python = per_step(o, lambda: plain(o), o.steps)
    report(
        python_version=platform.python_version(),
        sqlite_version=sqlite3.sqlite_version,
        sqlite_full_version=sqlite3.sqlite_version,
        python={"chain": python, "fan_out": python},
        sqlite={"chain": (wal := sqlite(o, "WAL", "NORMAL")), "fan_out": wal},
        sqlite_full={"chain": (full := sqlite(o, "WAL", "FULL")), "fan_out": full},
    )
