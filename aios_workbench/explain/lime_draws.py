"""The samples of LIME, drawn as lime 0.2.0.1 draws them: the same seed, the same samples.

lime draws around the mean of the training data, not around the row, so all rows that share a seed share their samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from aios_workbench.explain.asking import Floats

#: What lime adds to a deviation so that it is never zero.
TINY = 0.00000000001


class Law:
    """What the training data say of each column, and so where samples lie.

    Parameters
    ----------
    training : (B, M) float64
        NaN are left out of means and deviations; in a categorical column they are a category.
    categorical : sequence of int
    discretize : bool
        Cut the other columns at their quartiles.
    """

    def __init__(self, training: Floats, categorical: Sequence[int], *, discretize: bool) -> None:
        import numpy as np
        from sklearn.preprocessing import StandardScaler

        self.columns = training.shape[1]
        self.categorical, self.discretize = sorted(set(categorical)), discretize
        empty = np.isnan(training).all(axis=0)
        # the array itself where it can be: a copy is summed in another order, and the last bit counts
        known = training[:, ~empty] if empty.any() else training
        self.mean: Floats = np.zeros(self.columns)
        self.scale: Floats = np.ones(self.columns)
        if known.size:
            scaler = StandardScaler(with_mean=False).fit(known)
            self.mean[~empty], self.scale[~empty] = scaler.mean_, scaler.scale_
        self.mean[self.categorical], self.scale[self.categorical] = 0.0, 1.0
        #: Columns that are compared with the row's value, not measured.
        self.compared = list(range(self.columns)) if discretize else self.categorical
        self.measured = [j for j in range(self.columns) if j not in self.compared]
        self.bins = {
            j: _Bins(training[:, j]) for j in range(self.columns) if discretize and j not in self.categorical
        }
        self.values: dict[int, Floats] = {}
        self.shares: dict[int, Floats] = {}
        for j in self.compared:
            cut: Floats = self.bins[j].cut(training[:, j]).astype(float) if j in self.bins else training[:, j]
            self.values[j], counts = np.unique(cut, return_counts=True)
            self.shares[j] = counts / counts.sum()

    def draw(self, samples: int, seed: int) -> tuple[Floats, Floats]:
        """Return what the model is asked and what is compared: (samples, M) both.

        Compared are values of categorical columns and bins of discretised ones; the first sample stands for the row
        itself.
        """
        import numpy as np

        random = np.random.RandomState(seed)
        if self.discretize:
            asked = np.zeros((samples, self.columns))
        else:
            normal = random.normal(0, 1, samples * self.columns).reshape(samples, self.columns)
            asked = normal * self.scale + self.mean
        for j in self.compared:
            asked[:, j] = random.choice(self.values[j], size=samples, replace=True, p=self.shares[j])
        compared = asked
        if self.bins:
            compared = asked.copy()
            for j, bins in self.bins.items():
                asked[1:, j] = bins.values(compared[1:, j].astype(int), random)
        return asked, compared

    def place(self, x: Floats) -> tuple[Floats, Floats]:
        """Return where rows lie on each measured column, in deviations from the mean, and what is compared with.

        A missing number lies at the mean: nothing is known of it.
        """
        import numpy as np

        compared = x.copy()
        for j, bins in self.bins.items():
            compared[:, j] = np.where(np.isnan(x[:, j]), np.nan, bins.cut(x[:, j]))
        measured = (x - self.mean) / self.scale
        return np.where(np.isnan(measured), 0.0, measured), compared

    def matches(self, samples: Floats, row: Floats) -> Floats:
        """Say 1.0 where samples have the row's value or bin in the columns that are compared, (S, len(compared))."""
        import numpy as np

        whole = len(self.compared) == self.columns
        ours, theirs = row[self.compared], samples if whole else samples[:, self.compared]
        same: npt.NDArray[np.bool_] = theirs == ours
        if np.isnan(ours).any():
            same |= np.isnan(theirs) & np.isnan(ours)
        return same.astype(np.float64)

    def usual(self, row: Floats) -> Floats:
        """Return the share of samples that have the row's value, for each compared column."""
        import numpy as np

        return np.array(
            [
                float(
                    self.shares[j][
                        (self.values[j] == row[j]) | (np.isnan(self.values[j]) & np.isnan(row[j]))
                    ].sum()
                )
                for j in self.compared
            ]
        )


class _Bins:
    """A column cut at its quartiles; within a bin values are drawn from a truncated normal distribution."""

    def __init__(self, column: Floats) -> None:
        import numpy as np

        column = column[~np.isnan(column)]
        column = column if len(column) else np.zeros(1)
        self.edges = np.unique(np.percentile(column, [25, 50, 75]))
        at = self.cut(column)
        parts = [column[at == k] for k in range(len(self.edges) + 1)]
        self.means = np.array([p.mean() if len(p) else 0.0 for p in parts])
        self.deviations = np.array([p.std() if len(p) else 0.0 for p in parts]) + TINY
        self.lows = np.array([column.min(), *self.edges])
        self.highs = np.array([*self.edges, column.max()])

    def cut(self, values: Floats) -> npt.NDArray[np.int64]:
        """Return the bin of each value."""
        import numpy as np

        return np.searchsorted(self.edges, values)

    def values(self, at: npt.NDArray[np.int64], random: Any) -> Floats:
        """Draw a value in each bin.

        Where a bin holds one value lime 0.2.0.1 asks the model for that value's standard score instead; here it is
        asked for the value.
        """
        import numpy as np
        from scipy.stats import truncnorm

        means, deviations = self.means[at], self.deviations[at]
        low, high = (self.lows[at] - means) / deviations, (self.highs[at] - means) / deviations
        drawn, open_ = self.lows[at].copy(), low != high
        drawn[np.flatnonzero(open_)] = truncnorm.rvs(
            low[open_], high[open_], loc=means[open_], scale=deviations[open_], random_state=random
        )
        return drawn
