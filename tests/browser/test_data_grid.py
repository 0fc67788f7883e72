"""The open step on a page of its own, real answers about a real run: every key of the grid, every kind of value."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

import aios_workbench as aios
from aios_workbench.widgets import ask, protocol

SHOTS = os.environ.get("AIOS_SHOTS")
EVIL = "<img src=x onerror=window.hacked=1>"
expect.set_options(timeout=20_000)  # a busy machine with two cores answers late
ROWS = 300_000  # more than a browser's scrollbar can stand for pixel by pixel


def shot(page: Page, name: str) -> None:
    """Keep a screenshot where AIOS_SHOTS says."""
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


wf = aios.Workflow("every-kind")


@wf.step
def frame(rows: int = ROWS) -> Any:
    """Many rows, with names that want to be more than text."""
    rng = np.random.default_rng(1)
    amount = rng.gamma(2, 900, rows).round(2)
    amount[::50] = np.nan
    return pd.DataFrame(
        {
            "claim": [f"C-{i:06d}" for i in range(rows)],
            "amount": amount,
            "region": rng.choice(
                ["north", "south", "west", 'o"ne', EVIL], rows, p=[0.5, 0.2, 0.2, 0.05, 0.05]
            ),
            "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 300, rows), unit="D"),
            "open": rng.random(rows) > 0.7,
            EVIL: "<b>bold</b>",
            'select "x"; drop table output; --': np.arange(rows),
            "note": ["a long note " * 20 if i % 1000 == 0 else None for i in range(rows)],
        }
    )


@wf.step
def small(frame: Any) -> Any:
    return frame[["claim", "amount", "region"]].head(3)


@wf.step
def wide() -> Any:
    return pd.DataFrame(np.arange(2000 * 300).reshape(300, 2000), columns=[f"c{i}" for i in range(2000)])


@wf.step
def figure(frame: Any) -> Any:
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(5, 3))
    drawn.subplots().hist(frame["amount"].dropna(), bins=40)
    return drawn


@wf.step
def picture() -> Any:
    y, x = np.mgrid[0:120, 0:200]
    return np.stack([x, y * 2, 255 - x], axis=-1).astype(np.uint8)


@wf.step
def matrix() -> Any:
    return np.arange(48.0).reshape(12, 4)


@wf.step
def settings() -> Any:
    return {
        "model": {"depth": 3, "names": ["a", EVIL]},
        "scores": list(range(250)),
        "ok": True,
        "none": None,
    }


@wf.step
def records() -> Any:
    return [{"name": "a", "value": 1}, {"name": "b", "value": None}]


@wf.step
def model(frame: Any) -> Any:
    from sklearn.linear_model import Ridge

    return Ridge(alpha=0.5, solver="svd").fit(np.arange(10).reshape(-1, 1), np.arange(10))


@wf.step
def text() -> Any:
    return "\n".join(f"line {i} of a report" for i in range(60))


@wf.step
def nothing() -> Any:
    return None


@wf.step(retries=2, backoff=0.05)
def flaky(small: Any) -> Any:
    import logging

    logging.getLogger("flaky").warning("the table did not answer")
    if aios.context().attempt < 2:
        raise ConnectionError(f"refused {EVIL}")
    return len(small)


@wf.step
def chatty() -> Any:
    import logging

    for i in range(6000):
        print(f"line {i:05d} \x1b[31mred\x1b[0m {EVIL if i == 5990 else 'plain'}")
    logging.getLogger("chatty").error("needle at the end")


@pytest.fixture(scope="module")
def run() -> Any:
    """A run with a value of every kind."""
    made = wf.run()
    made.wait()
    return made


@pytest.fixture(scope="module")
def bundle(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The harness as one script and one style sheet."""
    root, out = pytestconfig.rootpath, tmp_path_factory.mktemp("harness")
    front = root / "labextension"
    node = {
        **os.environ,
        "NODE_PATH": str(front / "node_modules"),
        "PATH": f"{root}/.venv/bin{os.pathsep}{os.environ['PATH']}",
    }
    subprocess.run(
        [
            str(front / "node_modules/.bin/esbuild"), str(root / "tests/browser/harness/step.tsx"), "--bundle",
            f"--outdir={out}", "--jsx=automatic", "--log-level=warning", '--define:process.env.NODE_ENV="production"',
        ],
        check=True, env=node, cwd=front,
    )  # fmt: skip
    return out


PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>step</title><style>{css}
body {{ margin: 8px; background: {back} }}</style></head>
<body data-jp-theme-light="{light}"><div id="root"></div></body></html>"""


@pytest.fixture
def opened(page: Page, run: Any, bundle: Path) -> Iterator[Callable[..., Locator]]:
    """Open a step of the run; answers come from the same code that answers a kernel's widget."""
    found: list[str] = []
    page.on("pageerror", lambda e: found.append(str(e)))

    def answer(text: str) -> str:
        content = json.loads(text)
        try:
            data = ask.ask(run.workspace, protocol.REQUEST.validate_python(content), run_id=run.id)
            return json.dumps({"kind": "answer", "data": data.model_dump(mode="json")})
        except Exception as e:  # noqa: BLE001 - as the kernel does
            kind, message, fields = ask.problem(e)
            return json.dumps({"kind": "error", "type": kind, "message": message, "fields": fields})

    page.expose_function("answer", answer)
    made: list[bool] = []

    def go(step: str, status: str = "succeeded", dark: bool = False) -> Locator:
        if not made:
            css = (bundle / "step.css").read_text()
            page.set_content(
                PAGE.format(css=css, light=str(not dark).lower(), back="#111" if dark else "#fff")
            )
            page.add_script_tag(path=bundle / "step.js")
            made.append(True)
        page.evaluate("g => window.open(g)", {"run_id": run.id, "step": step, "status": status})
        pane = page.get_by_role("region", name=f"Step {step}", exact=True)
        expect(pane.get_by_role("tablist")).to_be_visible()
        return pane

    yield go
    assert found == []
    assert page.evaluate("window.hacked") is None


def grid_of(pane: Locator) -> Locator:
    """The grid on the shown tab."""
    return pane.get_by_role("tabpanel").get_by_role("grid")


def row(grid: Locator, number: int) -> Locator:
    """A row by its number, which starts at 0."""
    return grid.locator(f'[role="row"][aria-rowindex="{number + 2}"]')


def did(page: Page) -> list[str]:
    """What the page asked, copied and opened."""
    found: list[str] = page.evaluate("window.did")
    return found


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


def test_attempts_inputs_and_code(page: Page, opened: Any) -> None:
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
    pane.get_by_role("tab", name="Code").click()
    expect(pane.locator("[data-token=keyword]").first).to_have_text("def")
    shot(page, "code")


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
