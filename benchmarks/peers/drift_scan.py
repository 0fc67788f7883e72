"""The floor: DuckDB decodes every value of both files once (a sum of each number, of each text's length)."""

from __future__ import annotations

import os
from typing import Any

import duckdb
from drift_common import CURRENT, REFERENCE, measure


def work() -> dict[str, Any]:
    con = duckdb.connect()
    con.execute(f"set threads={os.cpu_count()}")
    for side in (REFERENCE, CURRENT):
        columns = con.execute(f"describe select * from read_parquet('{side}')").fetchall()
        sums = ", ".join(
            f"sum({'strlen' if t == 'VARCHAR' else ''}({c}){'' if t == 'VARCHAR' else '::double'})"
            for c, t, *_ in columns
        )
        con.execute(f"select {sums} from read_parquet('{side}')").fetchall()
    return {}


if __name__ == "__main__":
    measure(work)
