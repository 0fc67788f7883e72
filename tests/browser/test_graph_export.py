"""The picture as a file: SVG and PNG drawn by the widget, Mermaid that Mermaid itself reads; and in a Panel app."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from graph_page import ORIGIN, GraphPage, pipeline
from panel_app import saved_app, served_app
from playwright.sync_api import Locator, Page, expect

from aios_workbench.widgets.protocol import StepNode
from aios_workbench.workflow import Workflow

ROOT = Path(__file__).resolve().parents[2]
MERMAID = ROOT / "labextension" / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"  # JupyterLab's own
SVG = "{http://www.w3.org/2000/svg}"
EVIL = [
    "<img src=x onerror=window.hacked=1>",
    '"] --> x["',
    "%%{init: {'theme': 'dark'}}%%",
    "`a` **b**; end",
    "1. a #35;",
]


@pytest.fixture
def view(page: Page) -> Iterator[GraphPage]:
    """Open the page; no script error may be left."""
    errors: list[str] = []
    page.on("pageerror", lambda e: errors.append(str(e)))
    yield GraphPage(page)
    assert errors == []


def saved(graph: Locator, page: Page, kind: str) -> tuple[str, bytes]:
    """Press a button under "Picture"; return the file's name and what is in it."""
    if graph.get_by_role("button", name=kind, exact=True).count() == 0:
        graph.get_by_role("button", name="More graph tools").click()
    with page.expect_download() as download:
        graph.get_by_role("button", name=kind, exact=True).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def hostile() -> list[StepNode]:
    """Steps whose names are code somewhere."""
    return [
        StepNode(
            name=name,
            deps=[EVIL[i - 1]] if i else [],
            status="failed" if i == 1 else "succeeded",
            tags=["<b>"],
        )
        for i, name in enumerate(EVIL)
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_svg_is_whole_and_in_the_themes_colours(view: GraphPage, dark: bool) -> None:
    nodes = pipeline(300)
    graph = view.show(nodes, dark=dark)
    name, data = saved(graph, view.page, "SVG")
    assert name == "claims.svg"
    root = ET.fromstring(data)
    titles = {t.text.split(":")[0] for t in root.iter(f"{SVG}title") if t.text}
    assert {n.name for n in nodes} <= titles  # also what is out of sight
    assert b"var(" not in data
    back = next(root.iter(f"{SVG}rect")).get("fill")
    assert back == ("#212121" if dark else "#ffffff")


def test_svg_shows_the_groups_as_they_are_on_screen(view: GraphPage) -> None:
    graph = view.show(pipeline(10_000), workflow="ten / thousand")
    view.group("load").get_by_role("button").first.click()
    view.settle()
    name, data = saved(graph, view.page, "SVG")
    assert name == "ten-thousand.svg"
    words = " ".join(t.text or "" for t in ET.fromstring(data).iter(f"{SVG}text"))
    assert "clean · 2,499 steps" in words
    assert "load_0 … load_49" in words


def test_png_has_the_svgs_size_twice(view: GraphPage) -> None:
    from PIL import Image

    graph = view.show(pipeline(12))
    _, svg = saved(graph, view.page, "SVG")
    name, png = saved(graph, view.page, "PNG")
    assert name == "claims.png"
    root, picture = ET.fromstring(svg), Image.open(io.BytesIO(png))
    assert picture.size == (2 * int(root.get("width") or 0), 2 * int(root.get("height") or 0))
    assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 20  # something is drawn


def test_hostile_names_are_text_in_every_file(view: GraphPage) -> None:
    graph = view.show(hostile())
    _, svg = saved(graph, view.page, "SVG")
    root = ET.fromstring(svg)
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {"svg", "title", "rect", "text", "g", "path"}
    assert {t.text.rsplit(": ", 1)[0] for t in list(root.iter(f"{SVG}title"))[1:] if t.text} == set(EVIL)
    saved(graph, view.page, "PNG")
    _, text = saved(graph, view.page, "Mermaid")
    assert labels(view.page, text.decode()) == [re.sub(r"\s+", " ", e) for e in EVIL]
    assert view.page.evaluate("window.hacked") is None


def test_mermaid_reads_groups_and_pythons_text_too(view: GraphPage) -> None:
    graph = view.show(pipeline(60))
    graph.get_by_label("Group steps").select_option("tag")
    view.group("clean").get_by_role("button").first.click()
    view.settle()
    name, text = saved(graph, view.page, "Mermaid")
    assert name == "claims.mmd"
    assert "subgraph" in text.decode()
    assert (
        len(labels(view.page, text.decode())) == 14 + 3 + 4
    )  # clean's steps, three groups, four without a tag
    wf = Workflow("evil")
    last = None
    for each in EVIL:
        wf.step(name=each, after=[last] if last else [])(lambda: 1)
        last = each
    assert labels(view.page, wf.to_mermaid()) == EVIL


def labels(page: Page, text: str) -> list[str]:
    """Let Mermaid draw a text as JupyterLab would; return the nodes' labels."""
    page.route(f"{ORIGIN}/mermaid.js", lambda route: route.fulfill(path=MERMAID))
    if page.evaluate("typeof window.mermaid") == "undefined":
        page.add_script_tag(url=f"{ORIGIN}/mermaid.js")
    return page.evaluate(
        """async text => {
            mermaid.initialize({ startOnLoad: false, securityLevel: 'strict' });
            const { svg } = await mermaid.render('m' + Math.floor(Math.random() * 1e9), text);
            const page = new DOMParser().parseFromString(svg, 'text/html');
            return [...page.querySelectorAll('.node .nodeLabel')].map(e => e.textContent);
        }""",
        text,
    )  # type: ignore[no-any-return]


def test_mermaid_and_svg_can_be_copied(view: GraphPage) -> None:
    graph = view.show(pipeline(12))
    graph.get_by_role("button", name="More graph tools").click()
    graph.get_by_role("button", name="Copy Mermaid").click()
    # graph.test is not https: whichever way it is copied, the widget says so.
    expect(graph.get_by_text("Mermaid copied")).to_be_visible()


PANEL = """
import sys
import panel as pn
import aios_workbench as aios
from aios_workbench.widgets.panel import graph_pane

wf = aios.Workflow("in-panel")
wf.step(name="load")(lambda: 1)
wf.step(name="total", inputs={"x": "load"})(lambda x: x)
pn.extension()
pane = graph_pane(wf)
pane.servable() if len(sys.argv) < 2 else pane.save(sys.argv[1], resources="inline")
"""


def test_a_saved_panel_page_shows_the_graph(page: Page, tmp_path: Path) -> None:
    app = saved_app(tmp_path, PANEL)
    page.route("**/*", lambda r: r.continue_() if r.request.url.startswith("file:") else r.abort())
    page.goto(app.as_uri())
    expect(page.locator(".aiosw-node[data-step='total']")).to_be_visible()
    expect(page.get_by_role("button", name="Critical path")).to_be_visible()


def test_a_served_panel_app_answers(page: Page, tmp_path: Path) -> None:
    with served_app(tmp_path, PANEL) as address:
        page.route("**/*", lambda r: r.continue_() if "127.0.0.1" in r.request.url else r.abort())
        page.goto(address)
        page.locator(".aiosw-node[data-step='load']").click()
        expect(page.locator(".aiosw")).to_contain_text(
            "lambda: 1"
        )  # the step's code: the server has answered
