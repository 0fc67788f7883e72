"""The explanation's widget on a page of its own: what it shows, asks and lets people do."""

from __future__ import annotations

import re
from collections.abc import Callable

import explain_payloads
import pytest
from explain_page import TABS, ExplainPage, shot, tab, visit
from explain_payloads import EVIL, VIEWS, view
from playwright.sync_api import Page, expect

from aios_workbench.widgets import explain_protocol as wire


def until(true: Callable[[], bool], opened: ExplainPage) -> None:
    """Wait for what the page asks by itself, a while after something was typed."""
    for _ in range(100):
        if true():
            return
        opened.page.wait_for_timeout(50)
    raise AssertionError("it was not asked")


# ---------------------------------------------------------------- all rows


def test_what_counts_and_every_check_is_in_sight(explain: ExplainPage) -> None:
    root = explain.show(view())
    expect(root.locator("header .aiosw-chip")).to_have_text("1 check failed")
    expect(root.locator("header")).to_contain_text("LIME: 40 rows, 5,000 samples, 3 seeds")
    checks = root.get_by_role("region", name="Checks", exact=True).first
    expect(checks.get_by_role("button").first).to_contain_text(
        "Correlated columns"
    )  # the worst first, opened
    expect(checks).to_contain_text("credit between them is arbitrary. Measured 0.97, threshold 0.7.")
    names = root.locator(".aiosw-ex-lines li button b")
    assert names.all_inner_texts()[:4] == ["income", "age", EVIL, "city"]
    heard = "income ?, mean size 0.2, by LIME 0.18, mean \\+0.01"
    expect(root.get_by_role("button", name=re.compile(heard))).to_be_visible()
    expect(root.get_by_role("img", name=re.compile("Beeswarm: 400 rows in 10 columns"))).to_be_visible()
    for name in TABS:
        tab(root, name)
        expect(checks).to_be_visible()


def test_a_dot_of_the_swarm_opens_its_row(explain: ExplainPage) -> None:
    root = explain.show(view())
    canvas = root.get_by_role("img", name=re.compile("Beeswarm"))
    frame = canvas.bounding_box()
    assert frame is not None
    # The densest place: dots of the second line around nothing.
    for x in range(20):
        explain.page.mouse.move(frame["x"] + frame["width"] * (0.45 + x / 200), frame["y"] + 24 + 48)
        if root.locator(".aiosw-ex-tip").count():
            break
    told = root.locator(".aiosw-ex-tip")
    expect(told).to_have_text(re.compile(r"^row \d+: age .0\.\d+$"))
    row = int(re.findall(r"\d+", told.inner_text())[0])
    explain.page.mouse.down()
    explain.page.mouse.up()
    expect(root.get_by_role("tab", name="One row")).to_have_attribute("aria-selected", "true")
    expect(root.get_by_role("heading", name=re.compile(f"^Row {row}\\b"))).to_be_visible()


def test_the_swarm_is_drawn(explain: ExplainPage) -> None:
    root = explain.show(view())
    drawn = "c => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"
    assert root.locator(".aiosw-ex-swarm canvas").first.evaluate(drawn) > 100  # many colours


def test_a_column_opens_with_its_dependence(explain: ExplainPage) -> None:
    root = explain.show(view())
    root.locator(".aiosw-ex-lines li button").nth(1).click()
    opened = root.get_by_role("region", name="How age acts")
    expect(opened).to_contain_text("carries the same information as Age")
    expect(opened).to_contain_text("It interacts most with income.")
    opened.get_by_label("coloured by").select_option("3")
    explain.settle()
    assert explain.widget.of("dependence")[-1]["colour"] == 3
    opened.get_by_role("button", name="What the model says").click()
    expect(
        opened.get_by_role("img", name=re.compile("Partial dependence of the prediction on age"))
    ).to_be_visible()
    opened.get_by_role("button", name="Close age").focus()
    explain.page.keyboard.press("Escape")
    expect(opened).to_have_count(0)


