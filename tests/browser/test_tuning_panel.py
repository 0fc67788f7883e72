"""The tuning's screen in a Panel app: saved as a page, and served with Python behind it."""

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
from fake_tuning import tuned
from aios_workbench.widgets.panel import tuning_pane

pn.extension()
tuning = tuned(60)
pane = tuning_pane(tuning)
if len(sys.argv) < 2:
    pane.servable()
    pn.state.add_periodic_callback(lambda: tuning.todo and tuning.measure(1), 200)
else:
    pane.save(sys.argv[1], resources="inline")
"""


def test_a_saved_page_shows_the_trade_off(page: Page, errors: list[str], tmp_path: Path) -> None:
    app = saved_app(tmp_path, APP)
    page.route("**/*", lambda r: r.continue_() if r.request.url.startswith("file:") else r.abort())
    page.goto(app.as_uri())
    expect(page.locator(".aiosw-tun-dot")).to_have_count(60)


def test_a_served_app_follows_and_answers(page: Page, errors: list[str], tmp_path: Path) -> None:
    with served_app(tmp_path, APP) as address:
        page.route("**/*", lambda r: r.continue_() if "127.0.0.1" in r.request.url else r.abort())
        page.goto(address)
        expect(page.locator(".aiosw-tun-dot").nth(64)).to_be_attached()  # it grows
        page.get_by_role("button", name=re.compile("^0.98 ")).click()
        page.get_by_role("button", name="Ask for 0.98").click()
        expect(page.get_by_label("Recall at least")).to_have_value("0.98")
        page.get_by_role("tab", name="Queries").click()
        page.get_by_role("button", name="Find neighbours").click()
        expect(page.get_by_label("Exact neighbours")).to_contain_text("missed")
