"""The drift widget on a page of its own: what it shows, asks and lets people do, in every state it can be in."""

from __future__ import annotations

import json
import re

import pytest
from drift_page import TABS, DriftPage, drag, open_column, row, rows, shot
from fake_drift import CAVEAT, EVIL, STATES, report, wide
from playwright.sync_api import Page, expect

# ---------------------------------------------------------------- states


def test_the_verdict_in_words_and_the_worst_first(drift: DriftPage) -> None:
    root = drift.show(report())
    expect(root.locator(".aiosw-dr-summary")).to_contain_text("4 of 10 columns drifted: income +0.45 PSI")
    expect(root.locator("header .aiosw-chip")).to_have_text("drifted")
    expect(rows(root).first).to_contain_text("drifted")
    expect(row(root, "age")).to_contain_text("small shift")
    heard = r"income numeric · drifted ?, effect ?0.278 ?against 0.1, ?0.451 PSI ?, adjusted p ?< 0.0001"
    expect(root.get_by_role("button", name=re.compile(heard))).to_be_visible()
    expect(root.get_by_role("status").filter(has_text="4 drifted, 3 small, 3 stable")).to_be_attached()
    shot(drift, "columns")


def test_a_thousand_columns_are_drawn_as_they_are_scrolled_to(drift: DriftPage) -> None:
    root = drift.show(wide(1000))
    assert drift.sent["drift"] < 1_300_000
    expect(rows(root).first).to_be_visible()
    assert rows(root).count() < 40
    assert root.locator(".aiosw-dr-stack").count() > 20  # too many to be marks
    rows(root).first.focus()
    drift.page.keyboard.press("End")
    last = root.locator('[data-index="999"]')
    expect(last).to_be_focused()
    drift.page.keyboard.press("Enter")
    expect(root.locator(".aiosw-dr-page")).to_be_visible()  # asked for: it did not come with the view
    expect(root.locator(".aiosw-dr-page")).to_contain_text("1,000 of 1,000")
    root.get_by_role("button", name="drifted 343").click()
    root.get_by_label("Search columns").fill("wide_table")
    expect(root.get_by_role("status").filter(has_text=re.compile("^1[67]\\d of 1,000"))).to_be_visible()
    shot(drift, "wide")
    root.get_by_role("tab", name="Over time").click()
    expect(root.get_by_role("img", name=re.compile("Columns drifted by window"))).to_be_visible()
    assert root.locator(".aiosw-dr-timerow").count() < 40
    shot(drift, "wide_time")


@pytest.mark.parametrize("look", ["light", "dark"])
def test_hostile_names_and_values_are_text(drift: DriftPage, look: str) -> None:
    root = drift.show(STATES["hostile"](), width=800, dark=look == "dark")
    expect(root.locator("header")).to_contain_text(EVIL)
    shot(drift, f"hostile_{look}")
    for name in ("(no name)", "select", "', '", "City", "city", 'a"b', "</td>", EVIL):
        open_column(root, name)
    page = open_column(root, "City")
    expect(page.get_by_role("button", name=re.compile("onerror.*Look at these rows alone"))).to_be_visible()
    for tab in TABS:
        root.get_by_role("tab", name=tab).click()
    assert root.locator("img").count() == 0


def test_the_kernel_is_gone(page: Page, errors: list[str]) -> None:
    opened = DriftPage(page)
    root = opened.show(report())
    page.evaluate("window.model.send = () => {}")
    page.evaluate("window.show({}, 1000)")
    expect(root.get_by_text("Kernel gone")).to_be_visible(timeout=20_000)
    for name in ("Make this a gate", "Export HTML"):
        expect(root.get_by_role("button", name=name)).to_be_disabled()
    expect(root.get_by_role("slider")).to_be_disabled()
    column = open_column(root, "income")  # came with the view
    expect(column.get_by_role("img", name=re.compile("Quantiles of income"))).to_be_visible()
    shot(opened, "lost")


def test_a_stored_report_offers_no_rows_and_says_why(drift: DriftPage) -> None:
    root = drift.show(report(live=False))
    column = open_column(root, "city")
    expect(column).to_contain_text("not at hand")
    assert column.get_by_role("button", name=re.compile("Look at these rows")).count() == 0
    assert column.get_by_role("button", name="Show them").count() == 0
    root.get_by_role("tab", name="Multivariate").click()
    expect(root.get_by_role("tabpanel", name="Multivariate")).to_contain_text("not at hand")
    shot(drift, "stored")


