"""An estimation of Shapley values under way: what each row has so far, and how much more it needs."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aios_workbench.explain.asking import Asker, span
from aios_workbench.explain.models import Stopped
from aios_workbench.explain.paths import Moments, walked

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from aios_workbench.explain.asking import Floats

#: Half a 95 % interval in standard errors.
Z = 1.959964
#: A first look takes so many pairs of orders a row, fewer when the time would not do for it.
FIRST, FEWEST = 16, 4
#: As many background rows all have a turn at once.
FEW = 128
#: Attributions smaller than this share of the model's spread over the background need not be told from zero.
FLOOR = 0.1
#: Share of the time that predicting the background may take; it is cut there, never below so many rows.
BACKGROUND_SHARE, BACKGROUND_LEAST = 0.25, 100


@dataclass(frozen=True)
class Sampled:
    """Shapley values with standard errors: n rows, M columns, K outputs.

    Attributes
    ----------
    values, errors : (n, M, K) float64
        ``values ± 1.96 errors`` holds the exact value in 95 of 100 cases: with few orders the error is widened by
        Student's t. NaN in rows that were not reached before the end, `errors` also where they are not known.
    base : (K,) float64
        Mean prediction over the background.
    predictions : (n, K) float64
    permutations : (n,) int64
        Orders walked, each from both ends; 0 in rows that were not reached.
    evaluations, calls : int
        Rows predicted and calls of the model.
    background : int
        Background rows that were used: all of them unless the time was too short.
    """

    values: Floats
    errors: Floats
    base: Floats
    predictions: Floats
    permutations: npt.NDArray[np.int64]
    evaluations: int
    calls: int
    stopped: Stopped
    background: int
    seconds: float


class Run:
    """One estimation under way: what each row has so far."""

    def __init__(
        self,
        ask: Asker,
        x: Floats,
        background: Floats,
        seed: int,
        tolerance: float,
        least: int,
        most: int,
        progress: Callable[[float, str], None] | None,
    ) -> None:
        import numpy as np

        self.ask, self.x, self.background = ask, x, background
        self.seed, self.tolerance, self.least, self.most, self.progress = (
            seed,
            tolerance,
            least,
            most,
            progress,
        )
        self.order = np.random.default_rng([seed, 0]).permutation(len(background))
        # the same row has the same draws wherever it stands
        self.keys = [zlib.crc32((row + 0.0).tobytes()) for row in x]
        self.moments: list[Moments | None] = [None] * len(x)
        self.rounds = np.zeros(len(x), dtype=np.int64)
        self.predictions: Floats | None = None
        self.at_start: Floats | None = None
        self.base: Floats | None = None

    def go(self) -> Stopped:
        """Sample until every row is precise enough or has had its orders."""
        import numpy as np

        self._predict()
        todo = np.full(len(self.x), self._first())
        reached = False
        while todo.any():
            self._round(todo)
            todo, reached = self._missing()
        return "tolerance" if reached else "done"

    def _predict(self) -> None:
        """Ask for the rows, and for the background in random order: what a short time leaves of it is a fair part."""
        import numpy as np

        n, columns = self.x.shape
        patience = BACKGROUND_SHARE * self.ask.left
        # what fits beside the rows is asked with them: a call may be dear
        done = min(max(self.ask.rows(columns) - n, 0), len(self.order))
        first = self.ask(
            np.concatenate([self.x, self.background[self.order[:done]]]),
            lambda a, b: " and ".join(
                [span(a, min(b, n - 1))] * (a < n) + ["rows of the background"] * (b >= n)
            ),
        )
        self.predictions, answers = first[:n], [first[n:]]
        while done < len(self.order):
            part = self.order[done : done + self.ask.rows(columns)]
            answers.append(self.ask(self.background[part], lambda *_: "rows of the background"))
            done += len(part)
            spent = self.ask.evaluations / self.ask.rate
            if spent > patience and done >= BACKGROUND_LEAST:
                break
        self.order, self.at_start = self.order[:done], np.concatenate(answers)
        self.base = self.at_start.mean(axis=0)

    def _first(self) -> int:
        """Return how many pairs to begin with: fewer when the time would not do for them."""
        dear = 4 * max(self.x.shape[1] - 1, 1) * len(self.x)
        affordable = self.ask.left * self.ask.rate / dear
        usual = self._turns(max(self.least, FEWEST))
        return usual if affordable >= usual else max(int(affordable), FEWEST)

    def _turns(self, pairs: int) -> int:
        """Let each of few background rows have as many turns as the others: which came first then does not matter."""
        size = len(self.order)
        if size > FEW or size > self.most:
            return min(pairs, self.most)
        return min(-(-pairs // size), max(self.most // size, 1)) * size

    def _round(self, todo: npt.NDArray[np.int64]) -> None:
        """Walk so many more pairs of orders for each row; a row's are kept once all of them are done."""
        import numpy as np

        rows = [int(i) for i in np.flatnonzero(todo)]
        partial: dict[int, Moments] = {}
        for piece in self._pieces(rows, todo):
            of = np.concatenate([np.full(len(starts), row) for row, starts, _, _ in piece])
            at = np.concatenate([starts for _, starts, _, _ in piece])
            keys = np.concatenate([k for _, _, k, _ in piece])
            first, second = self._walk(of, at, keys)
            begun = 0
            for row, starts, _, last in piece:
                part = slice(begun, begun + len(starts))
                begun += len(starts)
                new = Moments.of(first[part], second[part], self._start(starts))
                partial[row] = partial[row] + new if row in partial else new
                if last:
                    before = self.moments[row]
                    new = partial.pop(row)
                    self.moments[row] = new if before is None else before + new
                    self.rounds[row] += 1

    def _pieces(
        self, rows: list[int], todo: npt.NDArray[np.int64]
    ) -> Iterator[list[tuple[int, npt.NDArray[np.int64], Floats, bool]]]:
        """Yield what fits one call of the model: (row, starts, keys of two orders a start, whether it is its last)."""
        import numpy as np

        columns = self.x.shape[1]
        piece: list[tuple[int, npt.NDArray[np.int64], Floats, bool]] = []
        for row in rows:
            before = self.moments[row]
            count = 0 if before is None else before.count
            random = np.random.default_rng([self.seed, self.keys[row], int(self.rounds[row])])
            offset, done, wanted = self.keys[row] % len(self.order), 0, int(todo[row])
            while done < wanted:
                free = max(1, self.ask.rows(columns) // (4 * max(columns - 1, 1)))
                free -= sum(len(starts) for _, starts, _, _ in piece)
                if free <= 0:
                    yield piece
                    piece = []
                    continue
                many = min(free, wanted - done)
                starts = (offset + count + done + np.arange(many)) % len(self.order)
                done += many
                piece.append((row, starts, random.random((many, 2, columns)), done == wanted))
        if piece:
            yield piece

    def _start(self, starts: npt.NDArray[np.int64]) -> Floats:
        assert self.at_start is not None
        return self.at_start[starts]

    def _walk(
        self, of: npt.NDArray[np.int64], at: npt.NDArray[np.int64], keys: Floats
    ) -> tuple[Floats, Floats]:
        """Return the credits of both orders of each pair."""
        import numpy as np

        assert self.predictions is not None
        both = np.concatenate([of, of])
        found = walked(
            self.ask,
            self.x[both],
            self.background[self.order[np.concatenate([at, at])]],
            self.predictions[both],
            self._start(np.concatenate([at, at])),
            np.concatenate([keys[:, 0], keys[:, 1]]),
            lambda a, b: f"mixtures of {span(*_ends(both[a : b + 1]))} with rows of the background",
        )
        return found[: len(of)], found[len(of) :]

    def _missing(self) -> tuple[npt.NDArray[np.int64], bool]:
        """Return how many more pairs each row needs, and whether all that are done are precise enough."""
        import numpy as np

        assert self.base is not None
        assert self.at_start is not None
        floor = FLOOR * float(self.at_start.std(axis=0).max())
        todo = np.zeros(len(self.x), dtype=np.int64)
        precise, size = True, len(self.order)
        for row, m in enumerate(self.moments):
            assert m is not None
            values, errors = m.estimate(self.base, size, Z)
            # outputs that hardly move need not be known more precisely than those that do
            goal = self.tolerance * max(float(np.abs(values).sum(axis=0).max()), floor)
            widest = Z * float(errors.max())
            if widest <= goal and m.count >= min(self.least, self._turns(self.most)):
                continue
            if m.count >= self._turns(self.most):
                precise = precise and widest <= goal
                continue
            more = 1.1 * m.count * (widest / goal) ** 2 - m.count if goal > 0 else 3.0 * m.count
            more = int(min(max(more, FEWEST), 3 * m.count))
            todo[row] = (
                size - m.count if m.count < size < m.count + more else self._turns(m.count + more) - m.count
            )
        self._tell(todo)
        return todo, precise

    def _tell(self, todo: npt.NDArray[np.int64]) -> None:
        if self.progress is not None:
            done = sum(m.count for m in self.moments if m is not None)
            ready = int((todo == 0).sum())
            self.progress(done / (done + int(todo.sum())), f"{ready} of {len(todo)} rows are precise enough")

    def result(self, stopped: Stopped) -> Sampled:
        """Return what was reached."""
        import numpy as np

        (n, columns), outputs = self.x.shape, self.ask.outputs or 1
        values = np.full((n, columns, outputs), np.nan)
        errors = np.full_like(values, np.nan)
        base = np.full(outputs, np.nan) if self.base is None else self.base
        for row, m in enumerate(self.moments):
            if m is not None:
                values[row], errors[row] = m.estimate(base, len(self.order), Z)
        return Sampled(
            values=values,
            errors=errors,
            base=base,
            predictions=np.full((n, outputs), np.nan) if self.predictions is None else self.predictions,
            permutations=np.array([0 if m is None else 2 * m.count for m in self.moments], dtype=np.int64),
            evaluations=self.ask.evaluations,
            calls=self.ask.calls,
            stopped=stopped,
            background=len(self.order) if self.base is not None else 0,
            seconds=time.monotonic() - self.ask.began,
        )


def _ends(rows: npt.NDArray[np.int64]) -> tuple[int, int]:
    return int(rows.min()), int(rows.max())
