"""Checks say what is so: silent on clean data, loud on what was broken, in words with a figure."""

from __future__ import annotations

import dataclasses

import fake_explain
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios_workbench.errors import ExplainInputError
from aios_workbench.explain import checks, checks_asked, correlated
from aios_workbench.explain.agreement import agreement, agrees, of_rows
from aios_workbench.explain.arrays import Arrays
from aios_workbench.explain.assemble import assemble
from aios_workbench.explain.explanation import Explanation
from aios_workbench.explain.models import Check, Column, MethodInfo
from aios_workbench.explain.outside import outside
from aios_workbench.explain.space import Space

EXACT = MethodInfo(name="linear", title="", why="", exact=True)
SAMPLED = MethodInfo(name="sampling", title="", why="", exact=False, stopped="budget")


def arrays(n: int = 200, m: int = 6, *, seed: int = 0) -> Arrays:
    g = np.random.default_rng(seed)
    values = g.normal(size=(n, m, 1)) * np.linspace(2, 0.1, m)[:, None]
    made = Arrays(values, np.array([0.3]), 0.3 + values.sum(axis=1))
    made.lime_rows = np.arange(n)
    made.lime = values + g.normal(0, 0.05, values.shape)
    made.lime_errors = np.full(values.shape, 0.05)
    made.lime_r2 = np.full((n, 1), 0.8)
    made.stability = np.full(n, 0.9)
    return made


def assembled(a: Arrays, **changes: object) -> Explanation:
    m = a.values.shape[1]
    base = fake_explain.explanation()
    given = {
        "columns": [Column(name=f"x{j}", kind="numeric") for j in range(m)], "outputs": ["yes"], "task": "binary",
        "scale": "log-odds", "model": base.data.model, "method": EXACT, "lime": base.data.lime, **changes,
    }  # fmt: skip
    return assemble(a, **given)  # type: ignore[arg-type]


def one(found: list[Check], name: str) -> Check:
    return next(c for c in found if c.name == name)


# ---------------------------------------------------------------- each check


@pytest.mark.parametrize(("gap", "level"), [(0.0, "ok"), (1e-6, "ok"), (2e-3, "warn"), (0.5, "fail")])
def test_a_gap_is_measured_in_the_spread_of_predictions(gap: float, level: str) -> None:
    for unit in (1e-6, 1.0, 1e9):
        a = arrays()
        a.values, a.base = a.values * unit, a.base * unit
        a.predictions = a.base + a.values.sum(axis=1)
        a.predictions[17] += gap * float(np.sqrt(((a.predictions - a.base) ** 2).mean()))
        found = checks.additivity(a, exact=True)
        assert found.level == level
        assert found.rows == ([17] if level != "ok" else [])


def test_what_sampling_explains_is_no_gap() -> None:
    a = arrays()
    a.errors = np.full(a.values.shape, 0.01)
    a.predictions = a.predictions + 0.05
    assert checks.additivity(a, exact=False).level == "ok"
    assert checks.additivity(a, exact=True).level == "fail"


@pytest.mark.parametrize(
    ("error", "level"), [(0.02, "ok"), (0.6, "warn"), (5.0, "fail"), (np.nan, "skipped")]
)
def test_precision_is_about_the_largest_contribution(error: float, level: str) -> None:
    a = arrays()
    a.errors = np.full(a.values.shape, error)
    found = checks.precision(a, SAMPLED)
    assert found.level == level
    assert ("budget" in found.words) == (level in ("warn", "fail"))
    assert checks.precision(a, EXACT).value == 0
    a.errors = None
    assert checks.precision(a, SAMPLED).level == "skipped"


def test_a_model_that_says_the_same_of_all_rows_is_explained_precisely() -> None:
    a = Arrays(np.zeros((5, 3, 1)), np.ones(1), np.ones((5, 1)), errors=np.zeros((5, 3, 1)))
    found = assembled(a, lime=None, method=SAMPLED).check
    assert [one(found, name).level for name in ("additivity", "precision")] == ["ok", "ok"]


@pytest.mark.parametrize(("r2", "level"), [(0.8, "ok"), (0.4, "warn"), (0.1, "fail"), (-2.0, "fail")])
def test_local_fit(r2: float, level: str) -> None:
    a = arrays()
    assert a.lime_r2 is not None
    a.lime_r2[:] = r2
    assert checks.local_fit(a).level == level
    a.lime_r2[:] = 0.9
    a.lime_r2[:30] = 0.0
    found = checks.local_fit(a)
    assert (found.level, found.rows) == ("warn", list(range(30)))
    assert checks.local_fit(dataclasses.replace(a, lime_r2=None)).level == "skipped"


@pytest.mark.parametrize(
    ("value", "level"), [(0.95, "ok"), (0.7, "warn"), (0.3, "fail"), (np.nan, "skipped")]
)
def test_stability(value: float, level: str) -> None:
    a = arrays()
    a.stability = np.full(200, value)
    assert checks.stability(a).level == level


