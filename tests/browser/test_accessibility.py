"""axe-core on every screen of ours, in three themes: nothing serious, text readable (contrast 4.5:1).

A screen of the panel is one row of `SCREENS`: a name and what leads there; those of a run are in screens.py.
axe-core is a devDependency of the lab extension; no network is needed. Nothing may move on any of them: they are
shown to somebody who asked for less motion. Forced colours: what a background or a tint says is said otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from graph_page import GraphPage, pipeline
from panel_kit import EMPTY, FULL, answers, command, fold, look_again, shot, tab, theme
from playwright.sync_api import Page, expect
from screens import every, graph, open_comparison, pages

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


def notebook_graph(page: Page) -> None:
    expect(page.locator(".aiosw").first).to_contain_text("waiting", timeout=90_000)


def graph_step(page: Page) -> None:
    page.locator(".aiosw .aiosw-node").first.click()
    expect(page.locator(".aiosw [role=tab]").first).to_be_visible()


def settings(page: Page) -> None:
    page.locator(".aiosw").get_by_role("tab", name="Settings").click()
    expect(page.get_by_role("form", name="Settings of load").get_by_label("Timeout")).to_be_visible()


def add_step(page: Page) -> None:
    page.get_by_role("button", name="Add step").click()
    form = page.get_by_role("form", name="Add a step")
    expect(form.get_by_label("Template")).to_be_focused()
    form.get_by_label("Name", exact=True).fill("tidy")
    expect(form.get_by_label("The code of the new cell")).to_be_visible()


def promote(page: Page) -> None:
    command(page, "aios:promote")
    expect(page.get_by_test_id("aios-verdict")).to_be_visible()


def promote_parameters(page: Page) -> None:
    page.get_by_role("button", name="Next: Parameters").click()


def promote_when(page: Page) -> None:
    page.get_by_role("button", name="Next: When").click()
    page.get_by_text("If something goes wrong").click()
    page.get_by_text("After other jobs, on events").click()
    expect(page.get_by_test_id("aios-ticks").locator("li")).to_have_count(10)


def promote_where(page: Page) -> None:
    page.get_by_role("button", name="Next: Where").click()
    page.get_by_role("radio", name=re.compile("Airflow")).check()
    page.get_by_test_id("aios-files").get_by_role("button").first.click()


def promote_approve(page: Page) -> None:
    page.get_by_role("radio", name=re.compile("AIOS scheduler")).check()
    page.get_by_role("button", name="Next: Approve").click()
    expect(page.get_by_test_id("aios-facts")).to_be_visible()


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
LIVE: list[Callable[[Page], None]] = [
    notebook_graph,
    graph_step,
    settings,
    add_step,
    promote,
    promote_parameters,
    promote_when,
    promote_where,
    promote_approve,
    run_in_panel,
    run_in_main_area,
]

ROOTS = [".aios-ui", ".aiosw"]


MOVING = """() => document.getAnimations()
    .filter(a => a.playState === 'running' && a.effect?.target?.closest('.aios-ui, .aiosw'))
    .map(a => 'moves | ' + a.effect.target.outerHTML.slice(0, 120))"""


def check(page: Page, found: dict[str, list[str]], name: str) -> None:
    """Note what axe finds in our own elements, and what moves."""
    shot(page, f"axe_{name.replace(' ', '_')}")
    if problems := [*page.evaluate(FIND, ROOTS), *page.evaluate(MOVING)]:
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
            theme(page, look)
            check(page, found, f"{screen.__name__} {look}")
        theme(page, "Light")
    assert found == {}


@pytest.mark.parametrize("look", ["Light", "Dark", "Dark High Contrast"])
def test_every_page_of_a_run(page: Page, lab: Any, story: dict[str, str], look: str) -> None:
    found: dict[str, list[str]] = {}
    page.emulate_media(reduced_motion="reduce")
    run = open_comparison(page, lab, story, look)
    page.add_script_tag(path=AXE)
    for name in pages(run) if "Contrast" in look else every(run):
        check(page, found, f"run {name} {look}")
    theme(page, "Light")
    assert found == {}


def test_a_running_graph_stands_still_for_who_asked(page: Page) -> None:
    g = GraphPage(page)
    nodes = [n.model_copy(update={"progress": None}) for n in pipeline(12)]
    g.show(nodes)
    assert page.evaluate(MOVING) != []
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(MOVING) == []


# ---------------------------------------------------------------- forced colours

#: What is drawn as a background, with the screens it is on. The system takes backgrounds away.
DRAWN = {
    "overview": ".aiosw-split-bar [data-span]",
    "timeline": ".aiosw-lane-chart > i",
    "history": ".aiosw-barbutton i",
}

PAINTED = """all => all.filter(e => e.getBoundingClientRect().width > 0).map(e => {
    const s = getComputedStyle(e);
    const seen = !['rgba(0, 0, 0, 0)', 'rgb(255, 255, 255)'].includes(s.backgroundColor);
    return s.forcedColorAdjust === 'none' && (seen || s.backgroundImage !== 'none' || s.borderTopStyle !== 'none');
})"""

STYLE = "(e, name) => getComputedStyle(e)[name]"


def test_forced_colours_keep_what_is_chosen_and_drawn(page: Page, lab: Any, story: dict[str, str]) -> None:
    page.emulate_media(forced_colors="active")
    run = open_comparison(page, lab, story)
    for name in (name for part in (pages, graph) for name in part(run)):
        shot(page, f"forced_{name}")
        chosen = run.locator(".aiosw-pagetab[aria-selected='true']").evaluate(STYLE, "borderBottomColor")
        other = run.locator(".aiosw-pagetab[aria-selected='false']").first.evaluate(
            STYLE, "borderBottomColor"
        )
        assert chosen != other, name
        if bars := DRAWN.get(name):
            painted = run.locator(bars).evaluate_all(PAINTED)
            assert painted, name
            assert all(painted), name
    node = run.locator(".aiosw-node").first
    plain = node.locator(".aiosw-outline > *").evaluate(STYLE, "stroke")
    node.click()
    assert node.locator(".aiosw-outline > *").evaluate(STYLE, "stroke") != plain
    grid = run.get_by_role("grid").first
    grid.focus()
    page.keyboard.press("ArrowDown")
    shot(page, "forced_grid")
    active = grid.locator(".aiosw-grid-cell[data-active]")
    assert active.evaluate(STYLE, "outlineStyle") == "solid"
    page.keyboard.press("Shift+ArrowRight")
    shot(page, "forced_grid_selection")
    selected = grid.locator(".aiosw-grid-cell[aria-selected='true']").first.evaluate(STYLE, "backgroundColor")
    calm = grid.locator(".aiosw-grid-cell:not([aria-selected='true'])").first
    assert selected != calm.evaluate(STYLE, "backgroundColor")


def test_forced_colours_in_the_panel(page: Page, lab: Any) -> None:
    page.emulate_media(forced_colors="active")
    with answers(page, **EMPTY) as body:
        lab.open(page)
        command(page, "aios:open-panel")
        for screen in SCREENS:
            screen(page, body)
            shot(page, f"forced_panel_{screen.__name__}")
            tabs = page.locator(".aios-tab")
            lines = {t: tabs.nth(t).evaluate(STYLE, "borderBottomColor") for t in range(tabs.count())}
            assert len(set(lines.values())) == (2 if lines else 0), screen.__name__
        bar = page.locator(".aios-bar > span")
        tab(page, "runs")
        expect(bar.first).to_be_attached()
        assert all(bar.evaluate_all(PAINTED))