def test_a_refusal_is_said(drift: DriftPage) -> None:
    made = report()
    root = drift.show(made)
    made.moved = lambda *_: (_ for _ in ()).throw(ValueError("the file is gone: current.parquet"))  # type: ignore[assignment,method-assign]
    column = open_column(root, "age")
    column.get_by_role("button", name="Show them").click()
    expect(column.get_by_role("alert")).to_contain_text("the file is gone")
    shot(drift, "refused")


# ---------------------------------------------------------------- one column


def test_a_column_is_sorted_filtered_and_opened_by_keyboard(drift: DriftPage) -> None:
    root = drift.show(report())
    heads = root.locator(".aiosw-dr-heads")
    heads.locator('[data-cell="name"]').click()
    expect(rows(root).first).to_contain_text("onerror")
    expect(root.get_by_role("button", name=re.compile("Sort by Column ?, ascending"))).to_be_visible()
    heads.locator('[data-cell="name"]').click()
    expect(rows(root).first).to_contain_text("visits")
    heads.locator('[data-cell="effect"]').click()
    expect(rows(root).first).to_contain_text("rare")
    root.get_by_role("button", name="drifted 4").click()
    expect(rows(root)).to_have_count(4)
    root.get_by_label("Kind").select_option("categorical")
    expect(rows(root)).to_have_count(1)
    root.get_by_label("Kind").select_option("")
    root.get_by_role("button", name="All 12").click()
    root.get_by_label("Search columns").fill("INC")
    expect(root.locator("mark").first).to_have_text("inc")
    expect(rows(root)).to_have_count(1)
    rows(root).first.focus()
    drift.page.keyboard.press("Enter")
    column = root.get_by_role("region", name="Column income", exact=True)
    expect(column.get_by_text("1 of 1", exact=True)).to_be_visible()
    column.get_by_role("heading", name="Statistics").click()
    column.get_by_role("button", name="Close the column").focus()
    drift.page.keyboard.press("Escape")
    expect(column).to_have_count(0)


def test_a_page_shows_both_sides_since_when_and_the_figures(drift: DriftPage) -> None:
    root = drift.show(report())
    column = open_column(root, "income")
    expect(column.locator(".aiosw-dr-spike")).to_have_count(1)  # one value that many rows have
    over_time = column.get_by_role(
        "img", name=re.compile("10 windows, 5 drifted, another distribution from 2026-06 on")
    )
    expect(over_time).to_be_visible()
    statistics = column.get_by_role("region", name="Statistics of income")
    expect(statistics.locator("tr", has_text="PSI")).to_contain_text(
        re.compile(r"0\.451 \[0\.442, 0\.46\].*bounds from bins, 40,000 rows")
    )
    expect(statistics.locator("tr", has_text="Anderson-Darling")).to_contain_text("sample of 20,000 rows")
    expect(
        column.get_by_role("region", name="Both sides of income").locator("tr", has_text="median")
    ).to_contain_text("20,500")
    column.get_by_text("10 windows in figures").click()
    expect(column.get_by_role("region", name="Windows of income").locator("tbody tr")).to_have_count(10)
    column.get_by_role("button", name="Next column").click()
    expect(root.get_by_role("region", name="Column pressure")).to_be_visible()
    opened_at = open_column(root, "opened")
    expect(opened_at.get_by_role("region", name="Both sides of opened")).to_contain_text("2026-")
    text = open_column(root, "note")
    for part in ("length", "words"):
        expect(text.get_by_role("heading", name=part, exact=True)).to_be_visible()
    shot(drift, "text")


def test_values_new_and_gone_are_told(drift: DriftPage) -> None:
    root = drift.show(report())
    column = open_column(root, EVIL)
    expect(column).to_contain_text(
        "1 new in 48 % of the current rows; 1 gone, which 10 % of the reference had"
    )
    expect(column.locator("em", has_text="new")).to_have_count(1)
    expect(column.locator("em", has_text="gone")).to_have_count(1)
    shot(drift, "values")


def test_a_bar_takes_a_slice_and_chips_take_it_off(drift: DriftPage) -> None:
    made = report()
    root = drift.show(made)
    column = open_column(root, "city")
    column.get_by_role("button", name=re.compile("^Bonn .*Look at these rows alone")).click()
    chips = root.get_by_role("group", name="Rows looked at")
    expect(chips).to_contain_text("city = Bonn")
    expect(root.locator(".aiosw-dr-sides")).to_contain_text("10,000 rows")
    assert made.calls == [("slice", "city", "Bonn")]
    column = open_column(root, "age")
    bars = column.get_by_role("listbox")
    bars.focus()
    drift.page.keyboard.press("End")
    drift.page.keyboard.press("ArrowLeft")
    expect(column.locator(".aiosw-told").first).to_contain_text("reference")
    drift.page.keyboard.press("Enter")
    expect(chips.get_by_role("button")).to_have_count(3)  # two slices, and all of them
    low, high = made.calls[-1][2]
    assert 90 < low < high < 95
    shot(drift, "slices")
    chips.get_by_role("button", name="Take off city = Bonn").click()
    expect(chips.get_by_role("button")).to_have_count(1)
    chips.get_by_role("button", name=re.compile("Take off age")).click()
    expect(chips).to_have_count(0)
    expect(root.locator(".aiosw-dr-sides")).to_contain_text("20,000 rows")


