"""What the peers that we wrote search with: everything, exactly, in the distances their systems document."""

from __future__ import annotations

import numpy as np


def scores(vectors: list[list[float]], query: list[float], metric: str) -> np.ndarray:
    x, q = (
        np.asarray(vectors, np.float32).reshape(len(vectors), -1).astype(float),
        np.asarray(query, np.float32).astype(float),
    )
    if metric in {"euclidean", "l2-squared"}:
        return ((x - q) ** 2).sum(1)
    dot = x @ q
    if metric == "dotproduct":
        return dot
    if metric == "dot":
        return -dot
    cosine = dot / (np.linalg.norm(x, axis=1) * np.linalg.norm(q))
    return cosine if metric == "cosine-similarity" else 1 - cosine
