"""Pipelines are explained in the columns they are given, each as one player."""

from __future__ import annotations

import itertools
import math
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from aios_workbench.explain import grouped, linear, tree
from aios_workbench.explain.attributed import Unreadable
from aios_workbench.explain.encoding import Mixed, encoding
from aios_workbench.explain.entry import explain
from aios_workbench.explain.model import open_model
from tests.explain.model_kit import LGB, fit, labels, logit, table

X, Y = table(), labels(table())


def encoder() -> Any:
    return make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["city"]),
        (make_pipeline(SimpleImputer(), StandardScaler()), ["a", "c"]), remainder="passthrough",
    )  # fmt: skip


def forest() -> Any:
    return fit(make_pipeline(encoder(), RandomForestClassifier(8, max_depth=5, random_state=0)), X, Y)


def test_each_encoded_column_has_its_source() -> None:
    step = encoder().fit(X)
    found = encoding(step, X)
    assert found.sources == [3, 3, 3, 3, 0, 2, 1]
    assert found.grouped


@pytest.mark.parametrize(
    ("step", "sources"),
    [
        (StandardScaler(), [0, 1, 2]), (FunctionTransformer(np.cbrt), [0, 1, 2]),
        (make_pipeline(StandardScaler(), FunctionTransformer(lambda x: x[:, ::-1])), [2, 1, 0]),
    ],
)  # fmt: skip
def test_steps_nobody_knows_show_their_sources(step: Any, sources: list[int]) -> None:
    frame = X[["a", "b", "c"]]
    assert encoding(step.fit(frame), frame).sources == sources


@pytest.mark.parametrize("step", [PCA(2), PolynomialFeatures(2, include_bias=False)])
def test_steps_that_mix_columns_are_found_out(step: Any) -> None:
    frame = X[["a", "b", "c"]]
    with pytest.raises(Mixed, match="mixes columns"):
        encoding(step.fit(frame), frame)


def test_a_columns_parts_are_one_player() -> None:
    """Against the definition, with what a column is not known to be weighted by the training rows of each branch."""
    model = forest()
    opened = open_model(model, X)
    found = tree.attribute(opened, X.head(3), X)
    assert found.grouped
    assert found.whole
    sources = encoding(model[:-1], X).sources
    z = np.asarray(model[:-1].transform(X.head(3)), dtype=np.float32)
    for i, row in enumerate(z):
        np.testing.assert_allclose(found.values[i, :, 0], defined(model[-1], row, sources), atol=1e-9)


def defined(model: Any, row: Any, sources: list[int]) -> Any:
    def worth(known: tuple[int, ...]) -> float:
        return float(np.mean([walked(e.tree_, 0, row, known) for e in model.estimators_]))

    def walked(t: Any, node: int, x: Any, known: tuple[int, ...]) -> float:
        left, right = t.children_left[node], t.children_right[node]
        if left < 0:
            return float(t.value[node, 0, 1] / t.value[node, 0].sum())
        if sources[t.feature[node]] in known:
            return walked(t, left if x[t.feature[node]] <= t.threshold[node] else right, x, known)
        w = t.weighted_n_node_samples
        both = w[left] * walked(t, left, x, known) + w[right] * walked(t, right, x, known)
        return float(both / w[node])

    m = max(sources) + 1
    out = np.zeros(m)
    for size in range(m):
        for known in itertools.combinations(range(m), size):
            v = worth(known)
            weight = math.factorial(size) * math.factorial(m - size - 1) / math.factorial(m)
            for j in set(range(m)) - set(known):
                out[j] += weight * (worth((*known, j)) - v)
    return out


def test_without_groups_the_paths_give_shaps_values() -> None:
    import shap

    model = RandomForestRegressor(5, max_depth=6, random_state=0).fit(X[["a", "b", "c"]], logit(X))
    explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    z = X[["a", "b", "c"]].to_numpy(np.float32)[:30]
    found = grouped.paths(explainer.model, [0, 1, 2])
    np.testing.assert_allclose(grouped.attribute(found, z, 3)[..., 0], explainer.shap_values(z), atol=1e-9)
    np.testing.assert_allclose(found.base, explainer.expected_value)


