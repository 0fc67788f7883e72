"""The tuning widget on a page of its own: what it shows, asks and lets people do, in every state it can be in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_tuning import EVIL, FakeTuning, tuned
from playwright.sync_api import Locator, Page, expect
from test_accessibility import AXE, FIND, MOVING
from tuning_page import TuningPage

SHOTS = os.environ.get("AIOS_SHOTS")
STATIC = Path(__file__).resolve().parents[2] / "aios_workbench" / "static"


@pytest.fixture
def opened(page: Page, errors: list[str]) -> Iterator[TuningPage]:
    """The page; no script error and nothing hostile may have run on it."""
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
    page.set_viewport_size({"width": 1060, "height": 900})
    yield TuningPage(page)
    assert page.evaluate("window.hacked") is None
    assert [s for s in said if "favicon" not in s] == []


def shot(opened: TuningPage, name: str) -> None:
    if SHOTS:
        opened.page.screenshot(path=f"{SHOTS}/tuning_{name}.png", full_page=True)


def dots(root: Locator) -> Locator:
    return root.locator(".aiosw-tun-dot")


def place(root: Locator, point: str) -> tuple[float, float]:
    """The middle of a point's mark on the page."""
    box = root.locator(f'.aiosw-tun-dot[data-point="{point}"]').bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


# ---------------------------------------------------------------- states


def test_it_grows_while_it_runs(opened: TuningPage) -> None:
    tuning = FakeTuning()
    root = opened.show(tuning)
    expect(root).to_contain_text("The first points come in a second or two.")
    expect(root).to_contain_text("what every recall is measured against")
    shot(opened, "empty")
    for count in (1, 13, 60):
        tuning.measure(count - len(tuning.state.points))
        opened.push()
        expect(dots(root)).to_have_count(count)
    expect(root.get_by_role("progressbar", name="Budget spent")).to_have_attribute(
        "aria-valuetext", re.compile("of 1 min")
    )
    expect(root.locator(".aiosw-tun-doing")).to_contain_text("because 0.95 lies between")
    expect(root.get_by_role("region", name="The chosen index")).to_contain_text(
        "fastest that holds the constraints"
    )
    shot(opened, "running")
    tuning.measure()
    tuning.finish(elapsed=34.0)
    opened.push()
    expect(root.locator(".aiosw-chip")).to_have_text("finished")
    expect(root.get_by_role("region", name="The chosen index")).to_contain_text("verified")
    assert root.get_by_role("button", name="Stop").count() == 0
    shot(opened, "finished")


def test_a_patch_is_small_however_many_points_there_are(opened: TuningPage) -> None:
    tuning = tuned(400, scale=4)
    root = opened.show(tuning)
    opened.push()
    tuning.measure(1)
    opened.push()
    expect(dots(root)).to_have_count(401)
    assert opened.sent["patch"] < 8_000
    assert opened.sent["tuning"] > 100_000


def test_stop_pause_and_resume(opened: TuningPage) -> None:
    tuning = tuned(20)
    root = opened.show(tuning)
    root.get_by_role("button", name="Pause").click()
    expect(root.locator(".aiosw-chip")).to_have_text("paused")
    root.get_by_role("button", name="Resume").click()
    expect(root.locator(".aiosw-chip")).to_have_text("running")
    root.get_by_role("button", name="Stop").click()
    expect(root.locator(".aiosw-chip")).to_have_text("stopped")
    assert tuning.calls == [("pause",), ("resume",), ("stop",)]
    shot(opened, "stopped")


def test_what_happens_is_said(opened: TuningPage) -> None:
    tuning = tuned(20)
    root = opened.show(tuning)
    status = root.locator("header [role=status]")
    expect(status).to_contain_text("20 points measured. Chosen: ")
    tuning.measure(3)
    opened.push()
    expect(status).to_contain_text("20 points")  # not every point is spoken
    tuning.finish()
    opened.push()
    expect(status).to_contain_text("Tuning finished")


def test_a_failure_keeps_what_was_measured(opened: TuningPage) -> None:
    root = opened.show(
        tuned(20).finish("failed", error="the tuner's process was killed (137): out of memory")
    )
    expect(root.get_by_role("alert")).to_contain_text("out of memory")
    expect(dots(root)).to_have_count(20)
    shot(opened, "failed")


