"""What a search hands back."""

from __future__ import annotations

import numpy as np
import pandas as pd

from aios_workbench.knn.hits import Hits


def test_hits_are_filled_up_and_listed() -> None:
    hits = Hits.of([[("a", 0.1), ("b", 0.4)], [], [(7, 0.2)]], k=3, note="fewer")
    assert hits.ids.shape == hits.distances.shape == (3, 3)
    assert hits.ids.tolist() == [["a", "b", None], [None] * 3, [7, None, None]]
    assert np.isnan(hits.distances[1]).all()
    assert hits.count.tolist() == [2, 0, 1]
    assert list(hits) == [[("a", 0.1), ("b", 0.4)], [], [(7, 0.2)]]
    assert len(hits) == 3


def test_metadata_is_fetched_once_and_only_when_asked() -> None:
    asked: list[list[object]] = []

    def fetch(ids: list[object]) -> pd.DataFrame:
        asked.append(ids)
        return pd.DataFrame({"id": [str(i) for i in ids], "price": range(len(ids))})

    hits = Hits.of([[("a", 0.1), ("b", 0.4)], [("c", 0.3)]], k=2, fetch=fetch)
    assert not asked
    assert hits.metadata.loc[(1, 0), "price"] == 2
    frame = hits.frame()
    assert asked == [["a", "b", "c"]]
    assert list(frame.columns) == ["id", "distance", "metadata.id", "price"]
    assert frame.index.tolist() == [(0, 0), (0, 1), (1, 0)]


def test_no_metadata_is_an_empty_frame() -> None:
    hits = Hits.of([[], [("a", 0.0)]], k=2)
    assert hits.metadata.shape == (1, 0)
    assert hits.frame()["id"].tolist() == ["a"]
    assert Hits.of([[]], k=2).frame().empty
