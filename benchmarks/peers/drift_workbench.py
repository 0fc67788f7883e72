"""The workbench: `aios.drift.compare` of the two files as a user calls it; what a kept reference and windows take."""

from __future__ import annotations

import sys
import time
from typing import Any

import duckdb  # noqa: F401 - imported where it is used: imports are not counted
import pandas as pd  # noqa: F401 - a notebook has both, and so have the peers
import scipy.stats  # noqa: F401
from drift_common import CURRENT, REFERENCE, measure, peak

from aios_workbench.drift import compare, profile

LIMIT = sys.argv[2] if len(sys.argv) > 2 and sys.argv[2] != "-" else None
MORE = "more" in sys.argv


def work() -> dict[str, Any]:
    report = compare(str(REFERENCE), str(CURRENT), memory_limit=LIMIT)
    began = time.perf_counter()
    report.judge(effect=0.2)
    again = (time.perf_counter() - began) * 1e3
    told = {name: _figures(column) for name, column in report.columns.items()}
    return {
        "columns": told,
        "regate_ms": again,
        "drifted": [c.name for c in report.columns.values() if c.verdict == "drifted"],
    }


def _figures(column: Any) -> dict[str, Any]:
    return {name: [s.value, s.low, s.high, s.p_value] for name, s in column.statistics.items()}


def more() -> dict[str, Any]:
    """A kept reference; one scan of the current side alone, and one with 30 windows."""
    kept = profile(str(REFERENCE), memory_limit=LIMIT)
    times = {}
    number = f"file_row_number // greatest(1, (select count(*) from '{CURRENT}') // 30)"
    rows = f"(select *, {number} as \"window\" from read_parquet('{CURRENT}', file_row_number=true))"
    for name, source, by in (
        ("kept", str(CURRENT), None),
        ("one", f"select * from {rows}", None),
        ("thirty", f"select * from {rows}", "window"),
    ):
        began = time.perf_counter()
        compare(kept, source, by=by, memory_limit=LIMIT)
        times[name] = time.perf_counter() - began
    return times


if __name__ == "__main__":
    measure(work, **({"more": more()} if MORE else {}), after_mb=peak())
