"""The explanation's widget at every width, in every look, and for everybody."""

from __future__ import annotations

import gzip

import pytest
from explain_page import TABS, ExplainPage, shot, visit
from explain_payloads import VIEWS, view
from playwright.sync_api import expect
from test_accessibility import AXE, FIND, MOVING
from widget_page import STATIC

WIDER = "e => e.scrollWidth - e.clientWidth"


# a look does not change how wide things are: each width in one of them
@pytest.mark.parametrize(("width", "look"), [(320, "light"), (800, "dark"), (1600, "light")])
def test_every_width(explain: ExplainPage, width: int, look: str) -> None:
    explain.page.set_viewport_size({"width": width + 40, "height": 900})
    root = explain.show(view(), width=width, dark=look == "dark")
    for name in TABS:
        visit(root, name)
        shot(explain, f"{name.split()[0].lower()}_{width}_{look}")
        assert root.evaluate(WIDER) <= 0, name
    if width == 320:
        visit(root, "All rows").get_by_role("button", name="Beeswarm", exact=True).click()
        expect(root.locator(".aiosw-ex-swarm")).to_be_visible()
        shot(explain, f"swarm_{width}_{look}")
        assert root.evaluate(WIDER) <= 0


@pytest.mark.parametrize("name", ["empty", "shap_only", "loaded", "wide"])
def test_every_state(explain: ExplainPage, name: str) -> None:
    root = explain.show(VIEWS[name](), width=700)
    says = {
        "empty": "No column to explain",
        "shap_only": "400 rows",
        "loaded": "400 rows",
        "wide": "20 of 500",
    }
    expect(root).to_contain_text(says[name])
    for part in TABS:
        visit(root, part)
        shot(explain, f"{name}_{part.split()[0].lower()}")
        assert root.evaluate(WIDER) <= 0, part


@pytest.mark.parametrize("look", ["light", "dark", "forced"])
def test_axe_finds_nothing_serious(explain: ExplainPage, look: str) -> None:
    page = explain.page
    page.emulate_media(reduced_motion="reduce", forced_colors="active" if look == "forced" else "none")
    page.add_init_script(path=AXE)
    page.reload()
    page.wait_for_function("window.ready")
    found: dict[str, list[str]] = {}
    for name in ("empty", "loaded", "hostile"):
        explain.show(VIEWS[name](), dark=look == "dark")
        found[name] = page.evaluate(FIND, [".aiosw"])
    root = explain.show(view(), dark=look == "dark")
    for part in TABS:
        panel = visit(root, part)
        if part == "What if":
            panel.get_by_role("slider").first.press("ArrowRight")
            expect(panel.get_by_role("img")).to_be_visible()
        if part == "One row":
            panel.get_by_role("button", name="Show five").click()
            expect(panel.get_by_role("region", name="Rows like this one").first).to_be_visible()
        found[part] = [*page.evaluate(FIND, [".aiosw"]), *page.evaluate(MOVING)]
        shot(explain, f"axe_{look}_{part.split()[0].lower()}")
    panel = visit(root, "One row")
    panel.get_by_role("button", name="Scatter", exact=True).click()
    panel.get_by_role("button", name="Force", exact=True).click()
    panel.get_by_role("listbox").focus()
    found["scatter"] = page.evaluate(FIND, [".aiosw"])
    shot(explain, f"axe_{look}_scatter")
    assert {k: v for k, v in found.items() if v} == {}


def test_bundles_stay_small() -> None:
    sizes = {n: len(gzip.compress((STATIC / n).read_bytes())) for n in ("explain.js", "explain.css")}
    assert sum(sizes.values()) < 120_000
