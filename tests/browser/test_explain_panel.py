"""The explanation's screen in a Panel app: saved as a page, and served with a model behind it."""

from __future__ import annotations

from pathlib import Path

import pytest
from panel_app import saved_app, served_app
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

APP = """
import sys
import numpy as np
import pandas as pd
import panel as pn
from sklearn.linear_model import LogisticRegression
import aios_workbench as aios
from aios_workbench.widgets.panel import explain_pane

rng = np.random.default_rng(0)
data = pd.DataFrame({"income": rng.normal(40, 10, 300), "age": rng.integers(18, 80, 300)})
data["<b>debt</b>"] = rng.normal(size=300)
model = LogisticRegression().fit(data, data["income"] + 5 * data["<b>debt</b>"] > 42)
pn.extension()
pane = explain_pane(aios.explain(model, data.head(40), background=data, cache=False))
if len(sys.argv) < 2:
    pane.servable()
else:
    pane.save(sys.argv[1], resources="inline")
"""


def test_a_saved_page_shows_what_counts(page: Page, errors: list[str], tmp_path: Path) -> None:
    app = saved_app(tmp_path, APP)
    page.route("**/*", lambda r: r.continue_() if r.request.url.startswith("file:") else r.abort())
    page.goto(app.as_uri())
    expect(page.get_by_role("tabpanel", name="All rows")).to_contain_text("<b>debt</b>")


def test_a_served_app_opens_rows_and_answers_what_if(page: Page, errors: list[str], tmp_path: Path) -> None:
    with served_app(tmp_path, APP) as address:
        page.route("**/*", lambda r: r.continue_() if "127.0.0.1" in r.request.url else r.abort())
        page.goto(address)
        page.get_by_role("tab", name="One row").click()
        expect(page.get_by_role("tabpanel", name="One row")).to_contain_text("income")
        page.get_by_role("tab", name="What if").click()
        panel = page.get_by_role("tabpanel", name="What if")
        slider = panel.get_by_role("slider").first
        before = panel.locator("output").first.text_content()
        slider.focus()
        for _ in range(8):
            slider.press("PageUp")
        expect(panel.locator("output").first).not_to_have_text(before or "")
