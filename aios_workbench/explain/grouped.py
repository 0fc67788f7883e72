"""Path-dependent Shapley values of columns that became several encoded ones, exactly: each column is one player.

Adding up the values of a column's parts is something else wherever parts act with other columns. Here a leaf's path
has for each column the share of training rows that pass its splits (unknown) and whether the row passes them (known);
with weights ``|S|! (d - |S| - 1)! / d!`` written as an integral over t, a column's value is the sum over leaves of

    leaf * (known - share) * integral of prod over the path's other columns of (t known + (1 - t) share) dt

which Gauss-Legendre quadrature of d / 2 nodes solves without error, the integrand being a polynomial (the same identity
carries Linear TreeSHAP, Yu et al., NeurIPS 2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

#: Numbers held for one row at most (leaves times columns on a path): above it, values are added up and only checked.
MOST = 500_000
#: A share of no training rows: nothing is divided by it.
_NONE = 1e-30


@dataclass(frozen=True)
class Paths:
    """All leaves of an ensemble with what leads to them.

    Attributes
    ----------
    node, left, slot : (leaves, depth) int64, bool, int64
        Which inner node is passed, on which side, and in which of the path's columns; -1 where the path is over.
    column : (leaves, D) int64
        The user's columns on a path; -1 where there are no more.
    share : (leaves, D) float64
        Training rows that pass the column's splits, of those that reach them.
    values : (leaves, K) float64
    feature, threshold, strict, default_left
        Of each inner node.
    """

    node: Ints
    left: npt.NDArray[np.bool_]
    slot: Ints
    column: Ints
    share: Floats
    values: Floats
    feature: Ints
    threshold: Floats
    strict: npt.NDArray[np.bool_]
    default_left: npt.NDArray[np.bool_]
    offset: Floats

    @property
    def size(self) -> int:
        """Numbers held for one row."""
        return int(self.column.size)

    @property
    def base(self) -> Floats:
        """What is predicted when no column is known, (K,)."""
        out: Floats = self.share.prod(axis=1) @ self.values + self.offset
        return out


def paths(ensemble: Any, sources: list[int]) -> Paths:
    """Return the paths of what shap read of an ensemble (``TreeExplainer.model``).

    Parameters
    ----------
    sources : list of int
        The user's column of each encoded one.
    """
    nodes: list[tuple[int, float, bool, bool]] = []
    leaves: list[tuple[list[tuple[int, bool, int]], dict[int, float], Floats]] = []
    for t in range(ensemble.children_left.shape[0]):
        _walk(ensemble, t, sources, nodes, leaves)
    depth = max((len(p) for p, _, _ in leaves), default=0)
    widest = max((len(s) for _, s, _ in leaves), default=0)
    node, left = np.full((len(leaves), depth), -1), np.zeros((len(leaves), depth), dtype=bool)
    slot, column = np.full((len(leaves), depth), -1), np.full((len(leaves), widest), -1)
    share = np.ones((len(leaves), widest))
    for i, (path, shares, _) in enumerate(leaves):
        places = {c: d for d, c in enumerate(shares)}
        for at, (n, went_left, c) in enumerate(path):
            node[i, at], left[i, at], slot[i, at] = n, went_left, places[c]
        for c, d in places.items():
            column[i, d], share[i, d] = c, max(shares[c], _NONE)
    outputs = ensemble.num_outputs
    return Paths(
        node, left, slot, column, share, np.array([v for _, _, v in leaves]).reshape(len(leaves), -1),
        np.array([n[0] for n in nodes], dtype=np.int64), np.array([n[1] for n in nodes]),
        np.array([n[2] for n in nodes], dtype=bool), np.array([n[3] for n in nodes], dtype=bool),
        np.broadcast_to(np.asarray(ensemble.base_offset, dtype=np.float64).reshape(-1), (outputs,)),
    )  # fmt: skip


def _walk(ensemble: Any, t: int, sources: list[int], nodes: list[Any], leaves: list[Any]) -> None:
    lefts, rights = ensemble.children_left[t], ensemble.children_right[t]
    weight, features = ensemble.node_sample_weight[t], ensemble.features[t]
    stack: list[tuple[int, list[tuple[int, bool, int]], dict[int, float]]] = [(0, [], {})]
    while stack:
        at, path, shares = stack.pop()
        if lefts[at] < 0:
            leaves.append((path, shares, np.asarray(ensemble.values[t, at], dtype=np.float64)))
            continue
        column = sources[int(features[at])]
        nodes.append((
            int(features[at]), float(ensemble.thresholds[t, at]), bool(ensemble.threshold_types[t, at] == 1),
            bool(ensemble.children_default[t, at] == lefts[at]),
        ))  # fmt: skip
        for child, went_left in ((int(lefts[at]), True), (int(rights[at]), False)):
            ratio = float(weight[child] / weight[at]) if weight[at] > 0 else 0.0
            passed = {**shares, column: shares.get(column, 1.0) * ratio}
            stack.append((child, [*path, (len(nodes) - 1, went_left, column)], passed))


def attribute(found: Paths, z: Any, columns: int) -> Floats:
    """Return Shapley values of encoded rows, (n, columns, K)."""
    from scipy.sparse import csr_array

    x = np.asarray(z, dtype=np.float64)
    at = x[:, found.feature]
    goes = np.where(found.strict, at < found.threshold, at <= found.threshold)
    goes = np.where(np.isnan(at), found.default_left, goes)
    n, (leaves, widest) = len(x), found.column.shape
    known = np.ones((n, leaves, widest), dtype=bool)
    every = np.arange(leaves)
    for step in range(found.node.shape[1]):
        there = found.node[:, step] >= 0
        passed = goes[:, found.node[there, step]] == found.left[there, step]
        known[:, every[there], found.slot[there, step]] &= passed
    points, weights = np.polynomial.legendre.leggauss(max(1, (widest + 1) // 2))
    total = np.zeros((n, leaves, widest))
    for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
        factor = np.where(known, point + (1 - point) * found.share, (1 - point) * found.share)
        total += weight * factor.prod(axis=2, keepdims=True) / factor
    total *= known - found.share
    flat = found.column.ravel()
    real = flat >= 0
    parts = total.reshape(n, -1)[:, real]
    of_leaf = np.repeat(every, widest)[real]
    out = np.empty((n, columns, found.values.shape[1]))
    for k in range(out.shape[2]):
        # one entry a row: it goes to its column, weighted by its leaf
        place = csr_array(
            (found.values[of_leaf, k], flat[real], np.arange(len(of_leaf) + 1)), shape=(len(of_leaf), columns)
        )
        out[:, :, k] = parts @ place
    return out
