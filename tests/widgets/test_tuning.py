"""What is said about a tuning: messages, answers, the picture, the report. The screen itself: tests/browser."""

from __future__ import annotations

import json
import re
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_tuning import EVIL, FakeTuning, point, tuned
from hypothesis import given, settings
from hypothesis import strategies as st
from pane_kit import asked
from tags import Tags

from aios_workbench.knn.models import Params
from aios_workbench.widgets import display, generate_ts, tuning_chart, tuning_picture, tuning_protocol
from aios_workbench.widgets.throttle import Throttle
from aios_workbench.widgets.tuning import TuningWidget
from aios_workbench.widgets.tuning_answers import answer
from aios_workbench.widgets.tuning_protocol import TuningPatch, TuningView
from aios_workbench.widgets.tuning_report import html as report
from aios_workbench.widgets.tuning_report import save_report
from aios_workbench.widgets.tuning_view import TuningDiffer, histogram, view


def test_the_typescript_says_the_same() -> None:
    assert generate_ts.TUNING.read_text(encoding="utf-8") == generate_ts.generate_tuning(), (
        "labextension/src/tuning_protocol.ts is stale: python -m aios_workbench.widgets.generate_ts"
    )


# ---------------------------------------------------------------- messages


def applied(whole: TuningView, patch: TuningPatch | None) -> TuningView:
    """What the browser does with a view and a patch (picture.ts)."""
    if patch is None or patch.base != whole.seq:
        return whole
    newer = {p.id: p for p in patch.points}
    points = [newer.pop(p.id, p) for p in whole.points] + list(newer.values())
    fields = patch.model_dump(exclude={"base", "points", "pruned", "front", "costs", "notes"})
    kept = {
        n: getattr(patch, n) if getattr(patch, n) is not None else getattr(whole, n)
        for n in ("front", "costs", "notes")
    }
    fields["constraints"] = patch.constraints
    return whole.model_copy(
        update={**fields, **kept, "points": points, "pruned": [*whole.pruned, *patch.pruned]}
    )


def _prune(tuning: FakeTuning) -> None:
    more = tuning_protocol.Pruned(label="x", family="ivf", reason="slow", at=1.0)
    tuning.set(pruned=[*tuning.state.pruned, more])


ACTS: dict[str, Callable[[FakeTuning], Any]] = {
    "measure": lambda t: t.measure(3),
    "many": lambda t: t.measure(40),
    "choose": lambda t: t.state.points and t.choose(t.state.points[-1].id),
    "constrain": lambda t: t.constrain(t.state.constraints.model_copy(update={"recall": 0.9})),
    "pause": FakeTuning.pause,
    "finish": FakeTuning.finish,
    "prune": _prune,
    "note": lambda t: t.set(notes=[*t.state.notes, "a note"]),
    "again": lambda t: t.set(points=[], front=[], chosen=None),
    "nothing": lambda _: None,
}


@settings(max_examples=30)
@given(st.lists(st.sampled_from(sorted(ACTS)), max_size=12))
def test_the_newest_view_and_patch_are_enough(acts: list[str]) -> None:
    tuning = FakeTuning()
    differ = TuningDiffer(tuning)
    whole, patch = differ.view, None
    for act in acts:
        ACTS[act](tuning)
        news = differ.update()
        if isinstance(news, TuningView):
            whole = news
        elif news is not None:
            patch = news
            assert len(patch.points) <= 24
        seen = applied(whole, patch)
        told = view(tuning.state, cost_of=tuning.cost_of)
        unwatched = {"now": 0.0, "seq": 0, "elapsed": 0.0}
        assert seen.model_copy(update=unwatched) == told.model_copy(update=unwatched)
    assert differ.update() is None


def test_a_new_point_is_sent_alone() -> None:
    tuning = tuned(120)
    differ = TuningDiffer(tuning)
    tuning.measure(1)
    patch = differ.update()
    assert isinstance(patch, TuningPatch)
    assert [p.id for p in patch.points] == ["p121"]
    assert len(patch.model_dump_json()) < 8_000
    assert len(differ.view.model_dump_json()) > 50_000


def test_news_come_at_most_every_twentieth_of_a_second() -> None:
    tuning = FakeTuning()
    widget = TuningWidget(tuning)
    changes: list[str] = []
    widget.observe(lambda c: changes.append(c["name"]), ["tuning", "patch"])
    start = time.monotonic()
    for _ in range(60):
        tuning.measure(1)
    widget._news.flush()
    assert len(widget.state.points) == 60
    assert 1 <= len(changes) <= 3 + (time.monotonic() - start) / 0.05
    widget.close()
    assert tuning.listeners == []


