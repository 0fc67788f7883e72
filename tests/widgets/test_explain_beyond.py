"""What a screen asks beyond attributions: dependence, effects, cohorts, what-if, of a model whose answers are known."""

from __future__ import annotations

import json
import threading
from typing import Any

import numpy as np
import pytest
from fake_explain import CITIES, EVIL, PLAIN, STATES, contributions, explanation

from aios_workbench.widgets import explain_protocol as wire
from aios_workbench.widgets.explain import ExplainWidget
from aios_workbench.widgets.explain_answers import answer
from aios_workbench.widgets.explain_pack import unpack
from aios_workbench.workspace.stop import Stop, stoppable

AGE, CITY, MEMBER, SINCE, CLAIMS = 1, 3, 4, 5, 2


@pytest.fixture
def widget() -> ExplainWidget:
    return ExplainWidget(explanation())


def ask(widget: ExplainWidget, kind: str, **request: Any) -> Any:
    """The answer read by its model, or the error's words."""
    reply = answer(widget, {"id": 7, "kind": kind, **request})
    assert reply is not None
    sent = json.loads(json.dumps(reply.model_dump(mode="json"), allow_nan=False))
    if sent["kind"] == "error":
        return sent["message"]
    made = wire.ANSWERS[type(wire.REQUEST.validate_python({"id": 7, "kind": kind, **request}))]  # type: ignore[index]
    return made.model_validate(sent["data"])


def test_dependence_follows_the_known_effect(widget: ExplainWidget) -> None:
    page = ask(widget, "dependence", column=AGE)
    assert page.scatter.x_axis.column == AGE
    for p in page.curve:
        assert p.y == pytest.approx(0.0006 * (p.x - 54) ** 2 - 0.25, abs=0.06)
    chosen = ask(widget, "dependence", column=AGE, colour=CITY)
    assert chosen.scatter.colour_axis.column == CITY
    by_city = ask(widget, "dependence", column=CITY)
    assert by_city.scatter.x_axis.values[: len(CITIES)] == widget.target.data.columns[CITY].values
    assert all(0 <= p.x < len(by_city.scatter.x_axis.values) for p in by_city.curve)


def test_what_is_missing_has_no_place_on_the_curve(widget: ExplainWidget) -> None:
    page = ask(widget, "dependence", column=CLAIMS)
    assert min(p.x for p in page.curve) >= 0
    assert page.scatter.x.missing is not None
    assert any("missing" in n for n in page.notes)


def test_an_effect_asks_the_model(widget: ExplainWidget) -> None:
    page = ask(widget, "effect", column=AGE, lines=5)
    low = min(page.curve, key=lambda p: p.y)
    assert low.x == pytest.approx(54, abs=6)
    assert len(page.lines) == len(page.rows) <= 5
    assert widget.target.live.calls
    assert "explain again" in ask(ExplainWidget(STATES["stored"]()), "effect", column=AGE)


def test_cohorts_differ_where_they_do(widget: ExplainWidget) -> None:
    page = ask(
        widget, "cohorts", a={"column": MEMBER, "value": "True"}, b={"column": MEMBER, "value": "False"}
    )
    first = page.differences[0]
    assert PLAIN[first.at] == "member"
    assert first.difference == pytest.approx(-0.75)
    assert first.clear
    assert sum(d.difference for d in page.differences) == pytest.approx(page.a.prediction - page.b.prediction)
    frame = widget.target.frame
    assert page.a.rows == frame["member"].sum()
    aged = ask(widget, "cohorts", a={"column": AGE, "low": 20, "high": 40})
    assert aged.a.rows == ((frame["age"] >= 20) & (frame["age"] < 40)).sum()
    assert aged.a.name == "age from 20 to below 40"
    assert aged.b.name == "all others"
    gone = ask(widget, "cohorts", a={"column": CLAIMS})
    assert gone.a.rows == frame["claims"].isna().sum()
    hostile = ask(widget, "cohorts", a={"column": CITY, "value": EVIL})
    assert hostile.a.rows == (frame["city"] == EVIL).sum()
    lasso = ask(widget, "cohorts", a={"rows": [1, 2, 3, 5], "name": "lasso"}, b={"rows": [7, 8, 9]})
    assert (lasso.a.name, lasso.a.rows, lasso.b.rows) == ("lasso", 4, 3)