def test_nothing_holds_the_constraints(opened: TuningPage) -> None:
    tuning = tuned(20)
    root = opened.show(tuning)
    root.get_by_label("p95 at most, ms").fill("0.0001")
    root.get_by_label("p95 at most, ms").press("Enter")
    expect(root.get_by_role("region", name="The chosen index")).to_contain_text(
        "Nothing measured holds all of this"
    )
    shot(opened, "nothing_holds")


def test_the_kernel_is_gone(page: Page, errors: list[str]) -> None:
    opened = TuningPage(page)
    root = opened.show(tuned().finish())
    page.evaluate("window.model.send = () => {}")
    page.evaluate("window.show({}, 1000)")
    expect(root.get_by_text("Kernel gone")).to_be_visible(timeout=20_000)
    expect(root.get_by_role("button", name="Use this index")).to_be_disabled()
    expect(root.get_by_label("Recall at least")).to_be_disabled()
    root.get_by_role("button", name=re.compile("^0.999")).click()  # round recalls were answered before
    expect(root.locator("output")).to_contain_text("queries a second")
    page.mouse.click(*place(root, "p1"))  # looked at, not chosen
    expect(root.get_by_role("region", name="The chosen index")).to_contain_text("looked at")


@pytest.mark.parametrize("width", [480, 760, 1000, 1900])
def test_every_width(opened: TuningPage, width: int) -> None:
    opened.page.set_viewport_size({"width": width + 40, "height": 900})
    root = opened.show(tuned(scale=4).finish(), width=width)
    expect(dots(root)).to_have_count(521)
    inner = opened.page.evaluate(
        "document.querySelector('.aiosw').scrollWidth - document.querySelector('.aiosw').clientWidth"
    )
    assert inner <= 0
    for tab in ("Latency", "Memory and build", "Tried", "Pruned", "Queries", "Curves"):
        root.get_by_role("tab", name=tab).click()
        assert root.evaluate("e => e.scrollWidth - e.clientWidth") <= 0, tab
    shot(opened, f"width_{width}")


def test_hostile_labels_are_text(opened: TuningPage) -> None:
    tuning = tuned(evil=True).finish("failed", error=EVIL, notes=[EVIL])
    root = opened.show(tuning)
    expect(root.locator("header")).to_contain_text(EVIL)
    root.get_by_role("tab", name="Pruned").click()
    expect(root.get_by_role("tabpanel", name="Pruned")).to_contain_text(EVIL)
    root.get_by_role("tab", name="Queries").click()
    root.get_by_label("A text").fill(EVIL)
    root.get_by_role("button", name="Find neighbours").click()
    expect(root.get_by_label("Exact neighbours")).to_contain_text(EVIL)
    expect(root.get_by_label("Hard queries")).to_contain_text(EVIL)
    assert root.locator("img").count() == 0
    shot(opened, "hostile")


# ---------------------------------------------------------------- the chart


def test_a_click_chooses_and_the_constraints_may_decide_again(opened: TuningPage) -> None:
    tuning = tuned().finish()
    root = opened.show(tuning)
    card = root.get_by_role("region", name="The chosen index")
    first = tuning.state.chosen
    opened.page.mouse.click(*place(root, "p1"))
    expect(card).to_contain_text("picked by hand")
    assert tuning.state.chosen == "p1"
    expect(root.locator('[data-point="p1"]')).to_have_attribute("aria-selected", "true")
    card.get_by_role("button", name="Let the constraints decide").click()
    expect(card).to_contain_text("fastest that holds")
    assert tuning.state.chosen == first


def test_a_point_says_what_it_is(opened: TuningPage) -> None:
    root = opened.show(tuned().finish())
    opened.page.mouse.move(*place(root, "p1"))
    tip = root.locator(".aiosw-tun-tip")
    expect(tip).to_contain_text("1,950/s")
    expect(tip).to_contain_text("102 MB")
    opened.page.mouse.move(2, 2)
    expect(tip).to_have_count(0)


