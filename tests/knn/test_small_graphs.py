"""A graph of few vectors, asked to look at more than there are."""

from __future__ import annotations

import numpy as np
import pytest

from aios_workbench.knn.build import build, search
from aios_workbench.knn.models import Params


@pytest.mark.timeout(60)
@pytest.mark.parametrize("family", ["nsg", "hnsw"])
def test_looking_at_more_vectors_than_there_are_ends(family: str) -> None:
    """faiss's NSG would look for ever, deaf to interrupts."""
    x = np.random.default_rng(0).normal(size=(200, 8)).astype(np.float32)
    params = Params(family=family, graph_degree=16, ef_construction=40, ef_search=5000)  # type: ignore[arg-type]
    _, rows = search(build(params, x, threads=1), params, x[:20], 1)
    assert rows[:, 0].tolist() == list(range(20))
