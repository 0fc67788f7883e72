"""An explanation by LIME under way: samples, local models, and whether seeds agree on the top columns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from aios_workbench.explain.asking import Asker, OutOfTime, span
from aios_workbench.explain.lime_draws import Law
from aios_workbench.explain.lime_fit import Fit, kernel, ridge
from aios_workbench.explain.models import Stopped

if TYPE_CHECKING:
    from aios_workbench.explain.asking import Floats

#: Each time the top columns are not stable the samples are multiplied by this.
MORE = 2


@dataclass(frozen=True)
class Limed:
    """LIME's answers: n rows, M columns, K outputs; means over the seeds, NaN in rows that were not reached.

    Attributes
    ----------
    contributions : (n, M, K) float64
        Comparable with Shapley values: the coefficient times how far the row is from the mean, in deviations; of a
        category, times the share of samples that have another one; of a discretised column, the coefficient.
    coefficients : (n, M, K) float64
        As lime has them, on standardised columns.
    errors : (n, M, K) float64
        Standard errors of `contributions`: how far other seeds would move them.
    intercept, r2 : (n, K) float64
    stability : (n,) float64
        Mean Jaccard overlap of the top columns between seeds, of `top` columns or of as many as can be told from
        zero, where these are fewer. NaN with one seed.
    samples : int
        A row and seed.
    seeds : tuple of int
        Those that were used.
    """

    contributions: Floats
    coefficients: Floats
    errors: Floats
    intercept: Floats
    r2: Floats
    stability: Floats
    samples: int
    seeds: tuple[int, ...]
    kernel_width: float
    evaluations: int
    calls: int
    stopped: Stopped
    seconds: float


@dataclass
class _Level:
    """All rows with so many samples a seed."""

    samples: int
    seeds: tuple[int, ...]
    contributions: Floats
    coefficients: Floats
    errors: Floats
    intercept: Floats
    r2: Floats
    stability: Floats


@dataclass
class _Sample:
    """What was drawn with a seed: what the model was asked and answered, and the local model's columns."""

    asked: Floats
    compared: Floats
    answers: Floats
    design: Floats
    length: Floats

    @classmethod
    def of(cls, law: Law, asked: Floats, compared: Floats, answers: Floats) -> _Sample:
        """Scale what was drawn; `length` is each sample's squared distance from the mean."""
        import numpy as np

        design = (asked - law.mean) / law.scale
        design[:, law.compared] = 0.0
        where = design[:, law.measured]
        return cls(asked, compared, answers, design, np.einsum("sm,sm->s", where, where))


