"""A page with the built drift widget, and a real `DriftWidget` behind it that shows a fake report."""

from __future__ import annotations

import os
import re

from playwright.sync_api import Locator, expect
from widget_page import WidgetPage

from aios_workbench.widgets.drift import DriftWidget
from aios_workbench.widgets.drift_answers import answer

SHOTS = os.environ.get("AIOS_SHOTS")
TABS = ("Columns", "Data quality", "Over time", "Multivariate", "Performance", "Rules")


class DriftPage(WidgetPage):
    """The drift widget on a page."""

    name = "drift"
    made = DriftWidget
    answers = staticmethod(answer)
    drawn = ".aiosw-tabs"


def shot(opened: DriftPage, name: str) -> None:
    if SHOTS:
        opened.page.screenshot(path=f"{SHOTS}/drift_{name}.png", full_page=True)


def rows(root: Locator) -> Locator:
    return root.locator(".aiosw-dr-row")


def row(root: Locator, name: str) -> Locator:
    return rows(root).filter(has=root.page.locator("b", has_text=re.compile(f"^{re.escape(name)}$")))


def open_column(root: Locator, name: str) -> Locator:
    row(root, name).click()
    page = root.get_by_role("region", name=f"Column {name}", exact=True)
    expect(page).to_be_visible()
    expect(page.get_by_role("heading", name="Statistics")).to_be_visible()
    return page


def drag(slider: Locator, value: int) -> None:
    slider.evaluate(
        """(e, v) => { Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(e, v);
                       e.dispatchEvent(new Event('input', { bubbles: true })); }""",
        str(value),
    )
