"""Amounts as people write them, and what is asked of a tuning."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from aios_workbench.errors import ParameterError
from aios_workbench.knn import task
from aios_workbench.knn.amounts import in_bytes, seconds


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("60s", 60), ("1.5 min", 90), ("2 minutes", 120), ("1 h", 3600), (" 3 ", 3), (5, 5), (0.5, 0.5), (".5s", 0.5),
        (np.float32(2), 2), (dt.timedelta(minutes=1), 60),
    ],
)  # fmt: skip
def test_times(given: Any, expected: float) -> None:
    assert seconds(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2 GB", 2 * 10**9),
        ("512MiB", 512 * 2**20),
        ("10kb", 10_000),
        (4096, 4096),
        ("1 byte", 1),
        ("2 bytes", 2),
    ],
)
def test_sizes(given: Any, expected: int) -> None:
    assert in_bytes(given) == expected


@pytest.mark.parametrize(
    "bad", ["", "fast", "5 parsecs", 0, -1, "-3s", float("nan"), float("inf"), None, True, []]
)
def test_what_is_no_time_is_refused(bad: Any) -> None:
    with pytest.raises(ParameterError, match=r"budget is .*; give seconds"):
        seconds(bad)


@pytest.mark.parametrize("bad", [95, 0, -0.1, 1.01, "0.9", True, float("nan")])
def test_a_recall_is_a_fraction(bad: Any) -> None:
    with pytest.raises(ParameterError, match=r"recall is .*; give a fraction"):
        task.constraints_of(bad, None, None)


def test_a_percentage_gets_a_hint() -> None:
    with pytest.raises(ParameterError, match=r"0\.95\?"):
        task.constraints_of(95, None, None)


def test_threads_are_those_there_are_at_most() -> None:
    there = task.threads_of(None)
    assert task.threads_of(10_000) == there
    for bad in (0, -1, 1.5, True):
        with pytest.raises(ParameterError, match="threads is"):
            task.threads_of(bad)  # type: ignore[arg-type]
    assert "faiss" in task.machine()
    assert task.memory_bound("1 GB") == 10**9
    bound = task.memory_bound(None)
    assert bound is None or bound > 0
