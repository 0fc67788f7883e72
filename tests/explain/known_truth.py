"""Models whose Shapley values are known, and the definition itself for those that have few columns."""

from __future__ import annotations

import itertools
import math

import numpy as np

COLUMNS = 7


def data(rows: int = 6, background: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and a background of numbers, the fourth column 0 or 1, the last one a decoy."""
    random = np.random.default_rng(seed)
    both = random.normal(size=(rows + background, COLUMNS))
    both[:, 3] = both[:, 3] > 0
    return both[:rows], both[rows:]


def model(z: np.ndarray) -> np.ndarray:
    """Two outputs: pairs and a triple of columns work together, column 6 does nothing."""
    score = (
        z[:, 0] * z[:, 1]
        + np.sin(2 * z[:, 2]) * z[:, 3]
        + 1.5 * (z[:, 4] > 0) * (z[:, 5] > 0) * (z[:, 2] > 0)
    )
    return np.c_[score, 1 / (1 + np.exp(-score))]


def shapley(f, x: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Return the Shapley values of rows by their definition, (n, M, K)."""
    columns = x.shape[1]
    found = []
    for row in x:
        worth = {}
        for subset in itertools.chain.from_iterable(
            itertools.combinations(range(columns), size) for size in range(columns + 1)
        ):
            on = np.zeros(columns, dtype=bool)
            on[list(subset)] = True
            answer = np.asarray(f(np.where(on, row, background)), dtype=float)
            worth[subset] = answer.reshape(len(background), -1).mean(axis=0)
        values = np.zeros((columns, len(worth[()])))
        for subset, value in worth.items():
            size = len(subset)
            if size == columns:
                continue
            weight = math.factorial(size) * math.factorial(columns - size - 1) / math.factorial(columns)
            for j in set(range(columns)) - set(subset):
                values[j] += weight * (worth[tuple(sorted((*subset, j)))] - value)
        found.append(values)
    return np.array(found)