@pytest.mark.parametrize(
    ("cohort", "words"),
    [
        ({}, "a cohort is rows, or a column"),
        ({"column": 70}, "no column 70"),
        ({"rows": [4_000]}, "no row"),
        ({"column": AGE, "value": "x"}, "give a range"),
        ({"rows": []}, "at least two"),
    ],
)
def test_a_cohort_that_means_nothing_is_refused(
    widget: ExplainWidget, cohort: dict[str, Any], words: str
) -> None:
    assert words in ask(widget, "cohorts", a=cohort)


def test_what_if_is_the_models_own_answer(widget: ExplainWidget) -> None:
    e = widget.target
    changes = {AGE: 70, CITY: EVIL, MEMBER: False, SINCE: 1.6e9, CLAIMS: None}
    row = e.frame.iloc[[3]].copy()
    row["age"], row["city"], row["member"], row["claims"] = 70, EVIL, False, np.nan
    row["since"] = np.datetime64(1_600_000_000, "s")
    truth = contributions(row)[0, :, 0]
    fast = ask(widget, "what_if", row=3, changes=changes, explain=False)
    assert fast.after is None
    assert fast.prediction == pytest.approx(truth.sum() + e.arrays.base[0])
    assert fast.before == pytest.approx(e.arrays.predictions[3, 0])
    full = ask(widget, "what_if", row=3, changes=changes, lime=True)
    assert full.prediction == pytest.approx(truth.sum() + e.arrays.base[0])
    bars = {PLAIN[b.at]: b for b in full.after.bars}
    assert bars["city"].shap == pytest.approx(truth[CITY], abs=1e-4)
    assert bars["city"].value == EVIL
    assert bars["claims"].value == "missing"
    assert bars["age"].lime is not None
    assert full.after.row == 3
    assert e.frame["age"].iloc[3] != 70  # the row itself is as it was


def test_what_if_refuses_what_a_column_cannot_hold(widget: ExplainWidget) -> None:
    assert "age" in ask(widget, "what_if", row=3, changes={AGE: "old"})
    assert "no column" in ask(widget, "what_if", row=3, changes={99: 1})
    assert "no row" in ask(widget, "what_if", row=9_999, changes={})


def test_a_category_nobody_has_seen_is_taken_as_it_is(widget: ExplainWidget) -> None:
    page = ask(widget, "what_if", row=3, changes={CITY: "Atlantis"})
    assert next(b.value for b in page.after.bars if b.at == CITY) == "Atlantis"
    assert any("Atlantis" in n for n in page.notes)


def test_a_long_value_is_known_again_by_what_was_shown_of_it() -> None:
    e = explanation()
    long = "y" * 900
    e.frame.loc["claim-8", "city"] = long
    widget = ExplainWidget(e)
    sent = "y" * 199 + "…"
    page = ask(widget, "what_if", row=3, changes={CITY: sent}, explain=True)
    assert not any("…" in n and "never" in n for n in page.notes)
    from aios_workbench.widgets.explain_beyond import meant

    assert meant(widget.looked, CITY, sent) == long


def test_what_nobody_waits_for_is_not_answered(widget: ExplainWidget) -> None:
    stop = Stop()
    stop.stop()
    with stoppable(stop):
        assert "anew" in ask(widget, "what_if", row=3, changes={AGE: 30})


def test_another_thread_may_ask_at_the_same_time(widget: ExplainWidget) -> None:
    found: list[Any] = []

    def work() -> None:
        found.append(ask(widget, "dependence", column=AGE).scatter.rows.length)
        found.append(len(ask(widget, "rows", order="surprise").lines))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert sorted(found) == [50] * 4 + [200] * 4


def test_points_of_a_scatter_are_where_they_belong(widget: ExplainWidget) -> None:
    page = ask(widget, "dependence", column=SINCE)
    seconds = widget.target.frame["since"].astype("datetime64[s]").astype("int64").to_numpy()
    x = unpack(page.scatter.x)
    assert page.scatter.x_axis.kind == "datetime"
    assert np.abs(x - seconds).max() < 86_400