def test_many_columns_are_searched(explain: ExplainPage) -> None:
    root = explain.show(VIEWS["wide"]())
    expect(root.locator(".aiosw-ex-lines li")).to_have_count(20)
    root.get_by_role("button", name="Top 50").click()
    expect(root.locator(".aiosw-ex-lines li")).to_have_count(50)
    root.get_by_label("Search columns").fill("COLUMN 49")
    expect(root.locator(".aiosw-ex-lines li")).to_have_count(11)
    expect(root.locator(".aiosw-ex-lines mark").first).to_have_text("column 49")
    expect(root.get_by_role("status").filter(has_text="11 of 500 columns")).to_be_visible()
    shot(explain, "wide")


# ---------------------------------------------------------------- one row


def test_a_row_is_taken_apart_by_both(explain: ExplainPage) -> None:
    root = explain.show(view())
    panel = tab(root, "One row")
    expect(panel.get_by_role("img", name=re.compile("Waterfall from 0.31 to"))).to_be_visible()
    beside = panel.get_by_role(
        "img", name=re.compile("SHAP and LIME for 10 columns on one axis. They disagree on age")
    )
    expect(beside).to_be_visible()
    expect(panel.locator("li[data-differ]")).to_contain_text("≠ other sign")
    panel.get_by_label("disagreements first").check()
    expect(panel.locator("[data-two] li").first).to_contain_text("age")
    panel.get_by_role("button", name="Force", exact=True).click()
    expect(
        panel.get_by_role("img", name=re.compile(r"^Force: \d columns raise the prediction by"))
    ).to_be_visible()
    shot(explain, "force")
    panel.locator(".aiosw-ex-details summary").click()
    table = panel.get_by_role("region", name="Figures of row 0")
    expect(table.locator("tbody tr")).to_have_count(10)
    expect(table.locator("tr", has_text="≠ no")).to_have_count(1)
    panel.get_by_role("button", name="Next row").click()
    expect(panel.get_by_role("heading", name=re.compile("^Row 1"))).to_be_visible()


def test_the_parts_of_the_waterfall_end_at_the_prediction(explain: ExplainPage) -> None:
    root = explain.show(view())
    panel = tab(root, "One row")
    bars = panel.locator(".aiosw-ex-rows:not([data-two]) .aiosw-ex-bar")
    boxes = bars.evaluate_all("all => all.map(b => { const r = b.getBBox(); return [r.x, r.x + r.width]; })")
    signs = bars.evaluate_all("all => all.map(b => b.dataset.sign)")
    tip = boxes[0][1] if signs[0] == "up" else boxes[0][0]
    end = panel.locator(".aiosw-ex-outcome").evaluate("p => p.getBBox().x")
    start = panel.locator(".aiosw-ex-baseline").evaluate("p => p.getBBox().x")
    foot = boxes[-1][0] if signs[-1] == "up" else boxes[-1][1]
    assert (tip, foot) == pytest.approx((end, start), abs=1.1)
    for (a, b), sign, below, below_sign in zip(boxes, signs, boxes[1:], signs[1:], strict=False):
        assert (a if sign == "up" else b) == pytest.approx(
            below[1] if below_sign == "up" else below[0], abs=1.1
        )


def test_rows_are_found_by_place_search_surprise_and_disagreement(explain: ExplainPage) -> None:
    root = explain.show(view())
    panel = tab(root, "One row")
    asked = explain.widget.of
    expect(panel.get_by_role("region", name="Rows").locator("tbody tr")).to_have_count(8)
    panel.get_by_role("button", name="Most surprising").click()
    explain.settle()
    assert (asked("rows")[-1]["order"], asked("rows")[-1]["descending"]) == ("surprise", True)
    panel.get_by_role("button", name="Most disagreeing").click()
    explain.settle()
    assert (asked("rows")[-1]["order"], asked("rows")[-1]["descending"]) == ("agreement", False)
    panel.get_by_role("button", name="All", exact=True).click()
    panel.get_by_role("button", name="income", exact=True).click()
    explain.settle()
    assert [asked("rows")[-1][k] for k in ("order", "column", "descending")] == ["value", 0, True]
    panel.get_by_label("Search rows").fill("Bonn")
    until(lambda: asked("rows")[-1]["search"] == "Bonn", explain)
    panel.get_by_label("row", exact=True).fill("123")
    panel.get_by_role("button", name="Open", exact=True).click()
    expect(panel.get_by_role("heading", name=re.compile("^Row 123"))).to_be_visible()
    panel.get_by_label("row", exact=True).fill("400")
    expect(panel.get_by_role("button", name="Open", exact=True)).to_be_disabled()  # there are rows 0 to 399


