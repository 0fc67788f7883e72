"""Asking a model on plain arrays: in batches of bounded time and memory, counted, checked, stopped at any time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from aios_workbench.errors import ExplainError, ExplainInputError, ModelFailed
from aios_workbench.explain.models import Stopped

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ask = Callable[[Floats], Floats]

#: One call of the model should take about so long: a stop is noticed between calls, and is due within a second.
CALL_SECONDS = 0.6
#: The rows of one call fill at most so many bytes.
CALL_BYTES = 64 * 2**20
FIRST_ROWS = 2_000


class OutOfTime(Exception):
    """The computation has to end here; `answers` are those of the first rows that were asked, as far as it got."""

    def __init__(self, why: Stopped) -> None:
        super().__init__(why)
        self.why: Stopped = why
        self.answers: list[Floats] = []


def ended(go: Callable[[], Stopped]) -> Stopped:
    """Run a computation and return why it ended: what it says itself, out of time, or interrupted."""
    try:
        return go()
    except OutOfTime as e:
        return e.why
    except KeyboardInterrupt:
        return "cancelled"


class Asker:
    """The model with a counter, a clock and a check of what it answers.

    Parameters
    ----------
    f : callable
        Takes (rows, M) float64 and returns (rows, K) or (rows,).
    seconds : float, optional
        Time for everything; beyond it `OutOfTime` ("budget") is raised between calls.
    cancelled : callable, optional
        Asked between calls; once it is true `OutOfTime` ("cancelled") is raised.
    batch : int, optional
        Rows of a call at most; otherwise what takes about `CALL_SECONDS` and `CALL_BYTES`.
    """

    def __init__(
        self,
        f: Ask,
        *,
        seconds: float | None = None,
        cancelled: Callable[[], bool] | None = None,
        batch: int | None = None,
    ) -> None:
        self.f, self.cancelled = f, cancelled
        self.began = time.monotonic()
        self.until = None if seconds is None else self.began + seconds
        self.evaluations = self.calls = 0
        self.outputs: int | None = None
        self._batch, self._rows = batch, min(batch or FIRST_ROWS, FIRST_ROWS)
        self._asked = 0.0

    @property
    def rate(self) -> float:
        """Rows a second, so far; infinite before the first call."""
        return self.evaluations / self._asked if self._asked > 0 else float("inf")

    @property
    def left(self) -> float:
        """Seconds that are left; infinite without a limit."""
        return float("inf") if self.until is None else max(self.until - time.monotonic(), 0.0)

    def rows(self, columns: int) -> int:
        """Return how many rows the next call may hold."""
        return max(1, min(self._rows, CALL_BYTES // (8 * max(columns, 1))))

    def check(self) -> None:
        """Raise `OutOfTime` when the time is up or nobody wants the answer."""
        if self.cancelled is not None and self.cancelled():
            raise OutOfTime("cancelled")
        if self.until is not None and time.monotonic() >= self.until:
            raise OutOfTime("budget")

    def __call__(self, matrix: Floats, what: Callable[[int, int], str], *, must: bool = False) -> Floats:
        """Return the model's answer to rows, (rows, K).

        Parameters
        ----------
        what : callable
            Names the rows from the first to the last place for a message, such as ``"rows 3 to 7"``.
        must : bool
            Ask even when the time is up: without this answer there is nothing to return.

        Raises
        ------
        ModelFailed
            When the model raises, or answers no number, or too many or too few rows.
        OutOfTime
            When the computation has to end.
        """
        import numpy as np

        answers: list[Floats] = []
        at = 0
        while at < len(matrix):
            try:
                if not must:
                    self.check()
            except OutOfTime as e:
                e.answers = answers
                raise
            end = min(at + self.rows(matrix.shape[1]), len(matrix))
            answers.append(self._once(matrix[at:end], what, at))
            at = end
        if not answers:
            return np.empty((0, self.outputs or 1))
        return answers[0] if len(answers) == 1 else np.concatenate(answers)

    def _once(self, matrix: Floats, what: Callable[[int, int], str], at: int) -> Floats:
        import numpy as np

        began = time.monotonic()
        try:
            answer = self.f(matrix)
        except (ExplainError, OutOfTime):
            raise
        except Exception as e:
            raise ModelFailed(
                f"the model raised {type(e).__name__} when asked for {what(at, at + len(matrix) - 1)}: {e}; "
                f"try model.predict on such rows"
            ) from e
        took = time.monotonic() - began
        self._asked += took
        self.evaluations += len(matrix)
        self.calls += 1
        self._pace(len(matrix), took)
        try:
            answer = np.asarray(answer, dtype=np.float64)
        except (TypeError, ValueError) as e:
            raise ModelFailed(
                f"the model's answer for {what(at, at + len(matrix) - 1)} is no number: {e}; "
                "explain a function that returns numbers, such as predict_proba"
            ) from e
        if answer.ndim == 1:
            answer = answer[:, None]
        if answer.ndim != 2 or len(answer) != len(matrix) or answer.shape[1] == 0:
            raise ModelFailed(
                f"the model answered an array of shape {answer.shape} for {len(matrix)} rows; "
                "one number or one row of numbers is needed for each"
            )
        if self.outputs is None:
            self.outputs = answer.shape[1]
        elif answer.shape[1] != self.outputs:
            raise ModelFailed(
                f"the model answered {answer.shape[1]} outputs for {what(at, at + len(matrix) - 1)}, "
                f"{self.outputs} before; it must answer the same for every batch"
            )
        good = np.isfinite(answer).all(axis=1)
        if not good.all():
            bad = np.flatnonzero(~good)
            raise ModelFailed(
                f"the model answered NaN or infinity for {len(bad)} of {len(matrix)} rows it was asked, the first "
                f"of them made from {what(at + int(bad[0]), at + int(bad[0]))}; "
                "fill or drop what it cannot handle, or explain another scale"
            )
        return answer

    def _pace(self, rows: int, took: float) -> None:
        """Let the next call be as large as `CALL_SECONDS` allow, at most eight times this one."""
        if took > CALL_SECONDS:
            self._rows = max(1, int(rows * CALL_SECONDS / took))
        else:
            self._rows = max(self._rows, int(rows * min(8.0, CALL_SECONDS / max(took, 1e-6))))
        if self._batch is not None:
            self._rows = max(1, min(self._rows, self._batch))


def matrix(name: str, values: object, columns: int | None = None) -> Floats:
    """Return a (rows, columns) float64 array.

    Raises
    ------
    ExplainInputError
        When it is none, has no rows or columns, or not as many columns as there should be.
    """
    import numpy as np

    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as e:
        raise ExplainInputError(
            f"{name} must be numbers: {e}; encode categories first (aios.explain does)"
        ) from None
    if array.ndim != 2:
        raise ExplainInputError(f"{name} must have two dimensions, rows and columns, not {array.ndim}")
    if 0 in array.shape:
        raise ExplainInputError(
            f"{name} has {array.shape[0]} rows and {array.shape[1]} columns; nothing to explain"
        )
    if columns is not None and array.shape[1] != columns:
        raise ExplainInputError(f"{name} has {array.shape[1]} columns, the rows to explain have {columns}")
    return np.ascontiguousarray(array)


def span(first: int, last: int) -> str:
    """Name explained rows.

    Examples
    --------
    >>> span(3, 3), span(3, 7)
    ('row 3', 'rows 3 to 7')
    """
    return f"row {first}" if first == last else f"rows {first} to {last}"