class Run:
    """One explanation under way."""

    def __init__(
        self,
        ask: Asker,
        law: Law,
        x: Floats,
        width: float,
        seeds: tuple[int, ...],
        top: int,
        progress: Callable[[float, str], None] | None,
    ) -> None:
        self.ask, self.law, self.x, self.width = ask, law, x, width
        self.seeds, self.top, self.progress = seeds, top, progress
        self.measured, self.compared = law.place(x)
        self.level: _Level | None = None

    def go(self, samples: int, most: int, stable: float) -> Stopped:
        """Draw more samples until the top columns are stable."""
        import numpy as np

        here = self.ask(self.x, span)
        while True:
            self._one(samples, here)
            assert self.level is not None
            found = self.level.stability
            if len(self.seeds) > 1 and float(np.nanmean(found)) >= stable:
                return "tolerance"
            if samples * MORE > most:
                return "done"
            samples *= MORE

    def _one(self, samples: int, here: Floats) -> None:
        """Explain all rows with so many samples; without time for all seeds, at first, with those there is time for."""
        import numpy as np

        drawn: list[_Sample] = []
        late: OutOfTime | None = None
        for seed in self.seeds:
            asked, compared = self.law.draw(samples, seed)
            try:
                answers = self.ask(asked[1:], lambda *_: "samples around the training data's mean")
            except OutOfTime as e:
                late = e
                least = 5 * (self.x.shape[1] + 1)
                if drawn or self.level is not None or sum(map(len, e.answers)) < least:
                    break
                answers = np.concatenate(e.answers)
            kept = len(answers) + 1
            drawn.append(_Sample.of(self.law, asked[:kept], compared[:kept], answers))
            if late is not None:
                break
        if late is not None and (not drawn or self.level is not None):
            raise late
        self._rows(drawn, here, forced=late is not None)
        if late is not None:
            raise late

    def _rows(self, drawn: list[_Sample], here: Floats, *, forced: bool) -> None:
        """Fit the local model of each row and seed."""
        import numpy as np

        (n, columns), outputs = self.x.shape, here.shape[1]
        level = _Level(len(drawn[0].asked), self.seeds[: len(drawn)], *_empty(n, columns, outputs))
        first = self.level is None
        for i in range(n):
            try:
                if not forced:
                    self.ask.check()
            except OutOfTime:
                # what is whole is kept; later rows of a first look stay empty
                if first:
                    self.level = level
                raise
            fits = [self._fit(i, sample, here[i]) for sample in drawn]
            factor = self._factor(i)[:, None]
            each = np.array([fit.coefficients for fit in fits])
            level.coefficients[i] = each.mean(axis=0)
            level.contributions[i] = level.coefficients[i] * factor
            squares = np.array([fit.errors**2 for fit in fits]).sum(axis=0)
            level.errors[i] = np.sqrt(squares) / len(fits) * np.abs(factor)
            level.intercept[i] = np.mean([fit.intercept for fit in fits], axis=0)
            level.r2[i] = np.mean([fit.r2 for fit in fits], axis=0)
            level.stability[i] = stability(each * factor, level.contributions[i], level.errors[i], self.top)
            if self.progress is not None:
                self.progress((i + 1) / n, f"LIME with {level.samples:,} samples: row {i + 1} of {n}")
        self.level = level

    def _fit(self, i: int, sample: _Sample, here: Floats) -> Fit:
        """Fit a row's local model; the samples' first place and compared columns are made the row's."""
        import numpy as np

        law, asked = self.law, sample.asked
        sample.design[0] = self.measured[i]
        squared = np.zeros(len(asked))
        if law.measured:
            place = np.zeros(self.x.shape[1])
            place[law.measured] = self.measured[i][law.measured]
            squared += np.maximum(sample.length - 2 * (sample.design @ place) + place @ place, 0.0)
        if law.compared:
            same = law.matches(sample.compared, self.compared[i])
            same[0] = 1.0
            sample.design[:, law.compared] = same
            squared += len(law.compared) - same.sum(axis=1)
        squared[0] = 0.0
        return ridge(sample.design, np.vstack([here, sample.answers]), kernel(squared, self.width))

    def _factor(self, i: int) -> Floats:
        """Return how far the row is from the mean on each column of its local model."""
        import numpy as np

        if self.law.discretize:
            return np.ones(self.x.shape[1])
        factor: Floats = self.measured[i].copy()
        if self.law.compared:
            factor[self.law.compared] = 1.0 - self.law.usual(self.compared[i])
        return factor

    def result(self, stopped: Stopped) -> Limed:
        """Return what was reached."""
        level = self.level or _Level(0, (), *_empty(len(self.x), self.x.shape[1], self.ask.outputs or 1))
        return Limed(
            contributions=level.contributions,
            coefficients=level.coefficients,
            errors=level.errors,
            intercept=level.intercept,
            r2=level.r2,
            stability=level.stability,
            samples=level.samples,
            seeds=level.seeds,
            kernel_width=self.width,
            evaluations=self.ask.evaluations,
            calls=self.ask.calls,
            stopped=stopped,
            seconds=time.monotonic() - self.ask.began,
        )


def _empty(n: int, columns: int, outputs: int) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:
    """Return NaN for each array of a level."""
    import numpy as np

    shapes: list[tuple[int, ...]] = [(n, columns, outputs)] * 3 + [(n, outputs)] * 2 + [(n,)]
    a, b, c, d, e, g = (np.full(shape, np.nan) for shape in shapes)
    return a, b, c, d, e, g


def stability(each: Floats, mean: Floats, errors: Floats, top: int) -> float:
    """Return how far seeds agree on the top columns: mean Jaccard overlap, mean over the outputs.

    Of the top `top` columns, or of as many as differ from zero beyond chance (Bonferroni over the columns, 5 %), where
    these are fewer: which of the columns without any effect comes fifth says nothing.

    Parameters
    ----------
    each : (seeds, M, K) float64
    mean, errors : (M, K) float64

    Examples
    --------
    >>> import numpy as np
    >>> each = np.array([[[3.0], [2.0], [0.1]], [[3.1], [0.2], [2.1]]])
    >>> round(stability(each, each.mean(axis=0), np.full((3, 1), 0.01), 2), 3)
    0.333
    """
    import numpy as np
    from scipy.special import ndtri

    seeds, columns, outputs = each.shape
    if seeds < 2 or not np.isfinite(each).all():
        return float("nan")
    beyond = float(ndtri(1 - 0.025 / columns))
    overlaps = []
    for k in range(outputs):
        clear = int((np.abs(mean[:, k]) > beyond * errors[:, k]).sum())
        many = min(top, max(clear, 1))
        tops = [set(np.argsort(-np.abs(one[:, k]), kind="stable")[:many].tolist()) for one in each]
        overlaps += [len(a & b) / len(a | b) for a, b in combinations(tops, 2)]
    return float(np.mean(overlaps))
