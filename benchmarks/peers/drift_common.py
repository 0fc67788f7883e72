"""What every drift peer's script does: read the two files' folder, measure its work, print one line of JSON."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet  # noqa: F401 - with which most of them read
from common import report

FOLDER = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()
REFERENCE, CURRENT = FOLDER / "reference.parquet", FOLDER / "current.parquet"


def peak() -> float:
    """Return the highest resident size of this process so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(work: Callable[[], dict[str, Any]], **more: Any) -> None:
    """Do the work once, imports already done, reading included; report seconds, CPU seconds and peak memory."""
    before = peak()
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    report(
        wall_s=time.perf_counter() - wall, cpu_s=time.process_time() - cpu, peak_mb=peak(), before_mb=before,
        found=found, **more,
    )  # fmt: skip
