"""What is said about an explanation: messages, answers, points, the widget. The screen itself: tests/browser."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
from fake_explain import DISAGREEING, EVIL, PLAIN, STATES, explanation
from pane_kit import asked

from aios_workbench.widgets import display, explain_points, explain_view
from aios_workbench.widgets import explain_pages as pages
from aios_workbench.widgets import explain_protocol as wire
from aios_workbench.widgets.explain import ExplainWidget
from aios_workbench.widgets.explain_answers import answer, receive
from aios_workbench.widgets.explain_pack import unpack
from aios_workbench.widgets.explain_state import Looked


@pytest.fixture
def widget() -> ExplainWidget:
    return ExplainWidget(explanation())


def ask(widget: ExplainWidget, kind: str, **request: Any) -> Any:
    """What the browser gets: the answer read by its model, or the error's words."""
    reply = answer(widget, {"id": 7, "kind": kind, **request})
    assert reply is not None
    assert reply.id == 7
    sent = json.loads(json.dumps(reply.model_dump(mode="json"), allow_nan=False))
    if sent["kind"] == "error":
        return sent["message"]
    made = wire.ANSWERS[type(wire.REQUEST.validate_python({"id": 7, "kind": kind, **request}))]  # type: ignore[index]
    return made.model_validate(sent["data"])


# ---------------------------------------------------------------- the view


@pytest.mark.parametrize("name", STATES)
def test_every_state_has_a_view_that_is_json_and_small(name: str) -> None:
    e = STATES[name]()
    view = ExplainWidget(e).state
    text = json.dumps(view.model_dump(mode="json"), allow_nan=False)
    assert len(text) < 60_000
    assert wire.ExplainView.model_validate_json(text).columns == view.columns
    assert [c.name for c in view.columns] == e.columns
    assert view.rows == len(e.values)
    assert view.offers.model == (name != "stored")
    for page in view.pages:
        assert page.base + sum(b.shap for b in page.bars) + page.rest == pytest.approx(
            page.prediction, abs=1e-4
        )


def test_importance_is_in_order_and_by_place(widget: ExplainWidget) -> None:
    bars = widget.state.page.importance
    assert sorted((b.value for b in bars), reverse=True) == [b.value for b in bars]
    frame = widget.target.importance
    assert [PLAIN[b.at] for b in bars] == list(frame.index)
    assert bars[0].lime == pytest.approx(frame["lime"].iloc[0], rel=1e-4)


def test_rows_that_travel_are_the_first_and_the_telling_ones(widget: ExplainWidget) -> None:
    rows = [p.row for p in widget.state.pages]
    assert rows[0] == 0
    assert set(rows) & set(DISAGREEING)
    assert 5 in rows  # the millionaire


