"""`aios.explain` as it is called: choice of the explainer, budget, stops, cache, what it is told and tells."""

from __future__ import annotations

import time
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import SVR

import aios_workbench as aios
from aios_workbench import _hooks
from aios_workbench.errors import ExplainError, ExplainInputError, ModelFailed
from aios_workbench.explain.entry import explain
from aios_workbench.workspace import workspace
from tests.explain.model_kit import HOSTILE, LGB, fit, labels, logit, numbers, table

X = numbers(table())
Y, Y3, Z = labels(table()), labels(table(), 3), logit(table()).to_numpy()

#: More columns than there are orders to try all of.
WIDE = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 14)), columns=list("abcdefghijklmn"))


def box(frame: pd.DataFrame) -> Any:
    return np.asarray(frame["a"] * frame["b"] + frame["c"])


def slow(frame: pd.DataFrame) -> Any:
    time.sleep(0.02)
    return (
        np.sin(3 * frame["a"] * frame["b"] * frame["c"]) * 10
    )  # three at a time: one pair of orders does not do


@pytest.mark.parametrize(
    ("model", "y", "method"),
    [
        (lgb.LGBMClassifier(**LGB), Y, "tree_path_dependent"), (LinearRegression(), Z, "linear"),
        (LogisticRegression(), Y3, "linear"), (SVR(), Z, "exact"),
        (IsolationForest(n_estimators=10), None, "exact"),
    ],
    ids=lambda v: type(v).__name__ if hasattr(v, "fit") else "",
)  # fmt: skip
def test_the_explainer_fits_the_model_and_says_why(model: Any, y: Any, method: str) -> None:
    ex = explain(fit(model, X, y), X.head(6), background=X, budget=200, cache=False)
    assert ex.data.method.name == method
    assert ex.data.method.why
    assert ex.data.lime is not None
    gaps = ex.arrays.values.sum(axis=1) + ex.arrays.base - ex.arrays.predictions
    assert np.abs(gaps).max() < 1e-5
    assert {"additivity", "local_fit", "stability", "agreement", "background"} <= {c.name for c in ex.check}
    assert ex.data.method.exact
    assert ex.errors is None


def test_it_can_be_called_as_the_package() -> None:
    ex = aios.explain(box, X.head(3), background=X, lime=False, cache=False, budget=10)
    assert ex.data.rows == 3
    assert ex.importance.index[0] in ("c", "a", "b")


@pytest.mark.parametrize("method", ["exact", "sampling", "permutation", "kernel"])
def test_a_black_boxs_values_are_those_of_the_definition(method: Any) -> None:
    ex = explain(
        box,
        X.head(3),
        background=X.head(40),
        method=method,
        lime=False,
        cache=False,
        budget=None,
        tolerance=0.005,
    )
    background, x = X.head(40), X.head(3)
    ab = [(a * b + a * background["b"] - background["a"] * b - background["a"] * background["b"]).mean() / 2
          for a, b in zip(x["a"], x["b"], strict=True)]  # fmt: skip
    near = 1e-6 if method != "sampling" else 0.05
    np.testing.assert_allclose(ex.values[:, 2], x["c"] - background["c"].mean(), atol=near)
    np.testing.assert_allclose(ex.values[:, 0], ab, atol=near)


def test_a_large_background_is_drawn_from_and_it_is_said() -> None:
    ex = explain(box, X.head(2), background=X, background_rows=60, lime=False, cache=False)
    assert ex.data.method.background == 60
    assert ex.data.method.summarised == "60 of 400 rows, drawn at random (seed 0)"
    whole = explain(box, X.head(2), background=X, background_rows=400, lime=False, cache=False)
    assert whole.data.method.background == 400
    assert whole.data.method.summarised == ""


def test_the_same_seed_gives_the_same_explanation() -> None:
    one, two, other = (
        explain(box, X.head(4), background=X, cache=False, budget=None, seed=s, lime_rows=2)
        for s in (3, 3, 4)
    )
    np.testing.assert_array_equal(one.values, two.values)
    np.testing.assert_array_equal(one.arrays.lime, two.arrays.lime)
    assert np.abs(one.values - other.values).max() > 0


