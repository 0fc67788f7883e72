"""The open step in a real JupyterLab with a real kernel: live, across a rerun, and a decision by keyboard alone."""

from __future__ import annotations

import os
import re
from typing import Any

from graph_kit import node, shot
from playwright.sync_api import Page, expect

SHOTS = os.environ.get("AIOS_SHOTS")

WORKFLOW = '''
import time
from pathlib import Path
import pandas as pd
import aios_workbench as aios
from pydantic import BaseModel, Field

wf = aios.Workflow("step-pane")

@wf.step
def load(rows: int = 60_000):
    """Read the claims."""
    return pd.DataFrame({"claim": [f"C-{i:05d}" for i in range(rows)], "amount": range(rows),
                         "<img src=x onerror=window.hacked=1>": "x"})

@wf.step(cache=True)
def slow(load):
    for i in range(6000):
        print(f"block {i} <img src=x onerror=window.hacked=1>")
        time.sleep(0.1)
        if i > 20 and Path("go").exists():
            break
    return load.tail(5)

@wf.step
def report(slow):
    return {"rows": len(slow)}

class Review(BaseModel):
    limit: int = Field(ge=1, title="Limit")

@wf.gate(form=Review)
def review(report):
    return report
'''


def test_a_run_is_followed_rerun_and_decided(page: Page, lab: Any, start: Any) -> None:
    graph = start("pane.ipynb", WORKFLOW, "run = wf.run()\nrun")
    slow = node(graph, "slow")
    expect(slow).to_have_attribute("data-status", "running", timeout=60_000)
    slow.click()
    pane = graph.get_by_role("region", name="Step slow", exact=True)
    # A step that runs opens on its log, which goes on by itself.
    log = pane.get_by_role("log")
    expect(log).to_contain_text("block 3 <img")
    expect(pane.get_by_role("button", name="Rerun from here")).to_be_disabled()
    pane.get_by_label("Search the log").fill("block 1")
    expect(log.locator("mark").first).to_have_text("block 1")
    shot(graph, "pane-live")
    (lab.root / "go").touch()
    expect(slow).to_have_attribute("data-status", "succeeded", timeout=60_000)
    expect(pane.get_by_role("tab", name="Output")).to_be_visible()
    # It ended meanwhile: what was typed is still there.
    expect(pane.get_by_label("Search the log")).to_have_value("block 1")
    pane.get_by_role("tab", name="Output").click()
    expect(pane.get_by_role("grid")).to_contain_text("C-59999")

    node(graph, "review").click()
    gate = graph.get_by_role("region", name="Step review", exact=True)
    expect(gate.get_by_role("tab", name="Decide")).to_have_attribute("aria-selected", "true", timeout=60_000)
    gate.get_by_label("Limit").focus()
    page.keyboard.press("Control+Enter")
    expect(gate.get_by_role("alert").first).to_be_visible()
    page.keyboard.type("250")
    page.keyboard.press("Tab")
    page.keyboard.type("checked")
    page.keyboard.press("Control+Enter")
    expect(gate.get_by_role("tab", name="Decision")).to_be_visible()
    expect(gate).to_contain_text("checked")

    node(graph, "report").click()
    report = graph.get_by_role("region", name="Step report", exact=True)
    before = graph.locator(".aiosw-run code").first.inner_text()
    expect(report.get_by_role("button", name="Rerun from here")).to_be_enabled(timeout=30_000)
    report.get_by_role("button", name="Rerun from here").click()
    expect(graph.locator(".aiosw-run code").first).not_to_have_text(before, timeout=30_000)
    node(graph, "slow").click()
    pane.get_by_role("tab", name="Lineage").click()
    up = pane.get_by_role("list", name="What it came from")
    expect(up).to_contain_text("load")
    expect(pane.get_by_role("list", name="What came from it")).to_contain_text("report")
    shot(graph, "pane-lineage-rerun")
    assert page.evaluate("window.hacked") is None


def test_sixty_thousand_rows_in_a_cell(page: Page, start: Any) -> None:
    graph = start("pane-grid.ipynb", WORKFLOW.replace("0.1", "0.001"), "run = wf.run()\nrun")
    node(graph, "load").click()
    pane = graph.get_by_role("region", name="Step load", exact=True)
    grid = pane.get_by_role("grid")
    expect(grid).to_have_attribute("aria-rowcount", "60001", timeout=60_000)
    grid.focus()
    page.keyboard.press("Control+End")
    expect(grid).to_contain_text("59,999")
    page.keyboard.press("Home")
    expect(grid).to_contain_text("C-59999")
    grid.get_by_role("columnheader", name=re.compile("^amount")).get_by_role("button").first.click(
        modifiers=[]
    )
    expect(grid.get_by_role("columnheader", name=re.compile("^amount"))).to_have_attribute(
        "aria-sort", "ascending"
    )
    pane.get_by_role("button", name="Query with SQL").click()
    query = pane.get_by_label("SQL over this table, which is called output")
    query.fill("select max(amount) as top from output")
    query.press("Control+Enter")
    expect(pane.get_by_role("grid", name="Answer")).to_contain_text("59999")
    expect(pane.get_by_role("tab", name="Settings")).to_be_visible()
    shot(graph, "pane-sql")
