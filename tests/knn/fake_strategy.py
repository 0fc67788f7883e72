"""Strategies for tests of the machinery around them; they run in the worker process."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from aios_workbench.knn.control import Control
from aios_workbench.knn.models import Constraints, Doing, Note, Params, Point, Problem, Pruned

Emit = Callable[[Any], None]


def point(name: str, recall: float, qps: float, *, vectors: int = 1000, **more: Any) -> Point:
    """A measured point with a narrow interval."""
    fields: dict[str, Any] = {
        "params": Params(family="ivf", nlist=16, nprobe=4), "queries": 100,
        "qps_low": qps, "qps_high": qps, "bytes_per_vector": 64.0,
        "build_seconds": 0.1, "at": 0.0, "recall_low": recall - 0.001, "recall_high": min(1.0, recall + 0.001),
    }  # fmt: skip
    return Point(id=name, recall=recall, qps=qps, vectors=vectors, **{**fields, **more})


def run(
    x: np.ndarray, queries: np.ndarray, problem: Problem, constraints: Constraints, emit: Emit, control: Control,
    known: list[Point], *, points: int = 3, then: str = "", file: str = "", seconds: float = 0.0, recall: float = 0.9,
) -> None:  # fmt: skip
    """Emit points, then do as told; `file` gets a line for every point really measured."""
    assert x.shape == (problem.rows, problem.dimensions)
    assert len(queries) == problem.tuning_queries + problem.held_out_queries
    emit(Note(text=f"began with {len(known)} points"))
    emit(Doing(phase="trying", text="points", fraction=0.0))
    have = {p.id for p in known}
    for i in range(points):
        control.check()
        if f"p{i}" in have:
            continue
        emit(point(f"p{i}", recall + 0.01 * i, 1000.0 - 100 * i, vectors=problem.rows))
        if file:
            with Path(file).open("a") as out:
                out.write(f"p{i} {os.getpid()}\n")
        time.sleep(seconds)
    emit(Pruned(label="HNSW32", family="hnsw", reason="too slow", at=1.0))
    if then:
        globals()[then](control, emit)


def until_stopped(control: Control, emit: Emit) -> None:
    """Work in small steps."""
    while True:
        control.check()
        time.sleep(0.01)


def stubborn(control: Control, emit: Emit) -> None:
    """Never look at the control, like a graph that is being built."""
    time.sleep(600)


def deaf(control: Control, emit: Emit) -> None:
    """Keep Python's lock, so that no other thread of the process runs."""
    sum(range(10**13))


def fail(control: Control, emit: Emit) -> None:
    raise ValueError("this family is broken")


def killed(control: Control, emit: Emit) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def crash(control: Control, emit: Emit) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(control: Control, emit: Emit) -> None:
    os._exit(7)


def eat(control: Control, emit: Emit) -> None:
    """Take more and more memory."""
    held = []
    while True:
        held.append(np.ones(2**21))
        time.sleep(0.01)


def ticking(control: Control, emit: Emit) -> None:
    """Say where time stands."""
    n = 0
    while True:
        control.check()
        n += 1
        emit(Doing(phase="tick", text=str(n)))
        time.sleep(0.06)


def obey(control: Control, emit: Emit) -> None:
    """Wait for other constraints and say which came."""
    while control.constraints.recall != 0.5:
        control.check()
        time.sleep(0.01)
    emit(Note(text="now 0.5"))
