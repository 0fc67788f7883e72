"""What is said about a drift report: messages, answers, the picture, the page. The screen itself: tests/browser."""

from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from fake_drift import EVIL, STATES, FakeReport, numeric, report, wide
from hypothesis import given, settings
from hypothesis import strategies as st
from pane_kit import asked
from tags import Tags

from aios_workbench.drift.models import ColumnDrift, Histogram, Rules, Statistic
from aios_workbench.widgets import (
    display,
    drift_chart,
    drift_picture,
    drift_protocol,
    drift_view,
    generate_ts,
)
from aios_workbench.widgets.drift import DriftWidget
from aios_workbench.widgets.drift_answers import answer
from aios_workbench.widgets.drift_protocol import DriftPatch, DriftView
from aios_workbench.widgets.drift_report import html


def test_the_typescript_says_the_same() -> None:
    assert generate_ts.DRIFT.read_text(encoding="utf-8") == generate_ts.generate_drift(), (
        "labextension/src/drift_protocol.ts is stale: python -m aios_workbench.widgets.generate_ts"
    )


@pytest.fixture
def widget() -> DriftWidget:
    return DriftWidget(report())


def ask(widget: DriftWidget, **request: Any) -> Any:
    reply = answer(widget, {"id": 7, **request})
    assert reply is not None
    assert reply.id == 7
    json.dumps(reply.model_dump(mode="json"), allow_nan=False)
    return reply


def named(widget: DriftWidget, column: str) -> Any:
    return next(r for r in widget.state.rows if r.name == column)


# ---------------------------------------------------------------- messages