def test_agreement_of_alike_turned_and_unrelated_contributions() -> None:
    a = arrays()
    assert checks.agreement(agreement(a)).level == "ok"
    a.lime = -a.values
    turned = checks.agreement(agreement(a))
    assert turned.level == "fail"
    assert "contradict" in turned.words
    a.lime = np.random.default_rng(5).permuted(a.values, axis=1)
    assert checks.agreement(agreement(a)).level == "fail"
    assert checks.agreement(None).level == "skipped"
    a.lime = np.zeros_like(a.values)
    assert checks.agreement(agreement(a)).level == "skipped"


def test_a_duplicate_of_a_column_that_counts_is_told_one_of_noise_is_not() -> None:
    g = np.random.default_rng(0)
    x = g.normal(size=(500, 4))
    kinds = ["numeric"] * 4
    columns = [Column(name=n, kind="numeric") for n in "abcd"]
    a = arrays(m=4)
    a.values[:, 2:] = 0
    for places, level in (((0, 3), "warn"), ((2, 3), "ok")):
        y = x.copy()
        y[:, places[1]] = y[:, places[0]] + g.normal(0, 0.1, 500)
        found = assembled(a, columns=columns, background=y, matrix=y[:200])
        check = one(found.check, "correlation")
        assert check.level == level
        assert found.data.columns[places[0]].correlated == ["abcd"[places[1]]]
        assert (check.columns == ["a", "d"]) == (level == "warn")
    assert kinds == [c.kind for c in columns]


# ---------------------------------------------------------------- statistics


@given(st.integers(0, 10_000))
def test_columns_drawn_apart_are_hardly_ever_called_alike(seed: int) -> None:
    g = np.random.default_rng(seed)
    n = int(g.integers(4, 60))
    x = np.c_[g.normal(size=n), g.integers(0, 2, n), g.integers(0, 8, n), g.integers(0, n, n)].astype(float)
    found = correlated.association(x, ["numeric", "boolean", "categorical", "categorical"])
    assert (found == found.T).all()
    assert ((found >= 0) & (found <= 1)).all()
    pairs = correlated.mark([Column(name=str(j), kind="numeric") for j in range(4)], found)
    assert len(pairs) <= 1


def test_association_of_every_kind_of_pair() -> None:
    g = np.random.default_rng(0)
    group = g.integers(0, 4, 400).astype(float)
    x = np.c_[group, (group * 7) % 5, group * 10 + g.normal(size=400), g.integers(0, 4, 400)]
    kinds = ["categorical", "categorical", "numeric", "categorical"]
    found = correlated.association(x, kinds)  # type: ignore[arg-type]
    assert found[0, 1] == pytest.approx(1)
    assert found[0, 2] > 0.9
    assert found[0, 3] < 0.2
    x[::3, 0] = np.nan
    assert correlated.association(x, kinds)[0, 1] > 0.95  # type: ignore[arg-type]
    nothing = correlated.association(np.full((50, 2), np.nan), ["numeric", "categorical"])
    assert nothing[0, 1] == 0


@pytest.mark.parametrize("training", [60, 800])
def test_rows_of_the_training_data_s_own_kind_raise_no_alarm(training: int) -> None:
    alarms = 0
    for seed in range(40):
        frame = fake_explain.table(training + 100, seed=seed).drop(index="claim-5")
        space = Space.of(frame.iloc[:training])
        x = space.encode(frame)
        found = outside(x[training:], x[:training], [c.kind for c in space.columns])
        alarms += (
            checks.outside(found._replace(ratio=np.zeros(99))).level != "ok"
        )  # single far rows are told always
    assert alarms <= 3


def test_far_rows_unseen_categories_and_nulls_are_outside() -> None:
    frame = fake_explain.table(1_000)
    space = Space.of(frame)
    rows = fake_explain.table(40, seed=3).drop(index="claim-5").astype({"age": float})
    rows.iloc[0, 0], rows.iloc[1, 1], rows.iloc[2, 3] = 1e9, 5_000.0, "never seen"
    found = outside(space.encode(rows), space.encode(frame), [c.kind for c in space.columns])
    assert (found.share[:2] == 1).all()
    assert (found.ratio[:2] > 2).all()
    near = outside(
        space.encode(rows.assign(city="Ghent")), space.encode(frame), [c.kind for c in space.columns]
    )
    assert found.share[2] > near.share[2]
    check = checks.outside(found)
    assert check.level == "warn"
    assert check.rows[0] == 0
    far = outside(space.encode(rows) + 1e12, space.encode(frame), [c.kind for c in space.columns])
    assert checks.outside(far).level == "fail"