def test_a_thousand_columns_stay_below_two_megabytes() -> None:
    e = explanation(rows=50)
    many = 1_000
    columns = [
        e.data.columns[i % 8].model_copy(update={"name": f"c{i} {EVIL}", "values": ["ä" * 300] * 40})
        for i in range(many)
    ]
    wide = explanation(rows=50, columns=columns, importance=[])
    for name in ("values", "errors", "lime", "lime_errors"):
        setattr(wide.arrays, name, np.tile(getattr(e.arrays, name), (1, many // 8, 1)))
    wide.frame = None
    view = explain_view.view(Looked(wide))
    assert len(view.columns) == many
    assert len(json.dumps(view.model_dump(mode="json"))) < 1_200_000


def test_what_is_no_number_never_travels() -> None:
    e = explanation(lime=True)
    e.arrays.lime_r2[:] = np.nan
    e.arrays.outside[:] = np.nan
    e.data.seconds = math.inf
    widget = ExplainWidget(e)
    json.dumps(widget.explain, allow_nan=False)
    assert ask(widget, "row", row=0).lime_r2 is None


# ---------------------------------------------------------------- points


def test_a_beeswarm_of_a_hundred_thousand_points_is_small_and_exact() -> None:
    e = explanation(rows=12_500)
    looked = Looked(e)
    crate: list[bytes] = []
    swarm = explain_points.swarm(looked, 0, crate, points=100_000)
    assert swarm.rows.length * len(swarm.columns) == 100_000
    assert sum(map(len, crate)) < 500_000
    x = unpack(swarm.x, crate).reshape(len(swarm.columns), -1)
    truth = e.values[:, swarm.columns].T
    assert np.abs(x - truth).max() <= (swarm.x.high - swarm.x.low) / 65_534
    offset = unpack(swarm.offset, crate)
    assert offset.min() >= -127
    assert offset.max() <= 127
    assert len(swarm.model_dump_json()) < 2_000


def test_when_not_all_rows_fit_the_extreme_ones_are_there() -> None:
    e = explanation(rows=5_000)
    swarm = explain_points.swarm(Looked(e), 0, None, points=4_000)
    rows = unpack(swarm.rows).astype(int)
    assert len(rows) == 500
    assert swarm.of == 5_000
    for j in swarm.columns:
        if np.ptp(e.values[:, j]) > 0:
            assert {e.values[:, j].max(), e.values[:, j].min()} <= set(e.values[rows, j])


def test_colours_say_the_value() -> None:
    e = explanation()
    swarm = explain_points.swarm(Looked(e), 0, None)
    at = swarm.columns.index(PLAIN.index("income"))
    n = swarm.rows.length
    codes = unpack(swarm.colour)[at * n : (at + 1) * n]
    income = e.frame["income"].to_numpy()
    assert codes[np.argmax(income)] == 254
    assert np.corrcoef(codes, np.argsort(np.argsort(income)))[0, 1] > 0.9
    claims = swarm.columns.index(PLAIN.index("claims"))
    missing = np.isnan(unpack(swarm.colour)[claims * n : (claims + 1) * n])
    assert (missing == e.frame["claims"].isna().to_numpy()).all()
    city = swarm.columns.index(PLAIN.index("city"))
    places = unpack(swarm.colour)[city * n : (city + 1) * n]
    first = e.data.columns[3].values[0]
    assert ((places == 0) == (e.frame["city"] == first).to_numpy()).all()


def test_a_scatter_has_the_axes_that_were_asked(widget: ExplainWidget) -> None:
    s = ask(
        widget,
        "scatter",
        x={"of": "value", "column": 1},
        y={"of": "shap", "column": 1},
        colour={"of": "value", "column": 3},
    )
    frame = widget.target.frame
    assert s.x_axis.title == "age"
    assert np.abs(unpack(s.x) - frame["age"]).max() < 0.01
    assert s.colour_axis.values == widget.target.data.columns[3].values
    for of in ("first", "second", "surprise", "agreement", "outside", "prediction"):
        ask(widget, "scatter", x={"of": of}).model_dump()
    assert "needs a column" in ask(widget, "scatter", x={"of": "value"})
    assert "no column 99" in ask(widget, "scatter", x={"of": "value", "column": 99})


def test_the_directions_do_not_depend_on_chance() -> None:
    a, b = (Looked(explanation(seed=3)).direction(0, 0) for _ in range(2))
    assert (a == b).all()
    assert np.corrcoef(a, explanation(seed=3).arrays.predictions[:, 0])[0, 1] > 0


# ---------------------------------------------------------------- rows


def test_a_row_is_taken_apart(widget: ExplainWidget) -> None:
    page = ask(widget, "row", row=3)
    told = widget.target.row(3)
    assert page.label == "claim-3"
    assert [PLAIN[b.at] for b in page.bars] == [c.column for c in told.contributions]
    assert any(b.agrees is False for b in page.bars)
    few = ask(widget, "row", row=3, most=2)
    assert len(few.bars) == 2
    assert few.left == 6
    assert few.base + sum(b.shap for b in few.bars) + few.rest == pytest.approx(few.prediction, abs=1e-4)
    assert page.values[4] in (True, False)
    assert isinstance(page.values[5], float)  # seconds since 1970
    assert "no row 999" in ask(widget, "row", row=999)


def test_rows_are_sorted_searched_and_chosen(widget: ExplainWidget) -> None:
    e = widget.target
    page = ask(widget, "rows", order="prediction", descending=True, limit=5)
    best = np.argsort(-e.arrays.predictions[:, 0])[:5]
    assert [line.row for line in page.lines] == best.tolist()
    assert page.total == 200
    least = ask(widget, "rows", order="agreement", limit=3)
    assert {line.row for line in least.lines} == set(DISAGREEING)
    assert ask(widget, "rows", order="surprise", descending=True, limit=1).lines[0].row == 5
    assert [r.row for r in ask(widget, "rows", search="claim-17", limit=3).lines][:1] == [17]
    found = ask(widget, "rows", search="A,B", limit=500)
    assert found.total >= (e.frame["city"] == "a,b").sum() > 0
    assert ask(widget, "rows", search=EVIL).total == (e.frame["city"] == EVIL).sum() > 0
    assert ask(widget, "rows", among=[9, 4, 4]).total == 2
    by = ask(widget, "rows", order="value", column=1, limit=500)
    ages = [e.frame["age"].iloc[line.row] for line in by.lines]
    assert ages == sorted(ages)
    missing = ask(widget, "rows", order="value", column=2, descending=True, limit=500)
    assert np.isnan(e.frame["claims"].iloc[missing.lines[-1].row])
    assert "which column" in ask(widget, "rows", order="shap")
    assert ask(widget, "rows", offset=190).lines[-1].row == 199


def test_a_loaded_explanation_says_what_it_cannot() -> None:
    widget = ExplainWidget(STATES["stored"]())
    assert "Explain again" in widget.state.offers.why
    assert ask(widget, "row", row=1).values == []
    assert ask(widget, "rows", search="claim").total == 0
    assert "needs the model" in ask(widget, "what_if", row=1, changes={0: 3})
    assert "without its rows" in ask(widget, "scatter", x={"of": "value", "column": 1})


# ---------------------------------------------------------------- outputs, columns, agreement


def test_another_output_is_another_page() -> None:
    widget = ExplainWidget(explanation(outputs=4))
    first, third = ask(widget, "global"), ask(widget, "global", output=2)
    assert first.base != third.base
    assert [b.at for b in first.importance] != [b.at for b in third.importance]
    assert "no output" in ask(widget, "global", output=9)
    assert ask(widget, "row", row=2, output=1).output == 1


def test_a_column_has_all_its_values() -> None:
    widget = ExplainWidget(explanation(evil=True))
    assert EVIL in ask(widget, "column", column=3).column.values
    assert "no column" in ask(widget, "column", column=80)


def test_agreement_is_points_and_columns(widget: ExplainWidget) -> None:
    page = ask(widget, "agreement")
    n = len(widget.target.arrays.lime_rows) * 8
    assert page.shap.length == page.lime.length == n
    assert (page.shap.low, page.shap.high) == (page.lime.low, page.lime.high)
    assert {line.row for line in page.worst[:3]} == set(DISAGREEING)
    assert max(c.sign for c in page.by_column) > 0.9
    assert "LIME explained none" in ask(ExplainWidget(STATES["without lime"]()), "agreement")


# ---------------------------------------------------------------- asking, sending


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "row"}, {"kind": "what"}, {}, {"kind": "swarm", "points": 10**9}, {"kind": "row", "row": 1, "x": 1}],
)  # fmt: skip
def test_what_is_not_understood_is_refused(widget: ExplainWidget, wrong: dict[str, Any]) -> None:
    before = widget.state
    reply = answer(widget, {"id": 7, **wrong})
    assert reply is not None
    assert reply.kind == "error"
    assert widget.state == before
    assert answer(widget, ["no", "request"]) is None
    assert answer(widget, {"id": "text", "kind": "hello"}) is None
    assert answer(widget, {"id": 1, "kind": "hello"}).kind == "answer"  # type: ignore[union-attr]


