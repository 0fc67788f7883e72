"""Model cards: what they say, what they lack, and what never gets onto one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import fake_explain
import numpy as np
import pandas as pd
import pytest
import yaml
from fake_explain import EVIL, explanation
from hypothesis import given
from hypothesis import strategies as st

import aios_workbench as aios
from aios_workbench.drift.models import ReportData, Rules, SourceInfo
from aios_workbench.drift.report import DriftReport
from aios_workbench.errors import CardIncomplete, CorruptExplanationError, ExplainInputError, NotFoundError
from aios_workbench.explain.card_models import SECTIONS
from aios_workbench.explain.card_text import plain
from aios_workbench.explain.cards import ModelCard, load_card


def whole(**changes: Any) -> ModelCard:
    g = np.random.default_rng(0)
    y = g.random(400) < 0.4
    guess = np.where(g.random(400) < 0.9, y, ~y)
    side = SourceInfo(name="claims.parquet", rows=500, columns=3)
    report = DriftReport(ReportData(
        id="r1", name="claims", created_at=1.8e9, reference=side, current=side, rules=Rules(), drifted=True,
        summary="1 of 3 columns drifted: age", reasons=["age moved"], columns=[],
    ))  # fmt: skip
    given: dict[str, Any] = {
        "purpose": "Sorts claims by urgency.\nNot for refusing them.", "data": {"training": fake_explain.table(300)},
        "metrics": (y, guess, guess * 0.8 + 0.1), "slices": "none is worse", "explanation": explanation(),
        "drift": report, "limits": ["not for life insurance"], "approvals": [{"by": "Ada", "at": 1.8e9}],
        "license": "mit", "tags": ["claims"], "owner": "risk team", "version": "3", **changes,
    }  # fmt: skip
    return aios.model_card(**given)


def test_a_whole_card_has_every_section_and_a_head_the_hub_reads(tmp_path: Path) -> None:
    from huggingface_hub import ModelCard as Theirs

    card = whole()
    assert card.missing == []
    card.require()
    path = card.save(tmp_path / "deep" / "card.md")
    text = path.read_text()
    for section in (
        "purpose",
        "data",
        "metrics",
        "slices",
        "explanation",
        "drift",
        "limits",
        "approvals",
        "lineage",
    ):
        assert f"## {SECTIONS[section]}" in text  # type: ignore[index]
    theirs = Theirs.load(path)
    assert theirs.data.license == "mit"
    assert theirs.data.model_name == "gradient boosting, 500 trees"
    assert theirs.data.library_name == "sklearn"
    metrics = {r.metric_type: r.metric_value for r in theirs.data.eval_results}
    assert metrics["accuracy"] == {m.name: m.value for m in card.data.metrics}["accuracy"]
    assert all(
        m.low is not None and m.high is not None and m.low <= m.value <= m.high for m in card.data.metrics
    )
    assert re.search(r"\| accuracy \| 0\.\d+ \| 0\.\d+ to 0\.\d+ \| 400 \|", text)
    assert "**Drifted.** 1 of 3 columns drifted: age" in text
    assert "approved by Ada on 2027-01-15" in text
    assert "models:/claims/3" in text
    assert "Incomplete" not in text


def test_a_red_check_stands_at_the_top_and_in_the_twin(tmp_path: Path) -> None:
    card = whole()
    head = card.to_markdown().split("## ")[0]
    assert "**FAILED: LIME's local fit.**" in head
    assert "**FAILED** LIME's local fit: LIME's plane explains 20 %" in card.to_markdown()
    assert "FAILED" in repr(card)
    again = load_card(card.save(tmp_path / "card.md"))
    assert again.red == card.red
    assert again.data == card.data
    assert again.to_markdown() == card.to_markdown()
    fine = explanation()
    fine.data.checks = [c for c in fine.data.checks if c.level != "fail"]
    assert "FAILED" not in whole(explanation=fine).to_markdown()


@pytest.mark.parametrize(("lost", "value"), [
    ("purpose", "  "), ("data", None), ("metrics", {"auc": 0.9}), ("metrics", {}), ("slices", None),
    ("explanation", None), ("drift", ""), ("limits", [" "]),
])  # fmt: skip
def test_what_is_missing_is_told_everywhere(lost: str, value: Any) -> None:
    card = whole(**{lost: value})
    assert card.missing == [lost]
    with pytest.raises(CardIncomplete, match=lost) as e:
        card.require()
    assert e.value.sections == (lost,)
    text = card.to_markdown()
    assert f"nothing is said of {SECTIONS[lost].lower()}" in text  # type: ignore[index]
    assert f"## {SECTIONS[lost]}" in text  # type: ignore[index]
    assert f"incomplete: {lost}" in repr(card)


def test_what_a_card_requires_can_be_said() -> None:
    assert whole(approvals=None, required=["approvals", "fairness"]).missing == ["fairness", "approvals"]
    with pytest.raises(ExplainInputError, match="did you mean 'purpose'"):
        whole(required=["purposes"])
    with pytest.raises(ExplainInputError, match="no 'purposes'; did you mean 'purpose'"):
        aios.model_card(purposes="x")


def test_no_value_of_a_row_and_no_markup_of_a_name_gets_onto_a_card(tmp_path: Path) -> None:
    ex = explanation(evil=True)
    card = whole(
        explanation=ex,
        data={"training": ex.frame},
        name=EVIL,
        purpose=f"{EVIL} | a *b* [x](y)",
        limits=[EVIL],
    )
    stored = card.to_markdown() + card.to_json()
    assert [v for v in ("Ghent", "Łódź", "claim-3", "2000000.0") if v in stored] == []
    body = card.to_markdown().split("\n---\n", 1)[1]
    assert "<img" not in re.sub(r"\(data:image/svg[^)]*\)", "", body)
    assert yaml.safe_load(card.to_markdown().split("---\n")[1])["model-index"][0]["name"] == EVIL
    rows = [x for x in body.splitlines() if x.startswith("| ")]
    for table in re.findall(r"(?:^\|.*\n)+", body, flags=re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", x)) for x in table.splitlines()}
        assert len(widths) == 1
    assert rows
    again = load_card(card.save(tmp_path / "card.md"))
    assert again.data.name == EVIL


@given(st.text(max_size=60))
def test_any_text_is_one_line_that_markdown_shows_as_it_is(text: str) -> None:
    shown = plain(text)
    assert "\n" not in shown
    assert "<" not in shown
    assert not re.search(r"(?<!\\)\|", shown.replace("\\\\", ""))


def test_pictures_lie_beside_the_card_pinned_ones_first(tmp_path: Path) -> None:
    ex = explanation()
    ex.extra["pinned"] = [{"picture": "waterfall", "title": "Row 3", "output": 0, "row": 3, "column": None}]
    card = whole(explanation=ex)
    if not card.data.pictures:
        assert all(
            "could not be drawn" in n
            for n in (card.data.explanation.notes[1:] if card.data.explanation else [])
        )
        pytest.fail("no picture was drawn")
    assert card.data.pictures[0].title == "Row 3"
    assert "claim-3" not in card.to_json()
    path = card.save(tmp_path / "my card.md")
    for name in re.findall(r"\]\(([^)]*\.svg)\)", path.read_text()):
        assert (tmp_path / name.replace("%20", " ")).read_text().lstrip().startswith("<svg")
    assert "](data:image/svg+xml;base64," in card.to_markdown()


def test_metrics_of_values_and_of_classes_have_intervals_and_odd_ones_are_refused() -> None:
    g = np.random.default_rng(0)
    y = g.normal(size=200)
    found = {m.name: m for m in whole(metrics=(y, y + 0.1)).data.metrics}
    assert found["mae"].value == pytest.approx(0.1)
    assert found["mae"].low is not None
    named = pd.Series(g.choice(["a", "b", "c"], 200))
    assert {m.name for m in whole(metrics=(named, named)).data.metrics} >= {"accuracy", "f1"}
    for wrong, match in (
        ("good", "metrics are str"),
        ({"auc": "good"}, "'auc' is 'good'"),
        ((y, y[:3]), "3 of 200"),
    ):
        with pytest.raises(ExplainInputError, match=match):
            whole(metrics=wrong)
    for name in ("slices", "fairness", "calibration", "drift"):
        with pytest.raises(ExplainInputError, match=f"{name} is int"):
            whole(**{name: [3] if name == "fairness" else 3})


def test_redaction_reaches_every_text() -> None:
    card = whole(
        purpose="Ask ada@example.org", limits=["ada@example.org"], approvals="ada@example.org",
        slices="ada@example.org",
        data={"ada@example.org": "x"}, redact=lambda t: t.replace("ada@example.org", "[e-mail]"),
    )  # fmt: skip
    assert "ada@example.org" not in card.to_json() + card.to_markdown()
    assert card.to_json().count("[e-mail]") >= 5
    assert card.missing == []


def test_a_run_s_code_and_approvals_are_named() -> None:
    wf = aios.Workflow("train")

    @wf.step
    def made() -> int:
        return 1

    run = wf.run()
    run.result()
    card = whole(run=run)
    assert card.data.lineage is not None
    assert (card.data.lineage.run_id, card.data.lineage.workflow) == (run.id, "train")
    assert card.data.lineage.code_hash
    assert f"Run: {plain(run.id)}" in card.to_markdown()
    with pytest.raises(ExplainInputError, match="no run 'nothing'"):
        whole(run="nothing")


def test_what_is_no_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        load_card(tmp_path / "card.md")
    path = whole().save(tmp_path / "card.md").with_suffix(".json")
    text = path.read_text()
    for broken in ("", "[]", text[:500], text.replace("Sorts", "Sells"), json.dumps({"format": "aios-explanation"}),
                   text.replace('"version": 1', '"version": 9', 1)):  # fmt: skip
        path.write_text(broken)
        with pytest.raises(CorruptExplanationError) as e:
            load_card(path)
        assert str(path) in str(e.value)
