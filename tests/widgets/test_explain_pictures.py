"""Pictures and pages of an explanation: whole, harmless, without a row's values unless asked."""

from __future__ import annotations

import base64
import io
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from explain_payloads import VIEWS
from explain_payloads import answer as made_up
from fake_explain import EVIL, STATES, explanation
from PIL import Image
from tags import Tags

import aios_workbench as aios
from aios_workbench import _hooks
from aios_workbench.errors import AiosError, ParameterError, UnknownOptionError
from aios_workbench.widgets import display, explain_picture
from aios_workbench.widgets import explain_chart_points as points
from aios_workbench.widgets.explain import ExplainWidget
from aios_workbench.widgets.explain_answers import answer
from aios_workbench.widgets.explain_canvas import Canvas, colour
from aios_workbench.widgets.explain_pages import RowPage
from aios_workbench.widgets.explain_report import html
from aios_workbench.widgets.explain_state import Looked

DRAWN = ("overview", "importance", "beeswarm", "waterfall", "force", "compare", "agreement")


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("picture", DRAWN)
def test_every_state_can_be_drawn(name: str, picture: Any) -> None:
    e = STATES[name]()
    try:
        made = explain_picture.svg(e, picture)
    except ParameterError:
        assert name in ("empty", "without lime")
        return
    root = ET.fromstring(made)
    assert made == explain_picture.svg(STATES[name](), picture)
    assert not re.search(r"[ \">](nan|inf)\b", made)
    # only what JupyterLab's sanitizer and a reader need: shapes and text
    assert {e.tag.split("}")[1] for e in root.iter()} <= {"svg", "title", "style", "rect", "path", "text"}
    assert "<img" not in made
    assert len(made) < 300_000


@pytest.mark.parametrize("picture", DRAWN)
def test_nothing_is_drawn_off_the_sheet(picture: Any) -> None:
    made = explain_picture.canvas(explanation(), picture)
    for kind, s in made.shapes:
        ends = s["points"] if "points" in s else [(s["x"], s["y"])]
        if kind == "rect":
            ends = [*ends, (s["x"] + s["w"], s["y"] + s["h"])]
        for x, y in ends:
            assert -1 <= x <= made.width + 1, (kind, s)
            assert -1 <= y <= made.height + 1, (kind, s)


def test_the_other_pictures_are_drawn_from_what_is_sent() -> None:
    columns = VIEWS["full"]().columns
    for picture in (
        points.dependence(made_up({"id": 1, "kind": "dependence", "column": 1})),  # type: ignore[arg-type]
        points.scatter(made_up({"id": 1, "kind": "scatter"})),  # type: ignore[arg-type]
        points.interactions(made_up({"id": 1, "kind": "interactions"}), columns),  # type: ignore[arg-type]
    ):
        ET.fromstring(picture.svg())
        assert Image.open(io.BytesIO(picture.png())).size == (
            2 * round(picture.width),
            2 * round(picture.height),
        )


def test_a_waterfall_ends_where_the_row_is() -> None:
    e = explanation()
    made = explain_picture.canvas(e, "waterfall", row=7)
    bars = [s["points"] for kind, s in made.shapes if kind == "area"]
    assert len(bars) == 8
    marks = [s["points"][0][0] for kind, s in made.shapes if kind == "line" and s["width"] == 2.5]
    prediction, base = marks
    assert bars[0][2][0] == pytest.approx(prediction, abs=0.5)  # the tip of the topmost
    assert bars[-1][0][0] == pytest.approx(base, abs=0.5)
    told = [s["said"] for kind, s in made.shapes if kind == "text"]
    assert "prediction" in told
    assert "base" in told


def test_disagreement_is_a_word() -> None:
    e = explanation()
    assert "disagree" in explain_picture.svg(e, "compare", row=3)
    assert "disagree" not in explain_picture.svg(e, "compare", row=0)
    assert "did not explain" in explain_picture.svg(e, "compare", row=150)


def test_a_red_check_is_in_every_export() -> None:
    e = explanation()
    words = "explains 20 % of what"
    data, _ = display.mimebundle(e)
    for said in (html(e), explain_picture.svg(e), data["text/html"]):
        assert words in said


