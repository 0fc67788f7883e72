"""What the tests of nearest neighbours share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

# before faiss or numpy load theirs: threads that spin while waiting would starve the suite's other processes
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pytest

from aios_workbench.knn.vectors import Vectors, open_vectors


def clustered(n: int, d: int, *, clusters: int = 20, seed: int = 0) -> np.ndarray:
    """Vectors as embeddings are: in clusters of few directions each."""
    r = np.random.default_rng(seed)
    label = r.integers(clusters, size=n)
    centres = r.normal(size=(clusters, d))
    directions = r.normal(size=(clusters, 6, d)) / np.sqrt(6)
    weights = r.normal(size=(n, 6))
    found = centres[label] + 0.6 * np.einsum("nj,njd->nd", weights, directions[label])
    return (found + 0.05 * r.normal(size=(n, d))).astype(np.float32)


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Vectors]:
    """`open_vectors` into a folder of the test's own."""

    def call(source: Any, **options: Any) -> Vectors:
        return open_vectors(source, **{"folder": tmp_path / "vectors", **options})

    return call
