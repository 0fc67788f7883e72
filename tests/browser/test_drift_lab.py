"""A drift report in a real JupyterLab: a real kernel, a real comparison, rows read when a bar is chosen."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from graph_kit import shot
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

COMPARE = """
import numpy as np, pandas as pd
import aios_workbench as aios
rng = np.random.default_rng(0)
evil = '"><img src=x onerror=window.hacked=1>'

def claims(shift, begin):
    income = rng.lognormal(10 + shift, 0.5, 3000)
    income[:300] = 0
    return pd.DataFrame({
        "income": income, "age": rng.normal(44, 12, 3000),
        "city": rng.choice(["Bonn", "Ulm", evil], 3000, p=[0.5 - shift, 0.3, 0.2 + shift]),
        "day": pd.Timestamp(begin) + pd.to_timedelta(np.sort(rng.integers(0, 150, 3000)), unit="D"),
    })

found = aios.drift.compare(claims(0, "2025-01-01"), claims(0.35, "2026-01-01"), by="month")
"""


def test_a_report_is_looked_into_while_the_kernel_works(page: Page, lab: Any, start: Any) -> None:
    busy = "import time\ntime.sleep(15)"
    widget = start("drift.ipynb", COMPARE, "found", busy)
    expect(widget.locator(".aiosw-dr-summary")).to_contain_text(
        re.compile(r"2 of \d columns drifted: income"), timeout=90_000
    )
    prompt = page.locator(".jp-InputPrompt").nth(2)
    expect(prompt).to_have_text("[*]:")
    widget.locator(".aiosw-dr-row", has_text="income").click()
    column = widget.get_by_role("region", name="Column income", exact=True)
    expect(
        column.get_by_role("img", name=re.compile("Effect of income in 5 windows, 5 drifted"))
    ).to_be_visible()
    shot(widget, "drift-lab-column")
    widget.locator(".aiosw-dr-row", has_text="city").click()
    widget.get_by_role("button", name=re.compile("^Bonn .*alone")).click()  # reads rows while a cell blocks
    chips = widget.get_by_role("group", name="Rows looked at")
    expect(chips).to_contain_text("city = Bonn", timeout=30_000)
    expect(prompt).to_have_text("[*]:")
    slider = widget.get_by_role("slider", name=re.compile("Drifted from an effect of"))
    slider.focus()
    page.keyboard.press("End")
    expect(widget.locator(".aiosw-dr-threshold output")).to_contain_text("0 of ")
    widget.get_by_role("button", name=re.compile("Back to the report")).first.click()
    chips.get_by_role("button", name="Take off city = Bonn").click()
    expect(chips).to_have_count(0)
    widget.locator(".aiosw-dr-row", has_text="income").click()
    column.get_by_role("button", name="Show them").click()
    expect(
        column.get_by_role("region", name=re.compile("rows that moved most")).locator("tbody tr")
    ).to_have_count(20)
    shot(widget, "drift-lab-rows")

    widget.get_by_role("button", name="Make this a gate").click()
    gate = widget.get_by_role("group", name="Gate")
    expect(gate).to_contain_text("aios.drift.gate(")
    gate.get_by_role("button", name="Write to a new cell").click()
    expect(page.locator(".jp-CodeCell").filter(has_text="aios.drift.gate(")).not_to_have_count(0)
    assert page.evaluate("window.hacked") is None

    expect(prompt).to_have_text("[3]:", timeout=60_000)
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_timeout(1500)
    book = json.loads((Path(lab.root) / "drift.ipynb").read_text())
    data = [o["data"] for c in book["cells"] for o in c.get("outputs", []) if "data" in o]
    shown = next(d for d in data if "application/vnd.jupyter.widget-view+json" in d)
    assert "data:image/svg+xml;base64" in "".join(shown["text/html"])
    assert "columns drifted: income" in "".join(shown["text/plain"])
    assert len(json.dumps(shown)) < 100_000