def test_rows_drawn_around_are_marked_everywhere(explain: ExplainPage) -> None:
    root = explain.show(view())
    panel = tab(root, "One row")
    panel.get_by_role("button", name="Scatter", exact=True).click()
    points = panel.get_by_role("listbox", name=re.compile("^All rows. 400 points"))
    frame = points.bounding_box()
    assert frame is not None
    mouse = explain.page.mouse
    corners = [(0.3, 0.1), (0.3, 0.95), (0.7, 0.95), (0.7, 0.1), (0.35, 0.08)]
    mouse.move(frame["x"] + frame["width"] * 0.3, frame["y"] + frame["height"] * 0.08)
    mouse.down()
    for x, y in corners:
        mouse.move(frame["x"] + frame["width"] * x, frame["y"] + frame["height"] * y, steps=8)
    expect(panel.locator(".aiosw-ex-lasso")).to_be_visible()
    mouse.up()
    said = panel.get_by_role("status").filter(has_text="rows marked")
    expect(said).to_be_visible()
    n = int(said.inner_text().split()[0])
    assert 50 < n < 400
    shot(explain, "lasso")
    panel.get_by_role("button", name="Show them in the table").click()
    expect(panel.get_by_role("button", name=f"Marked {n}")).to_have_attribute("aria-pressed", "true")
    assert len(explain.widget.of("rows")[-1]["among"]) == n
    cohorts = tab(root, "Cohorts")
    cohorts.get_by_role("button", name="Compare").click()
    expect(cohorts.get_by_role("heading", name="A is higher by 0.2")).to_be_visible()
    assert len(explain.widget.of("cohorts")[-1]["a"]["rows"]) == n
    root.locator("header").get_by_role("button", name=re.compile("Take the marks off")).click()
    expect(root.locator("header .aiosw-ex-marks")).to_have_count(0)


def test_points_are_walked_and_marked_by_keyboard(explain: ExplainPage) -> None:
    root = explain.show(view())
    panel = tab(root, "One row")
    panel.get_by_role("button", name="Scatter", exact=True).click()
    points = panel.get_by_role("listbox", name=re.compile("^All rows"))
    points.focus()
    press = explain.page.keyboard.press
    press("Home")
    expect(points.get_by_role("option")).to_have_attribute(
        "aria-label", re.compile(r"^row \d+: first direction")
    )
    press("ArrowRight")
    for _ in range(4):
        press("Shift+ArrowRight")
    expect(panel.get_by_role("status").filter(has_text="5 rows marked")).to_be_visible()
    press("Escape")
    expect(panel.get_by_role("status").filter(has_text="rows marked")).to_have_count(0)
    row = int(re.findall(r"\d+", points.get_by_role("option").get_attribute("aria-label") or "")[0])
    press("Enter")
    expect(panel.get_by_role("heading", name=re.compile(f"^Row {row}\\b"))).to_be_visible()


def test_a_text_is_marked_token_by_token(explain: ExplainPage) -> None:
    words = [
        ("The", 0.01),
        (" ", None),
        ("claim", -0.3),
        (" ", None),
        (EVIL, 0.4),
        (" ", None),
        ("late", 0.1),
    ]
    tokens = [
        wire.Token(text=t, shap=v, lime=None if v is None else v / 2, agrees=None if v is None else v != -0.3)
        for t, v in words
    ]
    page = explain_payloads.row(0, 7).model_copy(update={"tokens": tokens})
    root = explain.show(view().model_copy(update={"subject": "text", "pages": [page]}), width=800)
    panel = root.get_by_role("tabpanel", name="One row")
    text = panel.locator(".aiosw-ex-text").first
    expect(text).to_contain_text("The claim")
    expect(text.locator('[data-sign="down"]')).to_contain_text("claim")
    expect(text.locator('[data-sign="up"]').nth(1)).to_contain_text(EVIL)
    expect(text.locator("[data-differ]")).to_contain_text("claim")
    lines = [
        text.locator(f'[data-sign="{s}"]').first.evaluate("e => getComputedStyle(e).textDecorationStyle")
        for s in ("up", "down")
    ]
    assert lines == ["solid", "wavy"]
    shot(explain, "text")


