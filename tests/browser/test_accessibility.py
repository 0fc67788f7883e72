"""axe-core on every screen of ours, in three themes: nothing serious, text readable (contrast 4.5:1).

A screen is one row of `SCREENS`: a name and what leads there. axe-core is a devDependency of the lab extension;
no network is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from panel_kit import EMPTY, FULL, answers, command, fold, look_again, shot, tab, theme
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

AXE = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"

WORKFLOW = """
import aios_workbench as aios
import pandas as pd
wf = aios.Workflow("axe")

@wf.step
def load():
    print("loading")
    return pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None]})

@wf.step
def broken(load):
    raise KeyError("price")

@wf.gate
def review(load):
    return load

@wf.step
def report(review): ...
"""

FIND = """async roots => {
    const own = roots.filter(s => document.querySelector(s));
    const found = await axe.run({ include: own.map(s => [s]) }, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations']
    });
    return found.violations
        .filter(v => v.impact === 'serious' || v.impact === 'critical')
        .flatMap(v => v.nodes.map(n => [v.id, n.html.slice(0, 160), [...n.any, ...n.all][0]?.message].join(" | ")));
}"""

Body = dict[str, Any]


def _nothing(page: Page, body: Body) -> None:
    body.clear()
    body.update({**EMPTY, "sent": []})
    look_again(page)


def _all(page: Page, body: Body) -> None:
    body.update(FULL)
    look_again(page)


def tour(page: Page, body: Body) -> None:
    _nothing(page, body)
    command(page, "aios:show-tour")
    expect(page.get_by_test_id("aios-tour")).to_be_visible()


def first_steps(page: Page, body: Body) -> None:
    page.get_by_role("button", name="Skip the tour").click()
    expect(page.get_by_role("button", name="Show the tour")).to_be_visible()


def waiting_empty(page: Page, body: Body) -> None:
    tab(page, "waiting")
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()


def jobs_empty(page: Page, body: Body) -> None:
    tab(page, "jobs")
    expect(page.get_by_text("No jobs yet")).to_be_visible()


def runs(page: Page, body: Body) -> None:
    _all(page, body)
    tab(page, "runs")
    fold(page.get_by_test_id("aios-run").first)
    expect(page.get_by_test_id("aios-step")).to_have_count(5)


def waiting(page: Page, body: Body) -> None:
    tab(page, "waiting")
    fold(page.get_by_test_id("aios-gate").first)
    page.get_by_role("button", name="Reject").click()
    expect(page.locator(".aios-gate-form").get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("region", name="Data of review")).to_be_visible()


def jobs(page: Page, body: Body) -> None:
    tab(page, "jobs")
    fold(page.get_by_test_id("aios-job").first)
    page.get_by_role("button", name="Run with…").click()
    expect(page.get_by_test_id("aios-one-off")).to_be_visible()
    expect(page.get_by_test_id("aios-job-run")).to_have_count(3)


#: Screens that the panel shows with made-up answers, in the order they are visited.
SCREENS: list[Callable[[Page, Body], None]] = [
    tour,
    first_steps,
    waiting_empty,
    jobs_empty,
    runs,
    waiting,
    jobs,
]


def graph(page: Page) -> None:
    expect(page.locator(".aiosw").first).to_contain_text("waiting", timeout=90_000)


def graph_step(page: Page) -> None:
    page.locator(".aiosw .aiosw-node").first.click()
    expect(page.locator(".aiosw [role=tab]").first).to_be_visible()


def promote(page: Page) -> None:
    command(page, "aios:promote")
    expect(page.get_by_test_id("aios-ticks").locator("li")).to_have_count(5)


def run_in_panel(page: Page) -> None:
    page.keyboard.press("Escape")
    command(page, "aios:show-runs")
    fold(page.get_by_test_id("aios-run").filter(has_text="axe").first)
    expect(page.get_by_test_id("aios-error").first).to_be_visible()


def run_in_main_area(page: Page) -> None:
    row = page.get_by_test_id("aios-run").filter(has_text="axe").first
    row.get_by_role("button", name="load", exact=True).click()
    opened = page.locator(".jp-MainAreaWidget:not(.jp-NotebookPanel):visible").last
    expect(opened).to_contain_text("load")
    expect(opened.get_by_role("status", name="Loading")).to_have_count(0)


#: Screens of a real run in an open notebook, in order.
LIVE: list[Callable[[Page], None]] = [graph, graph_step, promote, run_in_panel, run_in_main_area]

ROOTS = [".aios-ui", ".aiosw"]


def check(page: Page, found: dict[str, list[str]], name: str) -> None:
    """Note what axe finds in our own elements."""
    shot(page, f"axe_{name.replace(' ', '_')}")
    if problems := page.evaluate(FIND, ROOTS):
        found[name] = problems


@pytest.mark.parametrize("look", ["Light", "Dark", "Dark High Contrast"])
def test_panel(page: Page, lab: Any, look: str) -> None:
    found: dict[str, list[str]] = {}
    page.emulate_media(reduced_motion="reduce")
    with answers(page, **EMPTY) as body:
        lab.open(page)
        page.add_script_tag(path=AXE)
        command(page, "aios:open-panel")
        theme(page, look)
        for screen in SCREENS:
            screen(page, body)
            check(page, found, f"{screen.__name__} {look}")
        theme(page, "Light")
    with answers(page, status=507, message="no space left; free some disk space"):
        look_again(page)
        expect(page.locator(".aios-panel [role=alert]")).to_be_visible()
        check(page, found, f"error {look}")
    assert found == {}


def test_notebook_dialog_and_main_area(page: Page, lab: Any, notebook: Callable[..., str]) -> None:
    found: dict[str, list[str]] = {}
    page.emulate_media(reduced_motion="reduce")
    lab.open(page, f"/tree/{notebook('axe.ipynb', WORKFLOW, 'run = wf.run()', 'run')}")
    page.add_script_tag(path=AXE)
    lab.run_all(page)
    for screen in LIVE:
        screen(page)
        for look in ("Light", "Dark"):
            if screen is not promote:  # a theme cannot change under a dialog
                theme(page, look)
            check(page, found, f"{screen.__name__} {look}")
        if screen is not promote:
            theme(page, "Light")
    assert found == {}
