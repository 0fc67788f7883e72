"""What one does on a graph: search, groups, keys, minimap, list. The built widget, its states sent by hand."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

import pytest
from graph_page import GraphPage, pipeline
from playwright.sync_api import Page, expect

from aios_workbench.widgets.protocol import StepNode

SHOTS = os.environ.get("AIOS_SHOTS")
MARK = re.compile(r"translate\(([-\d.]+)px, ([-\d.]+)px\) scale\(([\d.]+)\)")


@pytest.fixture
def view(page: Page) -> Iterator[Callable[..., GraphPage]]:
    """Open the page; no script error may be left."""
    errors: list[str] = []
    page.on("pageerror", lambda e: errors.append(str(e)))
    yield lambda **options: GraphPage(page, **options)
    assert errors == []


def shot(g: GraphPage, name: str) -> None:
    """Keep a screenshot where AIOS_SHOTS says."""
    if SHOTS:
        g.graph.screenshot(path=f"{SHOTS}/{name}.png")


def chain(*names: str) -> list[StepNode]:
    """One step after the other."""
    return [
        StepNode(name=name, deps=[names[i - 1]] if i else [], status="succeeded", duration=1.0)
        for i, name in enumerate(names)
    ]


def test_search_counts_highlights_and_jumps(view: Callable[..., GraphPage]) -> None:
    g = view()
    nodes = pipeline(12)
    graph = g.show(nodes)
    g.node("start").focus()
    g.page.keyboard.press("/")
    box = graph.get_by_label("Find steps by name, tag or state")
    expect(box).to_be_focused()
    box.fill("clean")
    expect(graph.locator(".aiosw-search-count")).to_have_text("2")
    expect(graph.locator(".aiosw-node[data-found]")).to_have_count(2)
    box.press("Enter")
    expect(graph.locator(".aiosw-search-count")).to_have_text("1 of 2")
    expect(g.node("clean_0")).to_have_attribute("data-found", "current")
    box.press("Enter")
    box.press("Enter")
    expect(g.node("clean_0")).to_have_attribute("data-found", "current")
    box.press("Shift+Enter")
    expect(g.node("clean_1")).to_have_attribute("data-found", "current")
    for query, count in (
        ("state:failed", 1), ("tag:features", 2), ("kind:gate", 1), ('"report 10"', 1), ("state:succeeded tag:load", 1),
        ("nothing-like-this", 0),
    ):  # fmt: skip
        box.fill(query)
        expect(graph.locator(".aiosw-search-count")).to_have_text(str(count or "none"))
    box.press("Escape")
    expect(box).to_have_value("")
    box.press("Escape")
    expect(g.node("clean_1")).to_be_focused()
    g.page.keyboard.press("Control+f")
    expect(box).to_be_focused()


@pytest.mark.parametrize("width", [360, 1200])
def test_a_small_graph_asks_for_nothing_until_it_is_asked(view: Callable[..., GraphPage], width: int) -> None:
    g = view()
    graph = g.show(pipeline(11, mixed=False), width=width)
    search, groups = graph.get_by_label("Find steps by name, tag or state"), graph.get_by_label("Group steps")
    more = graph.get_by_role("button", name="More graph tools")
    expect(graph.get_by_role("button", name="Critical path")).to_be_visible()
    expect(search.or_(groups)).to_have_count(0)
    shot(g, f"calm-{width}")
    g.node("start").focus()
    g.page.keyboard.press("/")
    expect(search).to_be_focused()
    search.fill("end")
    expect(g.node("end")).to_have_attribute("data-found", "yes")
    search.press("Escape")
    search.press("Escape")
    expect(search).to_have_count(0)
    expect(g.node("start")).to_be_focused()
    more.click()
    expect(search).to_be_visible()
    groups.select_option("tag")
    more.click()
    expect(search).to_be_visible()  # what is narrowed or grouped keeps its tools in sight
    g.show(pipeline(12), width=width, workflow="larger")
    expect(search).to_be_visible()


def test_adding_a_step_is_a_button_of_the_one_row_of_pages(view: Callable[..., GraphPage]) -> None:
    g = view()
    for width in (360, 1200):
        graph = g.show(pipeline(5, mixed=False), width=width)
        add = graph.get_by_role("button", name="Add step")
        page, button = graph.get_by_role("button", name="Overview").bounding_box(), add.bounding_box()
        assert page
        assert button
        assert abs(page["y"] + page["height"] / 2 - button["y"] - button["height"] / 2) < 2
        assert button["width"] >= 24
        assert button["height"] >= 24
        add.click()
        form = graph.get_by_role("form", name="Add a step").bounding_box()
        assert form
        assert form["y"] >= button["y"] + button["height"]
        assert form["width"] > width * 0.9


def test_search_opens_the_groups_around_a_match(view: Callable[..., GraphPage]) -> None:
    g = view()
    graph = g.show(pipeline(10_000))
    expect(graph.locator(".aiosw-group")).to_have_count(5)
    box = graph.get_by_label("Find steps by name, tag or state")
    box.fill("features_2222")
    expect(graph.locator(".aiosw-group[data-found]")).to_have_count(1)
    expect(g.group("features")).to_contain_text("1 found")
    box.press("Enter")
    expect(g.node("features_2222")).to_be_in_viewport()
    expect(g.node("features_2222")).to_have_attribute("data-found", "current")
    expect(box).to_be_focused()
    shot(g, "search-in-groups")


def test_ten_thousand_steps_open_collapsed_with_counts(view: Callable[..., GraphPage]) -> None:
    g = view()
    nodes = pipeline(10_000)
    graph = g.show(nodes)
    expect(graph.get_by_label("Group steps")).to_have_value("name")
    load = [n for n in nodes if n.name.startswith("load_")]
    failed = sum(n.status == "failed" for n in load)
    group = g.group("load")
    expect(group).to_contain_text(f"{len(load):,} steps")
    expect(group.get_by_role("button", name=f"{failed} failed: go to the first")).to_be_visible()
    expect(group.get_by_role("progressbar")).to_have_attribute("aria-valuenow", re.compile(r"\d\d"))
    expect(group).to_have_attribute("data-status", "failed")
    # A state that changes inside shows outside.
    nodes = [n.model_copy(update={"status": "succeeded"}) if n.status == "failed" else n for n in nodes]
    g.push(nodes)
    expect(group).to_have_attribute("data-status", "waiting")
    group.get_by_role("button", name=re.compile("running: go to the first")).click()
    first = next(n.name for n in load if n.status == "running")
    expect(g.node(first)).to_be_focused()
    expect(g.node(first)).to_be_in_viewport()


def test_without_prefixes_or_tags_siblings_are_grouped(view: Callable[..., GraphPage]) -> None:
    g = view()
    nodes = [StepNode(name="source"), *(StepNode(name=f"n{i}", deps=["source"]) for i in range(5_000))]
    nodes.append(StepNode(name="sink", deps=[n.name for n in nodes[1:]]))
    graph = g.show(nodes)
    expect(graph.get_by_label("Group steps")).to_have_value("layer")
    expect(g.group("n0 … n4999")).to_contain_text("5,000 steps")
    expect(graph.locator(".aiosw-node")).to_have_count(2)
    g.group("n0 … n4999").get_by_role("button").first.click()
    expect(graph.locator(".aiosw-group")).to_have_count(50)
    shot(g, "siblings-open")


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (["clean_a", "clean_b", "load_a", "load_b", "other"], ["clean", "load"]),
        (["a.b", "a.c", "b.b", "b.c"], ["a", "b"]),
        (["a/b", "a/c", "d"], ["a"]),
        (["one", "two", "three"], []),
        (["s_1", "s_2", "s_3"], []),  # one prefix for all says nothing
    ],
)
def test_groups_by_prefix(view: Callable[..., GraphPage], names: list[str], groups: list[str]) -> None:
    g = view()
    graph = g.show(chain(*names))
    graph.get_by_role("button", name="More graph tools").click()  # few steps: groups are not offered at once
    select = graph.get_by_label("Group steps")
    options = select.locator("option").evaluate_all("o => o.map(e => e.value)")
    assert ("name" in options) == bool(groups)
    if groups:
        select.select_option("name")
        expect(graph.locator(".aiosw-group")).to_have_count(len(groups))
        for label in groups:
            expect(g.group(label)).to_be_visible()


def test_a_group_opens_in_place_and_closes(view: Callable[..., GraphPage]) -> None:
    g = view()
    graph = g.show(pipeline(60))
    graph.get_by_label("Group steps").select_option("tag")
    group = g.group("features")
    before = group.bounding_box()
    group.get_by_role("button").first.press("Enter")
    frame = graph.locator(".aiosw-frame")
    expect(frame).to_have_count(1)
    after = frame.bounding_box()
    assert before
    assert after
    assert abs(before["x"] - after["x"]) < 2
    assert abs(before["y"] - after["y"]) < 2
    expect(g.node("features_0")).to_be_focused()
    shot(g, "group-open")
    g.page.keyboard.press("u")
    expect(frame).to_have_count(0)
    again = g.group("features").bounding_box()
    assert again
    assert abs(before["x"] - again["x"]) < 2
    assert abs(before["y"] - again["y"]) < 2
    expect(g.group("features").get_by_role("button").first).to_be_focused()


def test_keys_walk_over_groups_and_stay_one_tab_stop(view: Callable[..., GraphPage]) -> None:
    g = view()
    graph = g.show(pipeline(60))
    graph.get_by_label("Group steps").select_option("tag")
    keys = g.page.keyboard
    g.node("start").focus()
    keys.press("ArrowRight")
    keys.press("Home")
    expect(g.node("start")).to_be_focused()
    keys.press("End")
    expect(g.node("end")).to_be_focused()
    keys.press("ArrowLeft")
    expect(g.group("score").get_by_role("button").first).to_be_focused()
    keys.press("ArrowLeft")
    features = g.group("features").get_by_role("button").first
    expect(features).to_be_focused()
    keys.press("Enter")
    expect(g.node("features_0")).to_be_focused()
    keys.press("ArrowDown")
    expect(g.node("features_1")).to_be_focused()
    keys.press("ArrowLeft")  # out of the open group
    expect(g.group("clean").get_by_role("button").first).to_be_focused()
    assert (
        graph.locator(".react-flow [data-step][tabindex='0'], .react-flow [data-group][tabindex='0']").count()
        == 1
    )
    keys.press("?")
    expect(graph.locator(".aiosw-keys")).to_contain_text("critical path")
    keys.press("Escape")
    expect(graph.locator(".aiosw-keys")).to_have_count(0)


def test_critical_path_is_the_longest_chain(view: Callable[..., GraphPage]) -> None:
    g = view()
    nodes = [
        StepNode(name="a", status="succeeded", duration=1.0),
        StepNode(name="slow", deps=["a"], status="succeeded", duration=9.0),
        StepNode(name="fast", deps=["a"], status="succeeded", duration=1.0),
        StepNode(name="cached", deps=["a"], status="succeeded", duration=60.0, cached=True),
        StepNode(name="z", deps=["slow", "fast", "cached"], status="succeeded", duration=1.0),
    ]
    graph = g.show(nodes)
    graph.get_by_role("button", name="Critical path").click()
    marked = graph.locator(".aiosw-node[data-critical]")
    expect(marked).to_have_count(3)
    assert marked.evaluate_all("e => e.map(n => n.dataset.step).sort()") == ["a", "slow", "z"]
    expect(graph.locator(".aiosw-edge-critical")).to_have_count(2)
    g.push([n.model_copy(update={"duration": 20.0}) if n.name == "fast" else n for n in nodes])
    expect(g.node("fast")).to_have_attribute("data-critical", "true")
    expect(g.node("slow")).not_to_have_attribute("data-critical", "true")


def test_edges_carry_rows_or_size_on_demand(view: Callable[..., GraphPage]) -> None:
    g = view()
    nodes = chain("load", "clean")
    nodes[0] = nodes[0].model_copy(update={"rows": 1_234_567, "bytes": 2_500_000})
    graph = g.show(nodes)
    labels = graph.locator(".aiosw-edge-label")
    expect(labels).to_have_count(0)
    graph.get_by_role("button", name="More graph tools").click()
    graph.get_by_label("On edges").select_option("rows")
    expect(labels).to_have_text("1,234,567 rows")
    graph.get_by_label("On edges").select_option("bytes")
    expect(labels).to_have_text("2.5 MB")


def test_finished_steps_can_be_hidden_and_edges_bridge_them(view: Callable[..., GraphPage]) -> None:
    g = view()
    nodes = chain("a", "b", "c", "d")
    for i in (0, 2, 3):
        nodes[i] = nodes[i].model_copy(update={"status": "failed" if i == 0 else "pending"})
    graph = g.show(nodes)
    graph.get_by_role("button", name="More graph tools").click()
    graph.get_by_label("Only unfinished steps").check()
    expect(graph.locator(".aiosw-node")).to_have_count(3)
    expect(graph.locator(".aiosw-edge")).to_have_count(2)
    g.push([n.model_copy(update={"status": "succeeded"}) for n in nodes])
    expect(graph.get_by_text("All steps are over.")).to_be_visible()
    graph.get_by_role("button", name="Show them").click()
    expect(graph.locator(".aiosw-node")).to_have_count(4)


def test_minimap_moves_the_window(view: Callable[..., GraphPage]) -> None:
    g = view()
    graph = g.show(pipeline(1_000))
    expect(graph.locator("canvas.aiosw-canvas")).to_have_count(2)
    expect(graph.locator(".aiosw-minimap")).to_have_count(0)  # all is in sight
    g.page.mouse.move(0, 0)
    graph.locator(".aiosw-graph").click(position={"x": 500, "y": 8})
    for _ in range(10):
        g.page.keyboard.press("+")
    graph.locator(".aiosw-tool").first.focus()
    for _ in range(10):
        g.page.keyboard.press("+")
    minimap = graph.locator(".aiosw-minimap")
    expect(minimap).to_be_visible()
    assert minimap.locator("canvas").evaluate(
        "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v)"
    )
    before = g.viewport()
    minimap.click(position={"x": 20, "y": 40})
    g.settle()
    left = g.viewport()
    minimap.click(position={"x": 130, "y": 40})
    g.settle()
    assert before != left
    assert at(left)[0] > at(g.viewport())[0]
    shot(g, "minimap")
    graph.locator(".aiosw-tool").first.focus()
    g.page.keyboard.press("g")
    expect(minimap).to_have_count(0)


def at(transform: str) -> tuple[float, float, float]:
    """Return x, y and zoom of a viewport."""
    found = MARK.search(transform)
    assert found, transform
    return float(found[1]), float(found[2]), float(found[3])


def test_the_list_sorts_filters_and_opens(view: Callable[..., GraphPage]) -> None:
    g = view()
    nodes = pipeline(1_000)
    graph = g.show(nodes)
    graph.get_by_role("button", name="List").click()
    table = graph.locator(".aiosw-list table")
    expect(table).to_have_attribute("aria-rowcount", "1001")
    assert table.locator("[data-row]").count() < 60  # only what is in sight
    table.get_by_role("button", name="Duration").click()
    expect(table.get_by_role("columnheader", name="Duration")).to_have_attribute("aria-sort", "descending")
    longest = max(n.duration or 0 for n in nodes)
    expect(table.locator("tbody tr[data-status] td").nth(1)).to_have_text(f"{longest:.1f} s")
    graph.get_by_label("Find steps by name, tag or state").fill("state:running")
    running = [n.name for n in nodes if n.status == "running"]
    expect(table).to_have_attribute("aria-rowcount", str(len(running) + 1))
    table.get_by_role("button", name="Step", exact=True).click()
    row = table.locator("[data-row]").first
    name = row.inner_text()
    row.click()
    expect(graph.locator(".aiosw-detail, .aiosw-step").first).to_contain_text(name)
    shot(g, "list")


def test_the_viewport_stays_when_states_change_and_steps_come_and_go(view: Callable[..., GraphPage]) -> None:
    g = view()
    nodes = pipeline(60)
    graph = g.show(nodes)
    g.node("clean_5").focus()
    for _ in range(4):
        g.page.keyboard.press("+")
    g.settle()
    where, height = g.viewport(), graph.locator(".aiosw-graph").bounding_box()
    done = [n.model_copy(update={"status": "succeeded", "duration": 2.0}) for n in nodes]
    g.push(done)
    assert g.viewport() == where
    assert graph.locator(".aiosw-graph").bounding_box() == height
    centre = graph.locator(".aiosw-graph").bounding_box()
    assert centre
    middle = g.page.evaluate(
        "([x, y]) => document.elementsFromPoint(x, y).map(e => e.closest('[data-step]')?.dataset.step).find(s => s)"
        " ?? [...document.querySelectorAll('[data-step]')].map(e => [e.dataset.step, e.getBoundingClientRect()])"
        ".sort(([, a], [, b]) => Math.hypot(a.x + a.width / 2 - x, a.y + a.height / 2 - y)"
        " - Math.hypot(b.x + b.width / 2 - x, b.y + b.height / 2 - y))[0][0]",
        [centre["x"] + centre["width"] / 2, centre["y"] + centre["height"] / 2],
    )
    before = g.node(middle).bounding_box()
    # A step before everything, and one more branch: all the others move, what one looks at does not.
    more = [StepNode(name="before"), *done, *(StepNode(name=f"new {i}", deps=["start"]) for i in range(5))]
    more[1] = more[1].model_copy(update={"deps": ["before"]})
    g.push(more)
    after = g.node(middle).bounding_box()
    assert before
    assert after
    assert abs(before["x"] - after["x"]) < 2
    assert abs(before["y"] - after["y"]) < 2


def test_a_cell_that_runs_again_keeps_view_groups_and_step(view: Callable[..., GraphPage]) -> None:
    g = view()
    nodes = pipeline(60)
    graph = g.show(nodes)
    graph.get_by_label("Group steps").select_option("tag")
    g.group("clean").get_by_role("button").first.click()
    g.node("clean_3").click()
    g.page.keyboard.press("+")
    g.settle()
    where = g.viewport()
    g.show([n.model_copy(update={"status": "pending", "duration": None}) for n in nodes])
    assert g.viewport() == where
    expect(graph.locator(".aiosw-frame")).to_have_count(1)
    expect(g.node("clean_3")).to_have_attribute("aria-pressed", "true")
    # Another workflow in the same cell begins afresh.
    g.show(nodes, workflow="another")
    expect(graph.locator(".aiosw-frame")).to_have_count(0)


CSP = "script-src 'self' 'unsafe-inline'; worker-src 'none'"


@pytest.mark.parametrize("csp", ["", CSP])
def test_large_layouts_leave_the_main_thread(view: Callable[..., GraphPage], csp: str) -> None:
    g = view(csp=csp)
    made: list[str] = []
    g.page.on("worker", lambda w: made.append(w.url))
    graph = g.show(pipeline(1_500))
    expect(graph.locator("canvas.aiosw-canvas")).to_have_count(2)
    g.settle()
    painted = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v)"
    assert graph.locator("canvas.aiosw-canvas").last.evaluate(painted)
    # With workers refused the same picture comes in slices.
    assert [u.startswith("blob:") for u in made] == ([] if csp else [True])


def test_hostile_names_are_text_everywhere(view: Callable[..., GraphPage]) -> None:
    g = view()
    evil = "<img src=x onerror=window.hacked=1>"
    nodes = [
        StepNode(
            name=f"{evil}_{i}",
            deps=[f"{evil}_{i - 1}"] if i else [],
            tags=[evil],
            status="failed",
            error=evil,
        )
        for i in range(4)
    ]
    nodes.append(StepNode(name='"] --> x["%%{init: {}}%%', deps=[f"{evil}_3"], tags=["'"]))
    graph = g.show(nodes, workflow=evil)
    graph.get_by_role("button", name="More graph tools").click()
    for by in ("name", "tag", "layer"):
        select = graph.get_by_label("Group steps")
        if by in select.locator("option").evaluate_all("o => o.map(e => e.value)"):
            select.select_option(by)
            g.settle()
    graph.get_by_label("Find steps by name, tag or state").fill(evil)
    graph.get_by_role("button", name="List").click()
    expect(graph.locator("[data-row]").first).to_contain_text(evil)
    assert g.page.evaluate("window.hacked") is None
    assert graph.locator("img").count() == 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 760, 1400])
def test_screens_of_every_size(view: Callable[..., GraphPage], width: int, dark: bool) -> None:
    g = view()
    for n in (5, 12, 60, 300, 1_000, 10_000):
        graph = g.show(pipeline(n), width=width, dark=dark, workflow=f"claims {n}")
        box, inner = graph.bounding_box(), graph.locator(".aiosw-toolbar").bounding_box()
        assert box
        assert inner
        assert inner["height"] <= 44, "one row"
        assert box["width"] <= width
        assert graph.evaluate("e => e.scrollWidth <= e.clientWidth")
        shot(g, f"graph-{n}-{width}-{'dark' if dark else 'light'}")


def test_high_contrast_and_less_motion(view: Callable[..., GraphPage]) -> None:
    g = view()
    g.page.emulate_media(forced_colors="active", reduced_motion="reduce")
    graph = g.show(pipeline(60))
    graph.get_by_role("button", name="Critical path").click()
    assert graph.locator(".aiosw-bar > span").first.evaluate("e => getComputedStyle(e).animationName") in {
        "none",
        "",
    }
    shot(g, "high-contrast")
    g.show(pipeline(300))
    shot(g, "high-contrast-canvas")
