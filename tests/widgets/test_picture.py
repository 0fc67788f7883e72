"""The still picture and the fallback: readable, escaped, the same bytes for the same state."""

from __future__ import annotations

import base64
import html.parser
import random
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios_workbench.widgets import fallback
from aios_workbench.widgets.layout import arrange
from aios_workbench.widgets.picture import LOOKS, save_picture, svg
from aios_workbench.widgets.protocol import GraphState, RunInfo, StepNode

EVIL = "<img src=x onerror=alert(1)>\"'&</svg><script>alert(2)</script>"


def graph(*nodes: StepNode, name: str = "w") -> GraphState:
    return GraphState(
        workflow=name, run=RunInfo(run_id="r1", status="running", created_at=1.0), nodes=list(nodes)
    )


def random_graph(n: int, seed: int = 0) -> GraphState:
    r = random.Random(seed)
    return graph(*(
        StepNode(
            name=f"s{i}", deps=[f"s{j}" for j in sorted(r.sample(range(i), min(i, 2)))], status=r.choice(list(LOOKS))
        )
        for i in range(n)
    ))  # fmt: skip


def texts(document: str) -> str:
    return " ".join(ET.fromstring(document).itertext())


def test_state_is_a_shape_a_word_and_a_colour() -> None:
    looks = list(LOOKS.values())
    assert len({mark for _, _, mark in looks}) == len(looks)
    drawn = svg(graph(*(StepNode(name=f"n{s}", status=s) for s in LOOKS)))
    for status, (colour, _, mark) in LOOKS.items():
        assert status in texts(drawn)
        assert colour in drawn
        assert mark in drawn


def test_the_same_state_gives_the_same_bytes() -> None:
    assert svg(random_graph(60)) == svg(random_graph(60))


@pytest.mark.parametrize("field", ["name", "message", "error", "workflow", "run", "problem"])
def test_names_are_text(field: str) -> None:
    state = graph(StepNode(name="a"))
    if field == "workflow":
        state.workflow = EVIL
    elif field == "run":
        state.run = RunInfo(run_id=EVIL, status="failed", created_at=1.0)
    elif field == "problem":
        state.run, state.problem = None, EVIL
    else:
        setattr(state.nodes[0], field, EVIL)
    tags = {e.tag.rpartition("}")[2] for e in ET.fromstring(svg(state)).iter()}
    assert tags <= {"svg", "g", "path", "rect", "circle", "text", "title"}
    found = Tags()
    found.feed(fallback.html(state))
    assert set(found.seen) <= {"div", "img", "table", "thead", "tbody", "tr", "th", "td", "p"}
    assert EVIL in fallback.plain(state) or field == "name" or EVIL[:10] in fallback.plain(state)


@given(st.text(min_size=1, max_size=30))
def test_any_text_makes_a_well_formed_picture(name: str) -> None:
    assert "pending" in texts(svg(graph(StepNode(name=name, message=name), name=name)))


def test_a_large_graph_is_drawn_by_layers() -> None:
    drawn = svg(random_graph(1000))
    assert drawn.count("<title>") <= 26
    assert len(drawn) < 30_000
    assert "layer 1 · 1" in texts(drawn)


def test_a_long_chain_is_drawn_by_layers() -> None:
    nodes = [StepNode(name=f"c{i}", deps=[f"c{i - 1}"] if i else []) for i in range(400)]
    size = re.search(r'width="(\d+)" height="(\d+)"', svg(graph(*nodes)))
    assert size
    assert int(size[1]) < 1200
    assert int(size[2]) < 1200


@given(st.integers(1, 40), st.integers(0, 1000))
def test_nodes_do_not_overlap_and_edges_go_right(n: int, seed: int) -> None:
    nodes = random_graph(n, seed).nodes
    place = arrange({x.name: x.deps for x in nodes}, (100, 40), (30, 10))
    boxes = list(place.at.values())
    for i, (x1, y1) in enumerate(boxes):
        for x2, y2 in boxes[:i]:
            assert abs(x1 - x2) >= 100 or abs(y1 - y2) >= 40
    for x in nodes:
        assert all(place.at[d][0] < place.at[x.name][0] for d in x.deps)


def test_empty_and_not_run() -> None:
    assert "No steps yet" in texts(svg(GraphState(workflow="empty")))
    assert fallback.plain(GraphState(workflow="empty")) == "workflow empty: 0 steps, not run yet"


def test_fallback_passes_the_sanitizer_of_jupyterlab() -> None:
    """Only an <img> with a data URI and plain tags, without style, script, event or class."""
    found = Tags()
    found.feed(fallback.html(random_graph(12)))
    assert set(found.attributes) <= {"alt", "src"}
    [src] = [v for k, v in found.pairs if k == "src"]
    assert src.startswith("data:image/svg+xml;base64,")
    ET.fromstring(base64.b64decode(src.partition(",")[2]))


def test_text_has_a_line_per_step() -> None:
    lines = fallback.plain(
        graph(StepNode(name="load", status="succeeded", duration=0.2, cached=True))
    ).splitlines()
    assert lines == ["workflow w, run r1: running; 1 succeeded", "  ✓ load  succeeded  200 ms  cached"]


def test_save_picture_of_a_run_and_a_workflow(tmp_path: Path, run: Any, wf: Any) -> None:
    run.finish("load", [1])
    assert "load" in texts(save_picture(run, tmp_path / "run.svg").read_text())
    assert "succeeded" in (tmp_path / "run.svg").read_text()
    assert "not run yet" in texts(save_picture(wf, tmp_path / "wf.svg").read_text())


class Tags(html.parser.HTMLParser):
    """Collects tags and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.pairs: list[tuple[str, str]] = []

    @property
    def attributes(self) -> list[str]:
        return [k for k, _ in self.pairs]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.pairs += [(k, v or "") for k, v in attrs]
