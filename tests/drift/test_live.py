"""What a fresh report can still be asked: slices, rows that moved, columns together, another judgement."""

from __future__ import annotations

import datetime as dt
import json
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aios_workbench import drift
from aios_workbench.drift.comparison import compare
from aios_workbench.drift.profiles import profile
from aios_workbench.errors import DriftInputError
from tests.drift.conftest import HOSTILE, mixed


@pytest.fixture(scope="module")
def sides() -> tuple[pd.DataFrame, pd.DataFrame]:
    a, b = mixed(4000, seed=1), mixed(4000, drift=1.0, seed=2)
    for side in (a, b):
        side["odd"] = np.where(side["member"], "yes'; --", None)
    # drift in one city alone
    b.loc[b["city"] == "Ulm", "steady"] += 2.0
    return a, b


@pytest.fixture(scope="module")
def report(sides: tuple[pd.DataFrame, pd.DataFrame]) -> drift.DriftReport:
    return compare(*sides)


SLICES: list[tuple[str, Any, Any]] = [
    ("city", "Ulm", lambda f: f["city"] == "Ulm"),
    ("member", True, lambda f: f["member"]),
    ("member", "true", lambda f: f["member"]),
    ("odd", None, lambda f: f["odd"].isna()),
    ("odd", "yes'; --", lambda f: f["odd"].notna()),
    ("age", 40, lambda f: f["age"] == 40),
    ("income", (2000, 3000.5), lambda f: (f["income"] >= 2000) & (f["income"] < 3000.5)),
    ("income", (None, 3000), lambda f: f["income"] < 3000),
    ("income", (3000, float("inf")), lambda f: f["income"] >= 3000),
    ("when", ("2026-01-10", dt.date(2026, 2, 1)),
     lambda f: (f["when"] >= "2026-01-10") & (f["when"] < "2026-02-01")),
]  # fmt: skip


@pytest.mark.parametrize(("column", "value", "same"), SLICES)
def test_a_slice_is_the_comparison_of_those_rows(
    report: drift.DriftReport, sides: Any, column: str, value: Any, same: Any
) -> None:
    found = report.slice(column, value)
    a, b = sides
    assert (found.data.reference.rows, found.data.current.rows) == (int(same(a).sum()), int(same(b).sum()))
    direct = compare(profile(a[same(a)], like=report.live.plan), profile(b[same(b)], like=report.live.plan))
    for name in ("steady", "zeros"):
        for statistic in ("ks", "psi"):
            mine, theirs = (r.columns[name].statistics.get(statistic) for r in (found, direct))
            assert mine is not None
            assert mine.value == pytest.approx(theirs.value, abs=1e-9)


def test_a_slice_shows_what_the_whole_hides_and_can_be_sliced_again(report: drift.DriftReport) -> None:
    ulm = report.slice("city", "Ulm")
    assert ulm.columns["steady"].verdict == "drifted"
    assert report.slice("city", "Bonn").columns["steady"].verdict == "stable"
    assert "city = Ulm" in ulm.name
    again = ulm.slice("member", "true")
    assert again.data.current.rows < ulm.data.current.rows
    assert len(again.moved("steady", 3)) == 3


def test_the_last_bin_has_the_greatest_value(report: drift.DriftReport, sides: Any) -> None:
    h = report.columns["steady"].histogram
    assert h is not None
    top = max(float(s["steady"].max()) for s in sides)
    found = report.slice("steady", (h.edges[-2], top))
    assert found.data.current.rows == int((sides[1]["steady"] >= h.edges[-2]).sum())


def test_a_slice_without_rows_is_a_report_that_tells_nothing(report: drift.DriftReport) -> None:
    empty = report.slice("city", "nowhere")
    assert empty.drifted is None
    assert (empty.data.reference.rows, empty.data.current.rows) == (0, 0)
    assert "too" in empty.summary or "not enough" in empty.summary or "no column" in empty.summary