def test_an_explanation_is_kept_and_found_by_model_data_and_options(tmp_path: Any) -> None:
    model = fit(LogisticRegression(), X, Y)
    ws = workspace(tmp_path / "ws")
    try:
        first = explain(model, X.head(5), background=X, workspace=ws)
        again = explain(model, X.head(5), background=X, workspace=ws, name="mine")
        assert (first.data.cached, again.data.cached, again.data.name) == (False, True, "mine")
        np.testing.assert_allclose(again.values, first.values, atol=1e-12)
        assert again.frame is not None
        assert again.live is not None
        assert again.live.again(X.head(2), lime=False).data.rows == 2
        assert first.data.data_hash == again.data.data_hash
        for changed in (
            {"rows": X.head(6)}, {"background": X.head(300)}, {"seed": 1},
            {"model": fit(LogisticRegression(C=0.1), X, Y)},
            {"rows": X.head(5) + 1e-9}, {"cache": False},
        ):  # fmt: skip
            given: dict[str, Any] = {
                "model": model,
                "rows": X.head(5),
                "background": X,
                "workspace": ws,
                **changed,
            }
            assert not explain(**given).data.cached
        for path in (ws.root / "explanations").iterdir():
            path.write_bytes(path.read_bytes()[:-20])
        assert not explain(model, X.head(5), background=X, workspace=ws).data.cached  # damaged: made again
    finally:
        ws.close()


def test_a_budget_ends_it_with_what_is_there() -> None:
    def slower(frame: pd.DataFrame) -> Any:
        time.sleep(
            1e-4 * len(frame)
        )  # so that all rows would take far longer than the budget, on any machine
        return slow(frame)

    ex = explain(
        slower, WIDE.head(20), background=WIDE, budget=1.5, tolerance=0.001, cache=False, task="regression"
    )
    assert ex.data.method.stopped == "budget"
    assert ex.data.rows >= 1
    assert np.isfinite(ex.values).all()


def test_a_budget_too_small_for_one_row_is_told() -> None:
    def slower(frame: pd.DataFrame) -> Any:
        time.sleep(0.05 + 2e-4 * len(frame))
        return box(frame)

    with pytest.raises(ExplainError, match="larger budget"):
        explain(slower, X.head(20), background=X, budget="100ms", cache=False)


def test_a_cancel_keeps_what_is_there_and_asks_no_more() -> None:
    asked: list[int] = []

    def counted(frame: pd.DataFrame) -> Any:
        asked.append(len(frame))
        return slow(frame)

    ex = explain(
        counted, WIDE.head(10), background=WIDE, tolerance=0.0005, budget=None, cancelled=lambda: len(asked) > 6,
        cache=False,
    )  # fmt: skip
    assert len(asked) <= 8  # a call that was under way, and no other
    assert ex.data.method.stopped == "cancelled"
    assert ex.data.lime is None
    assert any("LIME" in n for n in ex.data.notes)


def test_an_interrupt_keeps_what_is_there(tmp_path: Any) -> None:
    calls = iter(range(100_000))

    def interrupted(frame: pd.DataFrame) -> Any:
        if next(calls) == 6:
            raise KeyboardInterrupt
        return slow(frame)

    ws = workspace(tmp_path / "ws")
    try:
        ex = explain(interrupted, WIDE.head(10), background=WIDE, tolerance=0.0005, budget=None, workspace=ws)
        assert ex.data.method.stopped == "cancelled"
        assert not list((ws.root / "explanations").glob("*"))  # what was cut short is not kept
    finally:
        ws.close()


def test_progress_goes_to_the_function_and_to_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[float, str]] = []
    explain(box, X.head(3), background=X, cache=False, progress=lambda f, t: told.append((f, t)))
    assert told[-1] == (1.0, "done")
    assert [f for f, _ in told] == sorted(f for f, _ in told)

    class Step:
        cancelled = False
        said: list[float] = []  # noqa: RUF012

        def progress(self, fraction: float, message: str | None = None) -> None:
            self.said.append(fraction)
            self.cancelled = fraction > 0.3

    step = Step()
    monkeypatch.setattr(_hooks, "step", lambda: step)
    ex = explain(slow, WIDE.head(10), background=WIDE, tolerance=0.0005, budget=None, cache=False)
    assert step.said
    assert ex.data.method.stopped == "cancelled"


def test_rows_without_a_background_are_compared_with_each_other() -> None:
    ex = explain(fit(LinearRegression(), X, Z), X.head(50), lime=False, cache=False)
    assert "No background was given" in ex.data.notes[0]
    np.testing.assert_allclose(ex.values.mean(axis=0), 0, atol=1e-9)


def test_columns_the_model_is_not_given_are_left_out_and_named() -> None:
    ex = explain(
        fit(LinearRegression(), X, Z), X.head(5).assign(target=1), background=X, lime=False, cache=False
    )
    assert ex.columns == ["a", "b", "c"]
    assert "target" in ex.data.notes[0]


def test_arrays_are_explained_by_the_models_names() -> None:
    model = fit(LinearRegression(), X, Z)
    assert explain(model, X.to_numpy()[:3], background=X.to_numpy(), lime=False, cache=False).columns == [
        "a",
        "b",
        "c",
    ]
    bare = fit(LinearRegression(), X.to_numpy(), Z)
    assert explain(bare, X.to_numpy()[:3], background=X.to_numpy(), lime=False, cache=False).columns == [
        "x0",
        "x1",
        "x2",
    ]


