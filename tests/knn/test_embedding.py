"""Texts are embedded once, in batches, and what was made is trusted only while the function is the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aios_workbench.errors import KnnInputError
from aios_workbench.knn.embedding import BATCH, Embedder, name_of
from aios_workbench.knn.vectors import Vectors

Open = Callable[..., Vectors]


class Counting:
    """An embedder that notes what it was asked; `version` is part of its name, `factor` is not."""

    def __init__(self, factor: float = 1.0) -> None:
        self.asked: list[list[str]] = []
        self.factor = factor

    def __call__(self, texts: list[str]) -> np.ndarray:
        self.asked.append(texts)
        return np.array([self.one(t) for t in texts]) * self.factor

    @staticmethod
    def one(text: str) -> list[float]:
        return [len(text) + 1, sum(map(ord, text)) % 97, text.count("a")]

    @property
    def count(self) -> int:
        return sum(map(len, self.asked))


@settings(max_examples=40)
@given(calls=st.lists(st.lists(st.text(max_size=4), max_size=12), min_size=1, max_size=5))
def test_the_cache_changes_nothing_but_the_work(
    tmp_path_factory: pytest.TempPathFactory, calls: list[list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("e")
    seen: set[str] = set()
    for texts in calls:
        embed = Counting()
        found = Embedder(embed, folder, batch=5)(texts)
        np.testing.assert_array_equal(found, np.array([Counting.one(t) for t in texts]).reshape(found.shape))
        assert all(len(a) <= 5 for a in embed.asked)
        # what is new, and one known text to see whether the function still is the same
        assert embed.count == len(set(texts) - seen) + bool(set(texts) & seen)
        seen |= set(texts)


def test_a_changed_function_is_noticed(tmp_path: Path) -> None:
    Embedder(Counting(), tmp_path)(["one", "two", "three"])
    changed = Counting(factor=2)
    embedder = Embedder(changed, tmp_path)
    np.testing.assert_array_equal(embedder(["one", "two"])[1], 2 * np.array(Counting.one("two")))
    assert "embeds a known text differently than before" in embedder.notes[0]
    again = Counting(factor=2)
    assert len(Embedder(again, tmp_path)(["one", "two", "three"])) == 3
    assert again.count == 2  # one to compare, and the one that was dropped


def test_rounding_of_another_machine_is_no_change(tmp_path: Path) -> None:
    Embedder(Counting(), tmp_path)(["one", "two"])
    near = Counting(factor=1 + 1e-5)
    embedder = Embedder(near, tmp_path)
    embedder(["one", "two"])
    assert (near.count, embedder.notes, embedder.known) == (1, [], 2)


def test_a_failure_keeps_what_was_made(tmp_path: Path) -> None:
    class Failing(Counting):
        def __call__(self, texts: list[str]) -> np.ndarray:
            if "t7" in texts:
                raise ConnectionError("the model's server is away")
            return super().__call__(texts)

    texts = [f"t{i}" for i in range(10)]
    with pytest.raises(
        KnnInputError, match=r"Failing failed on 3 texts, the first of which is 't6': ConnectionError.*kept"
    ):
        Embedder(Failing(), tmp_path, batch=3)(texts)
    Failing.__call__ = Counting.__call__  # type: ignore[method-assign]
    mended = Failing()
    Embedder(mended, tmp_path, batch=3)(texts)
    assert mended.count == 1 + 4


def test_a_cache_that_cannot_be_read_is_made_anew(tmp_path: Path) -> None:
    Embedder(Counting(), tmp_path)(["one"])
    (file,) = tmp_path.glob("*.sqlite")
    file.write_bytes(b"not a database, certainly not" * 50)
    assert Embedder(Counting(), tmp_path)(["one"]).tolist() == [Counting.one("one")]


RETURNED: dict[str, tuple[Callable[[list[str]], Any], str]] = {
    "too few": (lambda t: np.ones((len(t) - 1, 3)), r"shape \(2, 3\) for 3 texts"),
    "one vector": (lambda _: np.ones(3), r"shape \(3,\) for 3 texts"),
    "texts": (lambda t: t, "must be real numbers"),
    "ragged": (lambda t: [[1.0] * (i + 1) for i in range(len(t))], "equally long"),
    "nan": (lambda t: np.full((len(t), 2), np.nan), "asked for 3 texts.*rows 0, 1, 2 .* NaN"),
    "nothing": (lambda _: None, "vectors of"),
}


@pytest.mark.parametrize("case", RETURNED)
def test_what_is_no_vector_for_each_text_is_refused(case: str, tmp_path: Path) -> None:
    embed, said = RETURNED[case]
    with pytest.raises(KnnInputError, match=said):
        Embedder(embed, tmp_path)(["a", "b", "c"])


def test_vectors_of_two_sizes_are_refused(tmp_path: Path) -> None:
    sizes = iter((2, 3))
    with pytest.raises(KnnInputError, match="vectors of 2 and of 3 dimensions"):
        Embedder(lambda t: np.ones((len(t), next(sizes))), tmp_path, batch=1)(["a", "b"])


def test_tensors_are_taken(tmp_path: Path) -> None:
    class Tensor:
        def __init__(self, values: np.ndarray) -> None:
            self.values = values

        def detach(self) -> Tensor:
            return self

        def cpu(self) -> Tensor:
            return self

        def numpy(self) -> np.ndarray:
            return self.values

    assert Embedder(lambda t: Tensor(np.ones((len(t), 2))), tmp_path)(["a"]).tolist() == [[1.0, 1.0]]


def test_a_model_is_called_by_its_name() -> None:
    class Model:
        model_name = "all-MiniLM-L6-v2"

        def encode(self, texts: list[str]) -> list[str]:
            return texts

    assert name_of(Model().encode).endswith("Model.encode (all-MiniLM-L6-v2)")
    assert name_of(Counting()).endswith("test_embedding.Counting")


# ---------------------------------------------------------------- as vectors

TEXTS = [f"ticket {i}: " + "a" * (i % 7) for i in range(BATCH + 44)]
MADE = np.array([Counting.one(t) for t in TEXTS], np.float32)

SOURCES: dict[str, Any] = {
    "list": TEXTS,
    "tuple": tuple(TEXTS),
    "array": np.array(TEXTS),
    "series": pd.Series(TEXTS, name="t"),
    "frame": pd.DataFrame({"t": TEXTS, "n": range(len(TEXTS))}),
    "Arrow": pa.array(TEXTS),
    "table": pa.table({"id": range(len(TEXTS)), "t": TEXTS}),
}


@pytest.mark.parametrize("case", SOURCES)
def test_texts_of_every_source_are_embedded_and_kept_to_be_shown(case: str, opened: Open) -> None:
    v = opened(SOURCES[case], embed=Counting())
    np.testing.assert_array_equal(v.raw(range(v.n)), MADE)
    assert v.text(3) == TEXTS[3]
    assert "embedded by" in v.source


def test_queries_may_be_texts_or_vectors(opened: Open) -> None:
    embed = Counting()
    v = opened(TEXTS, embed=embed, queries=["what?", TEXTS[0]], metric="cosine")
    assert v.queries is not None
    np.testing.assert_allclose(v.queries[1], v.inner[0], atol=1e-7)
    w = opened(
        TEXTS, embed=embed, queries=np.array([Counting.one("what?"), Counting.one(TEXTS[0])]), metric="cosine"
    )
    assert w.queries is not None
    np.testing.assert_allclose(w.queries, v.queries, atol=1e-6)
    assert opened(TEXTS, embed=embed, queries="what?").queries is not None


@pytest.mark.parametrize("source", [["a", None], pd.Series(["a", None]), pa.array(["a", None])])
def test_a_missing_text_is_named(source: Any, opened: Open) -> None:
    with pytest.raises(KnnInputError, match="row 1"):
        opened(source, embed=Counting())


def test_two_columns_of_texts_are_told(opened: Open) -> None:
    frame = pd.DataFrame({"title": TEXTS[:3], "body": TEXTS[3:6]})
    with pytest.raises(KnnInputError, match="2 columns of texts, 'title', 'body'"):
        opened(frame, embed=Counting())
    assert opened(frame, embed=Counting(), column="body").text(0) == TEXTS[3]
