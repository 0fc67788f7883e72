"""Interactions of functions whose interactions are known, sampled and read from trees."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

import fake_explain
import numpy as np
import pandas as pd
import pytest
from worlds import Live, table, world

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain import tree_interactions
from aios_workbench.explain.beyond_models import Interactions
from aios_workbench.explain.interactions import interactions
from aios_workbench.explain.model import open_model


def index(f: Any, x: np.ndarray, b: np.ndarray, i: int, j: int) -> np.ndarray:
    """The Shapley interaction index by its definition: over every subset of the other columns."""
    m, out = x.shape[1], np.zeros(len(x))
    rest = [k for k in range(m) if k not in (i, j)]

    def worth(s: tuple[int, ...]) -> np.ndarray:
        mixed = np.repeat(b[None], len(x), 0)
        mixed[:, :, s] = x[:, None, s]
        return f(mixed.reshape(-1, m)).reshape(len(x), len(b)).mean(axis=1)

    for size in range(len(rest) + 1):
        weight = math.factorial(size) * math.factorial(m - size - 2) / math.factorial(m - 1)
        for s in itertools.combinations(rest, size):
            out += weight * (worth((*s, i, j)) - worth((*s, i)) - worth((*s, j)) + worth(s))
    return out


def numbers(n: int = 60, m: int = 5, seed: int = 0) -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(n, m)), columns=list("abcde")[:m])


@pytest.mark.parametrize(
    "f",
    [
        lambda z: z[:, 0] * z[:, 1] + z[:, 2],
        lambda z: np.maximum(z[:, 0], z[:, 1]) * (z[:, 3] > 0),
        lambda z: np.tanh(z[:, 0] + z[:, 1] + z[:, 2]) + z[:, 3] * z[:, 4],
    ],
)
def test_every_pair_is_its_definition(f: Any) -> None:
    frame = numbers()
    ex = world(lambda d: f(d.to_numpy()), frame, frame, exact=False)
    found = interactions(ex, columns=list("abcde"), tolerance=0.02, seconds=None)
    x = frame.to_numpy()
    missed = 0
    for p in found.pairs:
        i, j = "abcde".index(p.first), "abcde".index(p.second)
        own = index(f, x, x, i, j)
        truth = np.sqrt((own**2).mean())
        missed += not p.low - 1e-9 <= truth <= p.high + 1e-9
        assert p.value == pytest.approx(truth, abs=0.12)
        assert p.signed == pytest.approx(own.mean(), abs=0.12)
        if truth < 1e-12:
            assert (p.value, p.found) == (0.0, False)
        elif truth > 0.2:
            assert p.found
    assert missed <= 1
    assert found.matrix[0][1] == found.matrix[1][0]


def test_an_additive_model_has_none() -> None:
    ex = world(lambda d: d["a"] ** 3 + 2 * d["b"] + d["city"].map(len), table(80))
    found = ex.interactions()
    assert not any(p.found for p in found.pairs)
    assert max(p.value for p in found.pairs) == 0.0
    assert found.words == "No two of these columns act together to speak of."


def test_categories_and_truth_values_act_together() -> None:
    ex = world(lambda d: np.where(d["member"], 1.0, 0.0) * (d["city"] == "Ulm") + 0.1 * d["a"], table(80))
    found = ex.interactions()
    assert {found.pairs[0].first, found.pairs[0].second} == {"member", "city"}
    assert [p.found for p in found.pairs].count(True) == 1


def test_the_same_seed_gives_the_same_and_the_answer_is_kept() -> None:
    def f(d: pd.DataFrame) -> Any:
        return np.tanh(d["a"] * d["b"] + d["c"])

    ex, again = (world(f, numbers(), exact=False) for _ in range(2))
    first = interactions(ex, seed=5)
    assert first.pairs == interactions(again, seed=5).pairs
    asked = ex.live.asked
    assert interactions(ex, seed=5) is first
    assert ex.live.asked == asked
    assert interactions(ex, seed=6).pairs != first.pairs


def test_it_stops_with_intervals_when_told_to() -> None:
    ex = world(lambda d: np.tanh(d["a"] * d["b"] + d["c"]), numbers(), exact=False)
    calls = iter(range(10**6))
    found = interactions(ex, tolerance=1e-9, cancelled=lambda: next(calls) > 40)
    assert found.stopped == "cancelled"
    assert found.samples < 128
    assert interactions(ex, tolerance=1e-9, cancelled=lambda: True).words.startswith("Stopped before")


def test_more_samples_are_more_precise() -> None:
    ex = world(lambda d: np.tanh(d["a"] * d["b"] + d["c"]), numbers(), exact=False)
    rough, fine = (interactions(ex, tolerance=t, seconds=None) for t in (0.5, 0.03))
    assert fine.samples > rough.samples
    assert fine.evaluations > rough.evaluations


# ---------------------------------------------------------------- trees


def test_of_trees_they_are_shaps_own() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap
    from sklearn.ensemble import GradientBoostingRegressor

    frame = numbers(300)
    y = frame["a"] * frame["b"] + frame["c"]
    tree = GradientBoostingRegressor(n_estimators=30, random_state=0).fit(frame, y)
    model = open_model(tree, frame)
    found = tree_interactions.interactions(model, frame.head(20), seconds=1e9)
    own = shap.TreeExplainer(tree).shap_interaction_values(frame.head(20).to_numpy())
    np.testing.assert_allclose(found[..., 0, 1, 0], 2 * own[:, 0, 1], atol=1e-6)
    np.testing.assert_allclose(found, found.transpose(0, 2, 1, 3))
    assert tree_interactions.interactions(model, frame.head(20), seconds=0.0) is None

    ex = world(tree.predict, frame.head(20), frame, exact=False)
    ex.live.model = model
    ex.data.method.name = "tree_path_dependent"
    answer = interactions(ex, columns=["a", "b", "c"])
    assert (answer.method, answer.exact) == ("tree", True)
    for p in answer.pairs:
        i, j = "abc".index(p.first), "abc".index(p.second)
        assert p.value == pytest.approx(np.sqrt((4 * own[:, i, j] ** 2).mean()), rel=1e-6)


def test_of_a_pipeline_they_are_of_the_users_columns() -> None:
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    frame = table(300)
    y = ((frame["a"] > 0) & (frame["city"] == "Ulm")).astype(int)
    pipeline = make_pipeline(
        make_column_transformer((OneHotEncoder(), ["city"]), remainder="passthrough"),
        RandomForestClassifier(20, max_depth=4, random_state=0),
    ).fit(frame, y)
    found = tree_interactions.interactions(open_model(pipeline, frame), frame.head(30), seconds=1e9)
    assert found.shape == (30, 5, 5, 1)
    size = np.abs(found[..., 0]).mean(axis=0)
    assert np.unravel_index(size.argmax(), size.shape) in ((0, 3), (3, 0))


def test_what_is_no_tree_is_sampled() -> None:
    from sklearn.linear_model import LinearRegression

    frame = numbers()
    model = open_model(LinearRegression().fit(frame, frame["a"]), frame)
    assert tree_interactions.interactions(model, frame, seconds=1e9) is None


# ---------------------------------------------------------------- hostile, wrong


@pytest.mark.parametrize("state", ["full", "classes", "hostile", "one row"])
def test_hostile_names(state: str) -> None:
    ex = fake_explain.STATES[state]()
    found = ex.interactions(rows=10, output=len(ex.data.outputs) - 1)
    assert Interactions.model_validate_json(found.model_dump_json()) == found
    assert len(found.to_frame()) == 28
    assert not any(p.found for p in found.pairs)  # the fake adds up


def test_wrong_questions() -> None:
    ex = world(lambda d: d["a"], numbers(), exact=False)
    assert isinstance(ex.live, Live)
    for how, says in (
        ({"columns": ["a"]}, "two columns"),
        ({"columns": ["a", "a"]}, "each once"),
        ({"columns": ["a", "bb"]}, "no column 'bb'"),
        ({"top": 1}, "top is 1"),
        ({"rows": 0}, "0 rows are none"),
    ):
        with pytest.raises(ExplainInputError, match=says):
            interactions(ex, **how)
    with pytest.raises(ExplainInputError, match="none were explained"):
        fake_explain.STATES["empty"]().interactions()
