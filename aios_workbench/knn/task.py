"""What has to be known before a tuning starts: the problem, the constraints, the queries, the machine."""

from __future__ import annotations

import functools
import os
import platform
from pathlib import Path
from typing import Any

from aios_workbench.errors import ParameterError
from aios_workbench.knn.amounts import in_bytes, seconds
from aios_workbench.knn.models import Constraints

#: Of the memory free at the start, a worker may take this part unless told otherwise.
_SHARE = 0.75


def constraints_of(
    recall: Any, latency_ms: float | None, memory: str | float | None, build: str | float | None = None
) -> Constraints:
    """Return checked constraints.

    Raises
    ------
    ParameterError
        When one makes no sense.
    """
    if not isinstance(recall, (int, float)) or isinstance(recall, bool) or not 0 < recall <= 1:
        percent = isinstance(recall, (int, float)) and 1 < recall <= 100
        raise ParameterError(
            f"recall is {recall!r}; give a fraction above 0, at most 1{f': {recall / 100:g}?' if percent else ''}"
        )
    if latency_ms is not None:
        latency_ms = seconds(latency_ms, "latency_ms")
    return Constraints(
        recall=float(recall), latency_ms=latency_ms,
        memory_bytes=None if memory is None else in_bytes(memory),
        build_seconds=None if build is None else seconds(build, "build"),
    )  # fmt: skip


def threads_of(threads: Any) -> int:
    """Return how many threads to use: those asked for, at most as many as there are."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if threads is None:
        return there
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ParameterError(
            f"threads is {threads!r}; give a whole number, 1 or more (there are {there} here)"
        )
    return min(threads, there)


@functools.cache
def machine() -> str:
    """Name what times depend on: processor, system, faiss."""
    import importlib.metadata

    name = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    try:
        faiss = importlib.metadata.version("faiss-cpu")
    except importlib.metadata.PackageNotFoundError:
        faiss = "?"
    return f"{name}, {os.cpu_count()} cores, faiss {faiss}"


def memory_bound(asked: str | float | None) -> int | None:
    """Return how many bytes a worker may take: what is asked for, else three quarters of what is free."""
    if asked is not None:
        return in_bytes(asked, "worker_memory")
    free = _free()
    return None if free is None else int(free * _SHARE)


def _free() -> int | None:
    found = []
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    except OSError:
        return None
    try:  # a container's own bound
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
        used = Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii").strip()
        if limit != "max":
            found.append(max(0, int(limit) - int(used)))
    except (OSError, ValueError):
        pass
    return min(found) if found else None