# ---------------------------------------------------------------- what if


def test_a_slider_predicts_at_once_and_explains_when_it_rests(explain: ExplainPage) -> None:
    root = explain.show(view())
    panel = tab(root, "What if")
    slider = panel.get_by_role("slider", name="income")
    slider.focus()
    for _ in range(5):
        explain.page.keyboard.press("ArrowRight")
    expect(panel.locator('p[role="status"]')).to_have_text("probability of yes 0.52, +0.14")
    expect(
        panel.get_by_role("img", name=re.compile("Contributions as it is and with the changes"))
    ).to_be_visible()
    asked = explain.widget.of("what_if")
    assert [q["explain"] for q in asked].count(True) == 1  # once it rested
    assert asked[-1]["explain"] is True
    assert asked[-1]["changes"] == asked[-2]["changes"]
    panel.get_by_label("city", exact=True).select_option(EVIL)
    expect(panel.locator("[data-changed]")).to_have_count(2)
    explain.settle()
    shot(explain, "what_if")
    panel.get_by_role("button", name="income as it was").click()
    expect(panel.locator("[data-changed]")).to_have_count(1)
    explain.settle()
    assert set(explain.widget.of("what_if")[-1]["changes"]) == {"3"}
    panel.get_by_role("button", name="All as they were").click()
    expect(panel).to_contain_text("Move a slider")


def test_a_refused_what_if_is_said(explain: ExplainPage) -> None:
    root = explain.show(view())
    explain.widget.refuse["what_if"] = "the endpoint does not answer"
    panel = tab(root, "What if")
    panel.get_by_role("slider", name="income").press("ArrowRight")
    expect(panel.get_by_role("alert")).to_contain_text("the endpoint does not answer")


# ---------------------------------------------------------------- the rest


def test_cohorts_say_what_is_wrong_before_asking(explain: ExplainPage) -> None:
    root = explain.show(view())
    panel = tab(root, "Cohorts")
    panel.get_by_label("These: column").select_option("0")
    panel.get_by_role("textbox", name="from").fill("5")
    panel.get_by_role("textbox", name="to below").fill("1")
    panel.get_by_role("button", name="Compare").click()
    expect(panel.get_by_role("alert")).to_contain_text("“from” has to be below “to”")
    assert explain.widget.of("cohorts") == []
    panel.get_by_role("textbox", name="to below").fill("")
    panel.get_by_role("button", name="Compare").click()
    expect(panel.get_by_role("heading", name="A is higher by 0.2")).to_be_visible()
    sent = explain.widget.of("cohorts")[-1]
    assert (sent["a"]["column"], sent["a"]["low"], sent["a"]["high"], sent["b"]) == (0, 5, None, None)


def test_interactions_are_computed_when_asked_and_walked(explain: ExplainPage) -> None:
    root = explain.show(view())
    panel = tab(root, "Interactions")
    panel.get_by_role("button", name="Compute them").click()
    grid = panel.get_by_role("grid")
    expect(grid.get_by_role("gridcell")).to_have_count(100)
    grid.locator('[tabindex="0"]').focus()
    explain.page.keyboard.press("ArrowDown")
    explain.page.keyboard.press("ArrowRight")
    expect(panel.get_by_role("status")).to_have_text(f"age with {EVIL}: 0.05")
    explain.page.keyboard.press("Enter")
    expect(root.get_by_role("region", name="How age acts")).to_be_visible()


def test_agreement_and_its_worst_rows(explain: ExplainPage) -> None:
    root = explain.show(view())
    panel = tab(root, "Agreement")
    expect(panel.get_by_role("heading", name="How far SHAP and LIME agree, over 40 rows")).to_be_visible()
    expect(panel.get_by_role("listbox", name=re.compile("400 points"))).to_be_visible()
    panel.get_by_role("button", name=re.compile("^Row 2")).click()
    expect(root.get_by_role("heading", name=re.compile("^Row 2"))).to_be_visible()
    without = explain.show(VIEWS["shap_only"]())
    expect(tab(without, "Agreement")).to_contain_text("No second opinion")


