"""Every page of a run and every tab of a step, one after the other, on runs whose names and values are markup."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from panel_kit import HOSTILE, theme
from playwright.sync_api import Locator, Page, expect

LOAD, FLAKY, GATE, FAILS = (f"{word} {HOSTILE}" for word in ("load", "flaky", "gate", "fails"))

STORY = """
import json, logging
import aios_workbench as aios
import pandas as pd
from pydantic import BaseModel, Field

EVIL = "<img src=x onerror=window.__hit=1>"
SCRIPT = "<script>window.__hit=2</script>"
LATE = False

class Form(BaseModel):
    note: str = Field(EVIL, title=EVIL, description=SCRIPT)
    limit: int = Field(ge=1, title=SCRIPT)

def make():
    wf = aios.Workflow("screens " + EVIL, description=SCRIPT)

    @wf.step(name="load " + EVIL)
    def load(rows: int = 60, label: str = EVIL):
        print(EVIL, "\\x1b[31m" + SCRIPT)
        logging.getLogger("x").warning(SCRIPT)
        aios.context().metric("metric " + EVIL, rows / 100, unit=SCRIPT)
        said = [SCRIPT, EVIL, "plain"] * (rows // 3)
        return pd.DataFrame({"n": range(rows), EVIL: said, "<b>": [i / 7 for i in range(rows)]})

    def taken():
        return [EVIL]

    for name in ("part_a", "part_b", "part_c"):
        wf.step(name=name, after=["load " + EVIL], tags=[EVIL])(taken)

    if LATE:
        @wf.step(name="flaky " + EVIL, after=["load " + EVIL], retries=1, backoff=0.05)
        def flaky():
            if aios.context().attempt < 2:
                raise ConnectionError(SCRIPT)
            return {EVIL: [SCRIPT], "late": True}
    else:
        @wf.step(name="flaky " + EVIL, after=["load " + EVIL], retries=1, backoff=0.05)
        def flaky():
            return {EVIL: [EVIL], "late": False}

    @wf.gate(name="gate " + EVIL, form=Form, after=["load " + EVIL])
    def gate():
        return pd.DataFrame({EVIL: [SCRIPT]})

    @wf.step(name="fails " + EVIL, after=["load " + EVIL])
    def fails():
        raise ValueError(EVIL + SCRIPT)
    return wf

ids = {}
for name, rows in (("early", 30), ("late", 60)):
    LATE = name == "late"
    run = make().run(rows=rows, label=EVIL + name)
    run.wait(90, until="waiting")
    ids[name] = run.id
print(json.dumps(ids))
"""


def tell_story(lab: Any) -> dict[str, str]:
    """Make two runs of one workflow, by a process of its own; return their ids as `early` and `late`."""
    script = lab.root / "screens_story.py"
    script.write_text(STORY)
    done = subprocess.run(
        [sys.executable, str(script)], cwd=lab.root, env={**os.environ, "AIOS_HOME": str(lab.root / ".aios")},
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, str] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def open_comparison(page: Page, lab: Any, story: dict[str, str], look: str = "Light") -> Locator:
    """Open the later run compared with the earlier one, a step's difference opened; return the inspector."""
    where = f"aios-run={story['late']}&aios-page=compare&aios-with={story['early']}&aios-change={quote(LOAD)}"
    page.goto(f"{lab.base}/lab?{where}&token={lab.token}&reset")
    run = page.locator(".aios-inspector-tab .aiosw")
    expect(run.locator(".aiosw-header strong")).to_be_visible(timeout=60_000)
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)
    theme(page, look)
    page.evaluate("() => { const s = window.jupyterapp.shell; s.collapseLeft(); s.collapseRight(); }")
    return run


def _tab(where: Locator, name: str) -> None:
    where.get_by_role("tab", name=re.compile(f"^{name}")).click()


def pages(run: Locator) -> Iterator[str]:
    """Go through the pages of an inspector that shows the comparison; give the name of what is shown."""
    expect(run.locator(".aiosw-step-diff").get_by_role("img").first).to_be_visible()
    yield "compare"
    _tab(run, "Overview")
    run.get_by_role("button", name="Show packages").click()
    expect(run.get_by_label("Installed packages")).to_be_visible()
    yield "overview"
    _tab(run, "Timeline")
    lane = run.locator(".aiosw-lane")
    expect(lane).to_have_count(7)
    lane.first.focus()
    yield "timeline"
    _tab(run, "Events")
    run.locator(".aiosw-event").first.click()
    expect(run.locator(".aiosw-event-details")).to_be_visible()
    yield "events"
    _tab(run, "History")
    expect(run.locator(".aiosw-barbutton")).to_have_count(2)
    yield "history"