def test_a_trial_on_a_part_is_never_chosen(opened: TuningPage) -> None:
    tuning = tuned().finish()
    root = opened.show(tuning)
    trial = next(p.id for p in tuning.state.points if p.vectors < 200_000)
    opened.page.mouse.click(*place(root, trial))
    opened.settle()
    assert [c for c in tuning.calls if c[0] == "choose" and c[1] == trial] == []


def test_a_brush_marks_points_and_narrows_the_table(opened: TuningPage) -> None:
    root = opened.show(tuned().finish())
    box = root.locator(".aiosw-tun-scatter svg").bounding_box()
    assert box is not None
    mouse = opened.page.mouse
    mouse.move(box["x"] + 320, box["y"] + 40)
    mouse.down()
    mouse.move(box["x"] + 400, box["y"] + 120)
    mouse.move(box["x"] + 520, box["y"] + 250)
    mouse.up()
    expect(root.locator(".aiosw-tun-hint")).to_have_text(re.compile(r"^\d+ of 143 points marked"))
    shot(opened, "brush")
    root.get_by_role("button", name="Show them below").click()
    root.get_by_role("button", name="Marked on the chart").click()
    counted = int(re.match(r"\d+", root.locator(".aiosw-counted").inner_text())[0])  # type: ignore[index]
    assert 0 < counted < 143
    assert root.locator(".aiosw-tun-hint").inner_text().startswith(f"{counted} of 143")
    root.locator(".aiosw-tun-points").focus()
    opened.page.keyboard.press("Escape")
    expect(root.locator(".aiosw-tun-brush")).to_have_count(0)
    expect(root.locator(".aiosw-counted")).to_have_text("143 of 143 points")


def test_the_chart_by_keyboard(opened: TuningPage) -> None:
    tuning = tuned().finish()
    root = opened.show(tuning)
    points = root.locator(".aiosw-tun-points")
    points.focus()
    active = points.get_attribute("aria-activedescendant")
    assert active is not None
    assert active.endswith(str(tuning.state.chosen))
    opened.page.keyboard.press("ArrowUp")
    opened.page.keyboard.press("ArrowUp")
    front = tuning.state.front
    wanted = front[front.index(str(tuning.state.chosen)) + 2]
    assert str(points.get_attribute("aria-activedescendant")).endswith(f"-{wanted}")
    option = root.locator(f'[data-point="{wanted}"]')
    assert re.search(
        r"recall 0\.\d+, .* queries a second; p95 .* ms; .* B a vector; on the front",
        str(option.get_attribute("aria-label")),
    )
    opened.page.keyboard.press("Enter")
    expect(option).to_have_attribute("aria-selected", "true")
    assert tuning.state.chosen == wanted
    for key in ("Home", "ArrowRight", "ArrowDown", "End", "ArrowLeft"):
        opened.page.keyboard.press(key)
    opened.page.keyboard.press("Home")
    for _ in range(30):
        opened.page.keyboard.press("Shift+ArrowRight")
    expect(root.locator(".aiosw-tun-hint")).to_have_text(re.compile(r"^[1-9]\d* of 143 points marked"))
    shot(opened, "keyboard")


def test_latency_as_the_axis_and_families_hidden(opened: TuningPage) -> None:
    tuning = tuned().finish()
    root = opened.show(tuning)
    root.get_by_role("button", name="Latency", exact=True).click()
    expect(root.locator(".aiosw-tun-axis").last).to_contain_text("p95")
    ivf = root.get_by_role("group", name="Families shown").get_by_role("switch", name="IVF")
    ivf.click()
    expect(ivf).to_have_attribute("aria-checked", "false")
    expect(dots(root)).to_have_count(sum(p.family != "ivf" for p in (q.params for q in tuning.state.points)))
    shot(opened, "latency_axis")


# ---------------------------------------------------------------- questions


def test_the_slider_answers_at_once_and_its_recall_can_be_asked_for(opened: TuningPage) -> None:
    tuning = tuned().finish()
    root = opened.show(tuning)
    slider = root.get_by_role("slider")
    said = root.locator("output")
    expect(said).to_contain_text("times slower than the chosen")
    before = said.inner_text()
    slider.focus()
    for _ in range(60):
        opened.page.keyboard.press("ArrowRight")
    expect(said).not_to_have_text(before)
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^recall 0\.99\d+: .* queries a second"))
    assert [c for c in tuning.calls if c[0] != "constrain"] == []  # no search
    root.get_by_role("button", name=re.compile("^0.98 ")).click()
    root.get_by_role("button", name="Ask for 0.98").click()
    expect(root.get_by_label("Recall at least")).to_have_value("0.98")
    assert tuning.state.constraints.recall == 0.98


