"""The open step on a page of its own: pictures, models, plain data, logs, attempts, inputs, lineage, code."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect
from step_page import EVIL, did, grid_of, shot


def test_pictures_models_and_plain_values(page: Page, opened: Any) -> None:
    for step in ("figure", "picture"):
        image = opened(step).get_by_role("img")
        expect(image).to_be_visible()
        assert image.evaluate("e => e.decode().then(() => e.naturalWidth)") > 100
        shot(page, f"value-{step}")
    zoom = page.get_by_role("button", name="Show the picture in full size")
    zoom.click()
    expect(page.get_by_role("button", name="Fit the picture into the page")).to_be_visible()
    pane = opened("model")
    expect(pane.get_by_role("row", name="alpha")).to_contain_text("0.5")
    expect(pane).to_contain_text(re.compile(r'aios\.run\("every-kind.*"\)\["model"\]\.output'))
    shot(page, "value-model")
    expect(opened("nothing")).to_contain_text("None")
    pane = opened("text")
    pane.get_by_label("Search Output of text").fill("line 33 ")
    expect(pane).to_contain_text("1 found")
    expect(pane.locator("mark")).to_have_text("line 33")
    expect(grid_of(opened("matrix"))).to_have_attribute("aria-rowcount", "13")


def test_plain_data_is_a_tree(page: Page, opened: Any) -> None:
    pane = opened("settings")
    tree = pane.get_by_role("tree")
    expect(tree.get_by_role("treeitem").first).to_have_attribute("aria-expanded", "true")
    tree.get_by_role("treeitem").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(tree.locator(":focus")).to_contain_text(EVIL)
    pane.get_by_role("button", name="Copy the path of the marked line").click()
    page.wait_for_function("window.did.some(d => d.startsWith('copied ['))")
    assert 'copied ["model"]["names"][1]' in did(page)
    pane.get_by_label("Search Output of settings").fill("depth")
    expect(tree.get_by_role("treeitem")).to_have_count(3)
    expect(grid_of(opened("records"))).to_contain_text("null")


def test_a_long_log_is_searched_filtered_and_read_backwards(page: Page, opened: Any) -> None:
    pane = opened("chatty")
    pane.get_by_role("tab", name="Log").click()
    log = pane.get_by_role("log")
    expect(log).to_contain_text("needle at the end")
    expect(log.locator("[data-look~=red]").first).to_have_text("red")
    assert log.locator(".aiosw-line").count() < 200
    pane.get_by_label("Search the log").fill("line 00042")
    expect(pane).to_contain_text("1 matching line")
    expect(log.locator("mark")).to_have_text("line 00042")
    shot(page, "log-search")
    pane.get_by_label("Search the log").fill("")
    pane.get_by_label("Level").select_option("error")
    expect(log.locator(".aiosw-line")).to_have_count(1)
    pane.get_by_label("Level").select_option("")
    expect(pane).to_contain_text("500+ lines")
    for _ in range(4):
        log.evaluate("e => { e.scrollTop = 0; e.dispatchEvent(new Event('scroll')) }")
        page.wait_for_timeout(400)
    expect(pane).to_contain_text("6,001 lines")
    log.evaluate("e => { e.scrollTop = 0 }")
    expect(log).to_contain_text("line 00000")
    assert log.locator(".aiosw-line").count() < 200
    pane.get_by_role("button", name="Jump to the end").click()
    expect(log).to_contain_text("needle at the end")


def test_attempts_inputs_lineage_and_code(page: Page, opened: Any) -> None:
    pane = opened("flaky")
    pane.get_by_role("tab", name="Attempts").click()
    attempts = pane.get_by_role("tabpanel").get_by_role("list").first
    expect(attempts).to_contain_text("attempt 2")
    expect(attempts).to_contain_text("after a pause of")
    pane.locator("summary").first.click()
    expect(pane).to_contain_text(f"ConnectionError: refused {EVIL}")
    shot(page, "attempts")
    pane.get_by_role("tab", name="Inputs").click()
    pane.get_by_role("button", name="Show small").click()
    expect(grid_of(pane)).to_contain_text("C-000001")
    pane.get_by_role("tab", name="Lineage").click()
    up = pane.get_by_role("list", name="What it came from")
    expect(up).to_contain_text("small")
    expect(up).to_contain_text("frame")
    shot(page, "lineage")
    up.get_by_role("button", name="small").click()
    pane = page.get_by_role("region", name="Step small")
    # The tab is remembered from step to step.
    expect(pane.get_by_role("tab", name="Lineage")).to_have_attribute("aria-selected", "true")
    expect(pane.get_by_role("list", name="What came from it")).to_contain_text("flaky")
    expect(pane).to_contain_text("1 output came from this.")
    pane.get_by_role("tab", name="Code").click()
    expect(pane.locator("[data-token=keyword]").first).to_have_text("def")
    shot(page, "code")
