"""A contribution in words: which column, where its value lies, what it does to the prediction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from aios_workbench.explain.models import Column
from aios_workbench.explain.names import number_of, one_line, value_text

if TYPE_CHECKING:
    import pandas as pd

    Floats = npt.NDArray[np.float64]

Towards = Literal["any", "up", "down"]


class Words:
    """Turns contributions into a table of reasons."""

    def __init__(
        self, columns: Sequence[Column], output: str, top: int, towards: Towards, *, values: bool
    ) -> None:
        self.columns, self.output, self.top, self.towards, self.values = columns, output, top, towards, values

    def table(
        self, phi: Floats, predictions: Floats, frame: pd.DataFrame, start: int, keep: Sequence[str] = ()
    ) -> pd.DataFrame:
        """Return the reasons of n rows; `phi` is (n, M), `frame` has the M columns first."""
        import pandas as pd

        n, m = phi.shape
        size = np.abs(phi) if self.towards == "any" else np.maximum(phi if self.towards == "up" else -phi, 0)
        first = np.argsort(-size, axis=1, kind="stable")[:, : self.top]
        made: dict[str, Any] = {"row": np.arange(start, start + n)}
        made |= {f"kept_{k}" if k in made or k == "prediction" else k: frame[k].to_numpy() for k in keep}
        made["prediction"] = predictions
        labels = [c.name for c in self.columns]
        cells = [_column(frame, name, j) for j, name in enumerate(labels)]
        for k in range(self.top):
            there = k < m
            at = first[:, k] if there else np.zeros(n, np.int64)
            part = np.take_along_axis(phi, at[:, None], axis=1)[:, 0] if m else np.zeros(n)
            counts = (
                (np.take_along_axis(size, at[:, None], axis=1)[:, 0] > 0)
                if there and m
                else np.zeros(n, bool)
            )
            words: list[str | None] = [None] * n
            for i in np.flatnonzero(counts):
                words[i] = self.say(int(at[i]), cells[at[i]].iat[i], float(part[i]))
            made[f"reason_{k + 1}"] = pd.array(words, dtype="str")
            names = [labels[j] if c else None for j, c in zip(at, counts, strict=True)]
            made[f"reason_{k + 1}_column"] = pd.array(names, dtype="str")
            made[f"reason_{k + 1}_contribution"] = np.where(counts, part, np.nan)
        return pd.DataFrame(made)

    def say(self, j: int, value: Any, contribution: float) -> str:
        """Return one reason in words.

        Examples
        --------
        >>> column = Column(name="income", kind="numeric", quantiles=[10.0, 20.0, 30.0, 40.0, 50.0])
        >>> Words([column], "refused", 3, "any", values=True).say(0, 12.0, 0.34)
        'income is low (12): raises refused by 0.34'
        >>> Words([column], "refused", 3, "any", values=False).say(0, 70.0, -0.2)
        'income is very high: lowers refused by 0.2'
        """
        column = self.columns[j]
        verb = "raises" if contribution > 0 else "lowers"
        where = _level(column, value)
        text = value_text(value)
        missing = number_of(value) is None and text == "missing"
        if missing:
            state = "is missing"
        elif where:
            state = f"is {where} ({one_line(text)})" if self.values else f"is {where}"
        else:
            state = f"is {one_line(text)}" if self.values else "as it is"
        return f"{one_line(column.name)} {state}: {verb} {one_line(self.output)} by {abs(contribution):.3g}"


def _level(column: Column, value: Any) -> str:
    """Say where a number lies among the background's."""
    x, q = number_of(value), column.quantiles
    if q is None or x is None or column.kind not in ("numeric", "datetime") or q[0] == q[-1]:
        return ""
    low, high = ("low", "high") if column.kind == "numeric" else ("early", "late")
    if x < q[0]:
        return f"very {low}"
    if x > q[-1]:
        return f"very {high}"
    return low if x < q[1] else high if x > q[3] else "usual" if column.kind == "numeric" else ""


def _column(frame: pd.DataFrame, name: str, j: int) -> pd.Series:
    if name in frame.columns:
        return frame[name]
    return frame.iloc[:, j]  # its label is no text
