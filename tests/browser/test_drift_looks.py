"""The drift widget and the page of a report at every width, in every look, and for everybody."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from drift_page import SHOTS, TABS, DriftPage, open_column, shot
from fake_drift import EVIL, FakeReport, empty, few, report
from playwright.sync_api import Page, expect
from test_accessibility import AXE, FIND, MOVING
from widget_page import STATIC

STATE_SAYS = {
    "empty": "One of the sides has no rows",
    "few": "not enough data",
    "stored": "income",
    "wide": "343",
}


@pytest.mark.parametrize("look", ["light", "dark"])
def test_small_empty_and_wide(drift: DriftPage, look: str) -> None:
    states: dict[str, Callable[[], FakeReport]] = {"empty": empty, "few": few}
    for name, make in states.items():
        root = drift.show(make(), width=700, dark=look == "dark")
        expect(root).to_contain_text(STATE_SAYS[name])
        shot(drift, f"{name}_{look}")
        for tab in TABS:
            root.get_by_role("tab", name=tab).click()
            assert root.evaluate("e => e.scrollWidth - e.clientWidth") <= 0, (name, tab)


@pytest.mark.parametrize("width", [320, 700, 1000, 1600])
def test_every_width(drift: DriftPage, width: int) -> None:
    drift.page.set_viewport_size({"width": width + 40, "height": 900})
    root = drift.show(report(whole=True), width=width)
    open_column(root, "income")
    shot(drift, f"income_{width}")
    for tab in TABS:
        root.get_by_role("tab", name=tab).click()
        assert root.evaluate("e => e.scrollWidth - e.clientWidth") <= 0, tab
        shot(drift, f"{tab.split()[0].lower()}_{width}")
    sticking = root.locator(".aiosw-dr-heads:visible").evaluate_all(
        """all => all.flatMap(h => [...h.children]).filter(c => c.offsetTop > 20 && c.offsetParent)
            .map(c => c.textContent)"""
    )
    assert sticking == []


@pytest.mark.parametrize("look", ["light", "dark"])
def test_the_page_needs_no_network_and_no_script(
    page: Page, errors: list[str], tmp_path: object, look: str
) -> None:
    from aios_workbench.widgets.drift_report import html

    asked: list[str] = []
    page.route("**/*", lambda r: (asked.append(r.request.url), r.abort()))
    page.emulate_media(color_scheme="dark" if look == "dark" else "light")
    for width in (320, 1000):
        page.set_viewport_size({"width": width, "height": 900})
        page.set_content(html(report(whole=True)))
        expect(page.locator("section")).to_have_count(14)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/drift_page_{look}_{width}.png", full_page=True)
    assert asked == []
    assert page.evaluate("window.hacked") is None
    page.add_script_tag(path=AXE)
    assert page.evaluate(FIND, ["body"]) == []


@pytest.mark.parametrize("look", ["light", "dark", "forced"])
def test_axe_finds_nothing_serious(drift: DriftPage, look: str) -> None:
    page = drift.page
    page.emulate_media(reduced_motion="reduce", forced_colors="active" if look == "forced" else "none")
    page.add_init_script(path=AXE)
    page.reload()
    page.wait_for_function("window.ready")
    found: dict[str, list[str]] = {}
    for name, made in (("empty", empty()), ("few", few())):
        drift.show(made, dark=look == "dark")
        found[name] = page.evaluate(FIND, [".aiosw"])
    root = drift.show(report(whole=True), dark=look == "dark")
    root.get_by_role("button", name="Make this a gate").click()
    for column in ("income", EVIL, "note"):
        part = open_column(root, column)
        if column == "income":
            part.get_by_text("windows in figures").click()
            part.get_by_role("button", name="Show them").click()
            expect(part.locator(".aiosw-pager")).to_be_visible()
            part.get_by_role("listbox").focus()
        found[column] = page.evaluate(FIND, [".aiosw"])
        shot(drift, f"axe_{look}_{len(found)}")
    for tab in TABS:
        root.get_by_role("tab", name=tab).click()
        found[tab] = [*page.evaluate(FIND, [".aiosw"]), *page.evaluate(MOVING)]
        shot(drift, f"axe_{look}_{tab.split()[0].lower()}")
    assert {k: v for k, v in found.items() if v} == {}


def test_bundles_stay_small() -> None:
    sizes = {n: len(gzip.compress((STATIC / n).read_bytes())) for n in ("drift.js", "drift.css")}
    assert sum(sizes.values()) < 100_000
