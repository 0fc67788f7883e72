"""Texts: what changed in them is found by the part it changed, and nothing where nothing did."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aios_workbench.drift.comparison import compare
from aios_workbench.drift.judge import judge
from aios_workbench.drift.models import ColumnDrift, Rules
from aios_workbench.drift.text import LEAST_TEXTS, parts
from aios_workbench.errors import DriftInputError


def texts(
    n: int, seed: int, *, longer: float = 1.0, added: tuple[str, ...] = (), share: float = 0.0
) -> pd.Series:
    """Words of a language with few frequent and many rare ones; a share of the texts has others added."""
    g = np.random.default_rng(seed)
    often = 1 / np.arange(1, 401)
    words = np.array([f"w{k}" for k in range(400)])
    out = []
    for _ in range(n):
        said = list(g.choice(words, g.poisson(10 * longer), p=often / often.sum()))
        out.append(" ".join([*said, *(added if g.random() < share else ())]))
    return pd.Series(out, dtype=object)


def judged(a: pd.Series, b: pd.Series, **options: object) -> dict[str, ColumnDrift]:
    return {p.name: p for p in judge(parts("t", a, b, **options), Rules())}  # type: ignore[arg-type]


def test_new_words_are_found_and_named() -> None:
    found = judged(texts(800, 0), texts(800, 1, added=("refund", "Now!"), share=0.4))
    assert {"unknown words", "classifier"} <= {n for n, p in found.items() if p.verdict == "drifted"}
    vocabulary = found["vocabulary"].categories
    assert vocabulary is not None
    assert {v.label for v in vocabulary.values[:2]} == {"refund", "now"}
    assert all(v.reference + v.current >= LEAST_TEXTS for v in vocabulary.values)
    assert vocabulary.new == 2
    assert vocabulary.new_share == pytest.approx(0.4, abs=0.05)
    assert found["vocabulary"].statistics["jensenshannon"].p_value == pytest.approx(1 / 201)
    assert found["classifier"].domain_auc > 0.6  # type: ignore[operator]


def test_longer_texts_of_the_same_words_are_longer() -> None:
    found = judged(texts(800, 0), texts(800, 1, longer=1.5))
    assert found["length"].verdict == found["words"].verdict == "drifted"
    assert found["unknown words"].verdict == "stable"


def test_clean_runs_raise_no_more_alarms_than_they_may() -> None:
    raised = [
        any(p.verdict == "drifted" for p in judged(texts(120, s), texts(120, 500 + s), seed=s).values())
        for s in range(25)
    ]
    assert np.mean(raised) <= 0.05


def test_words_are_found_in_any_script() -> None:
    a = pd.Series(["価格が高い", "とても良い", "ราคา แพง", "очень хорошо", "naïve café"] * 20)
    b = pd.Series(["返金して", "とても良い", "ราคา แพง", "очень плохо", "naïve café"] * 20)
    labels = {v.label for v in judged(a, b)["vocabulary"].categories.values}  # type: ignore[union-attr]
    assert {"返", "金", "плохо", "хорошо"} <= labels


def test_an_embedder_adds_the_parts_of_its_vectors() -> None:
    def embed(given: list[str]) -> np.ndarray:
        return np.array([[len(t), t.count("w1"), t.count("x")] for t in given], float)

    found = judged(texts(200, 0), texts(200, 1, longer=2), embedder=embed)
    assert found["meaning: length"].verdict == found["meaning: clouds"].verdict == "drifted"
    for bad in (lambda t: np.ones((3, 2)), lambda t: [[1.0], [2.0, 3.0]], lambda t: np.ones(len(t))):
        with pytest.raises(DriftInputError, match="embedder of 't'"):
            parts("t", texts(20, 0), texts(20, 1), embedder=bad)


@pytest.mark.parametrize(
    "side",
    [
        pd.Series(["", " ", "\n", "!!!"] * 20, dtype=object),
        pd.Series(["same"] * 80),
        pd.Series(['"><img src=x onerror=alert(1)>', "', '", "🦆", "x" * 30_000] * 20),
        pd.Series([1, 2.5, True, "x"] * 20, dtype=object),
        pd.Series(["a b"], dtype=object),
    ],
)
def test_odd_texts_are_compared(side: pd.Series) -> None:
    for a, b in ((side, side), (side, texts(60, 0)), (texts(60, 0), side)):
        assert {"length", "words"} <= set(judged(a, b))


def test_a_comparison_of_frames_has_the_parts_of_texts_and_vectors() -> None:
    g = np.random.default_rng(0)
    a, b = (
        pd.DataFrame(
            {"t": texts(300, s, added=("refund",), share=s / 2), "e": list(g.normal(s, 1, size=(300, 4)))}
        )
        for s in (0, 1)
    )
    found = compare(a, b, kinds={"t": "text", "e": "embedding"}).columns
    assert {p.name for p in found["t"].parts if p.verdict == "drifted"} >= {"classifier", "unknown words"}
    assert {p.name for p in found["e"].parts if p.verdict == "drifted"} >= {"linear classifier", "clouds"}
    b.at[3, "e"] = np.zeros(9)
    ragged = compare(a, b, kinds={"t": "text", "e": "embedding"}).columns["e"]
    assert [p.name for p in ragged.parts] == ["norm", "dimensions"]


def test_nulls_alone_have_no_parts_and_seeds_decide() -> None:
    assert parts("t", pd.Series([None, None], dtype=object), texts(50, 0)) == []
    assert parts("t", pd.Series([], dtype=object), texts(50, 0)) == []
    a, b = texts(100, 0), texts(100, 1)
    assert parts("t", a, b, seed=3) == parts("t", a, b, seed=3)
