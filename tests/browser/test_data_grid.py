"""The data grid on a page of its own, with real answers about a real run: every key, filter and query."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from step_page import EVIL, ROWS, did, grid_of, row, shot


def test_a_small_frame_needs_no_further_request_and_no_empty_box(page: Page, opened: Any) -> None:
    pane = opened("small")
    grid = grid_of(pane)
    expect(grid).to_have_attribute("aria-rowcount", "4")
    expect(row(grid, 2)).to_contain_text("C-000002")
    expect(row(grid, 0).locator(".aiosw-null")).to_have_text("null")
    box = grid.bounding_box()
    assert box
    assert box["height"] < 42 + 4 * 24
    assert [d for d in did(page) if d.startswith("asked")] == ["asked open_step"]


def test_many_rows_are_reached_by_keyboard_wheel_and_scrollbar(page: Page, opened: Any) -> None:
    pane = opened("frame")
    grid = grid_of(pane)
    expect(grid).to_have_attribute("aria-rowcount", str(ROWS + 1))
    expect(pane).to_contain_text("300,000 rows")
    grid.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    active = grid.get_attribute("aria-activedescendant")
    assert active
    expect(page.locator(f'[id="{active}"]')).to_have_attribute("aria-colindex", "3")
    page.keyboard.press("Control+End")
    expect(row(grid, ROWS - 1)).to_contain_text("null")
    page.keyboard.press("Home")
    expect(row(grid, ROWS - 1)).to_contain_text(f"C-{ROWS - 1:06d}")
    page.keyboard.press("PageUp")
    expect(row(grid, ROWS - 1)).to_have_count(1)
    page.keyboard.press("Control+Home")
    expect(row(grid, 0)).to_contain_text("C-000000")
    # The scrollbar stands for all rows; the wheel still moves by a few of them.
    grid.evaluate("e => { e.scrollTop = e.scrollHeight / 2 }")
    middle = grid.locator('[role="row"][aria-rowindex]').nth(3)
    expect(middle.get_by_role("gridcell").first).to_have_text(re.compile(r"C-1[45]\d{4}"))
    before = int(middle.get_attribute("aria-rowindex") or 0)
    assert abs(before - ROWS / 2) < 1000
    grid.hover()
    page.mouse.wheel(0, 120)
    expect(middle).to_have_attribute("aria-rowindex", str(before + 5))
    shot(page, "grid-middle")


def test_rows_passed_over_are_not_waited_for(page: Page, opened: Any) -> None:
    grid = grid_of(opened("frame"))
    expect(row(grid, 3)).to_contain_text("C-000003")
    for part in range(1, 9):
        grid.evaluate("(e, part) => { e.scrollTop = e.scrollHeight * part / 9 }", part)
        page.wait_for_timeout(60)
    last = grid.locator('[role="row"][aria-rowindex]').nth(4)
    expect(last.get_by_role("gridcell").first).to_have_text(re.compile(r"C-26\d{4}"))
    assert did(page).count("asked table") <= 12


def test_sorting_by_one_and_by_two_columns(page: Page, opened: Any) -> None:
    pane = opened("frame")
    grid = grid_of(pane)
    head = grid.get_by_role("columnheader", name=re.compile("^amount"))
    head.get_by_role("button", name="amount", exact=False).first.click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect(row(grid, 0).get_by_role("gridcell").nth(1)).not_to_have_text("null")
    head.get_by_role("button").first.click()
    expect(head).to_have_attribute("aria-sort", "descending")
    first = row(grid, 0).get_by_role("gridcell").nth(1)
    expect(first).to_have_text(re.compile(r"^1\d{4}\.?\d*$"))
    grid.get_by_role("columnheader", name=re.compile("^region")).get_by_role("button").first.click()
    expect(head).to_have_attribute("aria-sort", "none")
    head.get_by_role("button").first.click(modifiers=["Shift"])
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect(head.locator("sub")).to_have_text("2")
    expect(row(grid, 0)).to_contain_text(EVIL)
    shot(page, "grid-sorted")
    pane.get_by_role("button", name="Copy the code of these rows").click()
    page.wait_for_function("window.did.some(d => d.startsWith('copied aios.run'))")
    assert "region" in next(d for d in did(page) if d.startswith("copied"))


def test_filters_are_applied_said_and_taken_off(page: Page, opened: Any) -> None:
    pane = opened("frame")
    grid = grid_of(pane)
    pane.get_by_role("button", name="Filter", exact=True).click()
    card = pane.get_by_role("region", name=re.compile("^Column "))
    card.get_by_label("Column", exact=True).select_option("region")
    card.get_by_role("group", name="Frequent values of region").get_by_role(
        "button", name=re.compile("^south")
    ).click()
    expect(pane).to_contain_text(re.compile(r"matched 5\d,\d{3} of 300,000 rows"))
    expect(row(grid, 0)).to_contain_text("south")
    shot(page, "grid-filter")
    card.get_by_label("Column", exact=True).select_option("amount")
    card.get_by_label("Condition on amount").select_option("between")
    card.get_by_role("textbox", name="From").fill("ten")
    card.get_by_role("textbox", name="To").fill("20")
    card.get_by_role("button", name="Apply filter").click()
    expect(card.get_by_role("alert")).to_have_text("“ten” is not a number.")
    card.get_by_role("textbox", name="From").fill("10")
    card.get_by_role("button", name="Apply filter").click()
    chips = pane.get_by_role("list", name="Active filters")
    expect(chips.get_by_role("listitem").nth(1)).to_contain_text("amount between 10 and 20")
    card.get_by_label("or in SQL: where").fill("amount > ")
    card.get_by_label("or in SQL: where").press("Enter")
    problem = pane.locator(".aiosw-filter-problem")
    expect(problem).to_be_visible()
    shot(page, "grid-filter-problem")
    expect(row(grid, 0)).to_contain_text("south")  # what was there stays
    problem.get_by_role("button", name="Undo").click()
    expect(problem).to_have_count(0)
    card.get_by_label("or in SQL: where").press("Escape")
    expect(grid).to_be_focused()
    pane.get_by_role("button", name="Remove all").click()
    expect(chips).to_have_count(0)
    expect(pane).to_contain_text("300,000 rows")


def test_a_hostile_column_is_filtered_and_hidden(page: Page, opened: Any) -> None:
    pane = opened("frame")
    grid = grid_of(pane)
    pane.get_by_role("button", name="Filter", exact=True).click()
    card = pane.get_by_role("region", name=re.compile("^Column "))
    drop = 'select "x"; drop table output; --'
    card.get_by_label("Column", exact=True).select_option(drop)
    card.get_by_label(f"Condition on {drop}").select_option("=")
    card.get_by_label("Value").fill("77")
    card.get_by_role("button", name="Apply filter").click()
    expect(pane).to_contain_text("matched 1 of 300,000 rows")
    expect(row(grid, 0)).to_contain_text("C-000077")
    card.get_by_label("Column", exact=True).select_option(EVIL)
    card.get_by_role("button", name="Hide column").click()
    expect(pane.get_by_role("button", name="Columns (1 hidden)")).to_be_visible()
    expect(grid).to_have_attribute("aria-colcount", "8")


def test_cells_are_copied_and_opened_in_full(page: Page, opened: Any) -> None:
    pane = opened("frame")
    grid = grid_of(pane)
    row(grid, 1).get_by_role("gridcell").first.click()
    page.keyboard.press("Control+c")
    expect(pane).to_contain_text("Copied the cell")
    assert "copied C-000001" in did(page)
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Control+c")
    expect(pane).to_contain_text("Copied 2 rows with their names")
    copied = next(d for d in did(page) if d.startswith("copied claim"))
    assert copied.splitlines()[0] == "copied claim\tamount"
    assert len(copied.splitlines()) == 3
    page.keyboard.press("Control+Home")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    cell = pane.get_by_role("region", name="Row 0, column note")
    expect(cell.locator("pre")).to_have_text("a long note " * 20)
    page.keyboard.press("Escape")
    expect(grid).to_be_focused()


def test_two_thousand_columns(page: Page, opened: Any) -> None:
    pane = opened("wide")
    grid = grid_of(pane)
    expect(grid).to_have_attribute("aria-colcount", "2001")
    assert grid.get_by_role("columnheader").count() < 40
    pane.get_by_role("button", name="Columns", exact=True).click()
    columns = pane.get_by_role("region", name="Columns")
    columns.get_by_label("Find a column").fill("c1999")
    expect(columns).to_contain_text("1 of 2,000")
    columns.get_by_role("button", name="Go to the column c1999").click()
    expect(grid.get_by_role("columnheader", name=re.compile("^c1999"))).to_be_visible()
    expect(row(grid, 2).get_by_role("gridcell").last).to_have_text("5999")
    grid.evaluate("e => { e.scrollTop = e.scrollHeight }")
    expect(row(grid, 299).get_by_role("gridcell").last).to_have_text(str(299 * 2000 + 1999))
    shot(page, "grid-wide")


def test_the_profile_sums_up_all_columns(page: Page, opened: Any) -> None:
    pane = opened("frame")
    pane.get_by_role("button", name="Profile").click()
    table = pane.get_by_role("region", name="Profile of all columns")
    amount = table.get_by_role("row", name=re.compile("^amount"))
    expect(amount).to_contain_text("2.0 %")
    expect(amount.get_by_role("img")).to_have_attribute("aria-label", re.compile("most .* from .* null"))
    expect(table).to_contain_text(EVIL)
    table.get_by_role("button", name="Nulls").click()
    expect(table.get_by_role("row").nth(1)).to_contain_text("note")
    shot(page, "profile")
    table.get_by_role("button", name="amount").click()
    expect(pane.get_by_role("region", name="Column amount")).to_be_visible()


def test_a_table_is_queried_with_sql(page: Page, opened: Any) -> None:
    pane = opened("frame")
    pane.get_by_role("button", name="Query with SQL").click()
    query = pane.get_by_label("SQL over this table, which is called output")
    query.fill("select region, count(*) as n from output group by region order by n desc")
    query.press("Control+Enter")
    grid = pane.get_by_role("grid", name="Answer")
    expect(row(grid, 0)).to_contain_text("north")
    expect(pane).to_contain_text("5 rows in")
    shot(page, "sql")
    query.fill("drop table output")
    query.press("Control+Enter")
    expect(pane.get_by_role("alert")).to_be_visible()
    pane.get_by_role("tab", name="Log").click()
    pane.get_by_role("tab", name="Output").click()
    expect(query).to_have_value("drop table output")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 800, 1500])
def test_screens(page: Page, opened: Any, dark: bool, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 760})
    pane = opened("frame", dark=dark)
    expect(grid_of(pane).get_by_role("img").first).to_be_visible()
    pane.get_by_role("button", name="Filter", exact=True).click()
    expect(pane.get_by_role("region", name="Column claim")).to_contain_text("distinct")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    shot(page, f"step-{'dark' if dark else 'light'}-{width}")
    pane.get_by_role("button", name="Profile").click()
    expect(pane.get_by_role("row", name=re.compile("^amount"))).to_contain_text("2.0 %")
    shot(page, f"profile-{'dark' if dark else 'light'}-{width}")
