"""Figures against scikit-learn and scipy; drops and concept drift found, other rows alone not taken for either."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics as sk

from aios_workbench.drift import metrics
from aios_workbench.drift.concept import concept
from aios_workbench.drift.models import Measured, Performance
from aios_workbench.drift.performance import performance
from aios_workbench.errors import DriftInputError

WINDOWS = ["2026-01", "2026-02", "2026-03", "2026-04"]


def rows(n: int, seed: int, *, flip: float = 0.0, mean: float = 0.0, from_: int = 0) -> pd.DataFrame:
    """A calibrated score; from window `from_` on its labels follow the first column less (`flip`)."""
    g = np.random.default_rng(seed)
    x = g.normal(mean, 1, (n, 3))
    logit = 1.5 * x[:, 0] - x[:, 1]
    window = np.repeat(np.arange(4), -(-n // 4))[:n]
    real = logit - np.where(window >= from_, 3 * flip * x[:, 0], 0)
    s = 1 / (1 + np.exp(-logit))
    y = (g.random(n) < 1 / (1 + np.exp(-real))).astype(int)
    return pd.DataFrame({"s": s, "p": (s > 0.5).astype(int), "y": y, "w": np.array(WINDOWS)[window]})


def measure(current: pd.DataFrame, reference: pd.DataFrame | None = None, **options: Any) -> Performance:
    a = rows(4_000, 0) if reference is None else reference
    found = performance(a, current, **({"target": "y", "prediction": "p", "score": "s"} | options))
    assert found is not None
    return found


# ---------------------------------------------------------------- figures


def test_figures_of_two_classes_are_scikit_learn_s() -> None:
    a = rows(600, 1)
    found = measure(a, a).reference.measured
    y, p, s = a["y"], a["p"], a["s"]
    wanted = {
        "accuracy": sk.accuracy_score(y, p), "precision": sk.precision_score(y, p), "recall": sk.recall_score(y, p),
        "f1": sk.f1_score(y, p), "roc_auc": sk.roc_auc_score(y, s), "log_loss": sk.log_loss(y, s),
        "brier": sk.brier_score_loss(y, s),
    }  # fmt: skip
    assert {m: v.value for m, v in found.items()} == pytest.approx(wanted)
    assert all(v.low < v.value < v.high for v in found.values())
    exact = stats.binomtest(int((y == p).sum()), 600).proportion_ci(method="wilson")
    assert (found["accuracy"].low, found["accuracy"].high) == pytest.approx((exact.low, exact.high))


def test_figures_of_many_classes_are_scikit_learn_s() -> None:
    g = np.random.default_rng(0)
    logits = g.normal(size=(500, 3))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    y = np.minimum((g.random((500, 1)) > p.cumsum(1)).sum(1), 2)
    a = pd.DataFrame(p, columns=["p_x", "p_y", "p_z"]).assign(
        y=np.array(list("xyz"))[y], said=np.array(list("xyz"))[p.argmax(1)]
    )
    for score in (["p_z", "p_x", "p_y"], {"x": "p_x", "y": "p_y", "z": "p_z"}):
        found = measure(a, a, prediction="said", score=score).reference.measured
        wanted = {
            "accuracy": sk.accuracy_score(y, p.argmax(1)), "f1": sk.f1_score(y, p.argmax(1), average="macro"),
            "precision": sk.precision_score(y, p.argmax(1), average="macro"),
            "recall": sk.recall_score(y, p.argmax(1), average="macro"),
            "roc_auc": sk.roc_auc_score(y, p, multi_class="ovr"), "log_loss": sk.log_loss(y, p),
            "brier": ((p - np.eye(3)[y]) ** 2).sum(1).mean(),
        }  # fmt: skip
        assert {m: v.value for m, v in found.items()} == pytest.approx(wanted)


def test_figures_of_amounts_are_scikit_learn_s() -> None:
    g = np.random.default_rng(0)
    a = pd.DataFrame({"y": g.normal(size=400)})
    a["p"] = a["y"] + g.normal(0.1, 0.5, 400)
    found = measure(a, a, score=None).reference.measured
    wanted = {
        "mae": sk.mean_absolute_error(a["y"], a["p"]), "rmse": sk.root_mean_squared_error(a["y"], a["p"]),
        "r2": sk.r2_score(a["y"], a["p"]), "bias": (a["p"] - a["y"]).mean(),
    }  # fmt: skip
    assert {m: v.value for m, v in found.items()} == pytest.approx(wanted)


@pytest.mark.parametrize("metric", ["accuracy", "precision", "recall", "f1", "roc_auc", "log_loss", "brier"])
def test_intervals_hold_the_truth(metric: str) -> None:
    large = rows(200_000, 99)
    said = metrics.classification(large["y"].to_numpy(), large["p"].to_numpy(), large[["s"]].to_numpy(), 2)
    truth, inside = said[metric].value, []
    for seed in range(60):
        a = rows(200, seed)
        found = metrics.classification(a["y"].to_numpy(), a["p"].to_numpy(), a[["s"]].to_numpy(), 2)[metric]
        inside.append(found.low <= truth <= found.high)
    assert np.mean(inside) >= 0.86


@pytest.mark.parametrize("metric", ["mae", "rmse", "r2", "bias"])
def test_intervals_of_amounts_hold_the_truth(metric: str) -> None:
    g, inside = np.random.default_rng(0), []
    truth = {"mae": np.sqrt(2 / np.pi), "rmse": 1.0, "r2": 0.8, "bias": 0.0}[metric]
    for _ in range(200):
        y = g.normal(0, np.sqrt(5), 150)
        found = metrics.regression(y, y + g.normal(size=150))[metric]
        inside.append(found.low <= truth <= found.high)
    assert np.mean(inside) >= 0.88


def test_only_a_change_that_is_certain_and_matters_counts() -> None:
    def of(value: float, wide: float) -> Measured:
        return Measured(value=value, low=value - wide, high=value + wide)

    before = {"accuracy": of(0.9, 0.005), "mae": of(1.0, 0.01), "bias": of(0.0, 0.01)}
    assert metrics.worse(before, {"accuracy": of(0.85, 0.005)}).keys() == {"accuracy"}
    assert metrics.worse(before, {"accuracy": of(0.889, 0.001)}) == {}  # certain, too small
    assert metrics.worse(before, {"accuracy": of(0.85, 0.1)}) == {}  # large, not certain
    assert metrics.worse(before, {"accuracy": of(0.95, 0.005)}) == {}  # better
    assert metrics.worse(before, {"mae": of(1.2, 0.01)}).keys() == {"mae"}
    assert metrics.worse(before, {"bias": of(-0.2, 0.01)}).keys() == {"bias"}
    assert metrics.worse(before, {"accuracy": of(0.85, 0.04)}, times=1.0).keys() == {"accuracy"}
    assert metrics.worse(before, {"accuracy": of(0.85, 0.04)}, times=1.5) == {}


# ---------------------------------------------------------------- what is found


def test_concept_drift_is_found_in_its_windows_and_by_the_stream() -> None:
    now = rows(6_000, 1, flip=0.5, from_=2)
    found = measure(now, windows=now["w"])
    assert [(w.window, w.verdict) for w in found.windows] == [
        (WINDOWS[0], "stable"), (WINDOWS[1], "stable"), (WINDOWS[2], "drifted"), (WINDOWS[3], "drifted"),
    ]  # fmt: skip
    assert found.reasons[0].startswith(
        "2026-03: concept drift, labels no longer follow the scores: roc_auc 0.6"
    )
    assert found.windows[2].estimated["roc_auc"].low > found.windows[2].measured["roc_auc"].high
    assert [a.window for a in found.alarms] == ["2026-03"]
    assert 3_000 < found.alarms[0].row < 4_000
    assert "cannot see concept drift" in found.caveat
    assert found == measure(now, windows=now["w"])


def test_other_rows_alone_are_no_concept_drift() -> None:
    now = rows(6_000, 1, mean=1.0)
    found = measure(now, windows=now["w"])
    assert not any("concept" in r for r in found.reasons)
    p = [
        concept((a["s"], a["y"]), (b["s"], b["y"]))[0]
        for a, b in ((rows(300, s), rows(300, 500 + s, mean=1.0)) for s in range(100))
    ]
    assert np.mean(np.array(p) < 0.05) <= 0.12
    assert 0.3 < np.mean(p) < 0.7


def test_without_labels_what_the_scores_let_expect_is_compared() -> None:
    now = rows(6_000, 1)
    half = now["w"] >= "2026-03"
    now.loc[half, "s"] = 0.5 + (now.loc[half, "s"] - 0.5) / 8  # it is no longer sure of anything
    now["y"] = now["y"].astype(float).mask(half)
    found = measure(now, windows=now["w"], prediction=None)
    assert [w.labelled for w in found.windows] == [1_500, 1_500, 0, 0]
    assert [w.verdict for w in found.windows] == ["stable", "stable", "drifted", "drifted"]
    assert found.windows[2].measured == {}
    assert "as estimated" in found.reasons[0]
    gone = measure(now.drop(columns="y"), windows=now["w"], prediction=None)
    assert gone.windows[3].estimated == found.windows[3].estimated


def test_clean_runs_raise_no_more_alarms_than_they_may() -> None:
    raised = []
    for seed in range(15):
        now = rows(800, 3_000 + seed)
        raised.append(measure(now, rows(800, seed), windows=now["w"], seed=seed).verdict == "drifted")
    assert np.mean(raised) <= 0.07


def test_a_regression_that_gets_worse_is_found() -> None:
    g = np.random.default_rng(0)

    def of(n: int, off: float) -> pd.DataFrame:
        x = g.normal(size=n)
        return pd.DataFrame({"y": 3 * x + g.normal(size=n) * (1 + off) + off, "p": 3 * x})

    now = pd.concat([of(1_000, 0), of(1_000, 0.5)], ignore_index=True)
    found = measure(now, of(2_000, 0), score=None, windows=pd.Series(np.repeat([9, 10], 1_000)))
    assert found.task == "regression"
    assert {w.window: w.verdict for w in found.windows} == {"9": "stable", "10": "drifted"}
    assert found.caveat == ""
    assert found.alarms


# ---------------------------------------------------------------- how things are given


def test_classes_are_the_same_however_they_are_written() -> None:
    a, now = rows(500, 0), rows(500, 1)
    wanted = measure(now, a)
    for write in (
        lambda f: f.astype({"y": float}),
        lambda f: f.astype({"y": bool}),
        lambda f: f.assign(y=f["y"].astype(bool), p=f["p"].astype(float)),
        lambda f: f.astype({"y": "Int64", "p": "boolean"}),
        lambda f: f.assign(y=f["y"].map({0: "no", 1: "yes"}), p=f["p"].map({0: "no", 1: "yes"})),
        # the score tells which class is meant, whatever comes first in the alphabet
        lambda f: f.assign(y=f["y"].map({0: "good", 1: "bad"}), p=f["p"].map({0: "good", 1: "bad"})),
    ):
        assert measure(write(now), write(a)).model_dump() == wanted.model_dump()
    assert measure(now, a, prediction="s", score=None).reference == measure(now, a, prediction=None).reference


def test_order_is_by_time_when_it_is_given() -> None:
    now = rows(6_000, 1, flip=0.5, from_=2)
    shuffled = now.assign(t=range(6_000)).sample(frac=1, random_state=0).reset_index(drop=True)
    found = measure(shuffled, order=shuffled["t"])
    assert 3_000 < found.alarms[0].row < 4_000
    assert measure(shuffled).alarms == []


def test_without_river_the_rest_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("river", "river.drift"):
        monkeypatch.setitem(sys.modules, module, None)
    now = rows(400, 1)
    assert "river" in measure(now, windows=now["w"]).caveat


def test_nothing_to_compare() -> None:
    a = rows(300, 0)
    assert performance(a, a, target="y") is None
    assert performance(a.assign(y=None), a, target="y", prediction="p") is None
    assert measure(a.iloc[:0], a).windows[0].verdict == "few"
    assert measure(a.iloc[:10], a).verdict == "few"
    assert measure(a, a.iloc[:10]).verdict == "few"
    assert measure(a, a, windows=pd.Series([None] * 300)).windows == []
    one = measure(a.assign(y=1), a.assign(y=1))
    assert "roc_auc" not in one.reference.measured
    holes = a.assign(s=a["s"].mask(a.index < 50), p=a["p"].mask(a.index > 280))
    assert measure(holes, a).windows[0].labelled == 300 - 50 - 19


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda a: measure(a, a, target="z"), "no column 'z' in the reference"),
        (lambda a: measure(a.drop(columns="s"), a), "no column 's' in the current data"),
        (lambda a: measure(a, a, windows=pd.Series([1])), "1 windows were given for 100 rows"),
        (lambda a: measure(a, a, order=pd.Series([1])), "1 order were given|order"),
        (lambda a: measure(a.assign(s="x"), a.assign(s="x")), "'s' is not of numbers"),
        (lambda a: measure(a, a.assign(y=np.linspace(0, 1, 100)), prediction=None), "is an amount"),
        (lambda a: measure(a, a.assign(y=[f"k{i}" for i in range(100)])), "classes, more than 50"),
        (
            lambda a: measure(a, a.assign(y=list("abcd") * 25), score=["s", "p"], prediction=None),
            "cannot be told",
        ),
        (
            lambda a: measure(a, a.assign(y=list("abcd") * 25), score={"a": "s", "b": "p"}, prediction=None),
            "no score",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[pd.DataFrame], object], words: str) -> None:
    with pytest.raises(DriftInputError, match=words):
        call(rows(100, 0))
