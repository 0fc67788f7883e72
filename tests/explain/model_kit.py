"""Small tables and models that tests of explanations share."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

#: Names and values that break HTML, SQL or a careless dictionary.
HOSTILE = ("<img src=x onerror=alert(1)>", "", " ", "a,b", 'q"', "🦆")
LGB = {"n_estimators": 25, "verbose": -1, "n_jobs": 1, "random_state": 0}
XGB = {"n_estimators": 25, "max_depth": 4, "n_jobs": 1, "random_state": 0}
CAT = {"iterations": 25, "verbose": 0, "allow_writing_files": False, "random_seed": 0, "thread_count": 1}


def table(n: int = 400, seed: int = 0) -> pd.DataFrame:
    r = np.random.default_rng(seed)
    return pd.DataFrame({
        "a": r.normal(size=n), "b": r.normal(size=n), "c": r.integers(0, 5, n),
        "city": np.array(HOSTILE[:4], dtype=object)[r.integers(0, 4, n)],
    })  # fmt: skip


def logit(frame: pd.DataFrame) -> Any:
    return frame["a"] * frame["b"] + frame["c"] - 2 + (frame["city"] == "").astype(float)


def labels(frame: pd.DataFrame, classes: int = 2) -> Any:
    if classes == 2:
        return (logit(frame) > np.random.default_rng(1).normal(size=len(frame))).astype(int).to_numpy()
    return np.digitize(logit(frame), [-1, 1])


def numbers(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[["a", "b", "c"]]


def fit(model: Any, x: Any, y: Any = None) -> Any:
    """Fit a model, without what its library tells of its own future."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(x) if y is None else model.fit(x, y)
