"""The drift report's screen in a Panel app: saved as a page, and served with Python behind it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from panel_app import saved_app, served_app
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

APP = """
import sys
import panel as pn
from fake_drift import report
from aios_workbench.widgets.panel import drift_pane

pn.extension()
pane = drift_pane(report())
if len(sys.argv) < 2:
    pane.servable()
else:
    pane.save(sys.argv[1], resources="inline")
"""


def test_a_saved_page_shows_columns_and_their_pages(page: Page, errors: list[str], tmp_path: Path) -> None:
    app = saved_app(tmp_path, APP)
    page.route("**/*", lambda r: r.continue_() if r.request.url.startswith("file:") else r.abort())
    page.goto(app.as_uri())
    page.locator(".aiosw-dr-row", has_text="income").click()
    expect(page.get_by_role("region", name="Statistics of income")).to_contain_text("bounds from bins")


def test_a_served_app_judges_and_slices(page: Page, errors: list[str], tmp_path: Path) -> None:
    with served_app(tmp_path, APP) as address:
        page.route("**/*", lambda r: r.continue_() if "127.0.0.1" in r.request.url else r.abort())
        page.goto(address)
        page.get_by_role("tab", name="Rules").click()
        effect = page.get_by_label("Effect at least")
        effect.fill("0.29")
        effect.press("Enter")
        expect(page.locator(".aiosw-dr-summary")).to_contain_text("2 of 10 columns drifted")
        page.get_by_role("tab", name="Columns").click()
        page.locator(".aiosw-dr-row", has_text="city").click()
        page.get_by_role("button", name=re.compile("^Bonn ")).click()
        expect(page.get_by_role("group", name="Rows looked at")).to_contain_text("city = Bonn")
        expect(page.locator(".aiosw-dr-sides")).to_contain_text("10,000 rows")
