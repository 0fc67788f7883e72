"""How well a classifier does where no labels are known yet, estimated from its own scores (CBPE).

Scores are made into probabilities on the reference, where labels are; in new rows those probabilities say how often
each prediction is right. That follows any change of the rows, and none of what the rows mean: see `CAVEAT`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from aios_workbench.drift.models import Measured
from aios_workbench.drift.ranking import Z95, area
from aios_workbench.errors import DriftInputError

if TYPE_CHECKING:
    from aios_workbench.drift.tables import Floats

#: Always to be shown beside an estimate.
CAVEAT = (
    "Estimated performance (CBPE) cannot see concept drift: when the same rows come to have other labels, the estimate "
    "stays as it was (measured: area estimated .849, real .587). Only labels show that."
)
#: Draws of labels from the probabilities, for the band.
DRAWS = 100
_SPLITS, _BINS = 10, 10
#: Draws at a time, so that many rows need little memory.
_NUMBERS = 2_000_000


@dataclass(frozen=True)
class Estimator:
    """What was learnt from a labelled reference.

    `maps` has a monotone map from score to probability for each class (one alone for the positive class of two), None
    where the scores are probabilities already. `rows` is how many reference rows it was learnt from.

    Examples
    --------
    >>> g = np.random.default_rng(0)
    >>> p = g.uniform(size=2_000)
    >>> learnt = Estimator.learn(p, g.uniform(size=2_000) < p)
    >>> round(learnt.estimate(np.full(1_000, 0.9))["accuracy"].value, 1)
    0.9
    """

    maps: tuple[Callable[[Floats], Floats] | None, ...]
    rows: int

    @classmethod
    def learn(cls, score: npt.ArrayLike, label: npt.ArrayLike) -> Estimator:
        """Learn from labelled scores.

        An isotonic regression maps scores to probabilities, if that lowers the expected calibration error in ten
        held-out tenths (as NannyML decides it [1]_); of several classes each by itself, one against the rest.

        Parameters
        ----------
        score : array_like
            (n,) of the positive class, or (n, classes).
        label : array_like
            (n,) true or false, or (n,) the class as a column of `score`.

        Raises
        ------
        DriftInputError
            When lengths differ or there is no row.

        References
        ----------
        .. [1] NannyML, "Confidence-based performance estimation", its documentation.
        """
        s, y = _scores(score), np.asarray(label)
        if len(s) != len(y):
            raise DriftInputError(
                f"{len(s)} scores and {len(y)} labels were given; give one label to each row's score"
            )
        ok = np.isfinite(s).all(axis=1)
        s, y = s[ok], y[ok]
        if not len(s):
            raise DriftInputError("no row has a score; give scores of labelled reference rows")
        if s.shape[1] == 1:
            return cls((_calibration(s[:, 0], y.astype(bool)),), len(s))
        return cls(tuple(_calibration(s[:, k], y == k) for k in range(s.shape[1])), len(s))

    def probabilities(self, score: npt.ArrayLike) -> Floats:
        """Return the probability of the positive class, (n, 1), or of each class, (n, classes), adding up to 1."""
        s = _scores(score)
        if s.shape[1] != len(self.maps):
            raise DriftInputError(
                f"{s.shape[1]} scores a row, but {len(self.maps)} in the reference; give the same columns"
            )
        p = np.column_stack([s[:, k] if m is None else m(s[:, k]) for k, m in enumerate(self.maps)])
        if p.shape[1] == 1:
            return np.clip(p, 0, 1)
        total = p.sum(axis=1, keepdims=True)
        even = np.full_like(p, 1 / p.shape[1])
        shares: Floats = np.divide(p, total, out=even, where=total > 0)
        return shares

    def estimate(
        self, score: npt.ArrayLike, prediction: npt.ArrayLike | None = None, *, seed: int = 0
    ) -> dict[str, Measured]:
        """Estimate how well rows are predicted whose labels are not known.

        Values equal NannyML's. The band holds 95 % of what the real figure can be: it is the spread over `DRAWS` draws
        of labels from the probabilities, widened by what the reference's own number of rows leaves open. It takes for
        granted that probabilities still mean what they meant; see `CAVEAT`.

        Parameters
        ----------
        score : array_like
            (n,) or (n, classes), as learnt from.
        prediction : array_like, optional
            (n,) true or false, or the class as a column of `score`; if None: a score of .5 or more, or the highest.

        Returns
        -------
        dict of str to Measured
            accuracy, precision, recall, f1, roc_auc, and log_loss and brier where the scores are probabilities; means
            over classes where there are more than two. Only what is defined: no precision where nothing is predicted.

        Raises
        ------
        DriftInputError
            When lengths differ or columns are missing.
        """
        s = _scores(score)
        guess = predicted(s) if prediction is None else np.asarray(prediction)
        if len(guess) != len(s):
            raise DriftInputError(
                f"{len(s)} scores and {len(guess)} predictions were given; give one of each a row"
            )
        ok = np.isfinite(s).all(axis=1)
        s, guess = s[ok], guess[ok]
        if not len(s):
            return {}
        p = self.probabilities(s)
        rows = _Rows(s, guess)
        values = rows.figures(p)
        g = np.random.default_rng(seed)
        drawn: dict[str, list[float]] = {name: [] for name in values}
        for _ in range(min(DRAWS, max(20, _NUMBERS // len(s)))):
            once = rows.figures(_labels(p, g))
            for name, found in drawn.items():
                if name in once:
                    found.append(once[name])
        wider = math.sqrt(1 + len(s) / self.rows)
        out = {}
        for name, value in values.items():
            error = float(np.std(drawn[name])) * wider if len(drawn[name]) > 1 else math.inf
            low, high = value - Z95 * error, value + Z95 * error
            most = math.inf if name == "log_loss" else 1.0 + (name == "brier" and p.shape[1] > 1)
            out[name] = Measured(
                value=value, low=max(0.0, low), high=min(most, high) if math.isfinite(high) else value
            )
        return out


def predicted(score: Floats) -> npt.NDArray[Any]:
    """Return what scores (n, 1) or (n, classes) predict: true from .5 on, or the column of the highest."""
    return score[:, 0] >= 0.5 if score.shape[1] == 1 else np.argmax(score, axis=1)


class _Rows:
    """Scores and predictions of rows, prepared once so that figures for many sets of labels cost no sort."""

    def __init__(self, score: Floats, guess: npt.NDArray[Any]) -> None:
        self.binary = score.shape[1] == 1
        self.said = [guess.astype(bool)] if self.binary else [guess == k for k in range(score.shape[1])]
        self.orders, self.starts, self.sizes = [], [], []
        for k in range(score.shape[1]):
            order = np.argsort(-score[:, k], kind="stable")
            starts = np.flatnonzero(np.r_[True, np.diff(score[order, k]) != 0])
            self.orders.append(order)
            self.starts.append(starts)
            self.sizes.append(np.diff(np.r_[starts, len(score)]))
        self.logs = self.squares = None
        if score.min() >= 0 and score.max() <= 1:
            both = np.column_stack([1 - score, score]) if self.binary else score
            tiny = np.finfo(np.float64).eps
            self.logs = np.log(np.clip(both / np.maximum(both.sum(axis=1, keepdims=True), tiny), tiny, 1))
            # of a row with label k: the sum over classes of (score - is k) squared; of two classes, of one alone
            self.squares = (both**2).sum(axis=1, keepdims=True) + 1 - 2 * both
            if self.binary:
                self.squares /= 2

    def figures(self, p: Floats) -> dict[str, float]:
        """Return figures by the probabilities of labels, (n, 1) or (n, classes); known labels are 0 and 1."""
        kinds: dict[str, list[float]] = {"precision": [], "recall": [], "f1": [], "roc_auc": []}
        right = 0.0
        for k, said in enumerate(self.said):
            truth = p[:, k]
            hits, misses = float(truth[said].sum()), float(truth[~said].sum())
            false = float(said.sum()) - hits
            right += hits + (float((~said).sum()) - misses if self.binary else 0.0)
            _add(kinds["precision"], hits, hits + false)
            _add(kinds["recall"], hits, hits + misses)
            _add(kinds["f1"], hits, hits + (false + misses) / 2)
            self._area(truth, k, kinds["roc_auc"])
        out = {"accuracy": right / len(p)}
        out |= {name: math.fsum(v) / len(v) for name, v in kinds.items() if v}
        if self.logs is not None and self.squares is not None:
            labels = np.column_stack([1 - p, p]) if self.binary else p
            out["log_loss"] = float(-np.einsum("ij,ij->", labels, self.logs) / len(p))
            out["brier"] = float(np.einsum("ij,ij->", labels, self.squares) / len(p))
        return out

    def _area(self, truth: Floats, k: int, to: list[float]) -> None:
        """Add the area under the ROC curve; nothing where one class has no weight."""
        yes = np.add.reduceat(truth[self.orders[k]], self.starts[k])
        no = self.sizes[k] - yes
        _add(to, float(((np.cumsum(yes) - yes / 2) * no).sum()), float(yes.sum()) * float(no.sum()))


def _add(to: list[float], part: float, whole: float) -> None:
    if whole > 1e-9:
        to.append(part / whole)


def _labels(p: Floats, g: np.random.Generator) -> Floats:
    u = g.random((len(p), 1))
    if p.shape[1] == 1:
        return (u < p).astype(np.float64)
    picked = np.minimum((u > np.cumsum(p, axis=1)).sum(axis=1), p.shape[1] - 1)
    labels: Floats = np.eye(p.shape[1])[picked]
    return labels


def _scores(score: npt.ArrayLike) -> Floats:
    s = np.asarray(score, np.float64)
    if s.ndim not in {1, 2} or (s.ndim == 2 and not s.shape[1]):
        raise DriftInputError(f"scores have the shape {s.shape}; give one a row, or one a row and class")
    return s[:, None] if s.ndim == 1 else s


def _calibration(score: Floats, label: npt.NDArray[np.bool_]) -> Callable[[Floats], Floats] | None:
    """Return the map from score to probability, or None where it would help nothing."""
    from sklearn.model_selection import StratifiedShuffleSplit

    count = int(label.sum())
    # a tenth must hold both classes; scores that all but separate them need no map
    if min(count, len(label) - count) < 2 or len(label) < 2 * _SPLITS or area(label, score).value > 0.999:
        return None
    splits = StratifiedShuffleSplit(n_splits=_SPLITS, test_size=1 / _SPLITS, random_state=42)
    kept = []
    for fit, test in splits.split(score, label):
        kept.append((label[test], score[test], _isotonic(score[fit], label[fit])(score[test])))
    truth, before, after = (np.concatenate(part) for part in zip(*kept, strict=True))
    return _isotonic(score, label) if _error(truth, before) > _error(truth, after) else None


def _isotonic(score: Floats, label: npt.NDArray[np.bool_]) -> Callable[[Floats], Floats]:
    from sklearn.isotonic import IsotonicRegression

    predict: Callable[[Floats], Floats] = (
        IsotonicRegression(out_of_bounds="clip").fit(score, label.astype(np.float64)).predict
    )
    return predict


def _error(truth: npt.NDArray[np.bool_], probability: Floats) -> float:
    """Return the expected calibration error over bins of equally many rows."""
    order = np.argsort(probability)
    width = max(2, len(order) // _BINS)
    edges: Sequence[int] = [*range(0, len(order), width)]
    if len(order) % width:
        edges = edges[:-1]  # the last bin takes the rest
    counts = np.diff([*edges, len(order)])
    gap = np.add.reduceat(probability[order] - truth[order], edges)
    return float(np.abs(gap).sum() / counts.sum())