def test_the_last_call_is_never_lost() -> None:
    seen: list[int] = []
    value = 0
    done = threading.Event()

    def act() -> None:
        seen.append(value)
        if value == 499:
            done.set()

    throttle = Throttle(act, 0.001)
    for i in range(500):
        value = i
        throttle()
    assert done.wait(10)
    throttle.close()
    throttle()
    assert seen[-1] == 499


def test_points_of_one_index_are_one_curve() -> None:
    shown = view(tuned().state)
    params = {p.id: p.params for p in tuned().state.points}
    curves: dict[str, set[Any]] = {}
    for p in shown.points:
        curves.setdefault(p.curve, set()).add((params[p.id].nlist, p.codec, p.family))
    assert all(len(kinds) == 1 for kinds in curves.values())
    nprobes = [p.setting for p in shown.points if p.knob == "nprobe" and params[p.id].nlist == 512]
    assert max(nprobes) == 128
    assert next(p for p in shown.points if p.family == "flat").knob is None


def test_rows_held_out_as_queries_make_no_trial_of_a_whole_index() -> None:
    tuning = FakeTuning()
    params = Params(family="flat")
    sizes = {"p1": 199_000, "p2": 198_999}  # of 200,000, 1,000 are queries
    tuning.set(points=[point(int(i[1:]), params, 1.0, 100.0, 4, 1, vectors=n) for i, n in sizes.items()])
    assert [p.part for p in view(tuning.state).points] == [False, True]


def test_what_is_not_finite_never_reaches_json() -> None:
    odd = point(
        1, Params(family="flat"), 1.0, 100.0, 4, 1, p99_ms=float("inf"), latencies_ms=[1.0, float("nan"), 2.0]
    )
    tuning = FakeTuning()
    tuning.set(points=[odd])
    wire = view(tuning.state).model_dump(mode="json")
    assert wire["points"][0]["p99_ms"] is None
    assert sum(wire["points"][0]["latency"]["counts"]) == 2
    json.dumps(wire, allow_nan=False)


@given(st.lists(st.floats(1e-6, 1e6), min_size=2))
def test_a_histogram_counts_every_time(times: list[float]) -> None:
    made = histogram(times)
    assert made is not None
    assert sum(made.counts) == len(times)
    assert made.low < made.high


# ---------------------------------------------------------------- answers


def ask(widget: TuningWidget, **request: Any) -> Any:
    reply = answer(widget, {"id": 7, **request})
    assert reply is not None
    assert reply.id == 7
    return reply


@pytest.fixture
def widget() -> TuningWidget:
    return TuningWidget(tuned())


@pytest.mark.parametrize("action", ["pause", "resume", "stop"])
def test_the_search_is_held(widget: TuningWidget, action: str) -> None:
    assert ask(widget, kind="control", action=action).kind == "answer"
    assert widget.target.calls == [(action,)]
    assert widget.state.status == {"pause": "paused", "resume": "running", "stop": "stopped"}[action]


def test_a_point_is_chosen_and_let_go(widget: TuningWidget) -> None:
    by_constraints = widget.state.chosen
    ask(widget, kind="choose", point="p1")
    assert (widget.state.chosen, widget.state.picked_by_hand) == ("p1", True)
    ask(widget, kind="choose", point=None)
    assert (widget.state.chosen, widget.state.picked_by_hand) == (by_constraints, False)


def test_the_choice_follows_the_constraints(widget: TuningWidget) -> None:
    fast = widget.state.chosen
    wanted = {"recall": 0.99, "latency_ms": None, "memory_bytes": None, "build_seconds": None}
    ask(widget, kind="constrain", constraints=wanted)
    assert widget.state.chosen != fast
    ask(widget, kind="constrain", constraints={**wanted, "memory_bytes": 60_000_000})
    small = next(p for p in widget.state.points if p.id == widget.state.chosen)
    assert small.bytes_per_vector * 200_000 <= 60_000_000


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"recall": 0}, "recall"), ({"recall": 2}, "recall"), ({"latency_ms": -1}, "latency_ms"),
        ({"memory_bytes": 0}, "memory_bytes"),
    ],
)  # fmt: skip
def test_constraints_that_mean_nothing_name_their_field(
    widget: TuningWidget, wrong: dict[str, Any], field: str
) -> None:
    reply = ask(widget, kind="constrain", constraints={"recall": 0.9, **wrong})
    assert (reply.kind, list(reply.fields)) == ("error", [field])
    assert widget.target.calls == []


def test_the_slider_is_answered_from_what_was_measured(widget: TuningWidget) -> None:
    cost = ask(widget, kind="cost", recall=0.99).data
    assert cost["point"] in {p.id for p in widget.state.points}
    assert cost["slower"] > 1
    assert ask(widget, kind="cost", recall=1.5).kind == "error"