def test_pictures_are_saved_and_pinned(explain: ExplainPage) -> None:
    root = explain.show(view())
    root.get_by_label("Picture to take away").select_option("beeswarm")
    with explain.page.expect_download():
        root.get_by_role("button", name="Export Beeswarm as SVG").click()
    sent = explain.widget.of("text")[-1]
    assert (sent["what"], sent["picture"], sent["dark"]) == ("svg", "beeswarm", False)
    root.get_by_role("button", name="Add to model card: Beeswarm").click()
    pinned = root.get_by_role("button", name="In the model card: Beeswarm")
    expect(pinned).to_be_visible()
    expect(root.get_by_role("button", name="Model card (1 picture)")).to_be_visible()
    pinned.click()
    expect(root.get_by_role("button", name="Add to model card: Beeswarm")).to_be_visible()
    root.get_by_label("with single rows").check()
    with explain.page.expect_download():
        root.get_by_role("button", name="Export JSON").click()
    assert explain.widget.of("text")[-1]["raw"] is True


def test_another_output_is_asked_for(explain: ExplainPage) -> None:
    many = view().model_copy(update={"outputs": ["pay", EVIL, "refuse"], "task": "multiclass"})
    root = explain.show(many)
    root.get_by_label("explained output").select_option("2")
    explain.settle()
    assert {q["kind"]: q["output"] for q in explain.widget.asked if q["output"] == 2} == {
        "global": 2,
        "swarm": 2,
        "row": 2,
    }
    expect(root.get_by_role("heading", name="How much each column counts for refuse")).to_be_visible()


# ---------------------------------------------------------------- states


@pytest.mark.parametrize("look", ["light", "dark"])
def test_hostile_names_and_values_are_text(explain: ExplainPage, look: str) -> None:
    root = explain.show(VIEWS["hostile"](), width=800, dark=look == "dark")
    expect(root.locator("header")).to_contain_text(EVIL)
    for name in TABS:
        visit(root, name)
        shot(explain, f"hostile_{look}_{name.split()[0].lower()}")
    assert root.locator("img").count() == 0


def test_a_loaded_explanation_says_what_needs_the_model(explain: ExplainPage) -> None:
    root = explain.show(VIEWS["loaded"]())
    expect(tab(root, "What if")).to_contain_text("the model is not at hand")
    expect(tab(root, "Interactions").get_by_role("button", name="Compute them")).to_be_disabled()
    expect(tab(root, "One row").get_by_role("button", name="Find it")).to_be_disabled()


def test_the_kernel_is_gone(page: Page, errors: list[str]) -> None:
    opened = ExplainPage(page)
    root = opened.show(view())
    page.evaluate("window.model.send = () => {}")
    page.evaluate("window.show({}, 1000)")
    expect(root.get_by_text("Kernel gone")).to_be_visible(timeout=20_000)
    expect(root.get_by_role("button", name="Export HTML")).to_be_disabled()
    expect(root.get_by_role("img", name=re.compile("Beeswarm"))).to_be_visible()  # came with the view
    panel = tab(root, "One row")
    panel.get_by_role("button", name="Row 1", exact=True).click()
    expect(panel.get_by_role("img", name=re.compile("Waterfall"))).to_be_visible()
    shot(opened, "lost")


def test_a_refusal_is_said_beside_what_was_asked(explain: ExplainPage) -> None:
    root = explain.show(view())
    explain.widget.refuse = {
        k: f"{k}: the file is gone"
        for k in ("dependence", "rows", "cohorts", "interactions", "agreement", "text")
    }
    for name, kind in (
        ("All rows", "dependence"),
        ("One row", "rows"),
        ("Cohorts", "cohorts"),
        ("Interactions", "interactions"),
        ("Agreement", "agreement"),
    ):
        panel = visit(root, name)
        expect(panel.get_by_role("alert").first).to_contain_text(f"{kind}: the file is gone")
        shot(explain, f"refused_{kind}")
    root.get_by_role("button", name="Export HTML").click()
    expect(root.locator("header").get_by_role("alert")).to_have_text("text: the file is gone")