def test_hostile_names_are_only_names() -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(120, len(HOSTILE))), columns=list(HOSTILE))
    model = HistGradientBoostingClassifier(max_iter=5).fit(frame, frame[HOSTILE[0]] > 0)
    ex = explain(model, frame.head(6), background=frame, cache=False, budget=20)
    assert ex.columns == list(HOSTILE)
    assert ex.importance.index[0] == HOSTILE[0]


def test_an_output_is_chosen_by_name() -> None:
    model = fit(LogisticRegression(), X, np.array(["low", "<b>", "high"])[Y3])
    ex = explain(model, X.head(5), background=X, output="<b>", lime=False, cache=False)
    assert ex.data.outputs[ex.data.output] == "<b>"
    with pytest.raises(ExplainInputError, match="did you mean 'high'"):
        explain(model, X.head(5), background=X, output="hihg", cache=False)
    two = fit(LogisticRegression(), X, np.array(["no", "yes"])[Y])
    with pytest.raises(ExplainInputError, match="sign"):
        explain(two, X.head(5), background=X, output="no", cache=False)


def test_the_live_model_answers_and_explains_again() -> None:
    ex = explain(box, X.head(4), background=X, cache=False)
    assert ex.live is not None
    np.testing.assert_allclose(ex.live.predict(X.head(2))[:, 0], box(X.head(2)))
    again = ex.live.again(X.iloc[[7]], seconds=5, lime=True)
    assert again.data.rows == 1
    assert again.data.lime is not None
    assert again.frame is not None


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"bugdet": 3}, ExplainInputError, "no option 'bugdet'; did you mean 'budget'"),
        ({"method": "tree_intervenional"}, ExplainInputError, "did you mean 'tree_interventional'"),
        ({"method": "linear"}, ExplainInputError, "cannot explain"), ({"budget": "soon"}, ExplainInputError, "'30s'"),
        ({"budget": -1}, ExplainInputError, "above 0"), ({"tolerance": 2.0}, ExplainInputError, "between 0 and 1"),
        ({"lime_rows": 0}, ExplainInputError, "lime_rows is 0"), ({"scale": "log-odds"}, ExplainInputError, "scale"),
        ({"rows": X.head(0)}, ExplainInputError, "no rows"), ({"columns": ["a", "z"]}, ExplainInputError, "column 'z'"),
        ({"rows": X[["a", "b"]].head(2)}, ModelFailed, "'c'"),
        ({"background": X[["a", "b"]]}, ExplainInputError, "no column 'c'"),
        ({"kinds": {"x": "text"}}, ExplainInputError, "no column 'x'"),
        ({"model": object()}, ExplainInputError, "no model"),
    ],
)  # fmt: skip
def test_mistakes_are_told_before_any_work(change: dict[str, Any], error: type[Exception], said: str) -> None:
    given: dict[str, Any] = {"model": box, "rows": X.head(3), "background": X, "cache": False, **change}
    with pytest.raises(error, match=said):
        explain(**given)


def test_texts_and_images_are_told_from_tables() -> None:
    texts = ["a bad, bad day", "a good day"]
    ex = aios.explain(lambda t: [s.count("good") - s.count("bad") for s in t], texts, budget=20, cache=False)
    assert [c.column for c in ex.row(0).contributions][:1] == ["bad"]
    assert ex.row(0).contributions[0].shap == pytest.approx(-2.0)
    image = np.zeros((1, 16, 16))
    image[0, :2, :2] = 1.0
    shown = aios.explain(lambda z: z[:, :2, :2].mean(axis=(1, 2)), image, budget=20, cache=False)
    assert shown.row(0).contributions[0].column == "row 1, column 1"
    assert len(shown.extra["images"]) == 1


def test_a_classifier_of_texts_is_asked_for_its_probabilities() -> None:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.pipeline import make_pipeline

    texts = ["good good day", "bad day", "good film", "bad film", "bad bad", "good"]
    model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts, ["+", "-", "+", "-", "-", "+"])
    ex = aios.explain(model, texts[:2], budget=20, cache=False)
    assert ex.data.outputs[-1] in ("+", "-")
    assert ex.row(0).contributions[0].column == "good"


def test_options_of_tables_are_refused_for_texts() -> None:
    with pytest.raises(
        ExplainInputError, match=r"background= is for tables, and the rows are texts.*explain_text"
    ):
        aios.explain(len, ["a text"], background=["another"], cache=False)
    with pytest.raises(ExplainInputError, match="cannot be asked"):
        aios.explain(object(), ["a text"], cache=False)


def test_a_function_that_answers_nothing_is_told() -> None:
    with pytest.raises(ModelFailed, match=r"answered"):
        explain(lambda frame: None, X.head(3), background=X, cache=False)