def test_neighbours_hard_queries_code_and_parameters(widget: TuningWidget) -> None:
    assert len(ask(widget, kind="explore", row=3).data["exact"]) == 10
    assert "embedder" in ask(widget, kind="explore", text="a text").message
    assert "number of a row" in ask(widget, kind="explore").message
    assert len(ask(widget, kind="hard", n=5).data["queries"]) == 5
    assert "faiss" in ask(widget, kind="code", what="build", point="p2").data["code"]
    assert ask(widget, kind="code", what="use", point="p2").data["code"] == 'index = tuning.pick(point="p2")'
    exported = ask(widget, kind="export", system="qdrant").data
    assert json.loads(exported["text"])["index_type"] == "IVF_FLAT"
    assert exported["notes"] == ["qdrant has no refine"]
    sql = ask(widget, kind="export", system="pgvector").data["text"]
    assert sql.splitlines()[1:] == ["SET ivfflat.probes = 24;"]


@pytest.mark.parametrize(
    "request_",
    [
        {"kind": "choose", "point": "nope"}, {"kind": "code", "what": "use", "point": 'x"); import os'},
        {"kind": "control", "action": "rm"},
        {"kind": "export", "system": "oracle"},
        {"kind": "explore", "row": -1}, {"kind": "what"}, {},
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_and_changes_nothing(
    widget: TuningWidget, request_: dict[str, Any]
) -> None:
    before = widget.target.state
    assert ask(widget, **request_).kind == "error"
    assert widget.target.state == before
    assert answer(widget, ["no", "request"]) is None
    assert answer(widget, {"id": "text", "kind": "hello"}) is None


# ---------------------------------------------------------------- pictures


STATES = {
    "empty": FakeTuning,
    "one": lambda: tuned(1),
    "running": lambda: tuned(40),
    "finished": lambda: tuned().finish(),
    "many": lambda: tuned(scale=4).finish(),
    "hostile": lambda: tuned(evil=True).finish("failed", error=EVIL, notes=[EVIL, "\x00\ud800"]),
    "unreachable": lambda: tuned(12, recall=1.0),
}


@pytest.mark.parametrize("name", STATES)
def test_pictures_and_reports_are_whole_and_harmless(name: str, tmp_path: Path) -> None:
    tuning = STATES[name]()
    shown = view(tuning.state, cost_of=tuning.cost_of)
    drawn = tuning_chart.chart(shown)
    ET.fromstring(drawn)
    assert drawn == tuning_chart.chart(shown)
    assert not re.search(r"nan|inf\b", drawn.replace("information", ""))
    for page in (tuning_picture.html(shown), report(tuning)):
        tags = Tags()
        tags.feed(page)
        assert EVIL not in page
    assert tags.tags.count("svg") == 1
    assert "http" not in report(tuning).replace("http://www.w3.org/2000/svg", "")
    written = save_report(tuning, tmp_path / "report.html").read_text(encoding="utf-8")
    assert written == report(tuning)
    assert tuning.state.status in tuning_picture.plain(shown)


def test_a_report_says_what_was_chosen_and_why_not_others() -> None:
    text = report(tuned().finish())
    for said in ("articles.parquet", "200,000 x 128", "IVF512", "Everything measured", "Not tried further",
                 "predicted 4,100", "What a recall costs", "verify", "import faiss"):  # fmt: skip
        assert said in text


def test_a_saved_notebook_has_picture_and_text() -> None:
    tuning = tuned()
    data, _ = display.mimebundle(tuning)
    assert "image/svg+xml;base64" in data["text/html"]
    assert "IVF512" in data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in data
    assert display.widget(tuning) is display.widget(tuning)
    assert str(display.widget(tuning)).startswith("index for 200,000")


def test_a_panel_pane_follows_and_answers() -> None:
    pytest.importorskip("panel")
    from aios_workbench.widgets.panel import tuning_pane

    tuning = tuned(10)
    pane = tuning_pane(tuning)
    tuning.measure(5)
    pane._widget.refresh()
    assert len(pane.patch["points"]) == 5
    sent: list[Any] = []
    pane._send_msg = sent.append
    first, second = ({"kind": "cost", "id": i, "recall": r} for i, r in ((3, 0.8), (4, 0.9)))
    asked(pane, 1, first)
    assert sent[0]["data"]["recall"] == 0.8
    # two questions within the time that Panel waits: it hands on the trait as it is then
    asked(pane, 3, first, second, {"kind": "constrain", "id": 5, "constraints": {"recall": 0.9}})
    assert [a["id"] for a in sent] == [3, 4, 5]
    assert [(verb, what.recall) for verb, what in tuning.calls] == [("constrain", 0.9)]