def test_a_click_in_the_picture_takes_that_value(drift: DriftPage) -> None:
    made = report()
    root = drift.show(made)
    column = open_column(root, "income")
    spike = column.locator(".aiosw-dr-spike-b").bounding_box()
    assert spike is not None
    drift.page.mouse.click(spike["x"] + spike["width"] / 2, spike["y"] + spike["height"] - 4)
    expect(root.get_by_role("group", name="Rows looked at")).to_contain_text("income: 0 to")
    _, name, (low, high) = made.calls[0]
    assert (name, low) == ("income", 0.0)
    assert 0 < high < 1e-300


def test_rows_that_moved_most(drift: DriftPage) -> None:
    made = report()
    root = drift.show(made)
    column = open_column(root, "income")
    column.get_by_role("button", name="Show them").click()
    table = column.get_by_role("region", name=re.compile("rows that moved most in income"))
    expect(table.locator("tbody tr")).to_have_count(20)
    expect(table).to_contain_text(EVIL)
    column.get_by_label("How many rows").select_option("100")
    column.get_by_role("button", name="Show again").click()
    expect(table.locator("tbody tr")).to_have_count(100)
    assert made.calls == [("moved", "income", 20), ("moved", "income", 100)]
    shot(drift, "moved")


# ---------------------------------------------------------------- thresholds


def test_the_threshold_says_at_once_what_would_drift(drift: DriftPage) -> None:
    made = report()
    root = drift.show(made)
    slider = root.get_by_role("slider", name=re.compile("Drifted from an effect of"))
    said = root.locator(".aiosw-dr-threshold output")
    expect(said).to_have_text("4 of 10 columns drifted")
    slider.focus()
    for _ in range(57):
        drift.page.keyboard.press("ArrowRight")
    expect(said).to_have_text("3 of 10 columns drifted")
    expect(root.locator(".aiosw-dr-summary")).to_contain_text("3 of 10")
    expect(row(root, "pressure")).to_contain_text("small shift")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^effect 0.27.*: 3 of 10 columns drifted"))
    assert {c[0] for c in made.calls} == {"judge"}  # no data is read
    assert drift.sent["patch"] < 0.3 * drift.sent["drift"]
    shot(drift, "threshold")
    root.get_by_role("button", name=re.compile("Back to the report")).click()
    expect(said).to_have_text("4 of 10 columns drifted")
    expect(root.get_by_role("button", name=re.compile("Back to the report"))).to_have_count(0)


def test_a_column_has_a_threshold_of_its_own(drift: DriftPage) -> None:
    root = drift.show(report())
    column = open_column(root, "income")
    column.get_by_label("Statistic", exact=True).select_option("psi")
    drag(column.get_by_role("slider"), 190)
    expect(column.locator(".aiosw-chip").first).to_have_text("stable")
    expect(column.locator(".aiosw-dr-own output")).to_contain_text("below")
    root.get_by_role("tab", name="Rules").click()
    panel = root.get_by_role("tabpanel", name="Rules")
    expect(panel).to_contain_text("income PSI from 0.8")
    shot(drift, "own")
    panel.get_by_role("button", name="Remove the threshold of income").click()
    expect(panel).to_contain_text("None: all columns are judged alike")


def test_rules_are_edited_and_refused_beside_their_field(drift: DriftPage) -> None:
    made = report()
    root = drift.show(made)
    root.get_by_role("tab", name="Rules").click()
    panel = root.get_by_role("tabpanel", name="Rules")
    alpha = panel.get_by_label("Adjusted p below")
    alpha.fill("lots")
    alpha.press("Enter")
    expect(panel.get_by_role("alert")).to_have_text("a number between 0 and 1")
    alpha.fill("0.01")
    alpha.press("Enter")
    expect(panel.locator("output")).to_contain_text("2 small")
    share = panel.get_by_label("Share of columns above, %")
    share.fill("30")
    share.press("Tab")
    expect(panel.get_by_role("alert")).to_have_count(0)
    drift.settle()
    assert made.calls[-1][1].max_share == 0.3
    panel.get_by_label("Which rules").select_option("evidently")
    expect(panel).to_contain_text("choice of test and threshold")
    panel.get_by_role("button", name=re.compile("Back to the report")).click()
    expect(alpha).to_have_value("0.05")