def test_constraints_are_edited_and_refused_beside_their_field(opened: TuningPage) -> None:
    tuning = tuned().finish()
    root = opened.show(tuning)
    memory = root.get_by_label("Memory at most")
    memory.fill("60 MB")
    memory.press("Tab")
    expect(root.get_by_role("region", name="The chosen index")).to_contain_text("SQ8")
    assert tuning.state.constraints.memory_bytes == 60_000_000
    expect(memory).to_have_value("60 MB")
    recall = root.get_by_label("Recall at least")
    recall.fill("lots")
    recall.press("Enter")
    expect(root.get_by_role("alert")).to_have_text("a recall between 0 and 1, like 0.95")
    expect(recall).to_have_attribute("aria-invalid", "true")
    recall.fill("90 %")
    recall.press("Enter")
    expect(recall).to_have_value("0.9")
    memory.fill("")
    memory.press("Enter")
    expect(memory).to_have_value("")
    assert tuning.state.constraints.memory_bytes is None
    expect(root.get_by_role("alert")).to_have_count(0)


def test_use_copy_and_export(opened: TuningPage, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tuning = tuned().finish()
    root = opened.show(tuning)
    card = root.get_by_role("region", name="The chosen index")
    card.get_by_role("button", name="Use this index").click()
    expect(card.get_by_role("group", name="Code that takes this index")).to_contain_text(
        f'index = tuning.pick(point="{tuning.state.chosen}")'
    )
    for system in ("milvus", "pgvector", "qdrant", "weaviate", "pinecone"):
        card.get_by_label("Export parameters for").select_option(system)
        expect(card.get_by_role("group", name="Parameters")).to_contain_text(f"{system} has no refine")
        expect(card.get_by_role("group", name="Parameters")).to_contain_text(
            "lists = 2048" if system == "pgvector" else '"nlist": 2048'
        )
    assert [c[1] for c in tuning.calls if c[0] == "export"] == [
        "milvus",
        "pgvector",
        "qdrant",
        "weaviate",
        "pinecone",
    ]
    shot(opened, "export")


def test_copy_code_copies_what_builds_it(opened: TuningPage) -> None:
    opened.page.evaluate(
        "document.execCommand = () => { window.copied = document.activeElement.value; return true }"
    )
    opened.page.evaluate(
        "navigator.clipboard && (navigator.clipboard.writeText = t => Promise.reject(new Error('no')))"
    )
    root = opened.show(tuned().finish())
    root.get_by_role("button", name="Copy code that builds this index").click()
    expect(root.get_by_role("button", name="Copy code that builds this index")).to_have_text("Copied")
    assert "index_factory" in opened.page.evaluate("window.copied")


def test_neighbours_beside_the_exact_ones(opened: TuningPage) -> None:
    tuning = tuned().finish()
    root = opened.show(tuning)
    root.get_by_role("tab", name="Queries").click()
    expect(root.get_by_label("Hard queries").get_by_role("listitem")).to_have_count(20)
    root.get_by_role("button", name="Find neighbours").click()
    exact = root.get_by_label("Exact neighbours")
    expect(exact.get_by_role("listitem")).to_have_count(10)
    expect(exact.locator('[data-hit="false"]')).to_have_count(2)
    expect(exact).to_contain_text("missed")
    expect(root.get_by_label("Approximate neighbours")).to_contain_text("not among the exact")
    shot(opened, "queries")
    root.get_by_label("Hard queries").get_by_role("listitem").nth(3).get_by_role("button").click()
    expect(root.locator(".aiosw-tun-found b")).to_have_text("query 21")
    root.get_by_role("button", name="Next query").click()
    expect(root.locator(".aiosw-tun-found b")).to_have_text("query 22")
    root.get_by_label("A text").fill("how tall")
    root.get_by_label("A text").press("Enter")
    expect(root.get_by_role("alert")).to_contain_text("no embedder")
    assert ("explore", 21, None, tuning.state.chosen) in tuning.calls


def test_everything_tried_can_be_sorted_and_chosen_from(opened: TuningPage) -> None:
    tuning = tuned().finish()
    root = opened.show(tuning)
    root.get_by_role("tab", name="Tried").click()
    grid = root.get_by_role("grid", name="Everything measured")
    expect(grid).to_have_attribute("aria-rowcount", "144")
    grid.get_by_role("columnheader").filter(has_text="recall").get_by_role("button").click()
    top = grid.locator('[role="row"][aria-rowindex="2"]')
    lowest = min(tuning.state.points, key=lambda p: p.recall)
    expect(top).to_contain_text(f"{lowest.recall:.4f}".rstrip("0"))
    root.get_by_role("button", name="The front").click()
    expect(root.locator(".aiosw-counted")).to_have_text(f"{len(tuning.state.front)} of 143 points")
    grid.focus()
    opened.page.keyboard.press("ArrowDown")
    opened.page.keyboard.press("Enter")
    expect(root.get_by_role("region", name="The chosen index")).to_contain_text("picked by hand")
    shot(opened, "tried")
    root.get_by_role("tab", name="Pruned").click()
    panel = root.get_by_role("tabpanel", name="Pruned")
    expect(panel).to_contain_text("cannot reach 0.95")
    panel.get_by_role("button", name="queries/s at best").click()
    expect(panel.locator("tbody tr").first).to_contain_text("NSG")
    shot(opened, "pruned")


def test_curves_latency_and_memory(opened: TuningPage) -> None:
    tuning = tuned().finish()
    root = opened.show(tuning)
    for knob in ("nprobe", "ef_search", "refine"):
        expect(root.get_by_role("img", name=f"Recall against {knob}")).to_be_visible()
    root.get_by_role("tab", name="Latency").click()
    expect(root.get_by_role("img", name=re.compile("200 queries one at a time: .* p99"))).to_be_visible()
    shot(opened, "latency")
    root.get_by_role("tab", name="Memory and build").click()
    table = root.get_by_role("region", name="Memory and build time")
    expect(table.locator("tbody tr")).to_have_count(len(tuning.state.front))
    table.get_by_role("button").first.click()
    expect(root.get_by_role("region", name="The chosen index")).to_contain_text("picked by hand")
    shot(opened, "memory")


# ---------------------------------------------------------------- for everybody


@pytest.mark.parametrize("look", ["light", "dark", "forced"])
def test_axe_finds_nothing_serious(opened: TuningPage, look: str) -> None:
    page = opened.page
    page.emulate_media(reduced_motion="reduce", forced_colors="active" if look == "forced" else "none")
    found: dict[str, list[str]] = {}
    page.add_init_script(path=AXE)
    page.reload()
    page.wait_for_function("window.ready")
    empty = FakeTuning()
    opened.show(empty, dark=look == "dark")
    found["empty"] = page.evaluate(FIND, [".aiosw"])
    tuning = tuned(80)
    root = opened.show(tuning, dark=look == "dark")
    found["running"] = page.evaluate(FIND, [".aiosw"])
    tuning.measure().finish(notes=["The sample of 200 queries is small for recall 0.999."])
    opened.push()
    root.locator(".aiosw-tun-points").focus()
    root.get_by_role("button", name="Use this index").click()
    for tab in ("Curves", "Latency", "Memory and build", "Tried", "Pruned", "Queries"):
        root.get_by_role("tab", name=tab).click()
        if tab == "Queries":
            root.get_by_role("button", name="Find neighbours").click()
            expect(root.get_by_label("Exact neighbours")).to_be_visible()
        found[tab] = [*page.evaluate(FIND, [".aiosw"]), *page.evaluate(MOVING)]
    shot(opened, f"axe_{look}")
    assert {k: v for k, v in found.items() if v} == {}


def test_bundles_stay_small() -> None:
    import gzip

    sizes = {
        n: len(gzip.compress((STATIC / n).read_bytes())) for n in ("tuning.js", "tuning.css", "graph.js")
    }
    assert sizes["tuning.js"] + sizes["tuning.css"] < 120_000
    assert sizes["graph.js"] < 190_000
