"""Lessons 2 to 4 in a real JupyterLab: every screen they speak of is where they say. Pictures are made here."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from panel_kit import theme
from playwright.sync_api import Locator, Page, expect

if TYPE_CHECKING:
    from tests.conftest import Lab

TUTORIALS = Path(__file__).parents[2] / "tutorials"
LESSON = TUTORIALS / "02_inspect_a_run.ipynb"
TUNE = TUTORIALS / "03_tune_a_knn_index.ipynb"
DRIFT = TUTORIALS / "04_find_drift.ipynb"
CODE = "window.jupyterapp.shell.currentWidget.content.widgets.filter(c => c.model.type === 'code')"
SHOTS = os.environ.get("AIOS_SHOTS")


def picture(inspector: Locator, name: str) -> None:
    """Keep what is on the page, for docs/images, without the empty rest of the window."""
    box, end = inspector.bounding_box(), inspector.locator(".aiosw-code").last.bounding_box()
    assert box is not None
    assert end is not None
    if SHOTS:
        inspector.page.wait_for_timeout(700)
        height = end["y"] + end["height"] - box["y"] + 12
        inspector.page.screenshot(path=f"{SHOTS}/{name}.png", clip={**box, "height": height})


def shot(target: Page | Locator, name: str) -> None:
    if SHOTS:
        (target if isinstance(target, Page) else target.page).wait_for_timeout(
            700
        )  # drawn, for the picture only
        target.screenshot(path=f"{SHOTS}/{name}.png")


def test_lesson_two(page: Page, lab: Lab) -> None:
    trouble: list[str] = []
    page.on("pageerror", lambda e: trouble.append(str(e)))
    shutil.copy(LESSON, lab.root)
    lab.open(page, f"/tree/{LESSON.name}")
    lab.run_all(page)

    graph = page.locator(".aiosw").first
    expect(graph.locator(".aiosw-header .aiosw-chip")).to_have_text("succeeded", timeout=120_000)
    graph.scroll_into_view_if_needed()
    expect(page.get_by_role("img", name=re.compile("^The timeline of the run"))).to_be_attached()
    graph.locator('.aiosw-node[data-step="triage"]').click()
    pane = graph.locator(".aiosw-detail")
    expect(pane.get_by_role("grid")).to_be_visible()
    graph.evaluate("node => node.closest('.jp-Cell').scrollIntoView({block: 'start'})")
    shot(page, "lesson_step")

    graph.get_by_role("button", name="Open in a tab").click()
    inspector = page.locator(".aios-inspector-tab .aiosw")
    expect(inspector.locator(".aiosw-header strong")).to_be_visible()
    page.wait_for_function("() => location.search.includes('aios-run=inspect-claims')")
    inspector.get_by_role("button", name="Close triage").click()
    for name in ("Steps", "Overview", "Events", "History", "Timeline"):
        inspector.get_by_role("tab", name=name, exact=True).click()
        shot(page, f"lesson_{name.lower()}")
    inspector.get_by_role("button", name=re.compile("^prices: succeeded.*attempt 1 failed: .*pause")).hover()
    picture(inspector, "inspect_timeline")

    inspector.get_by_role("tab", name="Compare", exact=True).click()
    other = inspector.get_by_label("Compare with")
    fixed = other.locator("option").nth(-2)  # the oldest but the one that failed
    other.select_option(fixed.get_attribute("value"))
    expect(inspector.locator(".aiosw-verdict")).to_contain_text("differ")
    picture(inspector, "inspect_compare")
    inspector.get_by_role("button", name=re.compile("unusual$")).click()
    expect(inspector.locator(".aiosw-step-diff")).to_contain_text("incident_severity")
    shot(inspector, "lesson_compare_step")

    # The step that failed leads to its cell.
    failed = page.locator(".jp-NotebookPanel .aiosw").nth(1)
    page.locator(".lm-TabBar-tab", has_text=LESSON.name).click()
    failed.scroll_into_view_if_needed()
    failed.locator('.aiosw-node[data-step="unusual"]').click()
    expect(failed.get_by_role("tab", name="Error", exact=True)).to_have_attribute("aria-selected", "true")
    shot(page, "lesson_error")
    assert trouble == []


def test_lesson_three(page: Page, lab: Lab) -> None:
    trouble: list[str] = []
    page.on("pageerror", lambda e: trouble.append(str(e)))
    shutil.copy(TUNE, lab.root)
    lab.open(page, f"/tree/{TUNE.name}")
    lab.run_all(page)

    tuning = page.locator(".jp-NotebookPanel .aiosw-tuning").first
    expect(tuning.locator(".aiosw-tun-dot").first).to_be_attached(timeout=120_000)
    expect(tuning.locator(".aiosw-chip")).to_have_text("finished", timeout=120_000)
    # What is far down the page is not drawn: ask the notebook itself.
    page.wait_for_function(f"() => {CODE}.every(c => c.model.executionCount !== null)", timeout=120_000)
    outputs = f"() => {CODE}.flatMap(c => c.model.outputs.toJSON().map(o => o.output_type))"
    assert "error" not in page.evaluate(outputs)
    # What the lesson picked in code is what the widget shows as chosen.
    chosen = tuning.get_by_role("region", name="The chosen index")
    expect(chosen.get_by_role("button", name="Use this index")).to_be_visible()
    for name in ("Light", "Dark"):
        theme(page, name)
        for _ in range(2):  # cells above are drawn on the way, and move it down again
            tuning.evaluate("node => node.closest('.jp-Cell').scrollIntoView({block: 'start'})")
            shot(page, f"lesson_tuning_{name.lower()}")
    tuning.get_by_role("tab", name="Queries", exact=True).click()
    shot(page, "lesson_tuning_queries")
    for cell in ("recall", "front", "cost", "filter", "bad", "explain", "export"):
        page.evaluate(
            """id => { const cells = window.jupyterapp.shell.currentWidget.content.widgets;
            cells.find(c => c.model.id === id).node.scrollIntoView({block: 'start'}); }""",
            cell,
        )
        shot(page, f"lesson_tuning_cell_{cell}")
    assert trouble == []


def test_lesson_four(page: Page, lab: Lab) -> None:
    trouble: list[str] = []
    page.on("pageerror", lambda e: trouble.append(str(e)))
    shutil.copy(DRIFT, lab.root)
    lab.open(page, f"/tree/{DRIFT.name}")
    lab.run_all(page)
    report = page.locator(".jp-NotebookPanel .aiosw-drift").first
    summary = report.locator(".aiosw-dr-summary")
    expect(summary).to_contain_text("3 of 9 columns drifted: total_claim_amount", timeout=120_000)
    page.wait_for_function(f"() => {CODE}.every(c => c.model.executionCount !== null)", timeout=150_000)
    said = page.evaluate(f"() => JSON.stringify({CODE}.flatMap(c => c.model.outputs.toJSON()))")
    assert '"output_type":"error"' not in said
    for words in (
        "none of 9 columns drifted",  # where there is nothing to find
        "another distribution from 2026-07-13",
        "a model tells current rows from reference rows",
        "as always: ",
        "stopped: ",
        "monitor 'claims' drifted in 2 windows in a row",
    ):
        assert words in said
    for name in ("Light", "Dark"):
        theme(page, name)
        for _ in range(2):  # cells above are drawn on the way, and move it down again
            report.evaluate("node => node.closest('.jp-Cell').scrollIntoView({block: 'start'})")
            shot(page, f"lesson_drift_{name.lower()}")
    report.locator(".aiosw-dr-row", has_text="incident_type").click()
    expect(report.get_by_role("region", name="Column incident_type", exact=True)).to_contain_text("Hail")
    shot(page, "lesson_drift_column")
    assert trouble == []