# ---------------------------------------------------------------- other tabs, actions


def test_the_shape_of_the_data_and_nulls(drift: DriftPage) -> None:
    root = drift.show(report())
    root.get_by_role("tab", name="Data quality").click()
    panel = root.get_by_role("tabpanel", name="Data quality")
    expect(panel.locator("tbody tr")).to_have_count(4)
    expect(panel).to_contain_text("2 grave")
    expect(panel.locator(".aiosw-dr-nulls")).to_contain_text("0 % → 25 %")
    panel.get_by_role("button", name="pressure").first.click()
    expect(root.get_by_role("region", name="Column pressure")).to_be_visible()


def test_over_time_marks_the_change(drift: DriftPage) -> None:
    root = drift.show(report())
    root.get_by_role("tab", name="Over time").click()
    line = root.locator(".aiosw-dr-timerow").first
    expect(line).to_have_attribute(
        "aria-label", re.compile("income, drifted in 5 of 10 windows, last in 2026-10.*changed in 2026-06")
    )
    line.click()
    expect(root.get_by_role("region", name="Column income", exact=True)).to_be_visible()


def test_what_no_column_shows_alone_is_computed_when_asked(drift: DriftPage) -> None:
    made = report()
    root = drift.show(made)
    root.get_by_role("tab", name="Multivariate").click()
    panel = root.get_by_role("tabpanel", name="Multivariate")
    shot(drift, "multivariate_none")
    panel.get_by_role("button", name="Compute it now").click()
    expect(panel).to_contain_text("AUC 0.81 [0.79, 0.83]")
    expect(panel.get_by_role("region", name="Correlations").locator("tbody tr")).to_have_count(2)
    expect(panel.get_by_role("button", name="Compute it now")).to_have_count(0)
    assert made.calls[0] == ("multivariate",)


def test_estimates_are_never_without_their_caveat(drift: DriftPage) -> None:
    root = drift.show(report())
    root.get_by_role("tab", name="Performance").click()
    panel = root.get_by_role("tabpanel", name="Performance")
    expect(panel.get_by_role("note")).to_have_text(CAVEAT)
    expect(
        panel.get_by_role("img", name="ROC AUC in 10 windows, measured in 8, 0.845 in the reference")
    ).to_be_visible()
    dashed = panel.locator('[data-line="estimated"] polyline').evaluate(
        "e => getComputedStyle(e).strokeDasharray"
    )
    assert dashed != "none"
    expect(panel.locator("tr", has_text="2026-09")).to_contain_text("est. ")
    panel.get_by_role("button", name="accuracy").click()
    expect(panel.get_by_role("note")).to_be_visible()
    expect(panel.get_by_role("img", name="accuracy in 10 windows, measured in 8")).to_be_visible()


def test_gate_code_contract_and_files(drift: DriftPage, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(
        "navigator.clipboard && (navigator.clipboard.writeText = t => Promise.reject(new Error('no')))"
    )
    page.evaluate(
        "document.execCommand = () => { window.copied = document.activeElement.value; return true }"
    )
    root = drift.show(report())
    root.get_by_role("button", name="Make this a gate").click()
    gate = root.get_by_role("group", name="Gate")
    expect(gate).to_contain_text("aios.drift.gate(report")
    shot(drift, "gate")
    gate.get_by_role("button", name="Copy the gate").click()
    assert "drift.gate" in page.evaluate("window.copied")
    root.get_by_role("button", name="Copy code that makes this report").click()
    expect(root.get_by_role("button", name="Copy code that makes this report")).to_have_text("Copied")
    assert "drift.compare" in page.evaluate("window.copied")
    root.get_by_role("button", name="Copy contract as YAML").click()
    expect(root.get_by_role("button", name="Copy contract as YAML")).to_have_text("Copied")
    assert page.evaluate("window.copied").startswith("columns:")
    for what, name in (("HTML", "drift_claims.html"), ("JSON", "drift_claims.json")):
        with page.expect_download() as found:
            root.get_by_role("button", name=f"Export {what}").click()
        assert found.value.suggested_filename == name
        text = found.value.path().read_text(encoding="utf-8")
        assert text.startswith("<!doctype html>") if what == "HTML" else json.loads(text)["name"] == "claims"