def graph(run: Locator) -> Iterator[str]:
    """Go through the shapes of the graph on the page of steps."""
    _tab(run, "Steps")
    expect(run.locator(".aiosw-node").first).to_be_visible()
    yield "steps"
    run.get_by_role("button", name="More graph tools").click()
    run.get_by_role("button", name="Keys").click()
    expect(run.get_by_label("Keys", exact=True)).to_be_visible()
    yield "graph tools"
    run.get_by_role("button", name="Close", exact=True).click()
    expect(run.get_by_role("button", name="More graph tools")).to_be_focused()  # not lost with its button
    run.get_by_label("Group steps").select_option("tag")
    expect(run.locator(".aiosw-group")).to_have_count(1)
    run.get_by_label("Find steps by name, tag or state").fill("part")
    yield "groups"
    run.locator(".aiosw-group button").first.click()
    expect(run.locator(".aiosw-frame")).to_be_visible()
    yield "open group"
    run.get_by_role("button", name="List", exact=True).click()
    expect(run.locator(".aiosw-list table")).to_be_visible()
    yield "list"
    run.get_by_label("Find steps by name, tag or state").fill("")
    run.get_by_role("button", name="List", exact=True).click()
    run.get_by_label("Group steps").select_option("none")
    run.get_by_role("button", name="More graph tools").click()
    expect(run.locator(".aiosw-node")).to_have_count(7)


def steps(run: Locator) -> Iterator[str]:
    """Open a step of every kind; go through all its tabs and the views of its table."""
    for name in (LOAD, FLAKY, GATE, FAILS):
        if name == GATE:
            run.get_by_role("button", name="Review", exact=True).press("Enter")
            expect(run.locator(".aiosw-aside")).to_be_focused()  # the button goes with its notice
        else:
            run.locator(f".aiosw-node[data-step={json.dumps(name)}]").click()
        pane = run.get_by_role("region", name=f"Step {name}", exact=True)
        tabs = pane.get_by_role("tablist").get_by_role("tab")
        expect(tabs.first).to_be_visible()
        word = name.split()[0]
        for title in [text.split()[0] for text in tabs.all_inner_texts()]:
            _tab(pane, title)
            expect(pane.get_by_role("tabpanel")).not_to_be_empty()
            expect(pane.get_by_text("Reading…")).to_have_count(0)
            if title == "Decide":
                pane.get_by_role("button", name="Approve").click()
                expect(pane.get_by_role("alert").first).to_be_visible()
            yield f"{word} {title.lower()}"
            if (word, title) == ("load", "Output"):
                yield from _table(pane)
    pane.get_by_role("button", name=f"Close {FAILS}").click()
    expect(run.locator(f".aiosw-node[data-step={json.dumps(FAILS)}]")).to_be_focused()


def _table(pane: Locator) -> Iterator[str]:
    grid = pane.get_by_role("grid").first
    pane.get_by_role("button", name="Filter", exact=True).click()
    card = pane.locator(".aiosw-card")
    expect(card.locator(".aiosw-spark")).to_be_visible()
    card.get_by_label("Condition on n").select_option(">")
    card.get_by_label("Value").fill("2")
    card.get_by_role("button", name="Apply filter").click()
    expect(pane.get_by_label("Active filters")).to_be_visible()
    yield "filter"
    card.get_by_role("button", name="Close the column").click()
    expect(grid).to_be_focused()
    remove = pane.get_by_label("Active filters").get_by_role("button").first
    remove.focus()
    remove.press("Enter")
    expect(grid).to_be_focused()  # what is taken away hands the focus on
    grid.press("ArrowDown")
    grid.press("Shift+ArrowDown")
    yield "grid cells"
    pane.get_by_role("button", name="Columns", exact=True).click()
    expect(pane.get_by_role("region", name="Columns")).to_be_visible()
    yield "columns"
    pane.get_by_role("button", name="Close the columns").click()
    pane.get_by_role("button", name="Profile", exact=True).click()
    expect(pane.locator(".aiosw-profile-table .aiosw-spark").first).to_be_visible()
    yield "profile"
    pane.get_by_role("button", name="SQL", exact=True).click()
    pane.get_by_role("textbox", name=re.compile("^SQL over this table")).press("Control+Enter")
    expect(pane.get_by_role("grid", name="Answer")).to_be_visible()
    yield "sql"
    pane.get_by_role("button", name="Rows", exact=True).click()


def every(run: Locator) -> Iterator[str]:
    """Go through all of it."""
    yield from pages(run)
    yield from graph(run)
    yield from steps(run)