def sent_by(widget: ExplainWidget) -> tuple[list[Any], threading.Event]:
    out: list[Any] = []
    came = threading.Event()

    def send(content: Any, buffers: Any = None) -> None:
        out.append((content, buffers))
        came.set()

    widget.send = send  # type: ignore[method-assign]
    return out, came


def test_numbers_go_as_buffers_beside_the_answer(widget: ExplainWidget) -> None:
    out, came = sent_by(widget)
    receive(widget, {"kind": "swarm", "id": 4})
    assert came.wait(20)
    content, buffers = out[0]
    swarm = pages.Swarm.model_validate(content["data"])
    assert swarm.x.base64 is None
    assert len(buffers) == 4
    truth = widget.target.values[:, swarm.columns[0]]
    assert np.abs(unpack(swarm.x, buffers)[:200] - truth).max() < 1e-3
    assert len(json.dumps(content)) < 2_000


def test_a_newer_what_if_ends_the_one_before(widget: ExplainWidget) -> None:
    aborted: list[Any] = []
    widget.asked.abort = aborted.append  # type: ignore[method-assign]
    widget.asked.begin = lambda *_: None  # type: ignore[method-assign]
    for i in (1, 2, 3):
        receive(widget, {"kind": "what_if", "id": i, "row": 0, "changes": {}})
    assert aborted == [1, 2]


