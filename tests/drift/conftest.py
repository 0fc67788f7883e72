"""What the tests of drift share: small frames with and without drift, and names that hurt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

#: Column names and values that break SQL, HTML or a careless dictionary.
HOSTILE = (
    '"><img src=x onerror=alert(1)>', 'a"b', "select", "', '", "🦆", "", "x" * 200, "case", "CASE", "a;drop table t",
    "%s {0} $1", "back\\slash", "new\nline",
)  # fmt: skip


def mixed(n: int = 2_000, *, drift: float = 0.0, seed: int = 0) -> pd.DataFrame:
    """A column of each kind; with `drift` > 0 income, zeros and city move, the rest does not."""
    r = np.random.default_rng(seed)
    cities = np.array(["Bonn", "Ulm", "Trier", "Kiel"], dtype=object)
    p = np.array([0.4, 0.3, 0.2, 0.1])
    p[0], p[3] = p[0] - 0.2 * min(drift, 1.0), p[3] + 0.2 * min(drift, 1.0)
    income = r.lognormal(8 + 0.3 * drift, 0.5, n)
    income[r.random(n) < 0.05] = np.nan
    return pd.DataFrame({
        "id": np.arange(n),
        "income": income,
        "age": r.normal(40, 12, n).clip(18, 95).astype(int),
        "zeros": np.where(r.random(n) < 0.6 - 0.2 * min(drift, 1.0), 0.0, r.gamma(2.0, 2.0, n)),
        "steady": r.normal(0, 1, n),
        "city": cities[r.choice(4, n, p=p)],
        "member": r.random(n) < 0.5,
        "when": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.sort(r.integers(0, 90 * 86_400, n)), unit="s"),
    })  # fmt: skip


@pytest.fixture
def frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    """A reference and a current side of which income, zeros and city have drifted."""
    return mixed(seed=1), mixed(drift=1.0, seed=2)


@pytest.fixture
def parquet(tmp_path: Path) -> Callable[[pd.DataFrame, str], Path]:
    """Write a frame as a Parquet file of small row groups and return its path."""

    def write(frame: pd.DataFrame, name: str = "rows") -> Path:
        path = tmp_path / f"{name}.parquet"
        frame.to_parquet(path, row_group_size=500)
        return path

    return write


@pytest.fixture
def hostile() -> Callable[..., pd.DataFrame]:
    """Make a frame whose columns are called HOSTILE and hold the same as values."""

    def make(n: int = 240) -> pd.DataFrame:
        values = np.array([*HOSTILE, None], dtype=object)
        columns = {name: values[(np.arange(n) * (i + 1)) % len(values)] for i, name in enumerate(HOSTILE)}
        r = np.random.default_rng(0)
        when = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n) % 5, unit="D")
        return pd.DataFrame({**columns, "steady": r.normal(size=n), "at": when})

    return make