def test_png_is_a_picture_in_both_themes() -> None:
    for dark in (False, True):
        image = Image.open(io.BytesIO(explain_picture.png(explanation(), "compare", dark=dark))).convert(
            "RGB"
        )
        paper = tuple(int(colour("paper", dark=dark)[i : i + 2], 16) for i in (1, 3, 5))
        assert image.getpixel((2, 2)) == paper
        assert len(np.unique(np.asarray(image).reshape(-1, 3), axis=0)) > 20


def contrast(a: str, b: str) -> float:
    """WCAG 2.1 contrast ratio."""

    def light(c: str) -> float:
        parts = [int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    x, y = sorted((light(a), light(b)))
    return (y + 0.05) / (x + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_what_is_text_can_be_read(dark: bool) -> None:
    paper = colour("paper", dark=dark)
    for ink in ("text", "quiet", "up", "down", "lime", "ok", "warn", "fail", "skipped", "size"):
        assert contrast(colour(ink, dark=dark), paper) >= 4.5, ink
    for i in range(9):
        assert contrast(colour(f"shade{i}", dark=dark), paper) >= 2.4, i


def test_text_is_escaped_and_cut() -> None:
    c = Canvas(100, 20, EVIL)
    c.text(0, 10, EVIL + "\x00" + "z" * 500, 30)
    c.text(0, 10, "")
    ET.fromstring(c.svg())
    assert EVIL not in c.svg()
    c.png()


# ---------------------------------------------------------------- exports


def ask(e: Any, **request: Any) -> Any:
    reply = answer(ExplainWidget(e), {"id": 7, "kind": "text", **request})
    assert reply is not None
    return reply.data if reply.kind == "answer" else reply.message


def test_pictures_are_files_with_safe_names() -> None:
    e = explanation(evil=True)
    png = ask(e, what="png", picture="importance")
    assert base64.b64decode(png["text"])[:4] == b"\x89PNG"
    assert png["file"] == "explain_img_src_x_onerror_alert_1_importance.png"
    assert png["base64"] is True
    svg = ask(e, what="svg", picture="beeswarm", dark=True)
    assert svg["mime"] == "image/svg+xml"
    assert colour("paper", dark=True) in svg["text"]
    assert EVIL not in svg["text"]


def test_the_card_shows_what_was_pinned() -> None:
    e = explanation()
    widget = ExplainWidget(e)
    answer(widget, {"id": 1, "kind": "pin", "picture": "waterfall", "row": 3})
    reply = answer(widget, {"id": 2, "kind": "text", "what": "card"})
    assert reply is not None
    card = reply.data["text"]  # type: ignore[union-attr]
    assert "From the base to the prediction, row 3" in card
    assert "claim-3" not in card
    assert "LIME's local fit" in card


def test_a_row_is_exported_without_its_values_unless_asked() -> None:
    e = explanation()
    value = next(f"income = {c.value}" for c in e.row(3).contributions if c.column == "income")
    assert value in ask(e, what="svg", picture="waterfall", row=3, raw=True)["text"]
    hidden = ask(e, what="svg", picture="waterfall", row=3)["text"]
    assert value not in hidden
    assert "claim-3" not in hidden
    assert "Row 3" in hidden


def test_pictures_are_saved_by_their_ending(tmp_path: Path) -> None:
    e = explanation()
    assert aios.save_picture(e, tmp_path / "a.svg", picture="force", row=2).read_text().startswith("<svg")
    assert aios.save_picture(e, tmp_path / "a.PNG").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(UnknownOptionError, match="did you mean 'picture'"):
        aios.save_picture(e, tmp_path / "a.svg", pictures="force")
    with pytest.raises(UnknownOptionError, match="waterfall"):
        aios.save_picture(e, tmp_path / "a.svg", picture="waterfal")
    with pytest.raises(UnknownOptionError, match="no option"):
        aios.save_picture(aios.Workflow("x"), tmp_path / "a.svg", row=1)


def test_the_layers_below_can_have_a_picture() -> None:
    assert _hooks.picture(explanation(), "importance").startswith("<svg")
    with pytest.raises(AiosError):
        _hooks.picture(STATES["empty"](), "waterfall")


# ---------------------------------------------------------------- notebook, page


@pytest.mark.parametrize("name", STATES)
def test_pages_and_saved_notebooks_are_whole_and_harmless(name: str) -> None:
    e = STATES[name]()
    data, _ = display.mimebundle(e)
    page = html(e)
    for shown in (page, data["text/html"]):
        tags = Tags()
        tags.feed(shown)
        assert EVIL not in shown
        assert "<script" not in shown
        assert not re.search(r"[\"\s>](nan|inf)\b", shown)
    assert "image/svg+xml;base64" in data["text/html"]
    assert "<svg" not in data["text/html"]
    assert len(json.dumps(data)) < 400_000
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "prefers-color-scheme" in page


def test_a_page_has_all_of_it() -> None:
    page = html(explanation())
    for said in (
        "gradient boosting, 500 trees", "models:/claims/3", "does not hold", "Checks", "Importance", "SHAP and LIME",
        "Single rows", "48,000 rows predicted in 12 calls", "stopped when precise enough", "background", "0.51.0",
        "Row claim-5", "income and score tell the same story.", "@media print",
    ):  # fmt: skip
        assert said in page, said


def test_a_widget_says_itself_in_text() -> None:
    e = explanation()
    assert Looked(e).unit == "log-odds of claim"
    assert "importance" not in explain_picture.html(Looked(STATES["empty"]()))


# ---------------------------------------------------------------- texts, images


def judge(texts: list[str]) -> np.ndarray:
    """Likes what is good, but not what is bad."""
    score = np.array([2.0 * ("good" in t) - 3.0 * ("bad" in t) for t in texts])
    p = 1 / (1 + np.exp(-score))
    return np.c_[1 - p, p]


def test_a_text_is_shown_whole_with_what_each_word_adds() -> None:
    from aios_workbench.explain.text import explain_text

    said = f"This was a bad <b>movie</b>,\n{EVIL} with a good end"
    e = explain_text(judge, [said, "nothing here"], outputs=["no", "yes"], samples=200, most=200)
    widget = ExplainWidget(e)
    assert widget.state.swarm is None
    assert not widget.state.offers.model
    reply = answer(widget, {"id": 1, "kind": "row", "row": 0})
    assert reply is not None
    page = RowPage.model_validate(reply.data)  # type: ignore[union-attr]
    assert "".join(t.text for t in page.tokens) == said
    told = {t.text: t.shap for t in page.tokens if t.shap}
    assert told["bad"] < 0 < told["good"]
    words = [e.columns[b.at] for b in page.bars]
    assert "here" not in words  # of the other text
    shown = html(e)
    assert EVIL not in shown
    assert re.search(r'class="down" style="--s:1.00" title="[^"]*">bad</span>', shown)
    assert "Single rows" not in e.to_html()  # a report has no raw texts unless asked
    assert said.split(maxsplit=1)[0] in e.to_html(raw=True)
    data, _ = display.mimebundle(e)
    assert "<img" in data["text/html"]


def test_an_image_is_shown_with_what_counts_marked() -> None:
    from aios_workbench.explain.image import explain_image

    def bright(images: Any) -> np.ndarray:
        middle = np.asarray(images, float)[:, 8:24, 8:24].mean(axis=(1, 2, 3))
        p = 1 / (1 + np.exp(-(middle - 100) / 20))
        return np.c_[1 - p, p]

    picture = np.full((1, 32, 32, 3), 30, np.uint8)
    picture[:, 8:24, 8:24] = 220
    e = explain_image(bright, picture)
    widget = ExplainWidget(e)
    assert len(json.dumps(widget.explain)) < 200_000
    reply = answer(widget, {"id": 1, "kind": "row", "row": 0})
    assert reply is not None
    assert reply.data["image"].startswith("data:image/png;base64,")  # type: ignore[union-attr]
    assert '<img alt="what counts in picture 0" src="data:image/png;base64,' in html(e)


def test_personal_data_is_in_no_picture() -> None:
    frame = pd.DataFrame({"mail": [f"a{i}@example.com" for i in range(30)], "age": range(30)})
    ex = aios.explain(
        lambda d: d["age"] + d["mail"].str.len(), frame.head(4), background=frame, lime=False, cache=False
    )
    assert "example.com" not in explain_picture.svg(ex, "waterfall", row=0)
    assert "email_" in explain_picture.svg(ex, "waterfall", row=0)
    pictures = re.findall(r"base64,([A-Za-z0-9+/=]+)", explain_picture.html(Looked(ex)))
    drawn = [base64.b64decode(p).decode() for p in pictures]
    assert any("email_" in p for p in drawn)
    assert not any("example.com" in p for p in drawn)