@pytest.mark.parametrize(("column", "value", "message"), [
    ("citty", 1, "did you mean 'city'"), ("city", ("A", "B"), "one value, or for numbers and times"),
    ("income", (1, 2, 3), "is neither"), ("income", ([], 2), "no end of a range"), ("when", ("soon", None), "soon"),
])  # fmt: skip
def test_a_wrong_slice_is_refused(report: drift.DriftReport, column: str, value: Any, message: str) -> None:
    with pytest.raises(DriftInputError, match=message):
        report.slice(column, value)


def test_hostile_names_and_values_can_be_sliced() -> None:
    n = 400
    frames = [
        pd.DataFrame({
            **{name: np.random.default_rng(seed).normal(size=n) for name in HOSTILE[:4]},
            "value": np.resize(np.array(HOSTILE, dtype=object), n),
        })
        for seed in (0, 1)
    ]  # fmt: skip
    report = compare(*frames)
    for value in HOSTILE:
        found = report.slice("value", value)
        assert found.data.current.rows == int((frames[1]["value"] == value).sum())
        assert found.name.isprintable()
    for name in HOSTILE[:4]:
        rows = int(((frames[1][name] >= 0) & (frames[1][name] < 1)).sum())
        assert report.slice(name, (0, 1)).data.current.rows == rows


def test_a_stored_profile_has_no_rows_to_slice(sides: Any) -> None:
    report = compare(profile(sides[0]), sides[1])
    with pytest.raises(DriftInputError, match="the reference side is a stored profile, which has no rows"):
        report.slice("city", "Ulm")
    assert len(report.moved("income", 5)) == 5
    assert report.multivariate() == report.data.multivariate


def test_rows_that_moved_lie_where_the_current_side_is_more(report: drift.DriftReport, sides: Any) -> None:
    rows = report.moved("city", 50)
    assert set(rows["city"]) == {"Kiel"}  # from 10 % to 30 %
    assert rows["unusual"].is_monotonic_decreasing
    steady = report.moved("steady", 50)
    assert (steady["steady"] > sides[0]["steady"].quantile(0.99)).all()
    assert steady["unusual"].between(0.5, 1).all()
    income = report.moved("income", 10)
    assert income["income"].notna().all()
    with pytest.raises(DriftInputError, match="n is 0"):
        report.moved("city", 0)
    with pytest.raises(DriftInputError, match="no distribution"):
        report.moved("when")


def test_columns_together_are_compared_when_asked_for(report: drift.DriftReport) -> None:
    found = report.multivariate()
    assert found is not None
    assert found.classifier is not None
    assert found.verdict == "drifted"
    assert report.multivariate() is found  # kept
    assert report.judge().data.multivariate is found


def test_another_judgement_reads_no_data(report: drift.DriftReport) -> None:
    calm = report.judge(effect=5.0)
    assert {c.verdict for c in calm.columns.values()} <= {"small", "stable", "skipped"}
    assert calm.rules.effect == 5.0
    assert report.columns["income"].verdict == "drifted"
    strict = report.judge(columns={"steady": {"psi": 0.0001}})
    assert strict.columns["steady"].verdict == "drifted"
    again = pickle.loads(pickle.dumps(report)).judge(effect=5.0)
    assert [c.verdict for c in again.data.columns] == [c.verdict for c in calm.data.columns]
    assert report.judge(rules=drift.Rules(kind="evidently")).rules.kind == "evidently"


def test_a_stored_report_of_real_data_has_no_rare_value(sides: Any) -> None:
    a, b = sides[0].copy(), sides[1].copy()
    a.loc[0, "city"], b.loc[1, "city"] = "Onlyhere-ref", "Onlyhere-cur"
    a.loc[2, "income"] = 987654.321
    report = compare(a, b, by="month")
    text = report.to_json()
    assert "Onlyhere" not in text
    assert "987654" not in text
    for extreme in (float(b["steady"].max()), float(a["steady"].min())):
        assert repr(extreme) not in text
    assert "Onlyhere-cur" in report.to_json(raw=True)
    assert len(json.loads(text)["report"]["columns"]) == len(report.columns)


def test_contract_and_code_are_of_this_report(report: drift.DriftReport) -> None:
    assert "  income: {kind: numeric}" in report.contract()
    assert report.code() == "report = aios.drift.compare(reference, current)"
    assert report.to_frame().set_index("column").loc["income", "verdict"] == "drifted"
