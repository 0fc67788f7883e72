"""What no column shows alone: found where it is, not found where it is not, on frames of every sort."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from aios_workbench.drift.encode import encode, vectors
from aios_workbench.drift.mmd import discrepancy
from aios_workbench.drift.multivariate import multivariate
from aios_workbench.drift.ranking import area, bounded
from aios_workbench.drift.reconstruction import VARIANCE, reconstruction
from aios_workbench.errors import DriftInputError
from tests.drift.conftest import HOSTILE


def frame(n: int, seed: int, columns: int = 20) -> pd.DataFrame:
    g = np.random.default_rng(seed)
    return pd.DataFrame(g.normal(size=(n, columns)), columns=[f"c{k}" for k in range(columns)])


def numeric(of: pd.DataFrame) -> dict[str, Any]:
    return dict.fromkeys(of.columns, "numeric")


# ---------------------------------------------------------------- the classifier


def test_two_columns_that_hang_together_as_never_before_are_found_and_named() -> None:
    a, b = frame(3_000, 0), frame(3_000, 1)
    b["c7"] = 0.8 * b["c3"] + 0.6 * b["c7"]
    told: list[float] = []
    found = multivariate(a, b, numeric(a), progress=lambda part, words: told.append(part))
    assert found.verdict == "drifted"
    assert found.classifier is not None
    assert found.classifier.verdict == "drifted"
    assert 0.6 < found.classifier.low < found.classifier.auc < found.classifier.high < 0.75
    assert {i.column for i in found.classifier.importances[:2]} == {"c3", "c7"}
    assert "most by c3, c7" in found.reasons[0] or "most by c7, c3" in found.reasons[0]
    assert told == sorted(told)
    assert told[-1] == 1
    assert found == multivariate(a, b, numeric(a))


def test_clean_runs_raise_no_more_alarms_than_they_may() -> None:
    raised = []
    for seed in range(12):
        a, b = (frame(150, s, 6) for s in (seed, 1_000 + seed))
        for f in (a, b):
            f["k"] = np.random.default_rng(seed).permutation(np.repeat(list("uvwxyz"), 25))
        raised.append(multivariate(a, b, numeric(a) | {"k": "categorical"}, seed=seed).verdict == "drifted")
    assert np.mean(raised) <= 0.05


def test_new_values_of_a_category_tell_the_sides_apart() -> None:
    g = np.random.default_rng(0)
    a = pd.DataFrame({"x": g.normal(size=400), "k": g.choice(list("abc"), 400)})
    b = pd.DataFrame({"x": g.normal(size=400), "k": g.choice(list("abcd"), 400)})
    found = multivariate(a, b, {"x": "numeric", "k": "categorical"})
    assert found.classifier is not None
    assert found.classifier.importances[0].column == "k"


@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=1, max_size=60))
def test_the_area_is_scikit_learn_s(rows: list[tuple[bool, int]]) -> None:
    y, s = np.array([r[0] for r in rows]), np.array([r[1] for r in rows], float)
    found = area(y, s)
    if y.all() or not y.any():
        assert np.isnan(found.value)
        return
    assert found.value == pytest.approx(roc_auc_score(y, s))
    assert 0 <= bounded(found.value, 0.01)[0] <= found.value <= bounded(found.value, 0.01)[1] <= 1


def test_delong_s_variance_is_that_of_many_draws() -> None:
    g, areas, claimed, idle = np.random.default_rng(0), [], [], []
    for _ in range(300):
        y = np.r_[np.zeros(80, bool), np.ones(40, bool)]
        s = np.round(g.normal(size=120) + y, 1)
        found = area(y, s)
        areas.append(found.value)
        claimed.append(found.variance)
        idle.append(area(y, np.round(g.normal(size=120), 1)))
    assert np.mean(claimed) == pytest.approx(np.var(areas), rel=0.25)
    assert idle[0].idle == pytest.approx(np.var([i.value for i in idle]), rel=0.25)


# ---------------------------------------------------------------- components and clouds


def test_reconstruction_is_that_of_scikit_learn() -> None:
    g = np.random.default_rng(0)
    mixing = g.normal(size=(6, 6))
    a, b = (pd.DataFrame(g.normal(size=(800, 6)) @ mixing, columns=list("abcdef")) for _ in range(2))
    b["a"] = g.permutation(b["a"].to_numpy())
    found = reconstruction(encode(a, b, numeric(a)), seed=3)
    assert found is not None
    order = np.random.default_rng(3).permutation(800)
    scaler = StandardScaler().fit(a.iloc[order[:400]])
    pca = PCA(VARIANCE).fit(scaler.transform(a.iloc[order[:400]]))
    for rows, error in ((a.iloc[order[400:]], found.reference), (b, found.current)):
        z = scaler.transform(rows)
        wanted = np.linalg.norm(z - pca.inverse_transform(pca.transform(z)), axis=1).mean()
        assert error == pytest.approx(wanted, rel=1e-6)
    assert found.components == pca.n_components_
    assert found.verdict == "drifted"
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.reference < found.high


def test_the_discrepancy_is_near_that_of_the_exact_kernel() -> None:
    g = np.random.default_rng(0)
    a, b = g.normal(size=(300, 5)), g.normal(0.6, 1, size=(300, 5))
    found = discrepancy(a, b)
    both = np.concatenate([a, b])
    squares = ((both[:, None] - both[None]) ** 2).sum(-1)
    k = np.exp(-squares / np.median(squares))
    np.fill_diagonal(k, 0)
    unbiased = (
        k[:300, :300].sum() / (300 * 299) + k[300:, 300:].sum() / (300 * 299) - 2 * k[:300, 300:].mean()
    )
    assert found.mmd == pytest.approx(np.sqrt(unbiased), rel=0.1)
    assert found.p_value == 0.001
    assert found.shift == pytest.approx(0.6, abs=0.1)


def test_permutation_p_values_hold_on_clean_clouds() -> None:
    g = np.random.default_rng(0)
    p = [discrepancy(*g.standard_t(3, size=(2, 60, 4)), permutations=99, seed=s).p_value for s in range(120)]
    assert 0.35 < np.mean(p) < 0.65
    assert np.mean(np.array(p) <= 0.05) <= 0.12


def test_columns_of_vectors_are_compared() -> None:
    g = np.random.default_rng(0)
    a = pd.DataFrame({"e": list(g.normal(size=(200, 8))), "x": g.normal(size=200)})
    b = pd.DataFrame({"e": list(g.normal(0.7, 1, size=(200, 8))), "x": g.normal(size=200)})
    b.loc[3, "e"] = None
    found = multivariate(a, b, {"x": "numeric"}, classifier=False, pca=False, embeddings=["e"])
    assert found.embeddings[0].verdict == "drifted"
    assert found.reasons == [f"the vectors of e lie elsewhere: discrepancy {found.embeddings[0].mmd:.2f}"]
    wide = multivariate(a, b, {}, embeddings={"of x": ["x", "x"]})
    assert (wide.embeddings[0].column, wide.verdict) == ("of x", "stable")


# ---------------------------------------------------------------- frames of every sort


def test_codes_do_not_depend_on_the_side_a_row_is_of() -> None:
    a, b = pd.DataFrame({"k": list("aab")}), pd.DataFrame({"k": ["b", "b", None]})
    one, two = encode(a, b, {"k": "categorical"}), encode(b, a, {"k": "categorical"})
    np.testing.assert_array_equal(one.reference, two.current)
    np.testing.assert_array_equal(one.current, two.reference)


def odd(n: int) -> pd.DataFrame:
    g = np.random.default_rng(n)
    return pd.DataFrame({
        "null": np.full(n, np.nan), "nothing": pd.Series([None] * n, dtype=object), "constant": 1.0,
        "infinite": np.where(g.random(n) < 0.3, np.inf, g.normal(size=n)), "huge": g.normal(size=n) * 1e300,
        "tiny": g.normal(size=n) * 1e-300, "flag": g.random(n) < 0.5,
        "mixed": [k if k % 2 else str(k) for k in range(n)],
        "many": [f"v{k}" for k in range(n)], "whole": pd.array([None if k % 3 else k for k in range(n)], "Int64"),
        "kind": pd.Categorical(g.choice(list("ab"), n)),
    })  # fmt: skip


KINDS: dict[str, Any] = {
    "null": "numeric", "nothing": "categorical", "constant": "numeric", "infinite": "numeric", "huge": "numeric",
    "tiny": "numeric", "flag": "boolean", "mixed": "categorical", "many": "categorical", "whole": "numeric",
    "kind": "categorical",
}  # fmt: skip


@pytest.mark.parametrize("name", [*KINDS, "all"])
def test_odd_columns_are_compared(name: str) -> None:
    columns = list(KINDS) if name == "all" else [name]
    a, b = odd(300)[columns], odd(310)[columns]
    found = multivariate(a, b, {c: KINDS[c] for c in columns})
    assert found.verdict in {"stable", "small", "drifted"}
    assert np.isfinite(found.classifier.auc if found.classifier else 0.5)


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 500), (500, 0), (5, 500), (29, 29)])
def test_too_few_rows_are_few(n: int, m: int) -> None:
    found = multivariate(frame(n, 0, 4), frame(m, 1, 4), numeric(frame(1, 0, 4)))
    assert found.verdict == "few"
    assert found.classifier is not None
    assert found.classifier.verdict == "few"
    assert found.reasons == []


def test_more_columns_than_rows() -> None:
    found = multivariate(frame(60, 0, 150), frame(60, 1, 150), numeric(frame(1, 0, 150)))
    assert found.verdict == "stable"


def test_times_texts_and_ids_are_not_looked_at() -> None:
    a = frame(50, 0, 2).assign(when=pd.Timestamp("2026-01-01"), id=range(50), text="x")
    b = frame(50, 1, 2).assign(when=pd.Timestamp("2027-01-01"), id=range(50, 100), text="y")
    kinds: dict[str, Any] = numeric(frame(1, 0, 2)) | {"when": "datetime", "id": "id", "text": "text"}
    assert encode(a, b, kinds).names == ("c0", "c1")
    assert multivariate(a[["text"]], b[["text"]], {"text": "text"}).verdict == "stable"


def test_names_may_be_anything() -> None:
    g = np.random.default_rng(0)
    a, b = (pd.DataFrame(g.normal(m, 1, size=(120, len(HOSTILE))), columns=list(HOSTILE)) for m in (0, 1))
    found = multivariate(a, b, numeric(a))
    assert found.classifier is not None
    assert {i.column for i in found.classifier.importances} == set(HOSTILE)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda a: multivariate(a, a, {"c9": "numeric"}), "no column 'c9'"),
        (lambda a: multivariate(pd.concat([a, a], axis=1), a, {"c0": "numeric"}), "two columns called 'c0'"),
        (lambda a: vectors(a, "d"), "no embedding column 'd'"),
        (lambda a: vectors(pd.DataFrame({"e": [[1, 2], [1]]}), "e"), "1 to 2 numbers"),
        (lambda a: vectors(pd.DataFrame({"e": [["x"], ["y"]]}), "e"), "not of numbers"),
        (lambda a: vectors(pd.DataFrame({"e": [1.0, 2.0]}), "e"), "holds no vectors"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[pd.DataFrame], object], words: str) -> None:
    with pytest.raises(DriftInputError, match=words):
        call(frame(40, 0, 2))


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_two_columns_can_be_encoded(data: st.DataObject) -> None:
    values = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(), st.text(max_size=3))
    a, b = (
        pd.DataFrame({"k": pd.Series(data.draw(st.lists(values, max_size=8)), dtype=object)})
        for _ in range(2)
    )
    found = encode(a, b, {"k": "categorical"})
    assert found.reference.shape[0] == len(a)
    for side, codes in ((a, found.reference), (b, found.current)):
        if codes.shape[1]:
            np.testing.assert_array_equal(np.isnan(codes[:, 0]), side["k"].isna())