def test_trees_too_large_for_it_are_added_up_and_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = open_model(forest(), X)
    own = tree.attribute(opened, X.head(5), X)
    monkeypatch.setattr(grouped, "MOST", 300)
    added = tree.attribute(opened, X.head(5), X)
    assert not added.whole
    assert added.own is not None
    np.testing.assert_allclose(added.own, own.values)
    assert np.abs(added.values - own.values).max() > 1e-4  # parts act together: the sum is something else
    np.testing.assert_allclose(added.values.sum(axis=1), own.values.sum(axis=1))
    ex = explain(forest(), X.head(5), background=X, lime=False, cache=False)
    check = next(c for c in ex.check if c.name == "grouping")
    assert check.value is not None
    assert check.value > 0


def test_a_linear_pipeline_is_exact_in_the_users_columns() -> None:
    model = fit(make_pipeline(encoder(), LogisticRegression()), X, Y)
    opened = open_model(model, X)
    found = linear.attribute(opened, X.head(20), X)
    assert found.values.shape == (20, 4, 1)
    np.testing.assert_allclose(found.values.sum(axis=1) + found.base, opened.predict(X.head(20)), atol=1e-9)
    np.testing.assert_allclose(found.base, opened.predict(X).mean(axis=0), atol=1e-9)


def test_linear_values_are_shaps() -> None:
    import shap

    frame = X[["a", "b", "c"]]
    model = Ridge().fit(frame, logit(X))
    masker = shap.maskers.Independent(frame, max_samples=len(frame))
    expected = shap.LinearExplainer(model, masker).shap_values(frame.head(20))
    found = linear.attribute(open_model(model, frame), frame.head(20), frame)
    np.testing.assert_allclose(found.values[..., 0], expected, atol=1e-6)


def test_a_pipeline_that_mixes_columns_is_asked_instead() -> None:
    frame = X[["a", "b", "c"]]
    model = fit(make_pipeline(StandardScaler(), PCA(2), LogisticRegression()), frame, Y)
    ex = explain(model, frame.head(4), background=frame, lime=False, cache=False, budget=None)
    assert ex.data.method.name == "exact"
    assert "mixes columns" in ex.data.method.why
    np.testing.assert_allclose(
        ex.arrays.values.sum(axis=1) + ex.arrays.base, ex.arrays.predictions, atol=1e-6
    )


def test_strings_categories_nulls_and_hostile_values_go_through_a_whole_explanation() -> None:
    frame = X.assign(kind=pd.Categorical(np.where(X["c"] > 2, "<b>high</b>", "low")))
    frame.loc[::7, "a"] = np.nan
    frame.loc[::11, "city"] = None
    step = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["city"]),
        (OrdinalEncoder(), ["kind"]),
        remainder="passthrough",
    )
    model = fit(make_pipeline(step, lgb.LGBMClassifier(**LGB)), frame, Y)
    ex = explain(model, frame.head(25), background=frame, cache=False, budget=20)
    assert ex.columns == ["a", "b", "c", "city", "kind"]
    assert ex.values.shape == (25, 5)
    np.testing.assert_allclose(ex.values.sum(axis=1) + ex.base, ex.arrays.predictions[:, 0], atol=1e-5)
    assert ex.data.lime is not None
    assert any("where it is missing" in n for n in ex.data.lime.notes)
    assert len(ex.row(0).contributions) == 5


def test_a_text_column_is_one_column() -> None:
    words = [f"the parcel number {i % 7} came {'late' if i % 2 else 'early'} again today" for i in range(60)]
    frame = pd.DataFrame({"note": words, "n": np.arange(60.0)})
    step = make_column_transformer((TfidfVectorizer(), "note"), remainder="passthrough")
    model = fit(make_pipeline(step, LogisticRegression()), frame, np.arange(60) % 2)
    ex = explain(model, frame.head(6), background=frame, lime=False, cache=False)
    assert ex.data.columns[0].kind == "text"
    assert ex.importance.index[0] == "note"


def test_trees_of_one_kind_in_a_pipeline_that_fails_are_told() -> None:
    frame = X[["a", "b", "c"]]
    model = fit(make_pipeline(PCA(2), RandomForestClassifier(5, random_state=0)), frame, Y)
    with pytest.raises(Unreadable, match="mixes columns"):
        tree.attribute(open_model(model, frame), frame.head(2), frame)