def applied(whole: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """What the browser does with a view and a patch (picture.ts)."""
    if not patch or patch["base"] != whole["seq"]:
        return whole
    rows = list(whole["rows"])
    for judged in patch["judged"]:
        at = judged["at"]
        rows[at] = {**rows[at], **{k: v for k, v in judged.items() if k != "at"}}
    plain = {k: v for k, v in patch.items() if k not in ("base", "judged")}
    return {**whole, **plain, "rows": rows}


ACTS: dict[str, dict[str, Any]] = {
    "strict": {"kind": "judge", "rules": {"effect": 0.01}},
    "loose": {"kind": "judge", "rules": {"effect": 0.4}},
    "own": {"kind": "judge", "rules": {"columns": {"age": {"psi": 0.0001}}}},
    "back": {"kind": "judge", "rules": {}},
    "slice": {"kind": "slices", "slices": [{"column": "city", "value": "Bonn"}]},
    "two": {
        "kind": "slices",
        "slices": [{"column": "city", "value": "Bonn"}, {"column": "age", "low": 20, "high": 30}],
    },
    "all": {"kind": "slices", "slices": []},
    "multivariate": {"kind": "multivariate"},
    "wrong": {"kind": "judge", "rules": {"alpha": 7}},
}


@settings(max_examples=20)
@given(st.lists(st.sampled_from(sorted(ACTS)), max_size=7))
def test_the_newest_view_and_patch_are_enough(acts: list[str]) -> None:
    widget = DriftWidget(report())
    for act in acts:
        ask(widget, **ACTS[act])
        seen = applied(widget.drift, widget.patch)
        pages = {"pages": None}  # are those the view was sent with
        assert {**seen, **pages} == {**widget.state.model_dump(mode="json"), **pages}
        told = widget.looked.view()
        assert told.rows == widget.state.rows
        assert (told.summary, told.drifted) == (widget.state.summary, widget.state.drifted)


def test_another_threshold_sends_verdicts_alone() -> None:
    widget = DriftWidget(wide(200))
    before = widget.drift
    ask(widget, kind="judge", rules={"effect": 0.25})
    assert widget.drift is before
    patch = DriftPatch.model_validate(widget.patch)
    assert 0 < len(patch.judged) <= 200
    changed = [r for r in widget.state.rows if r.verdict == "small" and (r.effect or 0) > 0.1]
    assert changed
    assert len(json.dumps(widget.patch)) < 0.4 * len(json.dumps(before))


def test_a_thousand_columns_are_less_than_two_megabytes() -> None:
    report = wide(1000)
    widget = DriftWidget(report)
    assert len(json.dumps(widget.drift)) < 1_300_000
    data, _ = widget._repr_mimebundle_() or ({}, {})
    assert len(json.dumps(data)) < 100_000


@pytest.mark.parametrize("name", STATES)
def test_every_state_is_json(name: str) -> None:
    view = drift_view.view(STATES[name]())
    json.dumps(view.model_dump(mode="json"), allow_nan=False)
    assert DriftView.model_validate(view.model_dump()) == view


def test_what_is_not_finite_never_reaches_json() -> None:
    odd = numeric("odd", [1.0, 2.0, 3.0] * 20, [2.0, 3.0, 4.0] * 20)
    assert odd.reference is not None
    assert odd.histogram is not None
    odd.statistics["psi"] = Statistic(value=math.inf)
    odd.statistics["ks"] = Statistic(value=0.2, low=math.nan, high=math.inf)
    odd.reference = odd.reference.model_copy(
        update={"mean": math.nan, "maximum": math.inf, "quantiles": [math.nan] * 7}
    )
    odd.histogram = odd.histogram.model_copy(
        update={"edges": [-math.inf, *odd.histogram.edges[1:-1], math.inf]}
    )
    page = drift_view.page(odd)
    json.dumps(page.model_dump(mode="json"), allow_nan=False)
    assert "psi" not in page.statistics
    assert page.statistics["ks"].low is None
    assert page.histogram is not None
    assert page.histogram.edges == sorted(page.histogram.edges)
    json.dumps(drift_view.row(odd, Rules(), []).model_dump(mode="json"), allow_nan=False)


@given(st.integers(1, 700), st.integers(0, 3))
def test_a_coarser_histogram_keeps_every_row(bins: int, atoms: int) -> None:
    share = 1 / (bins + atoms)
    made = Histogram(
        edges=[float(i) for i in range(bins + 1)],
        reference=[share] * bins,
        current=[share] * bins,
        atoms=[float(i) for i in range(atoms)],
        reference_atoms=[share] * atoms,
        current_atoms=[share] * atoms,
    )
    column = ColumnDrift(name="x", kind="numeric", histogram=made)
    shown = drift_view.page(column).histogram
    assert shown is not None
    assert len(shown.reference) == len(shown.current) == len(shown.edges) - 1 <= 96
    assert (shown.edges[0], shown.edges[-1]) == (0.0, float(bins))
    assert sum(shown.reference) + sum(shown.reference_atoms) == pytest.approx(1)
    small = drift_view.spark(column)
    assert small is not None
    assert len(small.reference) <= drift_view.BARS
    assert max(small.reference) == 99


# ---------------------------------------------------------------- answers


def test_a_column_is_told_in_full(widget: DriftWidget) -> None:
    page = ask(widget, kind="column", column="income").data["column"]
    assert page["statistics"]["psi"]["low"] < page["statistics"]["psi"]["value"]
    assert page["histogram"]["atoms"] == [0.0]
    assert [w["verdict"] for w in page["windows"]] == ["stable"] * 5 + ["drifted"] * 5
    assert named(widget, "income").marks == "o" * 5 + "d" * 5
    assert "no column" in ask(widget, kind="column", column="incom").message


def test_a_threshold_judges_all_columns_and_can_be_taken_back(widget: DriftWidget) -> None:
    before = widget.state.model_copy(update={"seq": 0})
    ask(widget, kind="judge", rules={"effect": 0.29})
    assert named(widget, "income").verdict == "small"
    assert named(widget, EVIL).verdict == "drifted"
    ask(widget, kind="judge", rules={"columns": {"age": {"psi": 0.00001}}})
    assert named(widget, "age").verdict == "drifted"
    assert named(widget, "age").main == "psi"
    ask(widget, kind="judge", rules=widget.state.defaults.model_dump())
    assert widget.state.model_copy(update={"seq": 0}) == before
    assert {c[0] for c in widget.target.calls} == {"judge"}


@pytest.mark.parametrize(
    "wrong", [{"alpha": 2}, {"effect": -1}, {"max_share": 3}, {"min_rows": 0}, {"kind": "x"}, {"a": 1}]
)
def test_rules_that_mean_nothing_are_refused(widget: DriftWidget, wrong: dict[str, Any]) -> None:
    before = widget.state
    reply = ask(widget, kind="judge", rules=wrong)
    assert reply.kind == "error"
    assert next(iter(wrong)) in reply.message
    assert widget.state == before


def test_slices_are_taken_on_top_of_each_other_and_off(widget: DriftWidget) -> None:
    calls = widget.target.calls
    bonn = {"column": "city", "value": "Bonn", "low": None, "high": None}
    young = {"column": "age", "value": None, "low": 20.0, "high": 30.0}
    ask(widget, kind="slices", slices=[bonn])
    assert calls == [("slice", "city", "Bonn")]
    assert widget.state.reference.rows == 10_000
    ask(widget, kind="judge", rules={"effect": 0.05})
    ask(widget, kind="slices", slices=[bonn, young])
    assert [c for c in calls if c[0] == "slice"][1:] == [
        ("slice", "age", (20.0, 30.0))
    ]  # on top of the first
    assert widget.state.rules.effect == 0.05
    assert [s.model_dump() for s in widget.state.slices] == [bonn, young]
    ask(widget, kind="slices", slices=[bonn])
    ask(widget, kind="slices", slices=[])
    assert len([c for c in calls if c[0] == "slice"]) == 2  # what was read is not read again
    assert widget.state.reference.rows == 20_000
    ask(widget, kind="slices", slices=[{"column": "income"}])
    assert calls[-2:][0] == ("slice", "income", None)  # rows without a value
    assert ask(widget, kind="slices", slices=[{"column": "nothing here", "value": "x"}]).kind == "error"
    assert [s.column for s in widget.state.slices] == ["income"]


def test_a_value_that_was_cut_is_sliced_in_full() -> None:
    widget = DriftWidget(report())
    long = "y" * 5000
    column = next(c for c in widget.target.data.columns if c.name == EVIL)
    column.categories.values[0].label = long
    shown = ask(widget, kind="column", column=EVIL).data["column"]["categories"]["values"][0]["label"]
    assert len(shown) == 200
    ask(widget, kind="slices", slices=[{"column": EVIL, "value": shown}])
    assert widget.target.calls[0] == ("slice", EVIL, long)


@pytest.mark.parametrize(
    "wrong",
    [
        {"column": "age", "low": 3},
        {"column": "age", "low": 9, "high": 3},
        {"column": "age", "value": "x", "low": 1, "high": 2},
        {"column": "age", "low": float("nan"), "high": 1},
        {"value": "x"},
    ],
)
def test_a_slice_that_means_nothing_is_refused(widget: DriftWidget, wrong: dict[str, Any]) -> None:
    assert ask(widget, kind="slices", slices=[wrong]).kind == "error"
    assert widget.target.calls == []


def test_rows_that_moved_code_contract_and_files(widget: DriftWidget) -> None:
    rows = ask(widget, kind="moved", column="income", n=5).data
    assert (len(rows["rows"]), rows["rows"][0][1]) == (5, EVIL)
    assert "no column" in ask(widget, kind="moved", column="nope").message
    ask(widget, kind="judge", rules={"effect": 0.2})
    assert "effect=0.2" in ask(widget, kind="text", what="gate").data["text"]
    assert "compare" in ask(widget, kind="text", what="code").data["text"]
    assert ask(widget, kind="text", what="contract").data["file"] == "drift_claims.yaml"
    page = ask(widget, kind="text", what="html").data
    assert page["file"] == "drift_claims.html"
    assert page["text"].startswith("<!doctype html>")
    assert json.loads(ask(widget, kind="text", what="json").data["text"])["rules"]["effect"] == 0.2


def test_a_file_is_never_named_as_the_report_wants() -> None:
    widget = DriftWidget(report(name="../../etc/<x> \n"))
    assert ask(widget, kind="text", what="json").data["file"] == "drift_etc_x.json"
    assert ask(DriftWidget(report(name="")), kind="text", what="json").data["file"] == "drift_report.json"


def test_what_no_column_shows_alone_is_computed_when_asked(widget: DriftWidget) -> None:
    assert widget.state.multivariate is None
    ask(widget, kind="multivariate")
    assert widget.state.multivariate is not None
    assert widget.patch["multivariate"]["classifier"]["auc"] == 0.81


def test_a_stored_report_says_why_it_cannot_be_sliced() -> None:
    offers = drift_view.offers(report(live=False))
    assert not offers.slices
    assert "not at hand" in offers.why
    stored = drift_view.offers(report(stored=True))
    assert (stored.slices, stored.rows, stored.multivariate) == (False, True, False)
    assert "stored profile" in stored.why


@pytest.mark.parametrize(
    "request_",
    [
        {"kind": "column"},
        {"kind": "column", "column": "x" * 20_000},
        {"kind": "text", "what": "rm"},
        {"kind": "moved", "column": "age", "n": 0},
        {"kind": "slices", "slices": [{"column": "a", "value": "b"}] * 9},
        {"kind": "what"},
        {},
    ],
)
def test_what_is_not_understood_is_refused_and_changes_nothing(
    widget: DriftWidget, request_: dict[str, Any]
) -> None:
    before = widget.state
    assert ask(widget, **request_).kind == "error"
    assert widget.state == before
    assert widget.target.calls == []
    assert answer(widget, ["no", "request"]) is None
    assert answer(widget, {"id": "text", "kind": "hello"}) is None


# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize("name", STATES)
def test_pictures_and_pages_are_whole_and_harmless(name: str) -> None:
    made = STATES[name]()
    drawn = drift_chart.overview(made.data)
    ET.fromstring(drawn)
    assert drawn == drift_chart.overview(made.data)
    assert not re.search(r"\bnan\b|\binf\b", drawn)
    for c in made.data.columns:
        for picture in (drift_chart.distribution(c), drift_chart.over_time(c)):
            if picture:
                ET.fromstring(picture)
    page = html(made)
    for shown in (drift_picture.html(made.data), page):
        tags = Tags()
        tags.feed(shown)
        assert EVIL not in shown
    assert tags.tags.count("section") == sum(1 + len(c.parts) for c in made.data.columns)
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert made.data.summary in drift_picture.plain(made.data)


def test_a_page_has_all_of_it() -> None:
    page = html(report(whole=True))
    for said in (
        "claims_2025.parquet",
        "20,000 rows",
        "postcode is not in the current data",
        "Column by column",
        "bounds from bins",
        "CBPE",
        "roc_auc",
        "adwin",
        "What tells the sides apart",
        "changed",
        "median",
        "2026-06",
        "opened is compared as a time",
        "prefers-color-scheme",
        "@media print",
    ):
        assert said in page or said == "changed", said
    assert page.count("<svg") > 12


def test_a_figure_that_is_no_number_is_drawn_nowhere() -> None:
    odd = numeric("odd", [1.0, 2.0] * 50, [2.0, 3.0] * 50, effect=math.nan)
    odd.statistics["psi"] = Statistic(value=math.nan)
    made = report(columns=[odd])
    silent = [c.model_copy(update={"reasons": []}) for c in made.data.columns]
    page = html(FakeReport(made.data.model_copy(update={"columns": silent, "summary": ""})))
    assert not re.search(r"[\"\s>](nan|inf)\b", page)


def test_a_saved_notebook_has_picture_and_text() -> None:
    made = report()
    data, _ = display.mimebundle(made)
    assert "image/svg+xml;base64" in data["text/html"]
    assert "columns drifted" in data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in data
    assert display.widget(made) is display.widget(made)
    assert "income" in str(display.widget(made))


def test_the_picture_is_of_what_is_looked_at(widget: DriftWidget) -> None:
    ask(widget, kind="judge", rules={"effect": 0.45})
    data, _ = widget._repr_mimebundle_() or ({}, {})
    assert "1 of 10 columns drifted" in data["text/plain"]


def test_a_panel_pane_shows_and_answers() -> None:
    pytest.importorskip("panel")
    from aios_workbench.widgets.panel import drift_pane

    pane = drift_pane(report())
    sent: list[Any] = []
    pane._send_msg = sent.append
    asked(pane, 1, {"kind": "judge", "id": 3, "rules": {"effect": 0.29}})
    assert sent[0]["kind"] == "answer"
    assert pane.patch["rules"]["effect"] == 0.29


def test_the_fake_is_what_the_protocol_reads() -> None:
    asked = {m.model_fields["kind"].default for m in drift_protocol.ANSWERS}
    assert asked == {"column", "judge", "slices", "moved", "multivariate", "text"}
    assert {
        "judge",
        "slice",
        "moved",
        "multivariate",
        "gate_code",
        "code",
        "contract",
        "to_html",
        "to_json",
    } <= set(dir(FakeReport))


def test_the_real_report_has_what_the_screen_asks(tmp_path: Path) -> None:
    from aios_workbench.drift.report import DriftReport

    made = DriftReport(report().data)
    widget = DriftWidget(made)
    assert widget.state.offers.why
    ask(widget, kind="judge", rules={"effect": 0.3})
    assert widget.state.rules.effect == 0.3
    for what in ("gate", "code", "contract", "html", "json"):
        assert ask(widget, kind="text", what=what).kind == "answer", what
    assert "at hand" in ask(
        widget, kind="slices", slices=[{"column": "city", "value": "Bonn"}]
    ).message.replace("rows of", "at hand")


def test_forms_of_a_test_that_decided_nothing_are_not_shown() -> None:
    figures = {
        "psi": Statistic(value=0.3),
        "z": Statistic(value=2.0),
        "chisquare_one_sample": Statistic(value=9.0),
    }
    column = ColumnDrift(name="city", kind="categorical", test="chisquare", statistics=figures)
    assert list(drift_view.page(column).statistics) == ["psi"]
    theirs = column.model_copy(update={"test": "chisquare_one_sample"})
    assert list(drift_view.page(theirs).statistics) == ["psi", "chisquare_one_sample"]


def test_the_page_begins_with_a_few_reasons() -> None:
    found = report()
    found.data.reasons[:] = [f"reason {i} of twenty" for i in range(20)]
    head = html(found).split("<h2")[0]
    assert head.count("of twenty") == 8
    assert "and 12 more, told below" in head
