"""Explanations of functions whose inside is known: Shapley values by adding up every subset of the columns."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from aios_workbench.explain.explanation import Arrays, Explanation
from aios_workbench.explain.models import ExplanationData, MethodInfo, ModelInfo, Scale, Task
from aios_workbench.explain.space import Space

Function = Callable[[pd.DataFrame], Any]


class Live:
    """The function behind an explanation; `asked` counts rows."""

    def __init__(
        self, f: Function, background: pd.DataFrame, make: Callable[[pd.DataFrame], Explanation]
    ) -> None:
        self.f, self.background, self.make, self.asked = f, background, make, 0

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        self.asked += len(rows)
        y = np.asarray(self.f(rows), float)
        return y[:, None] if y.ndim == 1 else y

    def again(self, rows: pd.DataFrame, *, seconds: float | None = None, lime: bool = True) -> Explanation:
        return self.make(rows)


def world(
    f: Function, rows: pd.DataFrame, background: pd.DataFrame | None = None, *, task: Task = "regression",
    scale: Scale = "value", outputs: list[str] | None = None, exact: bool = True, **changes: Any,
) -> Explanation:  # fmt: skip
    """Explain `f`; not `exact`: with values of 0, for what does not look at them."""
    background = rows[:40] if background is None else background
    space = Space.of(background)

    def make(frame: pd.DataFrame) -> Explanation:
        predictions = live.predict(frame)
        n, m, k = len(frame), len(space), predictions.shape[1]
        values = shapley(live, space, frame, background) if exact else np.zeros((n, m, k))
        data = ExplanationData(
            id="w", name="world", created_at=0.0, task=task, scale=scale, rows=n, columns=space.columns,
            outputs=outputs or [f"y{i}" if k > 1 else "y" for i in range(k)],
            model=ModelInfo(type="function", title="a function"),
            method=MethodInfo(name="exact", title="exact", why="known", exact=True),
        )  # fmt: skip
        data = data.model_copy(update=changes)
        arrays = Arrays(values=values, base=live.predict(background).mean(axis=0), predictions=predictions)
        return Explanation(data, arrays, frame, live)

    live = Live(f, background, make)
    return make(rows)


def shapley(live: Live, space: Space, frame: pd.DataFrame, background: pd.DataFrame) -> np.ndarray:
    x, b, m = space.encode(frame), space.encode(background), len(space)
    worth: dict[tuple[int, ...], np.ndarray] = {}
    for size in range(m + 1):
        for subset in itertools.combinations(range(m), size):
            mixed = np.repeat(b[None], len(x), 0)
            mixed[:, :, subset] = x[:, None, subset]
            answer = live.predict(space.decode(mixed.reshape(-1, m)))
            worth[subset] = answer.reshape(len(x), len(b), -1).mean(axis=1)
    out = np.zeros((len(x), m, worth[()].shape[1]))
    for subset, value in worth.items():
        for j in range(m):
            s = len(subset)
            if j in subset:
                out[:, j] += value * math.factorial(s - 1) * math.factorial(m - s) / math.factorial(m)
            else:
                out[:, j] -= value * math.factorial(s) * math.factorial(m - s - 1) / math.factorial(m)
    return out


def table(n: int = 300, seed: int = 0) -> pd.DataFrame:
    """Amounts, whole numbers, categories and truth values, independent of each other."""
    g = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "a": g.normal(size=n), "b": g.normal(size=n), "age": g.integers(18, 80, n),
            "city": g.choice(["Ulm", "Bonn", "<img src=x onerror=alert(1)>"], n, p=[0.6, 0.3, 0.1]),
            "member": g.random(n) < 0.5,
        }
    )  # fmt: skip