@given(st.integers(1, 12), st.integers(1, 20), st.integers(0, 1_000))
def test_agreement_is_bounded_and_whole_with_itself(columns: int, rows: int, seed: int) -> None:
    g = np.random.default_rng(seed)
    a = np.round(g.normal(size=(rows, columns)), 1)
    b = np.round(g.normal(size=(rows, columns)), 1)
    k = max(1, min(5, columns // 2))
    with np.errstate(all="raise", invalid="ignore"):
        own, other = of_rows(a, a, k), of_rows(a, b, k)
    for part, low in ((other.rank, -1), (other.overlap, 0), (other.sign, 0)):
        there = part[~np.isnan(part)]
        assert ((there >= low - 1e-12) & (there <= 1 + 1e-12)).all()
    assert np.allclose(own.score[~np.isnan(own.score)], 1)
    said = agrees(a[0], a[0], k)
    assert False not in said
    assert sum(s is not None for s in said) == min(k, columns)


@given(st.integers(0, 1_000))
def test_large_errors_excuse_every_difference(seed: int) -> None:
    g = np.random.default_rng(seed)
    a, b = g.normal(size=(2, 9))
    large = np.full(9, 100.0)
    assert False not in agrees(a, b, 4, large, large)
    assert False not in agrees(a, b, 4, None, large)


# ---------------------------------------------------------------- asked of the model


def test_another_background_s_figure_is_the_error_of_the_whole_one() -> None:
    g = np.random.default_rng(0)
    truth = np.array([3.0, -2.0, 1.0])
    whole = 0.1  # standard error of the whole background's values; a half's is larger by the root of two
    one, other = (truth + g.normal(0, whole * np.sqrt(2), (4_000, 3)) for _ in range(2))
    again = (
        np.abs(truth + g.normal(0, whole, (4_000, 3)) - truth - g.normal(0, whole, (4_000, 3)))
        .sum(axis=1)
        .mean()
        / 6
    )
    found = checks_asked.background(one, other)
    assert found.value == pytest.approx(again, rel=0.1)
    assert found.level == "ok"
    assert checks_asked.background(truth[None] * 1.5, truth[None] * 0.5).level == "fail"
    noisy = np.full((4_000, 3), 0.15)
    assert checks_asked.background(one, other, errors=(noisy, noisy)).value < found.value / 2
    assert checks_asked.background(None, None, reason="no time").words == "no time"


def test_an_accelerator_that_differs_is_red_and_parts_that_interact_are_told() -> None:
    a = np.ones((3, 2))
    assert checks_asked.accelerator(a, a + 1e-7, name="woodelf", unit=1.0).level == "ok"
    assert checks_asked.accelerator(a, a + 0.1, name="woodelf", unit=1.0).level == "fail"
    assert [checks_asked.grouping(a, a * f).level for f in (1.01, 1.1, 2.0)] == ["ok", "warn", "fail"]


# ---------------------------------------------------------------- assembling


def test_rows_that_were_not_reached_are_left_out_and_told() -> None:
    a = arrays(10)
    a.values[7:] = np.nan
    a.lime_rows = np.array([9, 2, 0])
    a.lime, a.lime_errors, a.lime_r2 = (x[:3] for x in (a.lime, a.lime_errors, a.lime_r2))  # type: ignore[index]
    a.stability = np.array([0.1, 0.8, 0.9])
    found = assembled(a)
    assert found.data.rows == 7
    assert found.data.notes[0].startswith("7 of 10 rows were explained")
    assert found.arrays.lime_rows is not None
    assert found.arrays.lime_rows.tolist() == [0, 2]
    assert found.row(2).stability == 0.8
    assert found.data.lime is not None
    assert found.data.lime.rows == 2
    nothing = arrays(3)
    nothing.values[:] = np.nan
    assert assembled(nothing).data.rows == 0


def test_every_check_is_there_or_says_why_not() -> None:
    names = {c.name for c in assembled(arrays()).check}
    assert names == {
        "additivity",
        "precision",
        "local_fit",
        "stability",
        "agreement",
        "correlation",
        "outside",
    }
    skipped = [c for c in assembled(arrays()).check if c.level == "skipped"]
    assert {c.name for c in skipped} == {"correlation", "outside"}
    assert all(c.words for c in skipped)


def test_the_class_predicted_most_is_shown_first() -> None:
    ex = fake_explain.explanation(outputs=4)
    found = assembled(
        dataclasses.replace(ex.arrays), columns=ex.data.columns, outputs=ex.data.outputs, task="multiclass"
    )
    assert found.data.output == np.bincount(ex.arrays.predictions.argmax(axis=1)).argmax()
    assert found.importance.equals(
        assembled(ex.arrays, columns=ex.data.columns, outputs=ex.data.outputs, task="binary",
                  output=found.data.output).importance
    )  # fmt: skip


@pytest.mark.parametrize(("change", "match"), [
    ({"lime": np.zeros((3, 6, 1))}, "lime has the shape"), ({"base": np.zeros(2)}, "base has"),
    ({"lime_rows": np.arange(200) + 5}, "beyond the 200"), ({"values": np.zeros((200, 5, 1))}, "6 columns"),
    ({"probabilities": np.zeros((3, 2))}, "probabilities has"),
])  # fmt: skip
def test_arrays_that_do_not_fit_are_refused(change: dict[str, np.ndarray], match: str) -> None:
    with pytest.raises(ExplainInputError, match=match):
        assembled(
            dataclasses.replace(arrays(), **change),  # type: ignore[arg-type]
            columns=[Column(name=f"x{j}", kind="numeric") for j in range(6)],
        )