def test_pins_are_kept_with_the_explanation_and_sent_as_a_patch(widget: ExplainWidget) -> None:
    before = widget.explain
    ask(widget, "pin", picture="waterfall", row=3)
    ask(widget, "pin", picture="importance")
    ask(widget, "pin", picture="importance")
    assert widget.explain is before
    patch = wire.ExplainPatch.model_validate(widget.patch)
    assert [p.picture for p in patch.pinned] == ["waterfall", "importance"]
    assert patch.base == 0
    assert [p["row"] for p in widget.target.extra["pinned"]] == [3, None]
    assert "claim-3" not in json.dumps(widget.patch)
    ask(widget, "pin", picture="waterfall", row=3, remove=True)
    assert [p["picture"] for p in widget.target.extra["pinned"]] == ["importance"]
    assert "no row" in ask(widget, "pin", picture="waterfall", row=4_000)
    assert len(widget.target.extra["pinned"]) == 1
    assert [p.picture for p in ExplainWidget(widget.target).state.pinned] == ["importance"]


def test_two_widgets_of_one_explanation_are_one(widget: ExplainWidget) -> None:
    made = display.widget(widget.target)
    assert display.widget(widget.target) is made
    assert made.target is widget.target


def test_importing_the_widget_brings_in_nothing_heavy() -> None:
    heavy = ["shap", "lime", "sklearn", "mlflow", "matplotlib", "PIL", "scipy", "evidently"]
    code = (
        "import sys, aios_workbench.widgets.explain, aios_workbench.widgets.explain_answers\n"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_panel_pane_shows_and_answers() -> None:
    pytest.importorskip("panel")
    from aios_workbench.widgets.panel import explain_pane

    pane = explain_pane(explanation())
    sent: list[Any] = []
    pane._send_msg = sent.append
    asked(pane, 1, {"kind": "swarm", "id": 3})
    assert sent[0]["kind"] == "answer"
    assert sent[0]["data"]["x"]["base64"]
    asked(pane, 2, {"kind": "swarm", "id": 3}, {"kind": "pin", "id": 4, "picture": "overview"})
    assert pane.patch["pinned"][0]["picture"] == "overview"
